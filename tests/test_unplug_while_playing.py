"""The installation on seven monitors, of which the fourth goes and comes back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.live_show import make_live_show
from tests.test_seven_screens import HEIGHT_PX, WIDTH_PX, monitors
from tests.virtual_desktop import on_virtual_desktop


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_others_play_on_and_the_fourth_comes_back(tmp_path: Path) -> None:
    show = make_live_show(tmp_path / "show", moving=False)
    words = (show.folder, tmp_path, "--threads", 1)
    on_virtual_desktop("tests.unplug_on_desktop", *words, size=f"{WIDTH_PX}x{HEIGHT_PX}")
    pictures = {name: monitors(tmp_path / f"{name}.png") for name in ("before", "during", "after")}
    for number in range(7):
        before, during, after = (of[number][: HEIGHT_PX // 2] for of in pictures.values())
        np.testing.assert_array_equal(before, after)  # above the strip, nothing moves in this show
        if number == 3:
            assert not during.any(), "the desktop where monitor 4 was"
        else:
            np.testing.assert_array_equal(before, during)
    strips = json.loads((tmp_path / "strips.json").read_text())
    assert strips["after"] != strips["before"], "the frame number went on"
    cards = [*monitors(tmp_path / "identify.png"), *monitors(tmp_path / "card.png")]
    assert all(card.std() > 20 for card in cards)
    report = json.loads((tmp_path / "report.json").read_text())
    assert len(report["screens"]) == 7 and not any("absent" in line for line in report["screens"])
