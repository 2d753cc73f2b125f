"""
The 35 labels of Cityscapes, as cityscapesScripts lists them (helpers/labels.py).
"""

from __future__ import annotations

from typing import Final

__all__ = ["CITYSCAPES"]

#: Label id, train id (255 or -1: ignored in evaluation), color, category, whether
#: there are instances of it, and name.
CITYSCAPES: Final = """
0 255 #000000 void stuff unlabeled
1 255 #000000 void stuff ego vehicle
2 255 #000000 void stuff rectification border
3 255 #000000 void stuff out of roi
4 255 #000000 void stuff static
5 255 #6f4a00 void stuff dynamic
6 255 #510051 void stuff ground
7 0 #804080 flat stuff road
8 1 #f423e8 flat stuff sidewalk
9 255 #faaaa0 flat stuff parking
10 255 #e6968c flat stuff rail track
11 2 #464646 construction stuff building
12 3 #66669c construction stuff wall
13 4 #be9999 construction stuff fence
14 255 #b4a5b4 construction stuff guard rail
15 255 #966464 construction stuff bridge
16 255 #96785a construction stuff tunnel
17 5 #999999 object stuff pole
18 255 #999999 object stuff polegroup
19 6 #faaa1e object stuff traffic light
20 7 #dcdc00 object stuff traffic sign
21 8 #6b8e23 nature stuff vegetation
22 9 #98fb98 nature stuff terrain
23 10 #4682b4 sky stuff sky
24 11 #dc143c human thing person
25 12 #ff0000 human thing rider
26 13 #00008e vehicle thing car
27 14 #000046 vehicle thing truck
28 15 #003c64 vehicle thing bus
29 255 #00005a vehicle thing caravan
30 255 #00006e vehicle thing trailer
31 16 #005064 vehicle thing train
32 17 #0000e6 vehicle thing motorcycle
33 18 #770b20 vehicle thing bicycle
-1 -1 #00008e vehicle stuff license plate
"""
