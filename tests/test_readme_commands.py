"""
The README's first command, in a fresh copy and a fresh virtual environment.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "out", "build", "*.egg-info", ".*_cache", "*.so"
)


@pytest.mark.slow
def test_run(tmp_path: Path) -> None:
    """
    It sets framekit up, validates the sample, decodes it and paints a frame.
    """
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- command: run -->\n```bash\n(.+?)\n```", text)
    assert found is not None
    clone = tmp_path / "clone"
    shutil.copytree(ROOT, clone, ignore=LEFT_OUT)
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "python").symlink_to(getattr(sys, "_base_executable", sys.executable))
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", found[1]],
        cwd=clone,
        env={**kept, "PATH": f"{tools}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "no problems in 24 frames" in done.stdout
    assert "56 label maps in out, 0 failed" in done.stdout
    assert (clone / "out" / "overlay.png").stat().st_size > 100_000
    assert len(list((clone / "out").glob("*/front.seg.png"))) == 24
