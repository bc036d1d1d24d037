"""The governor on given measurements: it reaches what fits, stays there, and says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from player.governor import Governor, Level, Measured, describe, governed

FRAME_MS = 1000 / 30
SECOND = 30  # ticks
HALF_AN_HOUR = 1800 * SECOND
EVERY, SECOND_FRAME, THIRD, HALF = Level(1), Level(2), Level(3), Level(3, 2)
FILM_HALF, FILM_FULL = Level(3, 2, film=True), Level(3, 1, film=True)
LADDER = [EVERY, SECOND_FRAME, THIRD, HALF, FILM_HALF]


@dataclass
class Machine:
    """An engine and what it takes; misses a tick where its load is above 1."""

    full_ms: float = 10.0
    half_ms: float | None = None  # None: a third
    ready: bool = True
    can_halve: bool = True
    has_film: bool = True
    extra_misses: Callable[[int], bool] = lambda tick: False
    noise: Callable[[int], float] = lambda tick: 1.0

    def measure(self, level: Level, tick: int) -> Measured:
        half_ms = self.full_ms / 3 if self.half_ms is None else self.half_ms
        render_ms = self.full_ms if level.divisor == 1 else half_ms
        missed = render_ms > level.stride * FRAME_MS or self.extra_misses(tick)
        render_ms *= self.noise(tick)
        known_ms = render_ms if self.ready else 0.0
        return Measured(FRAME_MS, known_ms, missed, self.ready, self.can_halve, self.has_film)


class Run:
    """A governor over time."""

    def __init__(self, governor: Governor | None = None) -> None:
        self.governor, self.tick = governor or Governor.opening(), 0
        self.changes: list[tuple[int, Level]] = []

    def on(self, machine: Machine, ticks: int) -> Level:
        for _ in range(ticks):
            before = self.governor.level
            self.governor = governed(self.governor, machine.measure(before, self.tick))
            self.tick += 1
            if self.governor.level != before:
                self.changes.append((self.tick, self.governor.level))
        return self.governor.level


def test_a_fast_engine_makes_every_frame_from_the_first() -> None:
    run = Run()
    assert run.governor.level == EVERY
    assert run.on(Machine(full_ms=20), 60 * SECOND) == EVERY and run.changes == []


@pytest.mark.parametrize(
    ("full_ms", "fits"),
    [
        (31, EVERY),
        (33, SECOND_FRAME),  # a load of 0.99 leaves no room
        (60, SECOND_FRAME),
        (90, THIRD),
        (100, HALF),
        (250, HALF),
        (300, FILM_HALF),
        (5000, FILM_HALF),
    ],
)
def test_goes_straight_to_what_fits_and_stays(full_ms: float, fits: Level) -> None:
    run = Run()
    assert run.on(Machine(full_ms), 10 * SECOND) == fits
    assert len(run.changes) == (fits != EVERY)
    assert all(tick <= 3 * SECOND for tick, _ in run.changes), "settled one second, seen another"
    run.on(Machine(full_ms), 60 * SECOND)
    assert len(run.changes) == (fits != EVERY)


@pytest.mark.parametrize(
    ("can_halve", "has_film", "last"),
    [(True, True, FILM_HALF), (False, True, FILM_FULL), (True, False, HALF), (False, False, THIRD)],
)
def test_takes_only_rungs_there_are(can_halve: bool, has_film: bool, last: Level) -> None:
    run = Run()
    machine = Machine(5000, can_halve=can_halve, has_film=has_film)
    assert run.on(machine, 60 * SECOND) == last
    assert all(can_halve or level.divisor == 1 for _, level in run.changes)


def test_says_why_in_a_sentence() -> None:
    run = Run()
    run.on(Machine(50), 10 * SECOND)
    assert run.governor.reason == "The engine takes 50.0 ms where there are 33.3 ms."
    run.on(Machine(10), 20 * SECOND)
    assert run.governor.reason == "For 10 s there has been time for more."


def test_recovers_upwards_slowly_one_rung_at_a_time() -> None:
    run = Run()
    run.on(Machine(1000), 10 * SECOND)
    run.changes.clear()
    start = run.tick
    assert run.on(Machine(10), 90 * SECOND) == EVERY
    assert [level for _, level in run.changes] == [HALF, THIRD, SECOND_FRAME, EVERY]
    ticks = [start, *(tick for tick, _ in run.changes)]
    assert all(later - tick >= 10 * SECOND for tick, later in pairwise(ticks))


def test_missed_pictures_lead_down_though_the_load_is_low() -> None:
    run = Run()
    few = Machine(10, extra_misses=lambda tick: tick % 15 == 0)  # 7 % of the ticks
    assert run.on(few, 60 * SECOND) == EVERY
    many = Machine(10, extra_misses=lambda tick: tick % 6 == 0)
    run.on(many, 3 * SECOND)
    assert run.governor.level == SECOND_FRAME
    assert run.governor.reason == "7 of the last 60 frames were not there in time."


def test_a_rare_miss_does_not_bar_the_way_up() -> None:
    run = Run()
    run.on(Machine(50), 10 * SECOND)
    rare = Machine(10, extra_misses=lambda tick: tick % 75 == 0)
    assert run.on(rare, 20 * SECOND) == EVERY


def test_a_step_taken_back_doubles_the_wait() -> None:
    """An engine that is slowed by its own work: at every frame it takes twice as long."""
    run = Run()
    run.on(Machine(50), 10 * SECOND)
    ups = []
    for _ in range(HALF_AN_HOUR):
        level = run.governor.level
        run.on(Machine(40 if level == EVERY else 20), 1)
        if run.changes and run.changes[-1] == (run.tick, EVERY):
            ups.append(run.tick)
    gaps = [round((later - tick) / SECOND) for tick, later in pairwise(ups)]
    assert gaps[:5] == sorted(gaps[:5]) and gaps[4] >= 160
    assert len(run.changes) <= 30, "half an hour of the worst case"


def test_the_wait_is_forgiven_after_ten_quiet_minutes() -> None:
    run = Run(replace(Governor.opening(), wait_ms=160_000.0, since_down_ms=0.0))
    run.on(Machine(10), 599 * SECOND)
    assert run.governor.wait_ms == 160_000.0
    run.on(Machine(10), 2 * SECOND)
    assert run.governor.wait_ms == 10_000.0


def test_a_restart_of_the_worker_keeps_the_level() -> None:
    run = Run()
    assert run.on(Machine(90), 10 * SECOND) == THIRD
    gone = Machine(90, ready=False, extra_misses=lambda tick: True)
    assert run.on(gone, 120 * SECOND) == THIRD
    late_at_first = Machine(90, extra_misses=lambda tick: True)
    assert run.on(late_at_first, SECOND) == THIRD, "the first second is not judged"
    assert run.on(Machine(90), 60 * SECOND) == THIRD


def test_a_worker_that_is_never_ready_changes_nothing() -> None:
    assert Run().on(Machine(ready=False, extra_misses=lambda tick: True), 60 * SECOND) == EVERY


def test_films_that_come_and_go() -> None:
    run = Run()
    without = Machine(1000, has_film=False)
    assert run.on(without, 30 * SECOND) == HALF
    assert run.on(Machine(1000), 5 * SECOND) == FILM_HALF
    assert run.on(without, 1) == HALF
    assert run.governor.reason == "Films are not to be had any more."


def test_half_size_learnt_late_is_probed_and_used() -> None:
    run = Run()
    assert run.on(Machine(150, can_halve=False), 10 * SECOND) == FILM_FULL
    assert run.on(Machine(150), 1) == FILM_HALF, "the probe is at the size of the rung above"
    assert run.on(Machine(150), 20 * SECOND) == HALF
    assert run.on(Machine(150, can_halve=False), 1) == FILM_FULL


def test_what_half_the_size_saves_is_measured() -> None:
    """It saves next to nothing here: full size at 1.05 of the time, half size at 0.75."""
    run = Run()
    machine = Machine(105, half_ms=75)
    assert run.on(machine, 10 * SECOND) == HALF
    assert run.governor.faster == pytest.approx(1.4)
    assert run.on(machine, 60 * SECOND) == HALF and len(run.changes) == 1
    later = Machine(70, half_ms=50)
    assert run.on(later, 60 * SECOND) == THIRD, "known from the half size alone"


def test_a_noisy_time_does_not_move_it() -> None:
    wobble = Machine(29, noise=lambda tick: (0.8, 1.2, 1.0, 1.35, 0.65)[tick % 5])
    run = Run()
    assert run.on(wobble, 120 * SECOND) == EVERY and run.changes == []


@settings(max_examples=25, deadline=None)
@given(full_ms=st.floats(0.5, 3000), ratio=st.floats(1, 6), can_halve=st.booleans())
def test_under_any_constant_load_it_settles_on_what_fits(
    full_ms: float, ratio: float, can_halve: bool
) -> None:
    machine = Machine(full_ms, half_ms=full_ms / ratio, can_halve=can_halve)
    run = Run()
    level = run.on(machine, 20 * SECOND)
    settled = len(run.changes)
    assert settled <= 3
    run.on(machine, 60 * SECOND)
    assert run.governor.level == level and len(run.changes) == settled, "no hunting"
    measured = machine.measure(level, 0)
    assert level.film or measured.render_ms / (level.stride * FRAME_MS) <= 0.95


@settings(max_examples=20, deadline=None)
@given(one=st.floats(0.5, 1000), other=st.floats(0.5, 1000))
def test_a_slower_engine_never_ends_higher(one: float, other: float) -> None:
    fast, slow = (LADDER.index(Run().on(Machine(ms), 30 * SECOND)) for ms in sorted((one, other)))
    assert fast <= slow


def ticks_of_anything() -> st.SearchStrategy[list[Measured]]:
    one = st.builds(
        Measured,
        frame_ms=st.just(FRAME_MS),
        render_ms=st.one_of(st.just(0.0), st.floats(0, 1e6)),
        missed=st.booleans(),
        ready=st.booleans(),
        can_halve=st.booleans(),
        has_film=st.booleans(),
    )
    return st.lists(st.tuples(one, st.integers(1, 400)), max_size=8).map(
        lambda runs: [measured for measured, count in runs for _ in range(count)]
    )


@settings(max_examples=60, deadline=None)
@given(ticks=ticks_of_anything())
def test_whatever_is_measured_it_stands_on_a_rung_there_is(ticks: list[Measured]) -> None:
    governor = Governor.opening()
    for measured in ticks:
        governor = governed(governor, measured)
        level = governor.level
        assert level in (*LADDER, FILM_FULL)
        assert (measured.can_halve or level.divisor == 1) and (measured.has_film or not level.film)
        assert governor.reason.endswith(".") and 10_000 <= governor.wait_ms <= 160_000


def words() -> Iterator[tuple[Level, str]]:
    yield EVERY, "every frame"
    yield SECOND_FRAME, "every 2nd frame, blended"
    yield THIRD, "every 3rd frame, blended"
    yield HALF, "every 3rd frame at half size, blended"
    yield FILM_HALF, "films"
    yield FILM_FULL, "films"
    yield Level(4, 4), "every 4th frame at 1/4 of the size, blended"


@pytest.mark.parametrize(("level", "said"), list(words()))
def test_levels_in_words(level: Level, said: str) -> None:
    assert describe(level) == said
