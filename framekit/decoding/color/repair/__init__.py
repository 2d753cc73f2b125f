"""
Labels of lossy planes: what 4:2:0 and coding noise did to borders is undone.

All arithmetic is in integers; the compiled kernels and the NumPy twins in this
package agree to the bit.
"""
