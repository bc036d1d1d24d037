"""The journal: one JSON line an event, on the disk before the page shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from shows.journal_file import add_lines, whole_lines
from shows.lock_file import HeldElsewhereError, held
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
            self._lock = held(folder / "lock")
            self.events = read_journal(self.path)
            add_lines(self.path, [])  # here it would fail, and not at the first choice
        except HeldElsewhereError as fault:
            raise TrainingError(
                f"Another light table works in {folder}; use its page, or end it with Ctrl-C."
            ) from fault
        except OSError as fault:
            raise TrainingError(f"{fault.filename or folder}: {fault.strerror}.") from fault

    def append(self, events: Sequence[Event]) -> None:
        """Write and flush to the disk. Raises TrainingError."""
        try:
            add_lines(self.path, [EVENT.dump_json(event) for event in events])
        except OSError as fault:
            raise TrainingError(f"{self.path} cannot be written: {fault.strerror}.") from fault
        self.events = (*self.events, *events)

    def close(self) -> None:
        """Let go of it."""
        self._lock.close()


def read_journal(path: Path) -> tuple[Event, ...]:
    """All events; a last line that was never finished is none. Raises TrainingError."""
    try:
        lines = whole_lines(path)
    except OSError as fault:
        raise TrainingError(f"{path} cannot be read: {fault.strerror}.") from fault
    return tuple(_events(path, lines))


def _events(path: Path, lines: Iterable[bytes]) -> Iterator[Event]:
    for number, line in enumerate(lines, 1):
        try:
            yield EVENT.validate_json(line)
        except ValidationError as fault:
            raise TrainingError(
                f"{path}: line {number} is no event of a light table "
                f"({fault.errors()[0]['msg'][:200]}); take the line out, or move the file away: "
                "the choices stand in the ballads' choices.yaml."
            ) from fault
