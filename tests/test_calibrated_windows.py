"""Calibrated windows on a real desktop show what a headless wall draws, in every context."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.wall_on_desktop import SEVEN_SCREENS

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs an X server")
@pytest.mark.parametrize("kind", ["windows", "span"])
def test_windows_show_what_a_headless_wall_draws(tmp_path: Path, kind: str) -> None:
    shot = tmp_path / "shot.png"
    command = [SEVEN_SCREENS, "-n", "4", "-s", "160x128", "--", sys.executable, "-m"]
    done = subprocess.run(
        [*command, "tests.calibrated_on_desktop", kind, shot],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    if done.returncode == 69:
        pytest.skip(f"no virtual desktop: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [screen["logical"] for screen in report] == [[128, 160], *[[160, 128]] * 3]
    for screen in report:
        assert screen["light"] > 20
        assert screen["read"] == 0
        # the dither counts from the window's corner, so a column of a span differs by a step
        assert screen["window"] <= (1 if kind == "span" else 0), report
