"""
``python -m framekit``.
"""

from framekit.cli import main

main()
