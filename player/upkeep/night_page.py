"""What stands on the page of a nightly report, ready for its template. Pure but for snapshots."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from player.upkeep.journal_file import Entry, JournalRead, clean
from player.upkeep.night_facts import Run, mapping, minutes_of, runs_of
from player.upkeep.night_verdict import length_text, worker_restarts
from player.upkeep.wall_time import Zone, clock_text, local

FIRST_LINES, LAST_LINES = 100, 200  # of a chronicle that is too long
MAX_PICTURES = 400
MAX_PICTURE_BYTES = 200_000
_PICTURE_FILE = re.compile(r"pictures-\d{4}-\d\d-\d\d/\d{6}-[a-z0-9-]{1,60}\.jpg", re.ASCII)
_KIND_WORDS = {"osc": "OSC", "worker": "engine", "governor": "quality"}


@dataclass(frozen=True)
class Happening:
    """A line of the chronicle. is_bad: to be looked at."""

    when: str
    kind: str
    text: str
    is_bad: bool = False


@dataclass(frozen=True)
class Snapshot:
    """What a screen showed; data: the JPEG in base64."""

    screen: str
    when: str
    data: str


def chronicle(entries: Sequence[Entry], zone: Zone) -> tuple[Happening, ...]:
    """The events in order of time; the same sentence over and over stands once, with its number.

    Of more than 300 lines the first 100 and the last 200 are told.
    """
    events = [entry for entry in entries if entry.kind not in ("minute", "picture")]
    days = {f"{local(entry.at_ns, zone):%Y%m%d}" for entry in events}
    lines = []
    for (kind, text), group in groupby(events, key=lambda entry: (entry.kind, _told(entry))):
        same = list(group)
        if len(same) > 1:
            text = f"{text} ({len(same)} times, until {clock_text(same[-1].at_ns, zone)})"
        when = local(same[0].at_ns, zone)
        lines.append(
            Happening(
                f"{when:%a %H:%M:%S}" if len(days) > 1 else f"{when:%H:%M:%S}",
                _KIND_WORDS.get(kind, kind),
                text,
                kind == "fault",
            )
        )
    left_out = len(lines) - FIRST_LINES - LAST_LINES
    if left_out > 0:
        note = Happening("", "", f"{left_out} more lines stand in the journal")
        lines = [*lines[:FIRST_LINES], note, *lines[-LAST_LINES:]]
    return tuple(lines)


def _told(entry: Entry) -> str:
    reason = entry.facts.get("restart_reason")
    if entry.kind == "start" and isinstance(reason, str) and reason:
        if reason in entry.sentence:
            return entry.sentence
        return f"{entry.sentence} It was restarted: {clean(reason, 300).rstrip('.')}."
    return entry.sentence or "(no words)"


def figures(read: JournalRead) -> tuple[tuple[str, str], ...]:
    """The numbers of the time, as rows of a name and a text."""
    minutes, runs = minutes_of(read.entries), runs_of(read.entries)
    if not minutes:
        return ()
    seconds = sum(minute.seconds for minute in minutes)
    frames = sum(minute.ticks for minute in minutes)
    dropped = sum(minute.dropped for minute in minutes)
    late = sum(minute.late for minute in minutes)
    repeated = sum(minute.repeated for minute in minutes)
    rows = [
        ("Measured", length_text(seconds)),
        ("Frames shown", f"{frames:,}".replace(",", " ")),
        ("Never shown (dropped)", _of(dropped, frames + dropped)),
        ("Shown late", _of(late, frames)),
        ("Some screen stood still (repeated)", _of(repeated, frames)),
    ]
    for source, name in (("live", "Live"), ("film", "From films"), ("slate", "As stills")):
        shown = sum(minute.shares.get(source, 0.0) * minute.seconds for minute in minutes)
        rows.append((f"{name}, of all screens' time", _percent(shown / seconds)))
    qualities: dict[str, float] = {}
    for minute in minutes:
        if minute.quality:
            qualities[minute.quality] = qualities.get(minute.quality, 0.0) + minute.seconds
    if qualities:
        told = sorted(qualities.items(), key=lambda item: -item[1])[:5]
        whole = sum(qualities.values())
        rows.append(("Quality", "; ".join(f"{name} {_percent(s / whole)}" for name, s in told)))
    rows.append(("Starts of the player", str(sum(run.began_ns is not None for run in runs))))
    rows.append(("Restarts of the engine's worker", str(worker_restarts(minutes, runs))))
    for name, attribute, unit in (
        ("Memory, first and last", "rss_mb", " MB"),
        ("Descriptors, first and last", "descriptors", ""),
        ("Blocks of shared memory, first and last", "segments", ""),
    ):
        values = [v for v in (getattr(minute, attribute) for minute in minutes) if v is not None]
        if values:
            rows.append((name, f"{values[0]:.0f}{unit}, {values[-1]:.0f}{unit}"))
    return tuple(rows)


def _of(count: int, whole: int) -> str:
    if not count:
        return "none"
    return f"{count} ({_percent(count / whole)})" if whole else str(count)


def _percent(share: float) -> str:
    return "under 0.01 %" if 0 < share < 0.0001 else f"{share * 100:.2f} %"


def machine_rows(runs: Sequence[Run]) -> tuple[tuple[str, str], ...]:
    """What played: of the newest start that the journal holds."""
    facts = next((run.facts for run in reversed(runs) if run.facts), {})
    rows = [
        (name, clean(str(facts[key]), 300))
        for name, key in (
            ("Show", "show"),
            ("Screens", "wall"),
            ("System", "system"),
            ("Python", "python"),
        )
        if facts.get(key)
    ]
    packages = mapping(facts.get("packages"))
    if packages:
        text = ", ".join(f"{clean(str(k), 40)} {clean(str(v), 40)}" for k, v in packages.items())
        rows.append(("Packages", text[:1000]))
    return tuple(rows)


def snapshots(
    folder: Path, entries: Sequence[Entry], zone: Zone
) -> tuple[tuple[str, tuple[Snapshot, ...]], ...]:
    """The snapshots, by the hour they were taken in. What is no picture of ours is passed over."""
    taken = [entry for entry in entries if entry.kind == "picture"][-MAX_PICTURES:]
    hours = groupby(taken, key=lambda entry: f"{local(entry.at_ns, zone):%Y%m%d%H}")
    found = []
    for _, group in hours:
        entries = list(group)
        hour = f"{local(entries[0].at_ns, zone):%a %d %b, %H:%M}"
        pictures = tuple(
            Snapshot(clean(str(entry.facts.get("screen")), 64), clock_text(entry.at_ns, zone), data)
            for entry in entries
            if (data := _picture(folder, entry.facts.get("file"))) is not None
        )
        if pictures:
            found.append((hour, pictures))
    return tuple(found)


def _picture(folder: Path, name: object) -> str | None:
    if not isinstance(name, str) or not _PICTURE_FILE.fullmatch(name):
        return None
    path = folder / name
    try:
        if path.is_symlink() or path.parent.is_symlink() or not path.is_file():
            return None
        with path.open("rb") as file:
            data = file.read(MAX_PICTURE_BYTES + 1)
    except OSError:
        return None
    if len(data) > MAX_PICTURE_BYTES or not data.startswith(b"\xff\xd8"):
        return None
    return base64.b64encode(data).decode("ascii")
