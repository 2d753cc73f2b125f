"""
PNG files read straight into labels, without building the picture.
"""
