"""Pictures of what the screens show, kept as PNG."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from player.commands import CommandError
from player.frame_report import ReportError
from player.wall.contract import Wall
from shows.picture_file import srgb_tag

_log = logging.getLogger("player")

Pixels = NDArray[np.uint8]


class Snapshots:
    """Takes them while the show runs: the screens are read at once, the files written beside it."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        """names: of the wall's screens, in its order."""
        self._folder, self._names = folder, tuple(names)
        self._thread: threading.Thread | None = None

    def take(self, wall: Wall, tick: int) -> str:
        """What each screen shows now; the answer says where it will be. One at a time.

        Raises CommandError while the one before is being written, or if there is no folder to be
        had.
        """
        if self._thread is not None and self._thread.is_alive():
            raise CommandError("the snapshot before this one is still being written")
        folder = self._folder / f"tick-{tick:09d}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise CommandError(f"there is no place for snapshots in {folder}: {fault}") from fault
        pictures = [wall.read(place) for place in range(len(self._names))]
        self._thread = threading.Thread(
            target=self._write, args=(folder, pictures), name="snapshots", daemon=True
        )
        self._thread.start()
        return f"{len(pictures)} pictures are written to {folder}"

    def close(self) -> None:
        """Wait for what is being written."""
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _write(self, folder: Path, pictures: list[Pixels]) -> None:
        try:
            write_pictures(folder, pictures, self._names)
        except ReportError as fault:
            _log.warning("%s", fault)


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
