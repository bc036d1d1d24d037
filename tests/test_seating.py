"""Seats taken, lost and taken again, with the sentences said about it."""

from __future__ import annotations

import logging
from dataclasses import replace
from fractions import Fraction

import pytest

from player.wall.machine_file import Machine, MachineScreen
from player.wall.monitors import Area
from player.wall.placing import Anywhere, AtIndex, InRectangle, Monitor, OnOutput
from player.wall.seating import Seating, screens_of

SECOND_NS = 1_000_000_000
FOUR = tuple(
    Monitor(f"DP-{n}", Area(100 * n, 0, 100, 80), Area(100 * n, 0, 100, 80), Fraction(60))
    for n in range(4)
)


def opened(*screens: MachineScreen, in_columns: bool = False) -> Seating:
    seating = Seating(screens or screens_of(None, FOUR, 4, None), in_columns=in_columns)
    seating.open(FOUR, 0)
    return seating


def test_a_loss_and_a_return_elsewhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="player.wall.seating")
    seating = opened()
    assert not seating.follow(FOUR, 0) and caplog.messages == []
    rest = (*FOUR[:2], FOUR[3])
    assert seating.follow(rest, 5 * SECOND_NS)
    assert seating.seats[2] is None and seating.last_areas[2] == FOUR[2].area
    assert [seat and seat.monitor for seat in seating.seats] == [*FOUR[:2], None, FOUR[3]]
    assert not seating.follow(rest, 6 * SECOND_NS), "said once"
    assert seating.status(88 * SECOND_NS)[2] == "Screen 3: absent for 83 s, waits for DP-2"
    assert seating.standing_of(2).output == "absent: DP-2"
    back = replace(FOUR[2], area=Area(500, 20, 64, 48), refresh_hz=Fraction(2997, 50))
    assert seating.follow((*rest, back), 90 * SECOND_NS)
    assert seating.last_areas[2] == Area(500, 20, 64, 48)
    assert seating.status(90 * SECOND_NS)[2] == "Screen 3: DP-2, 64x48 at 500,20, 59.94 Hz"
    assert caplog.messages == [
        "Screen 3 is dark: its output DP-2 is gone. The other screens go on.",
        "Screen 3 is shown again after 85 s: DP-2, 64x48 at 500,20.",
    ]


def test_a_move_is_followed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="player.wall.seating")
    seating = opened()
    wide = (*FOUR[:3], replace(FOUR[3], area=Area(300, 0, 200, 80)))
    assert seating.follow(wide, 0)
    assert caplog.messages == ["Screen 4 stands elsewhere now: DP-3, 200x80 at 300,0."]


def test_a_new_rate_moves_nothing_but_is_told(caplog: pytest.LogCaptureFixture) -> None:
    seating = opened()
    seating.follow((replace(FOUR[0], refresh_hz=Fraction(50)), *FOUR[1:]), 0)
    assert seating.standing_of(0).refresh == "50 Hz" and caplog.messages == []


def test_who_has_no_monitor_at_the_start_waits_for_it(caplog: pytest.LogCaptureFixture) -> None:
    seating = opened(
        MachineScreen("Door", OnOutput("DP-1")), MachineScreen("Window", OnOutput("DP-9"))
    )
    assert caplog.messages == [
        "Screen 2 (Window) is not shown: it waits for output DP-9. "
        "The outputs now: DP-0, DP-1, DP-2, DP-3."
    ]
    assert seating.last_areas[1] == FOUR[1].area, "a size to draw for"
    assert seating.status(3 * SECOND_NS)[1] == (
        "Screen 2 (Window): absent for 3 s, waits for output DP-9"
    )
    ninth = replace(FOUR[0], name="DP-9", area=Area(400, 0, 50, 50))
    assert seating.follow((*FOUR, ninth), 4 * SECOND_NS)
    assert seating.last_areas[1] == ninth.area


def test_all_monitors_may_go_and_come() -> None:
    seating = opened()
    assert seating.follow((), 0)
    assert seating.seats == (None,) * 4
    assert seating.follow(FOUR[::-1], SECOND_NS)
    assert [seat and seat.monitor for seat in seating.seats] == list(FOUR)


def test_a_size_is_at_most_that_in_the_middle() -> None:
    seating = opened(MachineScreen("A", OnOutput("DP-1"), size_px=(50, 200)))
    assert seating.last_areas == [Area(125, 0, 50, 80)]


def test_columns_do_not_move_for_a_monitor_that_is_gone() -> None:
    seating = opened(*(MachineScreen("", Anywhere()) for _ in range(8)), in_columns=True)
    assert seating.desktop_area == Area(0, 0, 400, 80) and not seating.has_gaps
    before = [seat.area for seat in seating.seats if seat]
    assert before[7] == Area(350, 0, 50, 80)
    assert not seating.follow(FOUR[:3], 0) or seating.desktop_area == Area(0, 0, 400, 80)
    assert [seat.area for seat in seating.seats if seat] == before
    wider = (*FOUR[:3], replace(FOUR[3], area=Area(300, 0, 500, 80)))
    assert seating.follow(wider, 0)
    assert seating.desktop_area == Area(0, 0, 800, 80)


def test_the_desktop_may_be_taken_smaller() -> None:
    seating = Seating([MachineScreen("", Anywhere())] * 2, in_columns=True, desktop_px=(200, 40))
    seating.open(FOUR, 0)
    assert [seat.area for seat in seating.seats if seat] == [
        Area(100, 20, 100, 40),
        Area(200, 20, 100, 40),
    ]


def test_rectangles_leave_gaps() -> None:
    whole = opened(MachineScreen("A", InRectangle(Area(0, 0, 400, 80))))
    assert not whole.has_gaps
    assert opened(MachineScreen("A", InRectangle(Area(0, 0, 399, 80)))).has_gaps
    whole.follow((), 0)
    assert whole.has_gaps


def test_a_machine_file_that_places_none_is_as_good_as_none() -> None:
    plain = [screen.place for screen in screens_of(None, FOUR, 3, None)]
    assert plain == [OnOutput("DP-0"), OnOutput("DP-1"), OnOutput("DP-2")]
    machine = Machine("windows", tuple(MachineScreen(name, Anywhere()) for name in "ABCDE"))
    assert not machine.places_any
    tiled = screens_of(machine, FOUR, 5, (9, 9))
    assert [screen.name for screen in tiled] == list("ABCDE")
    assert tiled[4].place == OnOutput("DP-3", 1, 2) and tiled[4].size_px == (9, 9)


def test_a_machine_files_places_and_sizes_go_first() -> None:
    screens = (MachineScreen("A", AtIndex(2), (5, 5)), MachineScreen("B", Anywhere()))
    machine = Machine(None, screens)
    assert machine.places_any
    a, b = screens_of(machine, FOUR, 2, (9, 9))
    assert (a.place, a.size_px) == (AtIndex(2), (5, 5))
    assert (b.place, b.size_px) == (Anywhere(), (9, 9))
    with pytest.raises(ValueError, match="read for 2 screens, not 7"):
        screens_of(machine, FOUR, 7, None)
