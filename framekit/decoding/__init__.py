"""
From mask images and mask videos to label maps, with a report of how sure they are.
"""
