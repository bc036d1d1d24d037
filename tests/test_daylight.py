"""The light over the day: by the clock, by the sun, and never in a flash."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.clock import OfflineClock
from player.composer import LARGEST_STEP, Composer
from player.slate_source import SlateSource
from player.sources import Choice
from player.transport import opening_transport
from shows.daylight import daylight_at, light_by_the_clock, light_of_the_sun
from shows.schedule import brightness_at
from shows.schedule_schema import Schedule, Sun, TimedLight
from shows.schema import ShowError, parse_settings
from tests.loop_fakes import FakeWall
from tests.tiny_show import make_tiny_show

EVENING = (TimedLight(at="09:00", level=1.0), TimedLight(at="21:00", level=0.4))
EDINBURGH = Sun(latitude=55.95, longitude=-3.19, by_night=0.4)


@pytest.mark.parametrize(
    ("minutes", "level"),
    [(540, 1.0), (900, 0.7), (1260, 0.4), (1440 - 1e-9, 0.55), (0, 0.55), (180, 0.7), (360, 0.85)],
)
def test_by_the_clock_it_is_straight_and_crosses_midnight(minutes: float, level: float) -> None:
    assert light_by_the_clock(EVENING, minutes) == pytest.approx(level)
    assert light_by_the_clock(EVENING[::-1], minutes) == pytest.approx(level)


def test_one_time_is_one_level_all_day() -> None:
    assert {light_by_the_clock(EVENING[:1], n) for n in (0, 539, 540, 1439)} == {1.0}


@given(st.floats(0, 1439.9))
def test_by_the_clock_it_never_jumps(minutes: float) -> None:
    here, there = (light_by_the_clock(EVENING, (minutes + step) % 1440) for step in (0, 0.1))
    assert abs(here - there) < 1e-3


@pytest.mark.parametrize(
    ("when", "level"),
    [
        ("2026-06-21T12:00", 1.0),
        ("2026-12-21T12:00", 1.0),  # 10.6 degrees at the highest
        ("2026-06-21T23:30", 0.4),  # 10 below at the darkest of midsummer
        ("2026-12-21T18:00", 0.4),
    ],
)
def test_by_the_sun_in_edinburgh(when: str, level: float) -> None:
    utc = datetime.fromisoformat(when).replace(tzinfo=UTC)
    assert light_of_the_sun(EDINBURGH, utc) == pytest.approx(level, abs=0.03)


def test_the_sun_sets_slowly() -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    levels = [light_of_the_sun(EDINBURGH, noon + timedelta(minutes=n)) for n in range(420)]
    assert levels[0] == 1.0 and levels[-1] == pytest.approx(0.4)
    assert all(0 <= a - b < 0.01 for a, b in itertools.pairwise(levels))


def test_it_multiplies_with_the_opening_hours() -> None:
    schedule = Schedule(
        timezone="Europe/London", open={"daily": ["10:00-22:00"]}, light=EVENING, night="dim"
    )
    at_ten_to_nine = datetime(2026, 11, 22, 20, 50, tzinfo=UTC)
    assert brightness_at(schedule, at_ten_to_nine) == pytest.approx(0.4083, abs=1e-3)
    at_midnight = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)
    assert brightness_at(schedule, at_midnight) == pytest.approx(0.1 * 0.55)
    assert daylight_at(Schedule(timezone="UTC"), at_midnight) == 1.0


def test_words_that_do_not_fit_are_told(tmp_path: Path) -> None:
    words = make_tiny_show(tmp_path / "show").settings.model_dump(mode="json")
    light = [{"at": "09:00", "level": 1.0}, {"at": "09:00", "level": 0.5}]
    sun = {"latitude": 55.9, "longitude": -3.2}
    words["schedule"] = {"timezone": "UTC", "light": light, "sun": sun}
    with pytest.raises(ShowError) as told:
        parse_settings(words, "show.yaml")
    assert "schedule.light[1].at: 09:00 stands in the list twice" in str(told.value)
    assert "by the sun or by `light`, not by both" in str(told.value)
    words["schedule"] = {"timezone": "UTC", "sun": {**sun, "latitude": 91.0}}
    with pytest.raises(ShowError, match=r"schedule\.sun\.latitude"):
        parse_settings(words, "show.yaml")


def test_whatever_asks_for_it_the_wall_never_flashes(tmp_path: Path) -> None:
    show = make_tiny_show(tmp_path / "show", screens=3)
    wall = FakeWall(OfflineClock(), 3)
    composer = Composer(show, wall, SlateSource(show, 4), (0, 1, 2), stamp=False)
    stills = Choice(((0.0, 0.0, 1.0),) * 3)
    asked = [0.7, 0.0, 0.0, 1.0, 0.2, *[1.0] * 20]
    light = [
        composer.compose(opening_transport(show), n, n, stills, level)[0].gain
        for n, level in enumerate(asked)
    ]
    assert light[0] == 0.7 and light[-1] == 1.0
    steps = [abs(b - a) for a, b in itertools.pairwise(light)]
    assert max(steps) == pytest.approx(LARGEST_STEP)
