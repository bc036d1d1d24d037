"""What lies in a folder of pictures: the pictures, their provenance, and which may be used."""

from __future__ import annotations

import posixpath
from collections.abc import Set
from dataclasses import dataclass, replace
from pathlib import Path

from training.errors import TrainingError
from training.pictures.licences import allows_modification
from training.pictures.provenance import TABLE, Provenance, read_table

# HEIC and JPEG XL are not read, and are dropped with that reason instead of being passed over
SUFFIXES = frozenset(
    ".png .apng .jpg .jpeg .jpe .jfif .mpo .webp .tif .tiff .bmp .gif .ppm .pgm .jp2 .avif .tga "
    ".heic .heif .jxl".split()
)
NO_PROVENANCE = Provenance("", "", "", "", "", "", "", "", "", 0, 0, "")


@dataclass(frozen=True)
class Sources:
    """All paths are relative to the folder, with slashes, and sorted.

    tables: the provenance tables. rows: of all tables, by picture.
    """

    pictures: list[str]
    others: list[str]
    tables: list[str]
    rows: dict[str, Provenance]

    def row(self, file: str) -> Provenance:
        """Of any picture; one without a row has no licence."""
        return self.rows.get(file, replace(NO_PROVENANCE, file=file))

    def licence_fault(self, file: str) -> str | None:
        """Why the picture must not be modified, or None. Where there is no table at all, the
        pictures are taken to be the user's own."""
        if not self.tables:
            return None
        if file not in self.rows:
            return "it has no row in a provenance table"
        row = self.rows[file]
        if allows_modification(row.licence_url):
            return None
        if not row.licence_url:
            return "its row names no licence_url"
        return f"{row.licence or 'its licence'} does not allow modification: {row.licence_url}"


def find_sources(source: Path, left_out: Set[Path]) -> Sources:
    """Search a folder and the folders in it. Hidden files and folders are passed over, and so is
    `left_out` with all in it.

    A table's `file` is relative to the table's own folder; of two rows for a picture the nearer
    table's counts. Raises TrainingError for a table that cannot be read.
    """
    pictures: list[str] = []
    others: list[str] = []
    tables: list[str] = []
    for path in source.rglob("*"):
        relative = path.relative_to(source)
        if any(part.startswith(".") for part in relative.parts) or not path.is_file():
            continue
        if path in left_out or not left_out.isdisjoint(path.parents):
            continue
        if path.name == TABLE:
            tables.append(relative.as_posix())
        elif path.suffix.lower() in SUFFIXES:
            pictures.append(relative.as_posix())
        else:
            others.append(relative.as_posix())
    tables.sort(key=lambda table: (table.count("/"), table))
    rows: dict[str, Provenance] = {}
    for table in tables:
        folder = posixpath.dirname(table)
        for row in read_table(source / table).values():
            file = posixpath.normpath(posixpath.join(folder, row.file))
            rows[file] = replace(row, file=file)
    if not pictures:
        raise TrainingError(f"{source}: there are no picture files in this folder.")
    return Sources(sorted(pictures), sorted(others), tables, rows)
