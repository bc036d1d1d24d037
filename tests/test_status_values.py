"""What the player tells of itself by OSC: times, what comes next. Asked of a loop on an offline
clock."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from player import commands
from player.osc.values import value_of
from player.pace import Pace
from player.reading import Reading
from player.transport import apply_command, opening_transport
from shows.show import Show
from tests.loop_rig import SCREENS, Rig
from tests.tiny_show import make_tiny_show

NEXT, CHANGING = "/screen/{screen}/next", "/screen/{screen}/changing"


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    folder: Path = tmp_path_factory.mktemp("show")
    return make_tiny_show(folder, screens=SCREENS, ballads=4, paintings=3, size=4)


def test_times_are_told_in_ms_and_what_is_not_known_is_minus_one(show: Show) -> None:
    def told(reading: Reading) -> dict[str, object]:
        names = ("frame-time", "frame-time/worst", "frame-time/budget", "lateness")
        names += ("lateness/worst", "skew")
        return {name: value_of(reading, f"/status/{name}", None) for name in names}

    reading = Reading(show, opening_transport(show), 0, 0)
    assert told(reading) == {
        "frame-time": -1.0,
        "frame-time/worst": -1.0,
        "frame-time/budget": 33.33,
        "lateness": -1.0,
        "lateness/worst": -1.0,
        "skew": -1.0,
    }
    known = replace(reading, pace=Pace(30.0, 12.3456, 20.0, 0.1234, 4.0), skew_ns=123_456)
    assert told(known) == {
        "frame-time": 12.35,
        "frame-time/worst": 20.0,
        "frame-time/budget": 33.33,
        "lateness": 0.12,
        "lateness/worst": 4.0,
        "skew": 0.12,
    }


def test_a_running_loop_tells_its_pace_to_whoever_asks(show: Show) -> None:
    rig = Rig(show)
    rig.preroll()
    for frame in range(100):
        rig.wall.costs_ns[frame] = 8_000_000
    rig.run(35)
    for name, text in (("fps", "30"), ("frame-time", "8"), ("lateness/worst", "0"), ("skew", "-1")):
        rig.say(f"/status/{name}")
        rig.run(1)
        assert rig.answers[-1] == (f"/status/{name}", "ok", text)


def test_the_next_line_and_after_the_last_the_first(show: Show) -> None:
    transport = opening_transport(show)
    for painting, line in ((0, "Line 2."), (1, "Line 3."), (2, "Line 1.")):
        frame = painting * show.segment_frames + 10
        reading = Reading(show, transport, frame, frame)
        assert value_of(reading, NEXT, 0) == line
        assert value_of(reading, CHANGING, 0) is False


def test_a_ballad_is_next_until_it_is_there(show: Show) -> None:
    transport = apply_command(
        show, opening_transport(show), commands.SetScreenBallad(1, "ballad-4"), 100
    )
    through = 100 + show.settings.ballad_change_frames
    for frame, changing, next_ in (
        (100, True, "Ballad number 4"),
        (through - 1, True, "Ballad number 4"),
        (through, False, "Line 2."),
    ):
        reading = Reading(show, transport, frame, frame)
        assert (value_of(reading, CHANGING, 1), value_of(reading, NEXT, 1)) == (changing, next_)
        assert value_of(reading, CHANGING, 0) is False


def test_on_the_way_to_a_line_that_line_is_next(show: Show) -> None:
    transport = apply_command(show, opening_transport(show), commands.GoToLine(2), 100)
    reading = Reading(show, transport, 101, 101)
    assert (value_of(reading, CHANGING, 0), value_of(reading, NEXT, 0)) == (False, "Line 3.")
    later = replace(reading, tick=400, frame=400)
    assert value_of(later, NEXT, 0) == "Line 1."
