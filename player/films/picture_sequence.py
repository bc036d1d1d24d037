"""A film as a folder of PNG files, for programs that take pictures: 000000.png and so on."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from player.films.encoder import EncoderError, FilmTags, picture_file

_COMMENT = "comment.json"  # what a film has in its container


class PictureSequence:
    """A folder of pictures while it is written. Raises OSError."""

    def __init__(self, folder: Path, comment: str) -> None:
        self._folder, self._count = folder, 0
        folder.mkdir()
        (folder / _COMMENT).write_text(comment + "\n", encoding="utf-8")

    def add(self, pictures: NDArray[np.uint8]) -> None:
        """Append pictures [N, H, W, 4]. Raises OSError."""
        for rgba in pictures:
            picture_path(self._folder, self._count).write_bytes(picture_file(rgba))
            self._count += 1

    def close(self) -> None:
        """Nothing is left to do: every picture is a closed file."""

    def abandon(self) -> None:
        """Nothing is left to do."""


def picture_path(folder: Path, index: int) -> Path:
    """Where a frame's picture lies."""
    return folder / f"{index:06d}.png"


def sequence_tags(folder: Path) -> FilmTags | None:
    """What a sequence says of itself; None for a folder that is none."""
    try:
        comment = (folder / _COMMENT).read_text(encoding="utf-8").strip()
        frames = sum(1 for _ in folder.glob("*.png"))
    except (OSError, UnicodeDecodeError):
        return None
    return FilmTags(comment, frames, "png", "rgb24")


def join_sequences(parts: Sequence[tuple[Path, int]], folder: Path, comment: str) -> int:
    """Gather parts' pictures, as second names of the same files, in a folder of their own; returns
    how many. Raises EncoderError, OSError."""
    folder.mkdir()
    (folder / _COMMENT).write_text(comment + "\n", encoding="utf-8")
    written = 0
    for part, frames in parts:
        for index in range(frames):
            source = picture_path(part, index)
            if not source.is_file():
                raise EncoderError(f"{source} is missing.")
            try:
                picture_path(folder, written).hardlink_to(source)
            except OSError:  # a disk that knows no second names
                shutil.copyfile(source, picture_path(folder, written))
            written += 1
    return written
