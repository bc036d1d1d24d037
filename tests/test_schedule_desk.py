"""The schedule while the show runs, on given times of both clocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from player.commands import EachOwn, SetBallad, TransportCommand
from player.schedule_desk import LARGEST_STEP, ScheduleDesk
from shows.schedule_schema import Schedule
from shows.show import Show

S = 1_000_000_000
TICK_NS = S // 30
HOUSE_NS = 5_000_000_000_000  # a house clock's zero means nothing


def wall(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * S


class Rig:
    """A desk whose wall clock can be set apart from the house clock."""

    def __init__(self, show: Show, at: str, *, resumed: str | None = None, **words: Any) -> None:
        schedule = Schedule.model_validate({"timezone": "Europe/London", **words})
        self.show = replace(show, settings=show.settings.model_copy(update={"schedule": schedule}))
        self.now_ns, self.wall_ns, self.asked = HOUSE_NS, wall(at), 0
        self.desk = ScheduleDesk(
            self.show,
            wall_ns=self.read,
            resumed_wall_ns=None if resumed is None else wall(resumed),
        )
        self.lights: list[float] = []

    def read(self) -> int:
        self.asked += 1
        return self.wall_ns

    def run(self, seconds: float, step_ns: int = TICK_NS) -> list[TransportCommand]:
        """Play on for so long; the commands that came."""
        commands: list[TransportCommand] = []
        for _ in range(round(seconds * S / step_ns)):
            commands += self.desk.due_commands(self.now_ns)
            self.lights.append(self.desk.brightness_at(self.now_ns))
            self.now_ns += step_ns
            self.wall_ns += step_ns
        return commands

    def set_wall(self, at: str) -> None:
        self.wall_ns = wall(at)


BALLADS: Any = {
    "ballads": [{"at": "10:00", "ballad": "each"}, {"at": "17:00", "ballad": "ballad-3"}]
}
HOURS: Any = {"open": {"daily": ["10:00-18:00"]}}


def test_no_schedule_asks_for_nothing(tiny_show: Show) -> None:
    desk = ScheduleDesk(tiny_show, wall_ns=lambda: 0)
    assert desk.brightness_at(HOUSE_NS) == 1.0
    assert desk.due_commands(HOUSE_NS) == ()
    assert desk.describe() == "no schedule"


def test_a_border_commands_once_at_its_second(tiny_show: Show) -> None:
    rig = Rig(tiny_show, "2026-11-20T16:59:50", **BALLADS)
    assert rig.run(9.5) == []
    assert rig.run(1.5) == [SetBallad("ballad-3")]
    assert rig.run(120) == []


def test_what_is_due_at_the_start_is_commanded_but_not_what_opens_anyway(tiny_show: Show) -> None:
    assert Rig(tiny_show, "2026-11-20T18:30", **BALLADS).run(3) == [SetBallad("ballad-3")]
    assert Rig(tiny_show, "2026-11-20T12:30", **BALLADS).run(3) == []


def test_what_was_due_while_nobody_asked_is_one_command(tiny_show: Show) -> None:
    """As before the first tick, while the first pictures are waited for."""
    rig = Rig(tiny_show, "2026-11-20T09:59:00", rotation={"every_minutes": 1})
    for _ in range(200):
        rig.desk.brightness_at(rig.now_ns)
        rig.now_ns += S
        rig.wall_ns += S
    assert rig.run(2) == [SetBallad("ballad-1")]  # turn 602 of the day, of seven


def test_each_is_commanded_at_its_border(tiny_show: Show) -> None:
    assert Rig(tiny_show, "2026-11-20T09:59:58", **BALLADS).run(4) == [
        SetBallad("ballad-3"),
        EachOwn(),
    ]


@pytest.mark.parametrize(
    ("saved", "now", "expected"),
    [
        ("2026-11-20T12:00:00", "2026-11-20T12:00:03", []),
        ("2026-11-20T18:30:00", "2026-11-20T18:30:03", []),
        ("2026-11-20T16:59:59", "2026-11-20T17:00:02", [SetBallad("ballad-3")]),
        ("2026-11-20T17:00:00", "2026-11-20T17:00:02", []),
        ("2026-11-20T12:00:00", "2026-11-21T12:00:00", [EachOwn()]),  # off over night
        ("2026-11-20T18:30:00", "2026-11-20T18:29:58", []),  # set back a little meanwhile
    ],
)
def test_a_resumed_show_is_commanded_only_what_it_missed(
    tiny_show: Show, saved: str, now: str, expected: list[TransportCommand]
) -> None:
    rig = Rig(tiny_show, now, resumed=saved, **BALLADS)
    assert rig.run(5) == expected


def test_a_wall_clock_set_by_hours_makes_one_command(tiny_show: Show) -> None:
    turns: Any = {"rotation": {"every_minutes": 20}}
    rig = Rig(tiny_show, "2026-11-20T00:00:05", **turns)
    assert rig.run(2) == [SetBallad("ballad-1")]
    rig.set_wall("2026-11-20T17:45:00")  # 53 turns later
    assert rig.run(30) == [SetBallad("ballad-5")]
    rig.set_wall("2026-11-20T03:05:00")
    assert rig.run(30) == [SetBallad("ballad-3")]
    rig.set_wall("1970-01-01T00:00:00")
    assert len(rig.run(30)) <= 1


def test_a_wall_clock_set_back_a_little_repeats_nothing(tiny_show: Show) -> None:
    rig = Rig(tiny_show, "2026-11-20T16:59:59", **BALLADS)
    assert rig.run(3) == [SetBallad("ballad-3")]
    rig.set_wall("2026-11-20T16:59:30")
    assert rig.run(120) == []


def test_the_light_starts_where_the_schedule_is(tiny_show: Show) -> None:
    rig = Rig(tiny_show, "2026-11-20T03:00", **HOURS)
    assert rig.desk.brightness_at(HOUSE_NS) == 0.0
    assert Rig(tiny_show, "2026-11-20T12:00", **HOURS).desk.brightness_at(HOUSE_NS) == 1.0


def test_the_light_follows_the_ramp_from_tick_to_tick(tiny_show: Show) -> None:
    rig = Rig(tiny_show, "2026-11-20T09:59:59", **HOURS)
    rig.run(33)
    assert rig.lights[0] == 0 and rig.lights[-1] == 1
    steps = [b - a for a, b in pairwise(rig.lights)]
    ramp = [step for step in steps if step > 0]
    assert 898 <= len(ramp) <= 960  # a look lies up to a second before the knee
    assert max(ramp) < 2.1 / 900
    middle = rig.lights[16 * 30]
    assert middle == pytest.approx(0.5, abs=0.01)


def test_the_light_takes_a_second_where_the_wall_clock_jumps(tiny_show: Show) -> None:
    rig = Rig(tiny_show, "2026-11-20T03:00", **HOURS)
    rig.run(2)
    rig.set_wall("2026-11-20T12:00")
    rig.run(3)
    assert rig.lights[59] == 0 and rig.lights[-1] == 1
    assert max(b - a for a, b in pairwise(rig.lights)) <= LARGEST_STEP + 1e-12


def test_the_same_time_asked_twice_is_the_same_light(tiny_show: Show) -> None:
    rig = Rig(tiny_show, "2026-11-20T10:00:10", **HOURS)
    rig.run(1)
    assert rig.desk.brightness_at(rig.now_ns) == rig.desk.brightness_at(rig.now_ns)


def test_the_wall_clock_is_asked_once_a_second(tiny_show: Show) -> None:
    rig = Rig(tiny_show, "2026-11-20T12:00", **HOURS, **BALLADS)
    rig.run(60)
    assert 58 <= rig.asked <= 61


def test_status_says_it_in_words(tiny_show: Show) -> None:
    rig = Rig(tiny_show, "2026-11-20T12:00", **HOURS)
    assert rig.desk.describe() == "open until 18:00"
    rig.set_wall("2026-11-20T20:00")
    assert rig.desk.describe() == "closed until 10:00 on Saturday"


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    jumps=st.lists(
        st.tuples(st.integers(1, 400), st.integers(-20_000, 20_000)), min_size=1, max_size=12
    )
)
def test_however_the_wall_clock_jumps(tiny_show: Show, jumps: list[tuple[int, int]]) -> None:
    """At most one command a look, and the light never jumps."""
    rig = Rig(tiny_show, "2026-10-25T00:00", **HOURS, rotation={"every_minutes": 5})
    for ticks, jump_s in jumps:
        for _ in range(ticks):
            assert len(rig.run(1 / 30)) <= 1
        rig.wall_ns += jump_s * S
    assert all(0 <= light <= 1 for light in rig.lights)
    assert all(abs(a - b) <= LARGEST_STEP + 1e-12 for a, b in pairwise(rig.lights))
    rig.run(40)
    assert len(rig.run(200)) <= 1
