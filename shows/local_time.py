"""Local times of day as instants, through every change of the clocks. Pure."""

from __future__ import annotations

from bisect import bisect_left
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


def local_of(at_s: float, zone: ZoneInfo) -> datetime:
    """The local date and time of an instant, in seconds since 1970 UTC."""
    return datetime.fromtimestamp(at_s, zone)


def instant_of(day: int, minutes: int, zone: ZoneInfo) -> int:
    """The instant, in seconds since 1970 UTC, of a time on a local date.

    day: the date's ordinal (date.toordinal). minutes: after its midnight by the clock on the
    wall, 1440 and more for the days that follow. A time that the clocks skip has the first
    instant after the gap; one that they show twice has the first of the two.
    """
    days, minutes = divmod(minutes, 1440)
    midnight = datetime.combine(date.fromordinal(day + days), datetime.min.time())
    wanted = midnight + timedelta(minutes=minutes)
    local = wanted.replace(tzinfo=zone)
    at_s = int(local.timestamp())
    if _shown(at_s, zone) == wanted:
        return at_s
    # Read with the offset that holds after the gap, the time lies before the gap, and with the
    # one that holds before it, behind: the first instant after the gap is between the two.
    before_s = int(local.replace(fold=1).timestamp())
    return before_s + bisect_left(
        range(before_s, at_s), True, key=lambda s: _shown(s, zone) >= wanted
    )


def _shown(at_s: int, zone: ZoneInfo) -> datetime:
    return local_of(at_s, zone).replace(tzinfo=None)
