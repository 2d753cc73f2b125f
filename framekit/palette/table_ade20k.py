"""
The 150 classes of the MIT scene parsing benchmark on ADE20K.

Numbers, and what is stuff, are those of the benchmark's own list of classes
(objectInfo150), whose first names these are; colors are the table that MMSegmentation
and GluonCV publish alike. Two classes, road and skyscraper, share a color there.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ADE20K"]

#: Color, thing or stuff, and name; from 1, since 0 is what has no class.
ADE20K: Final = """
#787878 stuff wall
#b47878 stuff building
#06e6e6 stuff sky
#503232 stuff floor
#04c803 thing tree
#787850 stuff ceiling
#8c8c8c stuff road
#cc05ff thing bed
#e6e6e6 thing windowpane
#04fa07 stuff grass
#e005ff thing cabinet
#ebff07 stuff sidewalk
#96053d thing person
#787846 stuff earth
#08ff33 thing door
#ff0652 thing table
#8fff8c stuff mountain
#ccff04 thing plant
#ff3307 thing curtain
#cc4603 thing chair
#0066c8 thing car
#3de6fa stuff water
#ff0633 thing painting
#0b66ff thing sofa
#ff0747 thing shelf
#ff09e0 stuff house
#0907e6 stuff sea
#dcdcdc thing mirror
#ff095c stuff rug
#7009ff stuff field
#08ffd6 thing armchair
#07ffe0 thing seat
#ffb806 thing fence
#0aff47 thing desk
#ff290a thing rock
#07ffff thing wardrobe
#e0ff08 thing lamp
#6608ff thing bathtub
#ff3d06 thing railing
#ffc207 thing cushion
#ff7a08 thing base
#00ff14 thing box
#ff0829 thing column
#ff0599 thing signboard
#0633ff thing chest of drawers
#eb0cff thing counter
#a09614 stuff sand
#00a3ff thing sink
#8c8c8c stuff skyscraper
#fa0a0f thing fireplace
#14ff00 thing refrigerator
#1fff00 stuff grandstand
#ff1f00 stuff path
#ffe000 thing stairs
#99ff00 stuff runway
#0000ff thing case
#ff4700 thing pool table
#00ebff thing pillow
#00adff thing screen door
#1f00ff stuff stairway
#0bc8c8 stuff river
#ff5200 stuff bridge
#00fff5 thing bookcase
#003dff thing blind
#00ff70 thing coffee table
#00ff85 thing toilet
#ff0000 thing flower
#ffa300 thing book
#ff6600 stuff hill
#c2ff00 thing bench
#008fff thing countertop
#33ff00 thing stove
#0052ff thing palm
#00ff29 thing kitchen island
#00ffad thing computer
#0a00ff thing swivel chair
#adff00 thing boat
#00ff99 thing bar
#ff5c00 thing arcade machine
#ff00ff stuff hovel
#ff00f5 thing bus
#ff0066 thing towel
#ffad00 thing light
#ff0014 thing truck
#ffb8b8 stuff tower
#001fff thing chandelier
#00ff3d thing awning
#0047ff thing streetlight
#ff00cc thing booth
#00ffc2 thing television receiver
#00ff52 thing airplane
#000aff stuff dirt track
#0070ff thing apparel
#3300ff thing pole
#00c2ff stuff land
#007aff thing bannister
#00ffa3 stuff escalator
#ff9900 thing ottoman
#00ff0a thing bottle
#ff7000 thing buffet
#8fff00 thing poster
#5200ff stuff stage
#a3ff00 thing van
#ffeb00 thing ship
#08b8aa thing fountain
#8500ff stuff conveyer belt
#00ff5c thing canopy
#b800ff thing washer
#ff001f thing plaything
#00b8ff stuff swimming pool
#00d6ff thing stool
#ff0070 thing barrel
#5cff00 thing basket
#00e0ff stuff waterfall
#70e0ff thing tent
#46b8a0 thing bag
#a300ff thing minibike
#9900ff thing cradle
#47ff00 thing oven
#ff00a3 thing ball
#ffcc00 thing food
#ff008f thing step
#00ffeb thing tank
#85ff00 thing trade name
#ff00eb thing microwave
#f500ff thing pot
#ff007a thing animal
#fff500 thing bicycle
#0abed4 stuff lake
#d6ff00 thing dishwasher
#00ccff thing screen
#1400ff thing blanket
#ffff00 thing sculpture
#0099ff thing hood
#0029ff thing sconce
#00ffcc thing vase
#2900ff thing traffic light
#29ff00 thing tray
#ad00ff thing ashcan
#00f5ff thing fan
#4700ff stuff pier
#7a00ff thing crt screen
#00ffb8 thing plate
#005cff thing monitor
#b8ff00 thing bulletin board
#0085ff thing shower
#ffd600 thing radiator
#19c2c2 thing glass
#66ff00 thing clock
#5c00ff thing flag
"""
