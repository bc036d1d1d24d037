"""The words `schedule` and `projectors` of show.yaml: opening hours, ballads by time of day.

Times are local ones of the schedule's zone. What they mean in time says shows/schedule.py.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from shows.schema_base import Host, Id, StrictModel, listed

EACH = "each"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_WORDS = (*WEEKDAYS, "weekdays", "weekend", "daily")
MAX_DAYS = 1000
MAX_SPANS = 24
PJLINK_PORT = 4352

_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_SPAN = re.compile(r"([0-9]{2}:[0-9]{2})-([0-9]{2}:[0-9]{2})")


def minutes_of(text: str) -> int:
    """Minutes after midnight of "HH:MM", 0 to 1439. Raises ValueError."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f'{text!r:.40} is no time of day from "00:00" to "23:59"')
    return int(match[1]) * 60 + int(match[2])


def span_of(text: str) -> tuple[int, int]:
    """Opening and closing of "HH:MM-HH:MM" in minutes after midnight of the day it opens on.

    The closing is above the opening: up to 24:00, or beyond it (up to 2879) where the span
    crosses midnight. Raises ValueError.
    """
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f'{text!r:.40} is no span of time such as "10:00-18:00"')
    opening = minutes_of(match[1])
    closing = 1440 if match[2] == "24:00" else minutes_of(match[2])
    if closing == opening:
        raise ValueError(
            f'{text!r} ends when it begins: write "00:00-24:00" for all day, [] for closed'
        )
    return opening, closing if closing > opening else closing + 1440


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"{value!r} is no time zone known here: write an IANA name such as Europe/London "
            "(if even that one is unknown, install the package tzdata)"
        ) from None
    return value


