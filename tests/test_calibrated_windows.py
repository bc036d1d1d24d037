"""Calibrated windows on a real desktop show what a headless wall draws, in every context."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.virtual_desktop import on_virtual_desktop

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["windows", "span"])
def test_windows_show_what_a_headless_wall_draws(tmp_path: Path, kind: str) -> None:
    shot = tmp_path / "shot.png"
    told = on_virtual_desktop("tests.calibrated_on_desktop", kind, shot, monitors=4, size="160x128")
    report = json.loads(told)
    assert [screen["logical"] for screen in report] == [[128, 160], *[[160, 128]] * 3]
    for screen in report:
        assert screen["light"] > 20
        assert screen["read"] == 0
        # the dither counts from the window's corner, so a column of a span differs by a step
        assert screen["window"] <= (1 if kind == "span" else 0), report
