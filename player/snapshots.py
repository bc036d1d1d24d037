"""Pictures of what the screens show, kept as PNG."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from player.commands import CommandError
from player.disk_writer import Work
from player.frame_report import ReportError
from player.wall.contract import Wall
from shows.picture_file import srgb_tag

Pixels = NDArray[np.uint8]


class Snapshots:
    """Takes them while the show runs: the screens are read at once, the files written later."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        """names: of the wall's screens, in its order."""
        self._folder, self._names = folder, tuple(names)
        self._is_unwritten = False

    def take(self, wall: Wall, tick: int) -> Work:
        """What each screen shows now, to be written. One at a time: they are large.

        Raises CommandError while the one before is not written yet.
        """
        if self._is_unwritten:
            raise CommandError("the snapshot before this one is still being written")
        pictures = [wall.read(place) for place in range(len(self._names))]
        self._is_unwritten = True

        def write() -> str:
            folder = self._folder / f"tick-{tick:09d}"
            try:
                write_pictures(folder, pictures, self._names)
            except ReportError as fault:
                raise CommandError(str(fault)) from fault
            finally:
                self._is_unwritten = False
            return f"{len(pictures)} pictures are in {folder}"

        return write


def write_pictures(folder: Path, pictures: Sequence[Pixels], names: Sequence[str]) -> None:
    """As screen-1-<name>.png and so on. Raises ReportError if they cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, (pixels, called) in enumerate(zip(pictures, names, strict=True), 1):
            name = re.sub(r"[^\w-]+", "-", called)  # it may hold what no file name can
            path = folder / f"screen-{number}-{name}.png"
            Image.fromarray(pixels).save(path, pnginfo=srgb_tag())
    except OSError as fault:
        raise ReportError(f"The snapshots cannot be written to {folder}: {fault}") from fault
