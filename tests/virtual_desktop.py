"""Runs a module of the tests on a desktop of real monitors: tests/seven_screens."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.installation_process import ROOT
from tests.wall_on_desktop import SEVEN_SCREENS

CANNOT_BE_HAD = 69


def on_virtual_desktop(
    module: str, *arguments: object, monitors: int = 7, size: str = "320x240"
) -> str:
    """What the module printed; it must end with 0. Skips where there can be no such desktop."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the virtual desktop is an X server")
    command = [SEVEN_SCREENS, "-n", monitors, "-s", size, "--", sys.executable, "-m", module]
    done = subprocess.run(
        [str(word) for word in (*command, *arguments)],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("SEVEN_SCREENS_")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == CANNOT_BE_HAD:
        pytest.skip(f"no virtual desktop: {done.stderr.strip()}")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
