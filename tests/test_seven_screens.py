"""The installation on a desktop of seven monitors: seven ballads, and one of them on all by OSC."""

from __future__ import annotations

import json
import shutil
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.live_show import make_live_show
from tests.virtual_desktop import on_virtual_desktop

WIDTH_PX, HEIGHT_PX = 320, 240


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_seven_windows_and_a_change_of_ballad_by_oscsend(tmp_path: Path) -> None:
    if shutil.which("oscsend") is None:
        pytest.skip("oscsend is missing: apt-get install liblo-tools")
    show = make_live_show(tmp_path / "show", moving=False)
    size = f"{WIDTH_PX}x{HEIGHT_PX}"
    on_virtual_desktop("tests.installation_on_desktop", show.folder, tmp_path, size=size)
    own, third = monitors(tmp_path / "own.png"), monitors(tmp_path / "third.png")
    for a, b in combinations(own, 2):
        assert np.abs(a - b).mean() > 5, "every monitor shows its own ballad"
    for monitor in third:
        assert monitor.std() > 2, "a picture, no plain still"
        assert (monitor == third[0]).all(), "the same on every monitor"
    # A batch of one may round otherwise than one of seven.
    assert np.abs(third[0] - own[2]).max() <= 3, "it is the third screen's ballad"
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["osc_errors"] == 0 and report["worker_restarts"] == 0
    assert "windows, 7 screens of 320x240" in report["outputs"]


def monitors(path: Path) -> list[NDArray[np.float64]]:
    """The desktop's screenshot, cut into its seven monitors [H, W, 3]."""
    with Image.open(path) as image:
        desktop = np.asarray(image.convert("RGB"), np.float64)
    assert desktop.shape == (HEIGHT_PX, 7 * WIDTH_PX, 3)
    return [desktop[:, n * WIDTH_PX : (n + 1) * WIDTH_PX] for n in range(7)]
