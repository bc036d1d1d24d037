"""The files of a journal: one of JSON lines a UTC day, and a folder of snapshots beside it.

    journal-2026-11-22.jsonl
    pictures-2026-11-22/021003-window-1-5ad1c0e2.jpg

A line is `{"at": "2026-11-22T02:10:03.125Z", "kind": "source", "say": "...", "facts": {...}}`.
A line that was cut off by a power cut, or that was never one of ours, is counted and passed over.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from player.upkeep.wall_time import utc_day, utc_ns, utc_text
from shows.journal_file import is_torn, write_whole

_log = logging.getLogger("player.upkeep")

MAX_LINE_BYTES = 65_536
MAX_ENTRIES = 200_000  # 60 days of minutes and as many events again
_DAY_FILE = re.compile(r"journal-(\d{4}-\d\d-\d\d)\.jsonl", re.ASCII)
_PICTURES = re.compile(r"pictures-(\d{4}-\d\d-\d\d)", re.ASCII)
_PICTURE = re.compile(r"\d{6}-[a-z0-9-]{0,40}-[0-9a-f]{8}\.(jpg|tmp)", re.ASCII)


@dataclass(frozen=True)
class Entry:
    """One line of a journal. at_ns: UTC since 1970. facts: JSON values, as they were written."""

    at_ns: int
    kind: str
    sentence: str
    facts: Mapping[str, object]


@dataclass(frozen=True)
class JournalRead:
    """Entries in order of time; lines that were no entries; files that could not be read."""

    entries: tuple[Entry, ...] = ()
    damaged_lines: int = 0
    faults: tuple[str, ...] = ()


def entry_line(entry: Entry) -> bytes:
    """The entry as one line of JSON, without its end; facts too large for a line are left out."""
    whole = {
        "at": utc_text(entry.at_ns),
        "kind": entry.kind,
        "say": entry.sentence[:2000],
        "facts": plain(dict(entry.facts)),
    }
    line = json.dumps(whole, allow_nan=False).encode()
    if len(line) >= MAX_LINE_BYTES:
        line = json.dumps({**whole, "facts": {"too_large": len(line)}}).encode()
    return line


def plain(value: object, depth: int = 6) -> object:
    """The value in words of JSON: NaN and infinity become null, what JSON lacks becomes text."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value if not isinstance(value, int) or abs(value) < 2**63 else str(value)[:80]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth and isinstance(value, Mapping):
        return {str(key): plain(item, depth - 1) for key, item in value.items()}
    if depth and isinstance(value, list | tuple):
        return [plain(item, depth - 1) for item in value]
    return str(value)[:2000]


