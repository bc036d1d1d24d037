"""A fresh Python to try things in that this one should not live through."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOST_SECONDS = 100  # a child that takes longer hangs


def run_child(
    program: Iterable[str], text: str, folder: Path, most_seconds: float = MOST_SECONDS
) -> str:
    """What a fresh Python writes, with the repository to import and `folder` to be in."""
    done = subprocess.run(
        [sys.executable, *program],
        input=text,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        timeout=most_seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
