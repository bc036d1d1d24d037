"""Films are made in parts, each a closed file: what the parts are, and where they lie meanwhile.

A kill at any moment leaves whole parts, whole films, and temporary files that the next run removes:
whatever is written takes its name only when all of it is on the disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal

from pydantic import Field, ValidationError

from player.films.film_facts import FilmError
from shows.atomic_file import write_atomically
from shows.lock_file import HeldElsewhereError, held
from shows.schema import ShowError, StrictModel
from shows.show import Show

PARTS_NAME = ".parts"
_TEMPORARY = ".tmp"


@dataclass(frozen=True)
class Part:
    """Some frames of a ballad's film, rendered and encoded alone. first_frame: the ballad's."""

    ballad_id: str
    index: int
    first_frame: int
    frames: int


def parts_of(show: Show, ballad_id: str, frames: int) -> tuple[Part, ...]:
    """A film of so many frames, cut where a painting begins; the last part may be shorter."""
    length = show.segment_frames
    firsts = range(0, frames, length)
    return tuple(
        Part(ballad_id, index, first, min(length, frames - first))
        for index, first in enumerate(firsts)
    )


def shared_out(parts: Sequence[Part], rank: int, world: int) -> tuple[Part, ...]:
    """The parts that one of `world` processes makes: every world-th, so that all end together."""
    return tuple(parts[rank::world])


class PartTag(StrictModel):
    """What a part was made of and how, in its `comment`; parts of another tag are never joined."""

    format: Literal["inspace-part/1"] = "inspace-part/1"
    fingerprint: str
    generator_hash: str
    made_by: str
    settings: str
    first_frame: int
    frames: int


def digest_of(value: object) -> str:
    """A short hash of JSON-like data."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


class Pin(StrictModel):
    """What the first run chose and every later one keeps: how the engine draws (as in
    `EnginePath.to_dict`) and which encoder a codec is, by codec."""

    format: Literal["inspace-pin/1"] = "inspace-pin/1"
    generator_hash: str
    engine: str = ""
    engine_path: dict[str, Any] | None = None
    encoders: dict[str, str] = Field(default_factory=dict)


class PartFolder:
    """The folder `.parts` in a folder of films. rank: of the process that writes here."""

    def __init__(self, films: Path, rank: int = 0) -> None:
        self.folder, self._rank = films / PARTS_NAME, rank

    def path(self, part: Part, suffix: str) -> Path:
        """Where a whole part lies; a folder for an image sequence."""
        return self.folder / f"{part.ballad_id}-{part.index:05d}{suffix}"

    def temporary(self, path: Path) -> Path:
        """Where what becomes `path` is written, on the same disk."""
        return self.folder / f"{path.name}.{self._rank}{_TEMPORARY}"

    def sweep(self, world: int) -> None:
        """Remove what a killed run of this process has left half done. Raises OSError."""
        for path in self.folder.glob(f"*{_TEMPORARY}"):
            rank = path.name.removesuffix(_TEMPORARY).rpartition(".")[2]
            if rank == str(self._rank) or (self._rank == 0 and world == 1):
                remove(path)

    def traces(self) -> frozenset[str]:
        """What lies here: differs when some process has finished a part. Raises OSError."""
        return frozenset(path.name for path in self.folder.iterdir())

    def pin(self) -> Pin | None:
        """What was pinned here; None for nothing, or for nothing that can be read."""
        try:
            return Pin.model_validate_json((self.folder / "pinned.json").read_bytes())
        except (OSError, ValidationError, ValueError):
            return None

    def write_pin(self, pin: Pin) -> None:
        """Raises FilmError."""
        try:
            write_atomically(self.folder / "pinned.json", pin.model_dump_json().encode() + b"\n")
        except ShowError as fault:
            raise FilmError(str(fault)) from fault


def settle(temporary: Path, path: Path) -> None:
    """Flush what was written to the disk, then give it its name. Raises OSError."""
    for file in sorted(temporary.iterdir()) if temporary.is_dir() else [temporary]:
        _flush(file)
    if temporary.is_dir():
        _flush(temporary)
        remove(path)
    os.replace(temporary, path)
    _flush(path.parent)


def remove(path: Path) -> None:
    """Remove a file or a folder, if there is one. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    if path.is_dir() and sys.platform == "win32":
        return  # Windows opens no folders
    descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class FolderLock:
    """Held while films are made in a folder, one for each rank; the system lets go of it when the
    process ends, however it ends. Raises FilmError when another process holds it, OSError."""

    def __init__(self, parts: Path, rank: int) -> None:
        self._path = parts / f"lock-{rank}"
        self._file: IO[bytes] | None = None

    def __enter__(self) -> None:
        try:
            self._file = held(self._path)
        except HeldElsewhereError as fault:
            raise FilmError(
                f"Another export is making films in {self._path.parents[1]}; let it end, or stop "
                "it."
            ) from fault

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
