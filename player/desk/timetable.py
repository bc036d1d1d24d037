"""What the show's schedule has in store, for a person. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from player.desk import words
from player.upkeep.wall_time import HOUR_NS, SECOND_NS, clock_text, zone_of
from shows.schedule import borders_between, scheduled_at, utc_of
from shows.schedule_schema import EACH
from shows.schema import Ballad
from shows.show import Show

AHEAD_NS = 24 * HOUR_NS
MOST_LINES = 5


@dataclass(frozen=True)
class Coming:
    """A change of ballads. time: of day, local. ballad: of all screens; None: each its own. at_s:
    the instant, in seconds since 1970 UTC."""

    time: str
    ballad: Ballad | None
    at_s: int

    @property
    def title(self) -> str:
        """Of what begins."""
        return words.EVERY_OWN if self.ballad is None else self.ballad.title


@dataclass(frozen=True)
class Timetable:
    """now: as in "open until 18:00". coming: what begins, in order."""

    now: str
    coming: tuple[Coming, ...]


def soon_on(show: Show, table: Timetable | None, number: int, wall_ns: int) -> Coming | None:
    """What the schedule brings to a screen (from 1) within the hour, with the ballad of its own."""
    if table is None or not table.coming:
        return None
    coming = table.coming[0]
    if coming.at_s * SECOND_NS - wall_ns > HOUR_NS:
        return None
    own = show.ballad(show.settings.screens[number - 1].ballad)
    return replace(coming, ballad=coming.ballad or own)


def timetable_of(show: Show, wall_ns: int) -> Timetable | None:
    """None for a show without a schedule."""
    schedule = show.settings.schedule
    if schedule is None:
        return None
    zone = zone_of(schedule.timezone)
    now, later = utc_of(wall_ns), utc_of(wall_ns + AHEAD_NS)
    borders = borders_between(schedule, show.ballad_ids, now, later)[:MOST_LINES]
    coming = tuple(
        Coming(
            clock_text(border.at_s * SECOND_NS, zone),
            None if border.arrangement == EACH else show.ballad(border.arrangement),
            border.at_s,
        )
        for border in borders
    )
    return Timetable(scheduled_at(schedule, show.ballad_ids, now).sentence, coming)
