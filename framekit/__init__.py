"""
Frames with color-coded masks: build, validate, decode.
"""
