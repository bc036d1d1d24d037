"""Monitors followed through GLFW and xrandr, both played by hand."""

from __future__ import annotations

from concurrent.futures import Future
from fractions import Fraction

import pytest

from player.wall.desktop import Ask, MonitorWatch
from player.wall.edid import Edid
from player.wall.monitors import Area
from player.wall.xrandr import RandrOutput
from tests.fake_glfw import FakeGlfw, FakeMonitor
from tests.tick_helpers import wait_for

RATE = Fraction(60000, 1001)
EDID = Edid("DEL", 1, 2, "X", "Y")


class Xrandr:
    """Answers with what it is told to."""

    def __init__(self, *outputs: RandrOutput) -> None:
        self.outputs: tuple[RandrOutput, ...] | None = outputs
        self.asked = 0

    def __call__(self) -> tuple[RandrOutput, ...] | None:
        self.asked += 1
        return self.outputs


def output(name: str, x: int, edid: Edid | None = EDID, rate: Fraction = RATE) -> RandrOutput:
    return RandrOutput(name, True, Area(x, 0, 100, 80), rate, edid)


def watch(*monitors: FakeMonitor, ask: Ask = lambda: None) -> tuple[FakeGlfw, MonitorWatch]:
    glfw = FakeGlfw(list(monitors))
    return glfw, MonitorWatch(glfw, ask)


def names(watched: MonitorWatch) -> list[str]:
    return [monitor.name for monitor in watched.monitors]


def glances_until_change(watched: MonitorWatch, *, most: int = 100) -> int:
    return next(number for number in range(1, most) if watched.glance())


def test_monitors_come_from_the_left_with_what_xrandr_adds() -> None:
    _, watched = watch(
        FakeMonitor(b"B", 100), FakeMonitor(b"A", 0), ask=Xrandr(output("A", 0), output("B", 7))
    )
    a, b = watched.monitors
    assert (a.name, a.area, a.work_area) == ("A", Area(0, 0, 100, 80), Area(0, 20, 100, 60))
    assert (a.refresh_hz, a.edid) == (RATE, EDID)
    assert b.refresh_hz == 60, "xrandr speaks of another place: GLFW's rate is newer"
    assert watched.tells_edid


def test_without_xrandr_glfws_rates_are_what_there_is() -> None:
    _, watched = watch(FakeMonitor(b"A", 0), FakeMonitor(b"B", 100, rate=0))
    assert [m.refresh_hz for m in watched.monitors] == [60, None]
    assert [m.edid for m in watched.monitors] == [None, None] and not watched.tells_edid


def test_names_are_text_and_told_apart() -> None:
    _, watched = watch(FakeMonitor(b"", 0), FakeMonitor(b"", 100), FakeMonitor(b"\xff", 200))
    assert names(watched) == ["monitor", "monitor (2)", "\ufffd"]


def test_a_loss_and_a_return_are_seen_at_the_next_glance() -> None:
    monitors = [FakeMonitor(b"DP-%d" % n, 100 * n) for n in range(7)]
    glfw, watched = watch(*monitors)
    assert not any(watched.glance() for _ in range(30))
    glfw.monitors = [m for m in monitors if m is not monitors[3]]
    assert glances_until_change(watched) == 1
    assert names(watched) == ["DP-0", "DP-1", "DP-2", "DP-4", "DP-5", "DP-6"]
    glfw.monitors.append(FakeMonitor(b"DP-3", 300))  # another handle, at the end
    assert glances_until_change(watched) == 1
    assert names(watched) == [f"DP-{n}" for n in range(7)]


@pytest.mark.parametrize("change", [{"x": 1000}, {"y": 5}, {"width": 50}, {"rate": 50}])
def test_moves_and_modes_are_seen_within_fourteen_glances(change: dict[str, int]) -> None:
    monitors = [FakeMonitor(b"DP-%d" % n, 100 * n) for n in range(7)]
    for monitor in monitors:
        _, watched = watch(*monitors)
        for name, value in change.items():
            setattr(monitor, name, value)
        assert glances_until_change(watched) <= 14


def test_a_glance_asks_about_one_monitor_at_most() -> None:
    glfw, watched = watch(*(FakeMonitor(b"DP-%d" % n, 100 * n) for n in range(7)))
    glfw.round_trips = 0
    costs = []
    for _ in range(28):
        before = glfw.round_trips
        watched.glance()
        costs.append(glfw.round_trips - before)
    assert costs == [0, 2] * 14 or costs == [2, 0] * 14


def test_a_monitor_just_going_is_as_good_as_gone() -> None:
    monitors = [FakeMonitor(b"A", 0), FakeMonitor(b"B", 100)]
    _, watched = watch(*monitors)
    monitors[1].going = True
    assert glances_until_change(watched) <= 4
    assert names(watched) == ["A"]
    monitors[1].going = False
    assert glances_until_change(watched) <= 4
    assert names(watched) == ["A", "B"]


def test_no_monitor_at_all() -> None:
    glfw, watched = watch(FakeMonitor(b"A", 0))
    monitors, glfw.monitors = glfw.monitors, []
    assert glances_until_change(watched) == 1 and watched.monitors == ()
    assert not any(watched.glance() for _ in range(5))
    glfw.monitors = monitors
    assert glances_until_change(watched) == 1 and names(watched) == ["A"]


def answered(watched: MonitorWatch) -> bool:
    answer = watched._answer
    return answer is None or answer.done()


def test_xrandr_is_asked_anew_after_a_change_and_never_waited_for() -> None:
    xrandr = Xrandr(output("A", 0), output("B", 100))
    glfw, watched = watch(FakeMonitor(b"A", 0), FakeMonitor(b"B", 100), ask=xrandr)
    assert not any(watched.glance() for _ in range(10)) and xrandr.asked == 1
    other = Edid("GSM", 9, 9, "Z", "")
    xrandr.outputs = (output("A", 0), output("B", 100, other, Fraction(50)))
    glfw.monitors.pop()
    assert watched.glance()
    glfw.monitors.append(FakeMonitor(b"B", 100))
    watched.glance()
    assert watched.monitors[1].edid in (None, other), "never the one of the monitor before"
    assert wait_for(lambda: (watched.glance(), answered(watched))[1])
    watched.glance()
    assert watched.monitors[1].edid == other and watched.monitors[1].refresh_hz == 50
    watched.close()


def test_an_answer_that_a_change_has_overtaken_is_not_taken() -> None:
    glfw, watched = watch(FakeMonitor(b"A", 0), ask=Xrandr(output("A", 0)))
    late: Future[tuple[RandrOutput, ...] | None] = Future()
    watched._answer = late
    glfw.monitors[0].x = 300
    assert glances_until_change(watched) <= 2
    assert watched.monitors[0].edid is None
    late.set_result((output("A", 0),))
    watched.glance()
    assert watched.monitors[0].edid is None, "that spoke of before"
    assert wait_for(lambda: (watched.glance(), watched._answer is None)[1])
    assert watched.monitors[0].edid == EDID
    watched.close()


def test_an_xrandr_that_fails_later_changes_nothing() -> None:
    xrandr = Xrandr(output("A", 0))
    glfw, watched = watch(FakeMonitor(b"A", 0), ask=xrandr)
    xrandr.outputs = None
    glfw.monitors.append(FakeMonitor(b"B", 100))
    assert watched.glance()
    assert wait_for(lambda: (watched.glance(), watched._answer is None)[1])
    assert names(watched) == ["A", "B"] and watched.monitors[0].edid == EDID
    watched.close()
