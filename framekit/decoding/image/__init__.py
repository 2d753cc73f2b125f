"""
Mask images of every kind: from a file to labels, and back.
"""
