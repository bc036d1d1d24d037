"""Frames a second, frame time and lateness of the last second, exactly: on an offline clock."""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from pathlib import Path

import pytest

from player.frame_loop import Presented, Watcher
from player.pace import UNKNOWN, Pace, PaceMeter
from shows.show import Show
from tests.loop_rig import SCREENS, Rig
from tests.tiny_show import make_tiny_show

MS = 1_000_000
S = 1_000_000_000


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    folder: Path = tmp_path_factory.mktemp("show")
    return make_tiny_show(folder, screens=SCREENS, ballads=4, paintings=2, size=4)


def rig_that_draws(show: Show, costs_ms: list[float], *watchers: Watcher) -> Rig:
    """The frames cost these milliseconds, again and again."""
    rig = Rig(show, watchers=watchers)
    rig.preroll()
    for frame in range(3000):
        rig.wall.costs_ns[frame] = int(costs_ms[frame % len(costs_ms)] * MS)
    return rig


def test_presents_that_are_early_and_late_by_turns_are_thirty_a_second(show: Show) -> None:
    """Drawing begins half a frame ahead, so 17.2 ms end 0.5 ms late; of times that vary so, 31 lie
    within one second."""
    within: deque[int] = deque()
    most: list[int] = []
    told: set[float] = set()

    def look(presented: Presented) -> None:
        within.append(presented.presented_ns)
        while presented.presented_ns - within[0] >= S:
            within.popleft()
        most.append(len(within))
        told.add(rig.loop.reading().pace.fps)

    rig = rig_that_draws(show, [17.2, 1.0, 1.0, 1.0, 1.0, 17.2, 1.0], look)
    rig.run(400)
    assert max(most) == 31
    assert told == {0.0, 30.0}


def test_frames_of_60_ms_are_sixteen_or_seventeen_a_second(show: Show) -> None:
    told: set[float] = set()
    rig = rig_that_draws(show, [60.0], lambda presented: told.add(rig.loop.reading().pace.fps))
    rig.run(400)
    pace = rig.loop.reading().pace
    assert told == {0.0, 16.0, 17.0}
    assert (pace.frame_ms, pace.worst_frame_ms) == (60.0, 60.0)


def test_the_median_and_the_worst_of_a_second(show: Show) -> None:
    rig = rig_that_draws(show, [4.0] * 29 + [26.0])
    rig.run(30)
    assert rig.loop.reading().pace == Pace()
    rig.run(1)
    pace = rig.loop.reading().pace
    assert (pace.fps, pace.frame_ms, pace.worst_frame_ms) == (30.0, 4.0, 26.0)
    assert pace.late_ms == 0.0
    # half a frame ahead, one of 26 ms is that much behind
    assert pace.worst_late_ms == pytest.approx(26 - 1000 / 60, abs=1e-3)
    assert rig.loop.reading().fps == 30.0


def test_it_counts_in_a_pause_too(show: Show) -> None:
    rig = rig_that_draws(show, [1.0])
    rig.say("/pause")
    rig.run(40)
    assert rig.loop.reading().pace.fps == 30.0


def test_a_second_that_was_missed_and_a_clock_that_was_set_back() -> None:
    meter = PaceMeter(Fraction(30))
    for tick in range(10):
        meter.presented(tick, MS, 0)
    meter.presented(100, MS, 3 * S)  # it stood for three seconds
    assert meter.pace == Pace(10.0, 1.0, 1.0, 0.0, 0.0)
    for tick in range(101, 121):
        meter.presented(tick, MS, 0)
    assert meter.pace.fps == 20.0 and meter.pace.worst_late_ms == 3000.0
    meter.presented(50, MS, 0)
    for tick in range(51, 81):
        meter.presented(tick, 2 * MS, -MS)
    assert meter.pace == Pace(30.0, 2.0, 2.0, 0.0, 0.0)


def test_of_a_rate_that_is_no_whole_number() -> None:
    meter = PaceMeter(Fraction(30000, 1001))
    assert meter.pace.frame_ms == UNKNOWN
    for tick in range(31):
        meter.presented(tick, MS, 0)
    assert meter.pace.fps == pytest.approx(29.97, abs=0.001)
