"""A wall that draws at 30 fps on seven monitors while xrandr takes some away and brings them back.

That no window misses a frame is counted in swaps, which cannot be late or early; how long a tick
took is a figure of the machine, and printed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.virtual_desktop import on_virtual_desktop
from tests.wall_on_desktop import COLOURS, CORNER

ROOT = Path(__file__).resolve().parent.parent
WIDTH_PX, HEIGHT_PX = 160, 128
BLACK = (0, 0, 0)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the virtual desktop is an X server"),
]


class Steps:
    """What the wall did at each step, and the screenshots after them."""

    def __init__(self, report: list[dict[str, Any]], folder: Path) -> None:
        self.report = report
        self._folder = folder

    def screenshot(self, step: int) -> NDArray[np.uint8]:
        """[H, W, 3]"""
        with Image.open(self._folder / f"{step}.png") as image:
            return np.asarray(image.convert("RGB"))

    def colours(self, step: int, top_px: int = 0) -> list[tuple[int, ...]]:
        """At the middle of each of the seven monitors' places."""
        pixels = self.screenshot(step)
        row = top_px + HEIGHT_PX // 2
        return [tuple(map(int, pixels[row, WIDTH_PX * n + WIDTH_PX // 2])) for n in range(7)]

    def dark(self, step: int) -> set[int]:
        """The screens whose windows did not draw in every tick of the step."""
        report = self.report[step]
        return {n for n, swaps in enumerate(report["swaps"]) if swaps != report["ticks"]}


def changes(tmp_path: Path, *arguments: str, machine: str = "") -> Steps:
    if machine:
        (tmp_path / "machine.yaml").write_text("schema_version: 1\n" + machine)
        arguments = ("--machine", str(tmp_path / "machine.yaml"), *arguments)
    size = f"{WIDTH_PX}x{HEIGHT_PX}"
    told = on_virtual_desktop("tests.changes_on_desktop", tmp_path, *arguments, size=size)
    report = json.loads(told)
    for step in report:
        print(step["step"], {name: step[name] for name in ("ticks", "longest_ms", "poll_ms_max")})
    return Steps(report, tmp_path)


def test_monitor_four_goes_and_comes_back_and_the_others_draw_every_frame(tmp_path: Path) -> None:
    steps = changes(tmp_path, "saver:1", "start", "unplug:3", "plug")
    assert [step["saver_on"] for step in steps.report] == [False] * 3
    assert steps.colours(0) == list(COLOURS) and steps.dark(0) == set()
    assert steps.colours(1) == [*COLOURS[:3], BLACK, *COLOURS[4:]]
    assert steps.dark(1) == {3}
    assert steps.report[1]["swaps"][3] <= 2, "drawn only until it was noticed"
    assert steps.report[1]["sizes"] == [[WIDTH_PX, HEIGHT_PX]] * 7
    assert "Screen 4: absent for" in steps.report[1]["status"][3]
    assert "1 of them absent" in steps.report[1]["describe"]
    assert steps.colours(2) == list(COLOURS)
    assert (steps.screenshot(2) == steps.screenshot(0)).all()
    assert steps.report[2]["status"] == steps.report[0]["status"]
    assert steps.dark(2) <= {3}


def test_the_one_that_waits_for_its_refresh_goes_and_all_others_move(tmp_path: Path) -> None:
    steps = changes(tmp_path, "start", "unplug:0", "plug", "unplug:6", "plug")
    assert steps.colours(1) == [*COLOURS[1:], BLACK], "xrandr moves all to the left"
    assert steps.dark(1) == {0} and steps.dark(2) <= {0}
    assert steps.colours(3) == [*COLOURS[:6], BLACK]
    assert steps.dark(3) == {6} and steps.dark(4) <= {6}
    for step in (0, 2, 4):
        assert steps.colours(step) == list(COLOURS)


def test_it_comes_back_elsewhere_and_at_another_size(tmp_path: Path) -> None:
    steps = changes(
        tmp_path,
        "mode:--newmode small 12.0 128 136 168 770 96 99 103 260",
        "mode:--addmode DUMMY3 small",
        "unplug:3",
        "xrandr:--fb 1120x300 --output DUMMY3 --mode small --pos 500x150",
        f"xrandr:--output DUMMY3 --mode {WIDTH_PX}x{HEIGHT_PX} --pos 480x0",
    )
    back, whole = steps.report[1:]
    assert back["sizes"][3] == [128, 96]
    assert "DUMMY3, 128x96 at 500,150, 59.94 Hz" in back["status"][3]
    assert steps.dark(1) <= {3} and steps.dark(2) == set()
    pixels = steps.screenshot(1)
    assert pixels.shape == (300, 1120, 3)
    assert steps.colours(1) == [*COLOURS[:3], BLACK, *COLOURS[4:]]
    for row, column, colour in (
        (151, 501, CORNER),
        (151, 626, COLOURS[3]),
        (244, 626, COLOURS[3]),
        (244, 629, BLACK),
        (148, 560, BLACK),
    ):
        assert tuple(pixels[row, column]) == colour
    assert whole["sizes"] == [[WIDTH_PX, HEIGHT_PX]] * 7, "a mode is followed without a return"
    assert steps.colours(2) == list(COLOURS)


def test_a_machine_file_places_by_name_edid_index_and_rectangle(tmp_path: Path) -> None:
    machine = """
screens:
  - {screen: S1, output: DUMMY6}
  - {screen: S2, edid: SN-0002}
  - {screen: S3, index: 1, size: [100, 60]}
  - {screen: S4, rectangle: [480, 0, 80, 128]}
  - {screen: S5, rectangle: [560, 64, 80, 64]}
  - {screen: S7, output: DUMMY9}
"""
    steps = changes(tmp_path, "edid:4:SN-0002", "start", "unplug:4", "plug", machine=machine)
    for step in range(3):
        pixels = steps.screenshot(step)
        for row, column, colour in (
            (33, 30, BLACK),  # 100x60 in the middle of the first monitor
            (34, 30, CORNER),
            (93, 129, COLOURS[2]),
            (64, 240, COLOURS[5]),  # S6 is not named: the leftmost monitor that is free
            (64, 400, BLACK),
            (60, 540, COLOURS[3]),
            (127, 480, COLOURS[3]),
            (63, 561, BLACK),
            (65, 561, CORNER),
            (127, 639, COLOURS[4]),
            (64, 720, BLACK if step == 1 else COLOURS[1]),
            (64, 880, BLACK),
            (64, 1040, COLOURS[0]),
        ):
            assert tuple(pixels[row, column]) == colour
    assert steps.dark(0) == {6} and steps.dark(1) == {1, 6}
    assert "Screen 7 (S7): absent for" in steps.report[2]["status"][6]


def test_all_screens_by_name_in_any_order(tmp_path: Path) -> None:
    order = (4, 0, 6, 2, 5, 1, 3)
    machine = "screens:\n" + "\n".join(
        f"  - {{screen: S{n + 1}, output: DUMMY{output}}}" for n, output in enumerate(order)
    )
    steps = changes(tmp_path, "start", "unplug:2", "plug", machine=machine)
    expected = [COLOURS[order.index(output)] for output in range(7)]
    assert steps.colours(0) == steps.colours(2) == expected
    assert steps.colours(1) == [*expected[:2], BLACK, *expected[3:]]
    assert steps.dark(1) == {3}


def test_one_window_with_rectangles_of_different_sizes_and_black_between(tmp_path: Path) -> None:
    machine = """
outputs: span
screens:
  - {screen: S1, rectangle: [0, 0, 300, 60]}
  - {screen: S2, rectangle: [310, 10, 100, 118]}
  - {screen: S3, rectangle: [500, 0, 128, 128]}
  - {screen: S4, output: DUMMY6}
  - {screen: S5, rectangle: [820, 0, 100, 128]}
"""
    steps = changes(tmp_path, "--kind", "span", "start", "unplug:6", "plug", machine=machine)
    for step in range(3):
        report, pixels = steps.report[step], steps.screenshot(step)
        assert report["swaps"] == [report["ticks"]], "one swap a tick"
        assert report["sizes"][:5] == [[300, 60], [100, 118], [128, 128], [160, 128], [100, 128]]
        for row, column, colour in (
            (1, 1, CORNER),
            (59, 299, COLOURS[0]),
            (60, 299, BLACK),
            (30, 305, BLACK),
            (9, 350, BLACK),
            (127, 409, COLOURS[1]),
            (127, 627, COLOURS[2]),
            (64, 720, COLOURS[5]),
            (64, 930, BLACK),
            (64, 1040, BLACK if step == 1 else COLOURS[3]),
        ):
            assert tuple(pixels[row, column]) == colour


def test_columns_of_one_window_stay_when_the_last_monitor_goes(tmp_path: Path) -> None:
    steps = changes(tmp_path, "--kind", "span", "start", "unplug:6", "plug")
    assert steps.colours(0) == steps.colours(2) == list(COLOURS)
    assert steps.report[1]["sizes"] == [[WIDTH_PX, HEIGHT_PX]] * 7
    assert steps.report[1]["swaps"] == [steps.report[1]["ticks"]]
