"""Opening walls: areas on paper, what is refused, and a real desktop of seven monitors."""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from player.wall.edid import Edid
from player.wall.monitors import Area, columns, desktop, overlap_px, shrunk, tiles
from player.wall.outputs import (
    OutputError,
    has_display,
    list_monitors,
    monitors_text,
    open_wall,
)
from player.wall.placing import Monitor, default_places, seated
from tests.virtual_desktop import on_virtual_desktop
from tests.wall_on_desktop import COLOURS, CORNER

ROOT = Path(__file__).resolve().parent.parent
FULL_HD = Area(0, 0, 1920, 1080)


def test_the_desktop_is_around_all_monitors() -> None:
    a, b, c = Area(0, 0, 100, 100), Area(100, 50, 80, 80), Area(-50, 0, 50, 50)
    assert desktop([a, b, c]) == Area(-50, 0, 230, 130)
    assert overlap_px(a, b) == overlap_px(a, c) == 0
    assert overlap_px(a, Area(90, 90, 100, 5)) == 50


@pytest.mark.parametrize("screens", range(1, 17))
def test_tiles_fill_the_desktop_without_overlap(screens: int) -> None:
    for areas in ([FULL_HD], [FULL_HD, Area(1920, 0, 1080, 1920)]):
        monitors = [Monitor(f"M{i}", area, area) for i, area in enumerate(areas)]
        seats = seated(monitors, default_places(monitors, screens), (None,) * screens)
        places = [seat.area for seat in seats if seat]
        assert len(places) == screens
        assert all(min(a.width, a.height) >= 240 for a in places)
        assert not any(overlap_px(a, b) for i, a in enumerate(places) for b in places[:i])
        assert all(any(m == desktop([m, a]) for m in areas) for a in places)


def test_seven_tiles_on_one_monitor() -> None:
    areas = tiles(FULL_HD, 7)
    assert {(a.width, a.height) for a in areas} == {(480, 540)}
    assert areas[4] == Area(0, 540, 480, 540)


def test_columns_leave_no_gap() -> None:
    areas = columns(Area(10, 5, 1000, 240), 7)
    assert areas[0].x == 10 and areas[-1].x + areas[-1].width == 1010
    assert all(a.x + a.width == b.x for a, b in pairwise(areas))
    assert {a.width for a in areas} <= {142, 143}


def test_a_size_is_an_upper_bound_in_the_middle() -> None:
    assert shrunk(FULL_HD, (256, 256)) == Area(832, 412, 256, 256)
    assert shrunk(Area(0, 0, 200, 300), (256, 256)) == Area(0, 22, 200, 256)
    assert shrunk(FULL_HD, None) == FULL_HD


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="EGL is Linux's way")
def test_without_a_driver_the_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GLCONTEXT_LINUX_LIBEGL", "libnowhere.so.1")
    with pytest.raises(OutputError, match=r"libnowhere.*apt-get install libegl1"):
        open_wall("headless", 7)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="DISPLAY is X's word")
def test_without_a_display_windows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    assert not has_display()
    with pytest.raises(OutputError, match="--outputs headless"):
        open_wall("windows", 7)
    monkeypatch.setenv("DISPLAY", ":6999")
    assert not has_display()
    with pytest.raises(OutputError, match=r"Failed to open display :6999\."):
        open_wall("span", 7)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="DISPLAY is X's word")
def test_monitors_are_listed_in_the_words_of_a_machine_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(OutputError, match="DISPLAY is not set"):
        list_monitors()
    edid = Edid("DEL", 0x41A8, 0, "DELL U2720Q", "8KX7V23")
    portrait = Area(-1080, 0, 1080, 1920)
    told = monitors_text(
        [
            Monitor("DP-1", portrait, portrait, Fraction(60000, 1001), edid),
            Monitor("HDMI-A-1", FULL_HD, FULL_HD, None),
        ]
    )
    assert told.splitlines() == [
        "index 1  output DP-1      1080x1920 at -1080,0  59.94 Hz               "
        "edid DEL41A8 DELL U2720Q 8KX7V23",
        "index 2  output HDMI-A-1  1920x1080 at 0,0      refresh rate not told  EDID not told",
    ]
    assert monitors_text([]) == "No monitor is on."


