"""Green, amber or red, and why: the first thing a report says. Pure.

Red is what a visitor could have seen or what keeps the doors from opening: stills for a minute,
nothing shown, no player now. Amber is what a technician should look at. The limits stand here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from player.upkeep.journal_file import Entry, JournalRead
from player.upkeep.night_facts import Minute, Run, minutes_of, runs_of
from player.upkeep.wall_time import SECOND_NS, Zone, clock_text

Colour = Literal["green", "amber", "red"]

STILLS_RED_S = 60
STILLS_AMBER_S = 5  # a start shows stills for a moment
FILMS_AMBER_S = 60
SILENT_S = 150  # longer than two minutes without a word: nothing ran
DROPPED_SHARE = 0.01  # of a minute's frames; from here on it is a bad minute
BAD_MINUTES_RED = 30
SHORT_S = 10  # a part of a minute, at an end, is too short for shares
UNSTEADY_SHARE = 0.1  # of a minute's frames late, or repeated on some screen
HOT_CPU_C = 90
HOT_GPU_C = 87
GROWTH_SHARE = 0.2  # memory, from the first hour looked at to the last
GROWTH_MB = 200
_ORDER: tuple[Colour, ...] = ("green", "amber", "red")


@dataclass(frozen=True)
class Reason:
    """One finding, as a sentence without its full stop."""

    colour: Colour
    text: str


@dataclass(frozen=True)
class Verdict:
    """The worst colour, and all findings, the worst first."""

    colour: Colour
    reasons: tuple[Reason, ...]

    @property
    def sentence(self) -> str:
        """The first line of the report."""
        worst = [reason.text for reason in self.reasons if reason.colour == self.colour]
        if self.colour == "green":
            return "Green: every screen showed what it should."
        return f"{self.colour.capitalize()}: {'; '.join(worst)}."


def verdict_of(read: JournalRead, since_ns: int, until_ns: int, zone: Zone = None) -> Verdict:
    """The verdict over the entries of a time; both ends in UTC. zone: of the clock times told."""
    minutes, runs = minutes_of(read.entries), runs_of(read.entries)
    reasons = [
        *_stills(minutes, zone),
        *_absences(read.entries, runs, until_ns, zone),
        *_bad_minutes(minutes, zone),
        *_unsteady(minutes, zone),
        *_films(minutes, runs),
        *_restarts(minutes, runs, zone),
        *_events(read, zone),
        *_machine(minutes, zone),
    ]
    if not read.entries:
        reasons = [Reason("red", "the journal holds nothing of this time"), *reasons]
    reasons.sort(key=lambda reason: -_ORDER.index(reason.colour))
    return Verdict(reasons[0].colour if reasons else "green", tuple(reasons))


def length_text(seconds: float) -> str:
    """As in "40 s", "4 min", "2 h 05 min"."""
    if seconds < 90:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def stills_by_screen(minutes: Sequence[Minute]) -> dict[str, tuple[float, int]]:
    """Of the screens that showed stills while open: seconds in all, and when first (UTC ns)."""
    found: dict[str, tuple[float, int]] = {}
    for minute in minutes:
        for screen, seconds_by_source in minute.by_screen.items():
            seconds = seconds_by_source.get("slate", 0.0)
            if seconds and minute.is_open:
                before, first_ns = found.get(screen, (0.0, minute.begins_ns))
                found[screen] = before + seconds, first_ns
    return found


def _stills(minutes: Sequence[Minute], zone: Zone) -> list[Reason]:
    found = {
        screen: told
        for screen, told in stills_by_screen(minutes).items()
        if told[0] >= STILLS_AMBER_S
    }
    if not found:
        return []
    screens = {screen for minute in minutes for screen in minute.by_screen}
    if len(found) > 2 and found.keys() == screens:
        found = {"every screen": max(found.values())}
    return [
        Reason(
            "red" if seconds >= STILLS_RED_S else "amber",
            f"{length_text(seconds)} on stills on {screen} at {clock_text(first_ns, zone)}",
        )
        for screen, (seconds, first_ns) in sorted(found.items())
    ]


def _absences(
    entries: Sequence[Entry], runs: Sequence[Run], until_ns: int, zone: Zone
) -> list[Reason]:
    reasons = []
    for before, after in pairwise(runs):
        began_ns = after.began_ns
        if before.ended_ns is None and began_ns is not None:
            away_s = (began_ns - before.last_ns) / SECOND_NS
            if away_s > SILENT_S:
                when = clock_text(before.last_ns, zone)
                reasons.append(Reason("red", f"no player for {length_text(away_s)} from {when}"))
    if runs:
        last = runs[-1]
        silent_s = (until_ns - last.last_ns) / SECOND_NS
        when = clock_text(last.last_ns, zone)
        if last.ended_ns is None and silent_s > SILENT_S:
            reasons.append(Reason("red", f"no word from the player since {when}"))
        elif last.ended_ns is not None and silent_s > SILENT_S:
            reasons.append(Reason("amber", f"the player was ended at {when} and is not running"))
    signs = [entry for entry in entries if entry.kind in ("minute", "start", "end")]
    for entry, following in pairwise(signs):
        gap_s = (following.at_ns - entry.at_ns) / SECOND_NS
        if following.kind == "minute" and entry.kind != "end" and gap_s > SILENT_S:
            when = clock_text(entry.at_ns, zone)
            reasons.append(
                Reason("amber", f"nothing was measured for {length_text(gap_s)} from {when}")
            )
    return reasons


def _unsteady(minutes: Sequence[Minute], zone: Zone) -> list[Reason]:
    found = [
        minute
        for minute in minutes
        if minute.seconds >= SHORT_S
        and max(minute.late, minute.repeated) > UNSTEADY_SHARE * minute.ticks
    ]
    if not found:
        return []
    count = f"{len(found)} minutes" if len(found) > 1 else "a minute"
    first = clock_text(found[0].begins_ns, zone)
    return [Reason("amber", f"{count} with a tenth of the frames late or repeated, from {first}")]


def _bad_minutes(minutes: Sequence[Minute], zone: Zone) -> list[Reason]:
    minutes = [minute for minute in minutes if minute.seconds >= SHORT_S]
    shares = [minute.dropped / (minute.ticks + minute.dropped) for minute in minutes]
    bad = [place for place, share in enumerate(shares) if share > DROPPED_SHARE]
    if not bad:
        return []
    worst = max(bad, key=shares.__getitem__)
    count = f"{len(bad)} minutes" if len(bad) > 1 else "a minute"
    return [
        Reason(
            "red" if len(bad) >= BAD_MINUTES_RED else "amber",
            f"{count} with dropped frames, the worst at {clock_text(minutes[worst].at_ns, zone)} "
            f"({shares[worst]:.0%})",
        )
    ]


def _films(minutes: Sequence[Minute], runs: Sequence[Run]) -> list[Reason]:
    if runs and all(run.mode == "film" for run in runs):
        return []
    seconds = sum(minute.shares.get("film", 0.0) * minute.seconds for minute in minutes)
    if seconds < FILMS_AMBER_S:
        return []
    return [Reason("amber", f"films stood in for the engine for {length_text(seconds)}")]


def _restarts(minutes: Sequence[Minute], runs: Sequence[Run], zone: Zone) -> list[Reason]:
    reasons = []
    again = [
        after
        for place, after in enumerate(runs)
        if after.restarts > 0 or (place > 0 and runs[place - 1].ended_ns is None)
    ]
    times = [run.began_ns for run in again if run.began_ns is not None]
    if times:
        count = "once" if len(times) == 1 else f"{len(times)} times, first"
        when = clock_text(times[0], zone)
        reasons.append(Reason("amber", f"the player was restarted {count} at {when}"))
    workers = worker_restarts(minutes, runs)
    if workers:
        count = "once" if workers == 1 else f"{workers} times"
        reasons.append(Reason("amber", f"the engine's worker was restarted {count}"))
    return reasons


def worker_restarts(minutes: Sequence[Minute], runs: Sequence[Run]) -> int:
    """How often the worker was restarted; the count begins at 0 with every start of the player."""
    starts = [run.began_ns for run in runs if run.began_ns is not None]
    total, before, before_ns = 0, None, 0
    for minute in minutes:
        now = minute.worker_restarts
        if now is None:
            continue
        if any(before_ns < start_ns <= minute.at_ns for start_ns in starts):
            before = 0
        total += max(0, now - before) if before is not None else 0
        before, before_ns = now, minute.at_ns
    return total


def _events(read: JournalRead, zone: Zone) -> list[Reason]:
    reasons = []
    faults = [entry for entry in read.entries if entry.kind == "fault"]
    if faults:
        first = f"{clock_text(faults[0].at_ns, zone)}"
        count = "a fault" if len(faults) == 1 else f"{len(faults)} faults, the first"
        reasons.append(Reason("amber", f"{count} at {first}"))
    clocks = [entry for entry in read.entries if entry.kind == "clock"]
    if clocks:
        when = clock_text(clocks[0].at_ns, zone)
        reasons.append(Reason("amber", f"the clock was stepped at {when}"))
    return reasons


def _machine(minutes: Sequence[Minute], zone: Zone) -> list[Reason]:
    reasons = []
    heats: Mapping[str, tuple[int, list[tuple[float, int]]]] = {
        "the processor": (HOT_CPU_C, [(m.cpu_c, m.at_ns) for m in minutes if m.cpu_c]),
        "the GPU": (HOT_GPU_C, [(m.gpu_c, m.at_ns) for m in minutes if m.gpu_c]),
    }
    for name, (limit, told) in heats.items():
        hottest, at_ns = max(told, default=(0.0, 0))
        if hottest >= limit:
            when = clock_text(at_ns, zone)
            reasons.append(Reason("amber", f"{name} was {hottest:.0f} °C hot at {when}"))
    memory = [minute.rss_mb for minute in minutes if minute.rss_mb is not None]
    if len(memory) >= 180:  # three hours: the first and the last are apart
        first, last = sum(memory[:60]) / 60, sum(memory[-60:]) / 60
        if last - first > max(GROWTH_MB, GROWTH_SHARE * first):
            reasons.append(Reason("amber", f"memory grew from {first:.0f} to {last:.0f} MB"))
    return reasons
