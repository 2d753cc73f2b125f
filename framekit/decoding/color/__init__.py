"""
What the colors of a video's planes stand for.
"""
