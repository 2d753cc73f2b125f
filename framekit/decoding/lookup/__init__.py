"""
Pixel values to ids, compiled or in NumPy, with what is unknown counted.
"""