def parsed_line(raw: bytes) -> Entry:
    """Inverse of `entry_line`. Raises ValueError for anything else, however hostile."""
    if len(raw) > MAX_LINE_BYTES:
        raise ValueError("is longer than 64 KB")
    try:
        data = json.loads(raw, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("is nested too deep") from None
    if not isinstance(data, dict):
        raise ValueError("is no object")
    at, kind, say, facts = (data.get(name) for name in ("at", "kind", "say", "facts"))
    if not (isinstance(at, str) and isinstance(kind, str) and isinstance(say, str)):
        raise ValueError("lacks at, kind or say")
    if not isinstance(facts, dict):
        raise ValueError("has no facts")
    return Entry(utc_ns(at), clean(kind, 40), clean(say, 2000), facts)


def clean(text: str, longest: int) -> str:
    """The text on one line, without control characters and halves of characters."""
    whole = text[:longest].encode("utf-8", "replace").decode()
    return "".join(c if c.isprintable() else " " for c in whole)


def _refuse(name: str) -> object:
    raise ValueError(f"holds {name}")


def day_path(folder: Path, day: str) -> Path:
    """The lines of a UTC day, as in "2026-11-22"."""
    return folder / f"journal-{day}.jsonl"


def picture_path(folder: Path, at_ns: int, screen: str) -> Path:
    """Where the snapshot of a screen goes. Two names never meet: a checksum tells them apart."""
    text = utc_text(at_ns)
    slug = re.sub(r"[^a-z0-9]+", "-", screen.lower()).strip("-")[:40]
    checksum = zlib.crc32(screen.encode("utf-8", "replace"))
    name = f"{text[11:19].replace(':', '')}-{slug}-{checksum:08x}.jpg"
    return folder / f"pictures-{text[:10]}" / name


def read_journal(folder: Path, since_ns: int, until_ns: int) -> JournalRead:
    """All entries from `since_ns` to `until_ns`, both in UTC. Raises nothing: faults are told."""
    entries: list[Entry] = []
    faults: list[str] = []
    damaged = 0
    first, last = utc_day(since_ns), utc_day(until_ns)
    try:
        names = sorted(os.listdir(folder))
    except OSError as fault:
        return JournalRead(faults=(f"{folder} cannot be read: {fault.strerror or fault}.",))
    for name in names:
        match = _DAY_FILE.fullmatch(name)
        if match is None or not first <= match[1] <= last:
            continue
        try:
            for raw in _lines(folder / name):
                try:
                    entry = parsed_line(raw)
                except ValueError:
                    damaged += 1
                    continue
                if since_ns <= entry.at_ns <= until_ns:
                    entries.append(entry)
                if len(entries) == MAX_ENTRIES:
                    faults.append(f"{name} and later: too many lines; ask for fewer hours.")
                    break
        except OSError as fault:
            faults.append(f"{name} cannot be read: {fault.strerror or fault}.")
        if len(entries) == MAX_ENTRIES:
            break
    entries.sort(key=lambda entry: entry.at_ns)
    return JournalRead(tuple(entries), damaged, tuple(faults))


def _lines(path: Path) -> Iterator[bytes]:
    """The lines, without their ends; one that is too long comes cut, once."""
    is_rest = False
    with path.open("rb") as file:
        while raw := file.readline(MAX_LINE_BYTES + 1):
            was_rest, is_rest = is_rest, not raw.endswith(b"\n")
            if not was_rest and raw.strip():
                yield raw.strip(b"\n")


def sweep(folder: Path, today: str, keep_days: int) -> None:
    """Remove all but the newest `keep_days` days, and never today's.

    Days are counted, not compared with today: a clock that is wrong by a year loses nothing.
    """
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    matches = [_DAY_FILE.fullmatch(name) or _PICTURES.fullmatch(name) for name in names]
    days = sorted({match[1] for match in matches if match})
    gone = set(days[: max(0, len(days) - keep_days)]) - {today}
    for match in matches:
        if match is None or match[1] not in gone:
            continue
        path = folder / match[0]
        try:
            if _DAY_FILE.fullmatch(match[0]):
                path.unlink()
            elif not path.is_symlink():
                for picture in path.iterdir():
                    if _PICTURE.fullmatch(picture.name):
                        picture.unlink()
                path.rmdir()
        except OSError as fault:
            _log.warning("An old day of the journal stays: %s: %s.", path, fault.strerror or fault)


class DayFile:
    """Appends whole lines to the file of a day. Not for two threads, nor two processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._day = ""
        self._file: int | None = None

    def append(self, day: str, line: bytes) -> None:
        """Write the line, whole or not at all. Raises OSError."""
        file = self._open(day)
        start = b"\n" if is_torn(file) else b""  # what a power cut tore stays, to be counted
        write_whole(file, start + line + b"\n")

    def flush(self) -> None:
        """Onto the disk, for a power cut. Raises OSError."""
        if self._file is not None:
            os.fsync(self._file)

    def close(self) -> None:
        """Harmless a second time."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self, day: str) -> int:
        path = day_path(self._folder, day)
        if self._file is not None and day == self._day and self._is_there(path, self._file):
            return self._file
        self.close()
        self._folder.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
        flags |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        self._file = os.open(path, flags, 0o644)
        self._day = day
        return self._file

    def _is_there(self, path: Path, file: int) -> bool:
        """Whether the open file still is the one of that name: someone may have tidied up."""
        try:
            return os.path.samestat(os.stat(path), os.fstat(file))
        except OSError:
            return False
