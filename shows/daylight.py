"""How bright the screens are by the time of day or by the sun, before opening hours count. Pure."""

from __future__ import annotations

import itertools
from datetime import datetime
from zoneinfo import ZoneInfo

from shows.schedule_schema import Schedule, Sun, TimedLight, minutes_of

DAY_MINUTES = 1440.0
# The sun's height in degrees: from the end of civil twilight, when street lamps rule, to where it
# no longer reddens.
NIGHT_DEG, DAY_DEG = -6.0, 10.0


def daylight_at(schedule: Schedule, utc: datetime) -> float:
    """Relative luminance, 0 to 1, that the schedule wants at an instant; 1 if it says nothing."""
    if schedule.sun is not None:
        return light_of_the_sun(schedule.sun, utc)
    if schedule.light:
        local = utc.astimezone(ZoneInfo(schedule.timezone))
        minutes = local.hour * 60 + local.minute + (local.second + local.microsecond / 1e6) / 60
        return light_by_the_clock(schedule.light, minutes)
    return 1.0


def light_by_the_clock(light: tuple[TimedLight, ...], minutes: float) -> float:
    """Straight from each time of day to the next, across midnight as well."""
    points = sorted((float(minutes_of(point.at)), point.level) for point in light)
    points = [
        (points[-1][0] - DAY_MINUTES, points[-1][1]),
        *points,
        (points[0][0] + DAY_MINUTES, points[0][1]),
    ]
    for (before, low), (after, high) in itertools.pairwise(points):
        if before <= minutes < after:
            return low + (high - low) * (minutes - before) / (after - before)
    return points[-1][1]


def light_of_the_sun(sun: Sun, utc: datetime) -> float:
    """From `by_night`, with the sun 6 degrees below the horizon, to `by_day`, 10 above it."""
    # here and not above: it is needed by shows alone that ask for it
    from astral import Observer
    from astral.sun import elevation

    height_deg = elevation(Observer(sun.latitude, sun.longitude), utc, with_refraction=False)
    risen = min(max((height_deg - NIGHT_DEG) / (DAY_DEG - NIGHT_DEG), 0.0), 1.0)
    return sun.by_night + (sun.by_day - sun.by_night) * risen
