"""Where each picture of a collection comes from: the table `provenance.csv` beside the pictures."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from training.errors import TrainingError

TABLE = "provenance.csv"


@dataclass(frozen=True)
class Provenance:
    """One picture. file: its path in the collection, with slashes. date: as the source gives it.
    width, height: of the file, in pixels; 0 where they are not known. sha256: hex, of the file."""

    file: str
    id: str
    owner: str
    title: str
    licence: str
    licence_url: str
    source_url: str
    page_url: str
    date: str
    width: int
    height: int
    sha256: str


COLUMNS = tuple(field.name for field in fields(Provenance))


def read_table(path: Path) -> dict[str, Provenance]:
    """By file. Raises TrainingError for a table that cannot be read as one; a missing column is
    empty, a column of somebody else's is left out."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrainingError(f"{path}: the provenance table cannot be read ({error}).") from error
    found: dict[str, Provenance] = {}
    for number, row in enumerate(rows, 2):
        words = {name: (row.get(name) or "").strip() for name in COLUMNS}
        if not words["file"]:
            raise TrainingError(f"{path}: row {number} names no file.")
        if words["file"] in found:
            raise TrainingError(f"{path}: row {number} names {words['file']} again.")
        try:
            sizes = {name: int(words.pop(name) or 0) for name in ("width", "height")}
        except ValueError as error:
            raise TrainingError(f"{path}: row {number}: {error}.") from error
        found[words["file"]] = Provenance(**words, **sizes)  # type: ignore[arg-type]
    return found


def table_text(rows: Iterable[Provenance]) -> str:
    """The table as CSV, in the order of `file`."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in sorted(rows, key=lambda row: row.file))
    return text.getvalue()
