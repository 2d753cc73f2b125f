"""
The ``framekit`` command.
"""

from framekit.cli.main import main, run

__all__ = ["main", "run"]
