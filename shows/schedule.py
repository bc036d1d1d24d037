"""What the schedule of a show says at a moment: open or not, how bright, which ballad.

Pure: a moment is an aware datetime that the caller hands in; no clock is read. Local times of the
show file become instants of UTC once a day, and everything else is done with instants. A border
at a local time that a change to summer time skips happens at the first instant after the gap; one
that the change back repeats happens the first time only.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from shows.daylight import daylight_at
from shows.local_time import instant_of, local_of
from shows.schedule_schema import WEEKDAYS, Schedule, minutes_of, span_of

WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
WARM_UP_S = 120  # a projector is switched on so long before the show opens
SEARCHED_DAYS = 400  # what lies further ahead is not looked for

_DAY_S = 86_400
_NS_PER_US = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST_NS = 400 * _DAY_S * 1_000_000_000
_MOST_NS = 100 * 366 * _DAY_S * 1_000_000_000

Span = tuple[int, int]
"""From an instant until before another, in seconds since 1970 UTC."""


@dataclass(frozen=True)
class Scheduled:
    """What is due. brightness: light of the screens, 0 black to 1 full, the ramp included.

    arrangement: the ballad that all screens show in unison, "each" for every screen its own, None
    if the schedule names none. next_change_utc: the next opening, closing or change of ballad,
    None if none is near. sentence: as in "open until 18:00", in the schedule's local time.
    """

    is_open: bool
    brightness: float
    arrangement: str | None
    next_change_utc: datetime | None
    sentence: str


@dataclass(frozen=True)
class Border:
    """A change of ballad. at_s: its instant in seconds since 1970 UTC."""

    at_s: int
    arrangement: str


def utc_of(wall_ns: int) -> datetime:
    """The instant of a wall clock's reading, in ns since 1970 UTC, cut to whole microseconds.

    A clock that stands before February 1971 or after 2070 is taken to stand there.
    """
    wall_ns = min(max(wall_ns, _LEAST_NS), _MOST_NS)
    return _EPOCH + timedelta(microseconds=wall_ns // _NS_PER_US)


def scheduled_at(schedule: Schedule, ballads: Sequence[str], utc: datetime) -> Scheduled:
    """What is due at an instant. ballads: all of the show, in order.

    Raises ValueError for a datetime without a zone.
    """
    table = _timetable(schedule, tuple(ballads))
    now_s = _seconds(utc)
    stretch = table.stretch(now_s)
    change_s = stretch.change_s
    return Scheduled(
        is_open=stretch.is_open,
        brightness=table.brightness(now_s) * daylight_at(schedule, utc),
        arrangement=None if stretch.border is None else stretch.border.arrangement,
        next_change_utc=None if change_s is None else _EPOCH + timedelta(seconds=change_s),
        sentence=stretch.sentence,
    )


def brightness_at(schedule: Schedule, utc: datetime) -> float:
    """Light of the screens at an instant, 0 to 1: a straight ramp after each opening and closing.

    It is the share of the last ramp_seconds for which the show was open, so it never jumps
    (but for ramps of 0 s), however short the hours; times the daylight's own level. Raises
    ValueError without a zone.
    """
    return _timetable(schedule, ()).brightness(_seconds(utc)) * daylight_at(schedule, utc)


def newest_border(schedule: Schedule, ballads: Sequence[str], utc: datetime) -> Border | None:
    """The last change of ballad that the schedule had for this instant; None: it names none.

    Raises ValueError for a datetime without a zone.
    """
    return _timetable(schedule, tuple(ballads)).stretch(_seconds(utc)).border


def borders_between(
    schedule: Schedule, ballads: Sequence[str], first: datetime, last: datetime
) -> tuple[Border, ...]:
    """Every change of ballad from an instant until before another, in order. Raises ValueError."""
    table = _timetable(schedule, tuple(ballads))
    first_s, last_s = _seconds(first), _seconds(last)
    days = range(table.day_of(first_s) - 1, table.day_of(last_s) + 2)
    borders = (border for day in days for border in table.borders_of(day))
    return tuple(border for border in borders if first_s <= border.at_s < last_s)


def projectors_wanted_at(schedule: Schedule | None, utc: datetime) -> bool:
    """Whether the projectors are to be lit: from two minutes before opening until the light has
    gone. Without a schedule, and where the night is dim, always. Raises ValueError."""
    if schedule is None or schedule.open is None or schedule.night == "dim":
        return True
    now_s = _seconds(utc)
    spans = _timetable(schedule, ()).spans_about(now_s)
    return any(
        opening - WARM_UP_S <= now_s < closing + schedule.ramp_seconds for opening, closing in spans
    )


@dataclass(frozen=True)
class _Stretch:
    """Seconds for which all but the brightness stays as it is, from start_s until before end_s."""

    start_s: float
    end_s: float
    is_open: bool
    border: Border | None
    change_s: int | None
    sentence: str


class _Timetable:
    """A schedule worked out for the days that were asked for. What it keeps changes no answer."""

    def __init__(self, schedule: Schedule, ballads: tuple[str, ...]) -> None:
        self._schedule = schedule
        self._zone = ZoneInfo(schedule.timezone)
        self._hours = dict(schedule.open or ())
        self._turns: tuple[str, ...] = ()
        if schedule.rotation is not None:
            self._turns = schedule.rotation.ballads or ballads
        self._spans: dict[int, tuple[Span, ...]] = {}
        self._borders: dict[int, tuple[Border, ...]] = {}
        self._stretch: _Stretch | None = None

    def stretch(self, now_s: float) -> _Stretch:
        known = self._stretch
        if known is None or not known.start_s <= now_s < known.end_s:
            known = self._stretch = self._worked_out(now_s)
        return known

    def brightness(self, now_s: float) -> float:
        schedule = self._schedule
        if schedule.open is None:
            return 1.0
        night = schedule.night_brightness if schedule.night == "dim" else 0.0
        ramp_s = schedule.ramp_seconds
        spans = self.spans_about(now_s)
        if ramp_s == 0:
            return 1.0 if _holds(spans, now_s) else night
        lit_s = sum(
            max(0.0, min(now_s, closing) - max(now_s - ramp_s, opening))
            for opening, closing in spans
        )
        return night + (1.0 - night) * min(lit_s / ramp_s, 1.0)

    def spans_about(self, now_s: float) -> tuple[Span, ...]:
        """The opening hours near an instant, joined: all that lie within a day of it."""
        day = self.day_of(now_s)
        spans = self._spans.get(day)
        if spans is None:
            if len(self._spans) > 1000:
                self._spans.clear()
            near = [span for near in range(day - 3, day + 3) for span in self._day_spans(near)]
            spans = self._spans[day] = _joined(near)
        return spans

    def day_of(self, now_s: float) -> int:
        """The ordinal of the local date."""
        return local_of(now_s, self._zone).toordinal()

    def borders_of(self, day: int) -> tuple[Border, ...]:
        """The changes of ballad that belong to a local date, in order."""
        borders = self._borders.get(day)
        if borders is None:
            if len(self._borders) > 1000:
                self._borders.clear()
            borders = self._borders[day] = tuple(self._day_borders(day))
        return borders

    def _day_borders(self, day: int) -> Iterator[Border]:
        found: list[Border] = []
        if self._turns and self._schedule.rotation is not None:
            step_s = self._schedule.rotation.every_minutes * 60
            midnight_s = self._instant_s(day, 0)
            slots = range(midnight_s, self._instant_s(day + 1, 0), step_s)
            found += [
                Border(at_s, self._turns[turn % len(self._turns)])
                for turn, at_s in enumerate(slots)
            ]
        for entry in sorted(self._schedule.ballads, key=lambda entry: entry.at):
            found.append(Border(self._instant_s(day, minutes_of(entry.at)), entry.ballad))
        # A time of day wins over a turn of the same instant: the sort is stable.
        yield from sorted(found, key=lambda border: border.at_s)

    def _day_spans(self, day: int) -> Iterator[Span]:
        of_date = date.fromordinal(day)
        weekday = of_date.weekday()
        names = (
            of_date.isoformat(),
            WEEKDAYS[weekday],
            "weekend" if weekday >= 5 else "weekdays",
            "daily",
        )
        name = next((name for name in names if name in self._hours), None)
        for text in () if name is None else self._hours[name]:
            opening, closing = span_of(text)
            span = self._instant_s(day, opening), self._instant_s(day, closing)
            if span[0] < span[1]:  # a change of the clocks can swallow a short one
                yield span

    def _instant_s(self, day: int, minutes: int) -> int:
        return instant_of(day, minutes, self._zone)

    def _worked_out(self, now_s: float) -> _Stretch:
        day = self.day_of(now_s)
        borders = [b for near in range(day - 2, day + 3) for b in self.borders_of(near)]
        # Borders of one instant: the last one counts.
        place = bisect_right(borders, now_s, key=lambda border: border.at_s)
        border = borders[place - 1] if place else None
        following = borders[place].at_s if place < len(borders) else None
        is_open, until_s = self._opening(now_s)
        changes = [at_s for at_s in (following, until_s) if at_s is not None]
        change_s = min(changes, default=None)
        end_s = min(now_s + _DAY_S, self._instant_s(day + 1, 0))
        if change_s is not None:
            end_s = min(end_s, change_s)
        sentence = self._sentence(day, is_open, until_s)
        return _Stretch(now_s, end_s, is_open, border, change_s, sentence)

    def _opening(self, now_s: float) -> tuple[bool, int | None]:
        """Whether it is open, and when that ends; None: not within the days searched."""
        if self._schedule.open is None:
            return True, None
        closing: int | None = None
        today = self.day_of(now_s)
        for day in range(today - 3, today + SEARCHED_DAYS):
            if closing is not None and self._instant_s(day, 0) > closing:
                return True, closing
            for span in sorted(self._day_spans(day)):
                if closing is None:
                    if span[0] > now_s:
                        return False, span[0]
                    closing = span[1] if span[1] > now_s else None
                elif span[0] <= closing:
                    closing = max(closing, span[1])
                else:
                    return True, closing
        return closing is not None, None

    def _sentence(self, day: int, is_open: bool, until_s: int | None) -> str:
        state = "open" if is_open else "closed"
        if until_s is None:
            return "always open" if is_open else f"closed for the next {SEARCHED_DAYS} days"
        until = local_of(until_s, self._zone)
        days = until.toordinal() - day
        if days == 1 and until.hour == until.minute == 0:
            return f"{state} until midnight"
        text = f"{state} until {until.hour:02}:{until.minute:02}"
        if days >= 7:
            return f"{text} on {until.day} {MONTH_NAMES[until.month - 1]}"
        return f"{text} on {WEEKDAY_NAMES[until.weekday()]}" if days else text


def _joined(spans: Sequence[Span]) -> tuple[Span, ...]:
    """The same time in spans that neither meet nor overlap, in order."""
    joined: list[Span] = []
    for opening, closing in sorted(spans):
        if joined and opening <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], closing)
        else:
            joined.append((opening, closing))
    return tuple(joined)


def _holds(spans: Sequence[Span], now_s: float) -> bool:
    return any(opening <= now_s < closing for opening, closing in spans)


def _seconds(utc: datetime) -> float:
    """Seconds since 1970 UTC. Raises ValueError."""
    if utc.utcoffset() is None:
        raise ValueError(f"the time {utc} has no zone: hand over one of UTC")
    if not 1970 < utc.year < 9900:
        raise ValueError(f"the year {utc.year} is none that a schedule is read for")
    return utc.timestamp()


@lru_cache(maxsize=16)  # a function of values that cannot change
def _timetable(schedule: Schedule, ballads: tuple[str, ...]) -> _Timetable:
    return _Timetable(schedule, ballads)
