"""The work folder of `prepare`: what is finished, a file each, kept until the archive is complete.

A record is a line of JSON (a Finding, and how long the PNG is) and the PNG after it. It is named by
the content of its picture and by the recipe, is written beside its place, flushed to the disk and
renamed, and so is either whole or not there: a run that was killed goes on from its records.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from training.pictures.prepare_files import written_whole
from training.pictures.prepare_picture import Finding


@dataclass(frozen=True)
class WorkFolder:
    """folder: where the records lie, in folders of two hex digits. recipe_key: of all of them."""

    folder: Path
    recipe_key: str

    def path(self, sha256: str) -> Path:
        """Where the record of a picture with this content lies, or would."""
        return self.folder / sha256[:2] / f"{sha256}.{self.recipe_key}"

    def finding(self, sha256: str) -> Finding | None:
        """None if there is no whole record."""
        try:
            with self.path(sha256).open("rb") as file:
                line = file.readline()
                size = os.fstat(file.fileno()).st_size
            head = json.loads(line)
        except (OSError, ValueError):
            return None
        if head.pop("png_bytes") != size - len(line):
            return None
        size_px = head.pop("size_px")
        return Finding(
            **{**head, "steps": tuple(head["steps"])},
            size_px=None if size_px is None else (size_px[0], size_px[1]),
        )

    def png(self, sha256: str) -> bytes:
        """The square of a record that is there. Raises OSError."""
        with self.path(sha256).open("rb") as file:
            file.readline()
            return file.read()

    def write(self, sha256: str, finding: Finding, png: bytes) -> None:
        """Raises TrainingError if it cannot be written."""
        head = json.dumps({**asdict(finding), "png_bytes": len(png)}).encode() + b"\n"
        # marked: two processes may write the record of the same content, from two files
        with written_whole(self.path(sha256), self.folder, f".{os.getpid()}") as file:
            file.write(head + png)

    def remove(self) -> None:
        """Remove it with all records; what cannot be removed stays."""
        shutil.rmtree(self.folder, ignore_errors=True)
