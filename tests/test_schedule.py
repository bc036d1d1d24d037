"""Opening hours, ramps, ballads by time of day and rotation, through changes of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shows.local_time import instant_of
from shows.schedule import (
    Border,
    borders_between,
    brightness_at,
    newest_border,
    projectors_wanted_at,
    scheduled_at,
    utc_of,
)
from shows.schedule_schema import Schedule

BALLADS = ("twa-corbies", "tam-lin", "thomas-rymer")
LONDON, LORD_HOWE, TOKYO = "Europe/London", "Australia/Lord_Howe", "Asia/Tokyo"
ZONES = (LONDON, LORD_HOWE, TOKYO, "America/St_Johns", "Pacific/Apia", "UTC")


def schedule(zone: str = LONDON, **words: Any) -> Schedule:
    return Schedule.model_validate({"timezone": zone, **words})


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def at_instants(borders: tuple[Border, ...]) -> list[str]:
    return [datetime.fromtimestamp(b.at_s, UTC).isoformat()[:16] for b in borders]


GALLERY = schedule(open={"weekdays": ["10:00-18:00"], "sat": ["10:00-20:00"], "2026-12-24": []})


@pytest.mark.parametrize(
    ("at", "is_open", "sentence"),
    [
        ("2026-11-20T09:59:59", False, "closed until 10:00"),
        ("2026-11-20T10:00", True, "open until 18:00"),
        ("2026-11-20T17:59:59", True, "open until 18:00"),
        ("2026-11-20T18:00", False, "closed until 10:00 on Saturday"),
        ("2026-11-21T19:00", True, "open until 20:00"),
        ("2026-11-21T20:00", False, "closed until 10:00 on Monday"),
        ("2026-11-22T12:00", False, "closed until 10:00 on Monday"),
        ("2026-11-23T00:00", False, "closed until 10:00"),
        ("2026-12-24T12:00", False, "closed until 10:00 on Friday"),
        ("2026-07-01T09:00", True, "open until 18:00"),  # ten o'clock in summer
    ],
)
def test_opening_hours(at: str, is_open: bool, sentence: str) -> None:
    due = scheduled_at(GALLERY, BALLADS, utc(at))
    assert (due.is_open, due.sentence, due.arrangement) == (is_open, sentence, None)


@pytest.mark.parametrize(
    ("hours", "at", "is_open", "sentence"),
    [
        ({"daily": ["18:00-02:00"]}, "2026-11-20T23:00", True, "open until 02:00 on Saturday"),
        ({"daily": ["18:00-02:00"]}, "2026-11-21T01:00", True, "open until 02:00"),
        ({"fri": ["18:00-02:00"]}, "2026-11-21T01:00", True, "open until 02:00"),
        ({"fri": ["18:00-02:00"]}, "2026-11-21T02:00", False, "closed until 18:00 on Friday"),
        ({"fri": ["18:00-02:00"]}, "2026-11-21T00:00", True, "open until 02:00"),
        ({"fri": ["18:00-24:00"]}, "2026-11-20T20:00", True, "open until midnight"),
        (
            {"fri": ["18:00-24:00"], "sat": ["00:00-03:00"]},
            "2026-11-20T20:00",
            True,
            "open until 03:00 on Saturday",
        ),
        ({"daily": ["00:00-24:00"]}, "2026-11-20T20:00", True, "always open"),
        ({"daily": []}, "2026-11-20T20:00", False, "closed for the next 400 days"),
        (
            {"2026-12-24": ["10:00-12:00"]},
            "2026-11-20T20:00",
            False,
            "closed until 10:00 on 24 December",
        ),
        ({"2026-12-24": ["10:00-12:00"]}, "2026-12-24T11:00", True, "open until 12:00"),
        (
            {"2026-12-24": ["10:00-12:00"]},
            "2026-12-24T12:00",
            False,
            "closed for the next 400 days",
        ),
        ({"daily": ["10:00-12:00", "11:00-13:00"]}, "2026-11-20T11:30", True, "open until 13:00"),
        (
            {"daily": ["10:00-12:00"], "fri": []},
            "2026-11-20T11:30",
            False,
            "closed until 10:00 on Saturday",
        ),
        ({"weekend": ["10:00-12:00"], "daily": []}, "2026-11-21T11:30", True, "open until 12:00"),
        ({}, "2026-11-21T11:30", False, "closed for the next 400 days"),
        (None, "2026-11-21T11:30", True, "always open"),
    ],
)
def test_hours_of_every_kind(hours: Any, at: str, is_open: bool, sentence: str) -> None:
    due = scheduled_at(schedule(open=hours), BALLADS, utc(at))
    assert (due.is_open, due.sentence) == (is_open, sentence)


def test_the_next_change_is_named() -> None:
    due = scheduled_at(GALLERY, BALLADS, utc("2026-11-21T21:00"))
    assert due.next_change_utc == utc("2026-11-23T10:00")
    assert scheduled_at(schedule(), BALLADS, utc("2026-11-21T21:00")).next_change_utc is None


# -- the light ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "black", "dim"),
    [
        ("2026-11-20T10:00:00", 0.0, 0.2),
        ("2026-11-20T10:00:15", 0.5, 0.6),
        ("2026-11-20T10:00:30", 1.0, 1.0),
        ("2026-11-20T18:00:00", 1.0, 1.0),
        ("2026-11-20T18:00:06", 0.8, 0.84),
        ("2026-11-20T18:00:30", 0.0, 0.2),
        ("2026-11-22T12:00:00", 0.0, 0.2),
    ],
)
def test_the_light_ramps_after_each_border(at: str, black: float, dim: float) -> None:
    assert brightness_at(GALLERY, utc(at)) == pytest.approx(black)
    dimmed = GALLERY.model_copy(update={"night": "dim", "night_brightness": 0.2})
    assert brightness_at(dimmed, utc(at)) == pytest.approx(dim)
    assert scheduled_at(dimmed, BALLADS, utc(at)).brightness == pytest.approx(dim)


def test_no_ramp_is_a_cut_and_no_hours_are_full_light() -> None:
    cut = GALLERY.model_copy(update={"ramp_seconds": 0.0})
    assert brightness_at(cut, utc("2026-11-20T09:59:59")) == 0
    assert brightness_at(cut, utc("2026-11-20T10:00")) == 1
    assert brightness_at(schedule(), utc("2026-11-20T03:00")) == 1


@settings(max_examples=60, deadline=None)
@given(
    start=st.integers(0, 7 * 86_400),
    ramp_s=st.floats(1, 3600),
    spans=st.lists(st.sampled_from(["10:00-10:01", "10:01-10:02", "09:00-01:00"]), max_size=3),
)
def test_the_light_never_jumps(start: int, ramp_s: float, spans: list[str]) -> None:
    hours = schedule(open={"daily": spans}, ramp_seconds=ramp_s)
    first = utc("2026-10-22T00:00") + timedelta(seconds=start)
    lights = [brightness_at(hours, first + timedelta(seconds=n)) for n in range(60)]
    assert all(0 <= light <= 1 for light in lights)
    assert all(abs(a - b) <= 1 / ramp_s + 1e-6 for a, b in pairwise(lights))


def test_projectors_warm_up_before_and_stay_until_the_light_has_gone() -> None:
    wanted = [
        projectors_wanted_at(GALLERY, utc(f"2026-11-20T{at}"))
        for at in ("09:57:59", "09:58:00", "12:00", "18:00:29", "18:00:30")
    ]
    assert wanted == [False, True, True, True, False]
    dim = GALLERY.model_copy(update={"night": "dim"})
    assert projectors_wanted_at(dim, utc("2026-11-20T03:00"))
    assert projectors_wanted_at(None, utc("2026-11-20T03:00"))
    assert projectors_wanted_at(schedule(), utc("2026-11-20T03:00"))


# -- ballads -----------------------------------------------------------------------------------

DAY = schedule(
    ballads=[{"at": "17:00", "ballad": "tam-lin"}, {"at": "10:00", "ballad": "each"}],
)


@pytest.mark.parametrize(
    ("at", "arrangement"),
    [
        ("2026-11-20T09:59:59", "tam-lin"),  # since yesterday
        ("2026-11-20T10:00", "each"),
        ("2026-11-20T16:59:59", "each"),
        ("2026-11-20T17:00", "tam-lin"),
        ("2026-11-20T23:59", "tam-lin"),
    ],
)
def test_ballads_by_time_of_day(at: str, arrangement: str) -> None:
    assert scheduled_at(DAY, BALLADS, utc(at)).arrangement == arrangement


def test_a_rotation_counts_from_local_midnight_and_a_time_of_day_wins() -> None:
    turns = schedule(
        zone=TOKYO,
        rotation={"every_minutes": 20, "ballads": ["tam-lin", "each"]},
        ballads=[{"at": "00:40", "ballad": "twa-corbies"}],
    )
    midnight = utc("2026-11-19T15:00")
    due = [
        scheduled_at(turns, BALLADS, midnight + timedelta(minutes=m)).arrangement
        for m in (0, 19, 20, 40, 59, 60, 80)
    ]
    assert due == ["tam-lin", "tam-lin", "each", "twa-corbies", "twa-corbies", "each", "tam-lin"]
    change = scheduled_at(turns, BALLADS, midnight + timedelta(minutes=5)).next_change_utc
    assert change == midnight + timedelta(minutes=20)


def test_a_rotation_of_no_named_ballads_takes_all_in_show_order() -> None:
    turns = schedule(zone="UTC", rotation={"every_minutes": 60})
    due = [
        scheduled_at(turns, BALLADS, utc(f"2026-11-20T0{hour}:30")).arrangement for hour in range(4)
    ]
    assert due == [*BALLADS, BALLADS[0]]


# -- changes of the clocks ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "at", "instant"),
    [
        (LONDON, "2026-03-29", "00:59", "2026-03-29T00:59"),
        (LONDON, "2026-03-29", "01:00", "2026-03-29T01:00"),  # 01:00 to 02:00 does not exist
        (LONDON, "2026-03-29", "01:30", "2026-03-29T01:00"),
        (LONDON, "2026-03-29", "02:00", "2026-03-29T01:00"),
        (LONDON, "2026-03-29", "02:01", "2026-03-29T01:01"),
        (LONDON, "2026-10-25", "00:59", "2026-10-24T23:59"),
        (LONDON, "2026-10-25", "01:00", "2026-10-25T00:00"),  # 01:00 to 02:00 exists twice
        (LONDON, "2026-10-25", "01:30", "2026-10-25T00:30"),
        (LONDON, "2026-10-25", "02:00", "2026-10-25T02:00"),
        (LORD_HOWE, "2026-10-04", "02:15", "2026-10-03T15:30"),  # 02:00 to 02:30 does not exist
        (LORD_HOWE, "2026-10-04", "02:30", "2026-10-03T15:30"),
        (LORD_HOWE, "2026-04-05", "01:45", "2026-04-04T14:45"),  # 01:30 to 02:00 exists twice
        (TOKYO, "2026-03-29", "01:30", "2026-03-28T16:30"),
        ("Pacific/Apia", "2011-12-30", "12:00", "2011-12-30T10:00"),  # a day that was left out
    ],
)
def test_a_border_at_a_change_of_the_clocks(zone: str, day: str, at: str, instant: str) -> None:
    words = schedule(zone, ballads=[{"at": at, "ballad": "tam-lin"}])
    hour, minute = map(int, at.split(":"))
    ordinal = date.fromisoformat(day).toordinal()
    at_s = instant_of(ordinal, hour * 60 + minute, ZoneInfo(zone))
    assert datetime.fromtimestamp(at_s, UTC) == utc(instant)
    about = borders_between(
        words, BALLADS, utc(instant) - timedelta(hours=2), utc(instant) + timedelta(hours=2)
    )
    assert instant in at_instants(about)
    assert len(about) == 1


def test_opening_hours_through_a_change_of_the_clocks() -> None:
    night = schedule(open={"daily": ["01:30-03:00"]})
    spring = [
        scheduled_at(night, BALLADS, utc(f"2026-03-29T{at}")).is_open
        for at in ("00:59", "01:00", "01:59", "02:00")
    ]
    assert spring == [False, True, True, False]
    autumn = [
        scheduled_at(night, BALLADS, utc(f"2026-10-25T{at}")).is_open
        for at in ("00:29", "00:30", "01:30", "02:59", "03:00")
    ]
    assert autumn == [False, True, True, True, False]
    swallowed = schedule(open={"daily": ["01:10-01:50"]})
    assert not scheduled_at(swallowed, BALLADS, utc("2026-03-29T01:00")).is_open


def test_a_rotation_has_fewer_turns_in_a_short_day_and_more_in_a_long_one() -> None:
    turns = schedule(rotation={"every_minutes": 30})
    counts = {
        day: len(borders_between(turns, BALLADS, utc(first), utc(last)))
        for day, first, last in (
            ("spring", "2026-03-29T00:00", "2026-03-29T23:00"),
            ("usual", "2026-05-05T23:00", "2026-05-06T23:00"),
            ("autumn", "2026-10-24T23:00", "2026-10-26T00:00"),
        )
    }
    assert counts == {"spring": 46, "usual": 48, "autumn": 50}


@settings(max_examples=40, deadline=None)
@given(
    zone=st.sampled_from(ZONES), minutes=st.integers(0, 1439), year=st.sampled_from([2011, 2026])
)
def test_a_border_happens_exactly_once_a_local_day(zone: str, minutes: int, year: int) -> None:
    at = f"{minutes // 60:02}:{minutes % 60:02}"
    words = schedule(zone, ballads=[{"at": at, "ballad": "tam-lin"}])
    zone_info = ZoneInfo(zone)
    first, last = date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal()
    start, end = (
        datetime.fromtimestamp(instant_of(day, 0, zone_info), UTC) for day in (first, last)
    )
    borders = borders_between(words, BALLADS, start, end)
    assert len(borders) == last - first
    assert all(a.at_s <= b.at_s for a, b in pairwise(borders))
    days = [datetime.fromtimestamp(b.at_s, zone_info).date().toordinal() for b in borders]
    skipped = date(2011, 12, 30).toordinal()
    assert all(
        day == wanted or (zone, wanted) == ("Pacific/Apia", skipped)
        for day, wanted in zip(days, range(first, last), strict=True)
    )


@lru_cache(maxsize=8)
def busy(zone: str) -> Schedule:
    return schedule(
        zone,
        open={"weekdays": ["10:00-18:00"], "sat": ["18:00-02:30"], "sun": ["01:15-01:45"]},
        ballads=[{"at": "01:30", "ballad": "each"}, {"at": "17:00", "ballad": "tam-lin"}],
        rotation={"every_minutes": 45},
    )


@settings(max_examples=300, deadline=None)
@given(zone=st.sampled_from(ZONES), second=st.integers(0, 366 * 86_400))
def test_every_instant_of_a_year_has_a_value(zone: str, second: int) -> None:
    moment = utc("2026-01-01T00:00") + timedelta(seconds=second)
    due = scheduled_at(busy(zone), BALLADS, moment)
    assert 0 <= due.brightness <= 1
    assert due.arrangement in ("each", *BALLADS)
    assert due.sentence.startswith("open until" if due.is_open else "closed until")
    assert due.next_change_utc is not None and due.next_change_utc > moment
    border = newest_border(busy(zone), BALLADS, moment)
    assert border is not None and border.at_s <= moment.timestamp()
    assert due.next_change_utc - moment <= timedelta(minutes=45)
    before = scheduled_at(busy(zone), BALLADS, due.next_change_utc - timedelta(microseconds=1))
    assert (before.is_open, before.arrangement) == (due.is_open, due.arrangement)


def test_no_answer_depends_on_what_was_asked_before() -> None:
    moments = [utc("2026-03-29T00:30") + timedelta(minutes=7 * n) for n in range(40)]
    forward = [scheduled_at(busy(LONDON), BALLADS, moment) for moment in moments]
    back = [scheduled_at(busy(LONDON), BALLADS, moment) for moment in reversed(moments)]
    assert forward == back[::-1]


def test_moments_that_are_none() -> None:
    with pytest.raises(ValueError, match="has no zone"):
        scheduled_at(GALLERY, BALLADS, datetime(2026, 1, 1))
    with pytest.raises(ValueError, match="the year 1970"):
        brightness_at(GALLERY, utc("1970-06-01T00:00"))
    assert utc_of(1_795_000_000_123_456_789).timestamp() == 1_795_000_000.123456
    for wall_ns in (-(2**70), -1, 0, 2**63, 2**90):
        scheduled_at(busy(LONDON), BALLADS, utc_of(wall_ns))
