"""
The 32 classes of CamVid, as its label_colors.txt lists them.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CAMVID"]

#: Color and name.
CAMVID: Final = """
#408040 Animal
#c00080 Archway
#0080c0 Bicyclist
#008040 Bridge
#800000 Building
#400080 Car
#4000c0 CartLuggagePram
#c08040 Child
#c0c080 Column_Pole
#404080 Fence
#8000c0 LaneMkgsDriv
#c00040 LaneMkgsNonDriv
#808040 Misc_Text
#c000c0 MotorcycleScooter
#804040 OtherMoving
#40c080 ParkingBlock
#404000 Pedestrian
#804080 Road
#8080c0 RoadShoulder
#0000c0 Sidewalk
#c08080 SignSymbol
#808080 Sky
#4080c0 SUVPickupTruck
#000040 TrafficCone
#004040 TrafficLight
#c04080 Train
#808000 Tree
#c080c0 Truck_Bus
#400040 Tunnel
#c0c000 VegetationMisc
#000000 Void
#40c000 Wall
"""
