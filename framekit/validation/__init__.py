"""
Validation: what is wrong with frames, told as values.
"""

from framekit.validation.codes import CODES, LEVELS, Code
from framekit.validation.problems import Problems
from framekit.validation.report import Report
from framekit.validation.validate import Level, Progress, validate

__all__ = [
    "CODES",
    "LEVELS",
    "Code",
    "Level",
    "Problems",
    "Progress",
    "Report",
    "validate",
]
