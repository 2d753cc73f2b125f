"""
Mask videos: which frame, from which container, and its planes.
"""
