"""Instants of the wall clock as text and back. Pure: nothing here reads a clock.

An instant is UTC in ns since 1970. Text of a journal is UTC, `2026-11-22T02:10:03.125Z`; what a
person reads is the house's local time.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Zone: TypeAlias = tzinfo | None  # None: the machine's own

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 3600 * SECOND_NS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_NS = 253_402_214_400 * SECOND_NS  # a day before the end of year 9999
_UTC_TEXT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", re.ASCII)


def utc_text(at_ns: int) -> str:
    """As in "2026-11-22T02:10:03.125Z"; what no calendar holds becomes its nearest end."""
    return _moment(at_ns).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc_ns(text: str) -> int:
    """Inverse of `utc_text`, to the millisecond. Raises ValueError for any other text."""
    if not _UTC_TEXT.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no time of the form 2026-11-22T02:10:03.125Z")
    return _since_epoch_ns(datetime.fromisoformat(text))


def utc_day(at_ns: int) -> str:
    """The day in UTC, as in "2026-11-22"."""
    return _moment(at_ns).strftime("%Y-%m-%d")


def zone_of(name: str | None) -> Zone:
    """The zone of an IANA name; None, the machine's own, without one or for an unknown one."""
    try:
        return None if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def local(at_ns: int, zone: Zone) -> datetime:
    """The local time of an instant; zone None: the machine's own."""
    return _moment(at_ns).astimezone(zone)


def clock_text(at_ns: int, zone: Zone) -> str:
    """Hours and minutes, as in "02:10"."""
    return local(at_ns, zone).strftime("%H:%M")


def date_text(at_ns: int, zone: Zone) -> str:
    """As in "Sunday 22 November 2026, 09:00"."""
    moment = local(at_ns, zone)
    return f"{moment:%A} {moment.day} {moment:%B %Y, %H:%M}"


def zone_text(at_ns: int, zone: Zone) -> str:
    """What the clock times are told in, as in "CET (UTC+01:00)"."""
    moment = local(at_ns, zone)
    name = moment.tzname() or "local time"
    return "UTC" if name == "UTC" else f"{name} (UTC{moment.isoformat()[-6:]})"


def instant_of(text: str, zone: Zone) -> int:
    """An instant as a person writes it: `2026-11-22T18:00`, in local time unless it says.

    Raises ValueError with a sentence.
    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.astimezone() if zone is None else moment.replace(tzinfo=zone)
        return _since_epoch_ns(moment)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{text[:40]!r} is no time; write it as in 2026-11-22T18:00") from None


def _moment(at_ns: int) -> datetime:
    return _EPOCH + timedelta(microseconds=min(max(at_ns, 0), _LATEST_NS) // 1000)


def _since_epoch_ns(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
