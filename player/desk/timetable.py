"""What the show's schedule has in store, for a person. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from player.desk import words
from player.upkeep.wall_time import HOUR_NS, SECOND_NS, clock_text, zone_of
from shows.schedule import borders_between, scheduled_at, utc_of
from shows.schedule_schema import EACH
from shows.show import Show

AHEAD_NS = 24 * HOUR_NS
MOST_LINES = 5


@dataclass(frozen=True)
class Timetable:
    """now: as in "open until 18:00". coming: times of day and what begins then."""

    now: str
    coming: tuple[tuple[str, str], ...]


def timetable_of(show: Show, wall_ns: int) -> Timetable | None:
    """None for a show without a schedule."""
    schedule = show.settings.schedule
    if schedule is None:
        return None
    zone = zone_of(schedule.timezone)
    now, later = utc_of(wall_ns), utc_of(wall_ns + AHEAD_NS)
    borders = borders_between(schedule, show.ballad_ids, now, later)[:MOST_LINES]
    coming = tuple(
        (
            clock_text(border.at_s * SECOND_NS, zone),
            words.EVERY_OWN
            if border.arrangement == EACH
            else show.ballad(border.arrangement).title,
        )
        for border in borders
    )
    return Timetable(scheduled_at(schedule, show.ballad_ids, now).sentence, coming)
