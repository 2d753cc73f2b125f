from __future__ import annotations

import subprocess
import sys

PROBE = """
import sys
sys.modules["torch"] = None
import framekit
try:
    import framekit.torch
except ImportError as error:
    print(type(error).__name__, error)
"""


def test_without_torch() -> None:
    """
    Whoever asks for framekit.torch without torch is told what to install.
    """
    found = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, check=True
    )

    expected = "MissingPackageError framekit.torch needs: pip install torch\n"
    assert found.stdout == expected
