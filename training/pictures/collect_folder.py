"""The folder of a collection: pictures, their table, and a journal that survives a kill.

A picture is moved to its place whole, then its row is added to the journal, then, at the end of the
run, the table takes the rows of the journal in. A run killed between two of these steps is made
good by the next one: what has no row is fetched again, what the table lacks is in the journal.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO

from shows.atomic_file import write_atomically
from shows.journal_file import add_lines
from shows.lock_file import HeldElsewhereError, held
from shows.schema import ShowError
from training.errors import TrainingError
from training.pictures.download import SUFFIXES, is_same_file
from training.pictures.provenance import COLUMNS, TABLE, Provenance, read_table, table_text

WORK = ".collect"
JOURNAL = "journal.jsonl"


class Collection:
    """A collection, held by one process at a time: used in a `with`, `add` from any thread.

    Raises TrainingError where the table cannot be read or written, or another process has the
    folder, and OSError, of a full disk for instance.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.table = folder / TABLE
        self._work = folder / WORK
        self._journal_path = self._work / JOURNAL
        self._rows: dict[str, Provenance] = {}
        self._writing = threading.Lock()
        self._lock: IO[bytes] | None = None

    def __enter__(self) -> Collection:
        self._work.mkdir(parents=True, exist_ok=True)
        try:
            self._lock = held(self._work / "lock")
        except HeldElsewhereError as fault:
            raise TrainingError(
                f"{self.folder}: another `collect` works in this folder; let it end, or stop it."
            ) from fault
        try:
            if self.table.exists():
                self._rows = read_table(self.table)
            journal = read_journal(self._journal_path)
            if journal:
                self._rows |= {row.file: row for row in journal}
                self._write_table()
        except BaseException:
            self._lock.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._write_table()
        except (TrainingError, OSError):
            if fault is None:
                raise
        finally:
            if self._lock is not None:
                self._lock.close()

    def __len__(self) -> int:
        return len(self._rows)

    def part(self, name: str) -> Path:
        """Where the download of a picture is kept until it is whole."""
        return self._work / f"{name}.part"

    def held(self, name: str) -> Provenance | None:
        """The row of the picture of this name, whatever its suffix, if its file is unharmed."""
        for suffix in sorted(set(SUFFIXES.values())):
            row = self._rows.get(name + suffix)
            if row is not None and is_same_file(self.folder / row.file, row.sha256):
                return row
        return None

    def add(self, part: Path, row: Provenance) -> None:
        """Move a whole picture to its place and write its row down."""
        with part.open("r+b") as file:
            os.fsync(file.fileno())
        part.replace(self.folder / row.file)
        self.note(row)

    def note(self, row: Provenance) -> None:
        """Write down the row of a picture that is in its place."""
        with self._writing:
            add_lines(self._journal_path, [json.dumps(asdict(row)).encode()])
            self._rows[row.file] = row

    def tidy(self) -> None:
        """Remove what is left of downloads that nobody goes on with."""
        for pattern in ("*.part", "*.part.tag"):
            for path in self._work.glob(pattern):
                path.unlink()

    def _write_table(self) -> None:
        with self._writing:
            rows = [row for row in self._rows.values() if (self.folder / row.file).is_file()]
            try:
                write_atomically(self.table, table_text(rows).encode())
            except ShowError as fault:
                raise TrainingError(
                    f"{fault} The rows are kept in {self._journal_path}; the next run writes them."
                ) from fault
            self._rows = {row.file: row for row in rows}
            self._journal_path.unlink(missing_ok=True)


def read_journal(path: Path) -> list[Provenance]:
    """The rows of a journal; a last line that a kill or a full disk cut short is passed over.

    One that lacks only its end is a row: earlier versions wrote the line break first.
    """
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    rows = []
    for line in lines:
        with suppress(ValueError, TypeError):
            entry = json.loads(line)
            if isinstance(entry, dict) and set(entry) == set(COLUMNS):
                rows.append(Provenance(**entry))
    return rows
