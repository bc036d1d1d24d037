"""The journal: one JSON line an event, on the disk before the page shows it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from training.errors import TrainingError
from training.light_table.events import EVENT, Event

JOURNAL = "journal.jsonl"


class Journal:
    """Held by one process at a time; the system lets go of it however that ends.

    Raises TrainingError when another one holds it, or it cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / JOURNAL
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = (folder / "lock").open("ab")
            _hold(self._lock, folder)
            self.events = read_journal(self.path)
            self._file = self.path.open("ab")
            self._file.truncate(_whole_lines(self.path))
        except OSError as fault:
            raise TrainingError(f"{fault.filename or folder}: {fault.strerror}.") from fault

    def append(self, events: Sequence[Event]) -> None:
        """Write and flush to the disk. Raises TrainingError."""
        lines = b"".join(EVENT.dump_json(event) + b"\n" for event in events)
        try:
            self._file.write(lines)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as fault:
            raise TrainingError(f"{self.path} cannot be written: {fault.strerror}.") from fault
        self.events = (*self.events, *events)

    def close(self) -> None:
        """Let go of it."""
        self._file.close()
        self._lock.close()


def read_journal(path: Path) -> tuple[Event, ...]:
    """All events; a last line that was never finished is none. Raises TrainingError."""
    if not path.exists():
        return ()
    try:
        content = path.read_bytes()[: _whole_lines(path)]
    except OSError as fault:
        raise TrainingError(f"{path} cannot be read: {fault.strerror}.") from fault
    return tuple(_events(path, content))


def _events(path: Path, content: bytes) -> Iterator[Event]:
    for number, line in enumerate(content.splitlines(), 1):
        try:
            yield EVENT.validate_json(line)
        except ValidationError as fault:
            raise TrainingError(
                f"{path}: line {number} is no event of a light table "
                f"({fault.errors()[0]['msg'][:200]}); take the line out, or move the file away: "
                "the choices stand in the ballads' choices.yaml."
            ) from fault


def _whole_lines(path: Path) -> int:
    """Bytes up to the end of the last finished line."""
    return path.read_bytes().rfind(b"\n") + 1


def _hold(lock: IO[bytes], folder: Path) -> None:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        lock.close()
        raise TrainingError(
            f"Another light table works in {folder}; use its page, or end it with Ctrl-C."
        ) from fault
