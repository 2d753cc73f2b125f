"""
Validation: what is wrong with frames, told as values.
"""

from framekit.validation.codes import CODES, LEVELS, Code
from framekit.validation.lint import fix_mask, lint_mask, lint_masks
from framekit.validation.lint_fix import Destination
from framekit.validation.lint_result import Fix, LintResult, StrayColor, Verdict
from framekit.validation.lint_summary import LintSummary
from framekit.validation.problems import Problems
from framekit.validation.report import Report
from framekit.validation.validate import Level, Progress, validate

__all__ = [
    "CODES",
    "LEVELS",
    "Code",
    "Destination",
    "Fix",
    "Level",
    "LintResult",
    "LintSummary",
    "Problems",
    "Progress",
    "Report",
    "StrayColor",
    "Verdict",
    "fix_mask",
    "lint_mask",
    "lint_masks",
    "validate",
]