def _time(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        # YAML reads 10:00 without quotes as a number in base 60.
        raise ValueError('a time of day needs quotes, as in "10:00"')
    if isinstance(value, str):
        minutes_of(value)
    return value


def _day_name(key: object) -> str:
    # YAML reads a date without quotes as one.
    if isinstance(key, datetime.date) and not isinstance(key, datetime.datetime):
        return key.isoformat()
    if isinstance(key, str) and key in DAY_WORDS:
        return key
    if isinstance(key, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", key):
        datetime.date.fromisoformat(key)  # ValueError for 30 February
        return key
    raise ValueError("is no day")


def _hours(value: object) -> object:
    """((day, spans), ...) from a mapping of YAML; its own output is taken too."""
    if isinstance(value, Mapping):
        entries = list(value.items())
    elif isinstance(value, tuple):
        entries = list(value)
    else:
        raise ValueError('must name days, as in {weekdays: ["10:00-18:00"], sun: []}')
    if len(entries) > MAX_DAYS:
        raise ValueError(f"names more than {MAX_DAYS} days")
    days: dict[str, tuple[str, ...]] = {}
    faults: list[str] = []
    for key, spans in entries:
        try:
            name = _day_name(key)
        except ValueError:
            faults.append(
                f"{key!r:.40} is no day: write one of {', '.join(DAY_WORDS)}, "
                'or a date such as "2026-12-24"'
            )
            continue
        if name in days:
            faults.append(f"{name} is written twice")
        days[name] = ()
        if not isinstance(spans, Sequence) or isinstance(spans, str) or len(spans) > MAX_SPANS:
            faults.append(f'{name}: must be a list such as ["10:00-18:00"], or [] for closed')
            continue
        try:
            for span in spans:
                span_of(span if isinstance(span, str) else repr(span)[:40])
        except ValueError as fault:
            faults.append(f"{name}: {fault}")
            continue
        days[name] = tuple(spans)
    if faults:
        raise ValueError("\n".join(faults[:20]))
    return tuple(days.items())


def _hours_to_yaml(days: tuple[tuple[str, tuple[str, ...]], ...] | None) -> object:
    return None if days is None else {name: list(spans) for name, spans in days}


TimeOfDay = Annotated[str, BeforeValidator(_time)]
Hours = Annotated[
    tuple[tuple[str, tuple[str, ...]], ...] | None,
    BeforeValidator(lambda value: value if value is None else _hours(value)),
    PlainSerializer(_hours_to_yaml),
]


class TimedBallad(StrictModel):
    """From this time of day all screens show this ballad, or `each` its own."""

    at: TimeOfDay
    ballad: Id


class Rotation(StrictModel):
    """These ballads in turn, counted from local midnight; none named: all, in show order."""

    every_minutes: Annotated[int, Field(ge=1, le=1440)]
    ballads: Annotated[
        tuple[Id, ...], BeforeValidator(listed("ballads")), Field(max_length=1000)
    ] = ()


Level = Annotated[float, Field(ge=0, le=1)]


class TimedLight(StrictModel):
    """At this time of day the screens have this share of their light."""

    at: TimeOfDay
    level: Level


class Sun(StrictModel):
    """Where the venue is, in degrees, north and east above 0; the light by day and by night."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    by_day: Level = 1.0
    by_night: Level = 0.5


class Schedule(StrictModel):
    """When the show is open, what the screens show at night, and ballads by time of day.

    open: days and their spans, None: always open. A date counts before a day of the week, that
    before `weekdays` and `weekend`, these before `daily`; a day that none names is closed.
    night_brightness: light of the screens when closed and `dim`, 0 to 1 of full. ramp_seconds:
    how long the light takes to change. light: of the open screens, straight from one time of day
    to the next; sun: instead of it, by the height of the sun.
    """

    timezone: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_+/-]{0,63}$"), AfterValidator(_zone)
    ]
    open: Hours = None
    night: Literal["black", "dim"] = "black"
    night_brightness: Annotated[float, Field(ge=0, le=1)] = 0.1
    ramp_seconds: Annotated[float, Field(ge=0, le=3600)] = 30.0
    ballads: Annotated[
        tuple[TimedBallad, ...], BeforeValidator(listed("ballads")), Field(max_length=1000)
    ] = ()
    rotation: Rotation | None = None
    light: Annotated[
        tuple[TimedLight, ...], BeforeValidator(listed("times and levels")), Field(max_length=100)
    ] = ()
    sun: Sun | None = None

    def faults(self, ballads: Sequence[str]) -> list[str]:
        """Sentences, each with its path in the show file, on what does not fit the ballads."""
        named = [(f"ballads[{n}].ballad", entry.ballad) for n, entry in enumerate(self.ballads)]
        if self.rotation is not None:
            turns = self.rotation.ballads
            named += [(f"rotation.ballads[{n}]", ballad) for n, ballad in enumerate(turns)]
        faults = [
            f"schedule.{path}: {ballad!r} is neither {EACH!r} nor among the ballads: "
            + ", ".join(ballads)
            for path, ballad in named
            if ballad != EACH and ballad not in ballads
        ]
        if EACH in ballads and named:
            faults.append(f"schedule: no ballad may be called {EACH!r}: that means every screen's")
        for word, times in (
            ("ballads", [entry.at for entry in self.ballads]),
            ("light", [entry.at for entry in self.light]),
        ):
            faults += [
                f"schedule.{word}[{n}].at: {at} stands in the list twice"
                for n, at in enumerate(times)
                if at in times[:n]
            ]
        if self.light and self.sun is not None:
            faults.append("schedule.sun: the light goes by the sun or by `light`, not by both")
        return faults


class Projector(StrictModel):
    """A projector that PJLink switches. password_env: the environment variable that holds its
    password, None: it asks for none."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    host: Host
    port: Annotated[int, Field(ge=1, le=65535)] = PJLINK_PORT
    password_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")] | None = None


def projector_faults(projectors: Sequence[Projector]) -> list[str]:
    """Sentences on projectors that share a name or an address."""
    faults: list[str] = []
    for index, projector in enumerate(projectors):
        for other in projectors[:index]:
            if projector.name.casefold() == other.name.casefold():
                faults.append(f"projectors[{index}].name: {projector.name!r} is taken by another")
            if (projector.host.casefold(), projector.port) == (other.host.casefold(), other.port):
                faults.append(
                    f"projectors[{index}].host: {projector.host} is that of {other.name!r} too"
                )
    return faults
