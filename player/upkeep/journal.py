"""What happened, kept for the morning after: events, minutes and snapshots.

The frame loop only puts things into a bounded queue; a thread of the journal's own turns them into
lines and files (`journal_file`). Nothing here may hold the show up: what does not fit into the
queue, or onto the disk, is lost and counted, and the next line that can be written says how many.
"""

from __future__ import annotations

import logging
import os
import queue
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from player.upkeep.journal_file import DayFile, Entry, entry_line, picture_path, sweep
from player.upkeep.journal_pictures import jpeg_of
from player.upkeep.measures import process_measures, start_facts
from player.upkeep.wall_time import utc_day

_log = logging.getLogger("player.upkeep")

KEEP_DAYS = 60
ROOM = 2000  # lines that may wait
PICTURE_ROOM = 16  # snapshots that may wait, at their full size
PICTURES_NEED_BYTES = 200_000_000  # free on the disk; below it lines alone are kept
CLOSE_S = 3.0  # a disk that hangs must not keep the player from ending

Picture = tuple[int, str, NDArray[np.uint8]]
Facts = Callable[[], Mapping[str, object]]


class Journal:
    """One journal, in one folder of its own. Every call returns at once and raises nothing."""

    def __init__(
        self,
        folder: Path | None,
        *,
        wall_ns: Callable[[], int],
        keep_days: int = KEEP_DAYS,
        room: int = ROOM,
        measures: Facts = process_measures,
        begins_with: Facts = start_facts,
    ) -> None:
        """folder: None keeps nothing. wall_ns: UTC in ns since 1970.

        measures are taken for each minute, and `begins_with` for each event `start`, by the
        journal's thread.
        """
        self._folder, self._wall_ns = folder, wall_ns
        self._keep_days = keep_days
        self._measures, self._begins_with = measures, begins_with
        self._waiting: queue.Queue[Entry | Picture | None] = queue.Queue(room + 1)
        self._room = room
        self._pictures_waiting = 0
        self._lock = threading.Lock()
        self._lost = 0
        self._is_told = False  # that the disk takes nothing
        self._is_closed = False
        self._swept_day = ""
        self._file = DayFile(folder) if folder is not None else None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    def start(self) -> None:
        """Begin to write; what was told before is written too."""
        if self._file is not None and not self._is_closed:
            self._thread.start()

    def close(self) -> None:
        """Write what waits, for 3 s at most, and end. Harmless a second time."""
        if self._file is None or self._is_closed:
            return
        self._is_closed = True
        if not self._thread.is_alive():
            return
        try:
            self._waiting.put(None, timeout=CLOSE_S)
            self._thread.join(CLOSE_S)
        except queue.Full:
            pass
        if self._thread.is_alive():
            _log.warning("The journal in %s could not be finished: the disk hangs.", self._folder)

    @property
    def is_kept(self) -> bool:
        """Whether there is a folder; without one every call is for nothing."""
        return self._file is not None

    @property
    def lost(self) -> int:
        """Lines and snapshots that were lost and not yet told of in the journal."""
        return self._lost

    def event(self, kind: str, sentence: str, **facts: object) -> None:
        """Something happened. kind: start, end, source, governor, worker, film, schedule, osc,
        fault or clock. sentence: for the person who reads the report."""
        if self._file is not None:
            self._put(Entry(self._wall_ns(), kind, sentence, facts))

    def minute(self, facts: Mapping[str, object]) -> None:
        """What was measured since the last minute; the process's own measures are added."""
        self.event("minute", "", **facts)

    def picture(self, name: str, pixels: NDArray[np.uint8]) -> None:
        """What a screen shows: [H, W, 3], top row first; the array must not change afterwards."""
        if self._file is None:
            return
        with self._lock:
            has_room = self._pictures_waiting < PICTURE_ROOM
            self._pictures_waiting += has_room
        if has_room:
            self._put((self._wall_ns(), name, pixels))
        else:
            self._lose()

    def _put(self, item: Entry | Picture) -> None:
        if self._is_closed or self._waiting.qsize() >= self._room:
            self._lose()
            return
        try:
            self._waiting.put_nowait(item)
        except queue.Full:
            self._lose()

    def _lose(self, count: int = 1) -> None:
        with self._lock:
            self._lost += count

    def _run(self) -> None:
        file = self._file
        assert file is not None
        try:
            while (item := self._waiting.get()) is not None:
                self._write(file, item)
        finally:
            file.close()

    def _write(self, file: DayFile, item: Entry | Picture) -> None:
        try:
            entry = self._with_measures(item) if isinstance(item, Entry) else self._saved(*item)
        except (OSError, ValueError, TypeError, ArithmeticError, RuntimeError) as fault:
            self._fail(fault)
            return
        try:
            self._tidy(utc_day(entry.at_ns))
            file.append(utc_day(entry.at_ns), entry_line(entry))
            if self._waiting.empty():
                file.flush()
        except (OSError, ValueError, TypeError, RecursionError) as fault:
            self._fail(fault)
            return
        if self._lost:
            self._tell_lost(file, entry.at_ns)

    def _with_measures(self, entry: Entry) -> Entry:
        if entry.kind == "minute":
            facts = {**entry.facts, "process": dict(self._measures())}
        elif entry.kind == "start":
            facts = {**self._begins_with(), **entry.facts}
        else:
            return entry
        return Entry(entry.at_ns, entry.kind, entry.sentence, facts)

    def _saved(self, at_ns: int, name: str, pixels: NDArray[np.uint8]) -> Entry:
        """The snapshot as a file, and the entry that names it."""
        with self._lock:
            self._pictures_waiting -= 1
        assert self._folder is not None
        path = picture_path(self._folder, at_ns, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(path.parent).free < PICTURES_NEED_BYTES:
            raise OSError("less than 200 MB are free, too little for snapshots")
        temporary = path.with_suffix(".tmp")
        try:
            temporary.write_bytes(jpeg_of(pixels))
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        file = f"{path.parent.name}/{path.name}"
        return Entry(at_ns, "picture", "", {"screen": name, "file": file})

    def _tell_lost(self, file: DayFile, at_ns: int) -> None:
        with self._lock:
            lost, self._lost = self._lost, 0
        entry = Entry(
            at_ns,
            "fault",
            f"{lost} entries of this journal were lost: the disk was full or too slow.",
            {"lost": lost},
        )
        try:
            file.append(utc_day(at_ns), entry_line(entry))
        except OSError as fault:
            self._lose(lost - 1)
            self._fail(fault)
        else:
            self._is_told = False

    def _fail(self, fault: Exception) -> None:
        self._lose()
        if not self._is_told:
            self._is_told = True
            _log.warning(
                "The journal in %s cannot be written: %s. The show goes on; it is tried again.",
                self._folder,
                getattr(fault, "strerror", None) or fault,
            )

    def _tidy(self, day: str) -> None:
        if day != self._swept_day and self._folder is not None:
            sweep(self._folder, day, self._keep_days)
            self._swept_day = day