def test_a_wall_needs_screens_and_a_size() -> None:
    with pytest.raises(OutputError, match="0 screens"):
        open_wall("headless", 0)
    with pytest.raises(OutputError, match="size"):
        open_wall("headless", 7, (0, 5))


def test_walls_can_be_opened_beside_and_after_one_another() -> None:
    first, second = open_wall("headless", 1, (8, 8)), open_wall("headless", 7)
    assert first.size_of(0) == (8, 8) and second.size_of(6) == (256, 256)
    assert "7 screens of 256x256" in second.describe() and "OpenGL" in second.describe()
    assert (second.read(6) == 0).all() and first.poll()
    first.close()
    first.close()
    assert (second.read(0) == 0).all()
    second.close()


def on_desktop(tmp_path: Path, *wall: str, screens: int = 7, size: str = "160x128") -> Any:
    """Runs wall_on_desktop there; gives its report and the screenshot [H, W, 3]."""
    shot = tmp_path / "shot.png"
    words = (wall[0], shot, *wall[1:])
    told = on_virtual_desktop("tests.wall_on_desktop", *words, monitors=screens, size=size)
    with Image.open(shot) as image:
        pixels = np.asarray(image.convert("RGB"))
    return json.loads(told), pixels


def test_seven_windows_on_seven_monitors(tmp_path: Path) -> None:
    report, pixels = on_desktop(tmp_path, "windows")
    assert pixels.shape == (128, 7 * 160, 3)
    assert report["open"] and report["sizes"] == [[160, 128]] * 7
    for i, colour in enumerate(COLOURS):
        monitor = pixels[:, i * 160 : (i + 1) * 160]
        assert tuple(monitor[2, 2]) == CORNER  # no decoration, the right way up
        for row, column in ((2, 157), (64, 80), (125, 2), (125, 157)):
            assert tuple(monitor[row, column]) == colour
    assert [tuple(c) for c in report["centres"]] == list(COLOURS)
    assert [tuple(c) for c in report["corners"]] == [CORNER] * 7


def test_one_window_spans_the_desktop_in_equal_columns(tmp_path: Path) -> None:
    report, pixels = on_desktop(tmp_path, "span", screens=3, size="200x150")
    assert sorted({w for w, _ in report["sizes"]}) == [85, 86]
    assert sum(w for w, _ in report["sizes"]) == 600
    left = 0
    for (width, height), colour in zip(report["sizes"], COLOURS, strict=True):
        assert height == 150
        assert tuple(pixels[2, left + 2]) == CORNER
        assert tuple(pixels[75, left + width // 2]) == colour
        left += width
    assert [tuple(c) for c in report["centres"]] == list(COLOURS)


def test_fewer_monitors_than_screens_are_tiled(tmp_path: Path) -> None:
    _, pixels = on_desktop(tmp_path, "windows", screens=1, size="640x400")
    for i, colour in enumerate(COLOURS):
        x, y = i % 4 * 160, i // 4 * 200
        assert tuple(pixels[y + 2, x + 2]) == CORNER
        assert tuple(pixels[y + 100, x + 80]) == colour


def test_a_given_size_stands_in_the_middle_of_each_monitor(tmp_path: Path) -> None:
    report, pixels = on_desktop(tmp_path, "windows", "100x60")
    assert report["sizes"] == [[100, 60]] * 7
    for i, colour in enumerate(COLOURS):
        left, top = i * 160 + 30, 34
        assert tuple(pixels[top + 30, left + 50]) == colour
        assert tuple(pixels[top + 1, left + 1]) == CORNER
        assert tuple(pixels[top - 3, left - 3]) == (0, 0, 0)
