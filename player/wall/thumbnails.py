"""Small pictures of what the screens show, in a file that the operator's desk looks at.

The player writes, anybody may read, and neither waits for the other. Layout: eight 64-bit integers
(magic, screens, bytes of a slot, and five unused), then a slot for each screen: eight 64-bit
integers (begin, end, width, height, and four unused) and room for AREA_PX pixels, uint8 [H, W, 4],
top row first, of which the fourth means nothing. begin is raised before and end after a picture is
written, as in `front_buffer`; only a picture that differs from the one before is written.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from player.clock import HouseClock, processor_ns
from player.live.shared_segment import segment_folder
from player.wall.allowance import Allowance
from player.wall.contract import OutputError, Wall
from player.wall.small_views import AREA_PX

_MAGIC = 0x1B6B_F407_0002
_HEAD_BYTES = 64
_SLOT_BYTES = _HEAD_BYTES + 4 * AREA_PX
SHARE = 0.015  # of a frame that may be spent, on average: below 2 % with what is not foreseen
MOST = 0.1  # of one frame, if others after it have none: of the wait that follows a present

Pixels = NDArray[np.uint8]


class ThumbnailsError(OutputError):
    """The file cannot be made; the text is a sentence."""


def usual_path(osc_port: int) -> Path:
    """Where the player on this OSC port keeps them unless told otherwise: memory, not a disk."""
    return segment_folder() / f"inspace-thumbnails-{osc_port}"


class ThumbnailFile:
    """The writer's side. Replaces a file that is there; others may read it, nobody else write."""

    def __init__(self, path: Path, screens: int) -> None:
        """Raises ThumbnailsError."""
        self._path = path
        try:
            path.unlink(missing_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
            with os.fdopen(os.open(path, flags, 0o644), "r+b") as file:
                file.truncate(_HEAD_BYTES + screens * _SLOT_BYTES)
                memory = np.memmap(file, np.uint8, "r+")
        except (OSError, ValueError) as fault:
            raise ThumbnailsError(
                f"The thumbnails for the desk cannot be kept in {path}: {fault}. "
                "Give another file with --thumbnails."
            ) from fault
        slots = memory[_HEAD_BYTES:].reshape(screens, _SLOT_BYTES)
        self._heads = slots[:, :_HEAD_BYTES].view(np.int64)
        self._pixels = slots[:, _HEAD_BYTES:]
        memory[:_HEAD_BYTES].view(np.int64)[1:3] = screens, _SLOT_BYTES
        memory[:8].view(np.int64)[0] = _MAGIC

    def write(self, screen: int, picture: Pixels) -> None:
        """picture: [H, W, 4], AREA_PX pixels at most; that of a screen from 0."""
        height, width = picture.shape[:2]
        head, room = self._heads[screen], self._pixels[screen][: picture.size]
        before = room.reshape(picture.shape)
        if head[1] and (head[2], head[3]) == (width, height) and np.array_equal(before, picture):
            return
        head[0] += 1
        head[2:4] = width, height
        before[...] = picture
        head[1] = head[0]

    def close(self) -> None:
        """Take the file away; who has it open keeps the last pictures."""
        self._path.unlink(missing_ok=True)


class Thumbnails:
    """Keeps the file up to date: all screens on every tick, or as often as SHARE allows."""

    def __init__(
        self,
        wall: Wall,
        path: Path,
        screens: tuple[int, ...],
        of: int,
        fps: float,
        spent_ns: Callable[[], int] | None = None,
    ) -> None:
        """screens: those of the show's, `of` in all, that hang on this wall, in its order.
        spent_ns: a clock of what is spent; None: processor time where the processor draws, since
        on a busy machine more time passes than is spent; else time, since a card is waited for.

        Raises ThumbnailsError.
        """
        self._wall, self._screens = wall, screens
        self._file = ThumbnailFile(path, of)
        self._spent_ns = spent_ns or (processor_ns if wall.is_software else HouseClock().now_ns)
        self._allowance = Allowance(SHARE * 1e9 / fps, MOST * 1e9 / fps)
        self._turn = 0
        self.looks = 0  # at one screen each, so far

    def presented(self, presented: object) -> None:
        """A watcher of the frame loop: once a frame is presented, in the thread of the wall."""
        looks = self._allowance.pieces(len(self._screens))
        if not looks:
            return
        began_ns = self._spent_ns()
        for _ in range(looks):
            self._wall.begin_small(self._turn)
            self._turn = (self._turn + 1) % len(self._screens)
        for place, picture in self._wall.take_small():
            self._file.write(self._screens[place], picture)
        self._allowance.spent(looks, self._spent_ns() - began_ns)
        self.looks += looks

    def close(self) -> None:
        self._file.close()


class ThumbnailReader:
    """Watches the file, whichever player writes it at the moment, and never waits for it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode = (0, 0)
        self._heads: NDArray[np.int64] = np.zeros((0, 8), np.int64)
        self._pixels: Pixels = np.zeros((0, 0), np.uint8)
        self._seen: list[int] = []

    def poll(self) -> dict[int, Pixels]:
        """The pictures that are new since the last call, by the screen from 0; what is being
        written comes with a later call. Empty where there is no file."""
        try:
            found = os.stat(self._path)
        except OSError:
            return {}
        if (found.st_dev, found.st_ino) != self._inode and not self._opened():
            return {}
        return {
            screen: picture
            for screen in range(len(self._seen))
            if (picture := self._changed(screen)) is not None
        }

    def _changed(self, screen: int) -> Pixels | None:
        head = self._heads[screen]
        sequence, width, height = int(head[1]), int(head[2]), int(head[3])
        size = 4 * width * height
        if sequence == self._seen[screen] or not 0 < size <= 4 * AREA_PX:
            return None
        copy: Pixels = self._pixels[screen][:size].copy().reshape(height, width, 4)
        if int(head[0]) != sequence:
            return None
        self._seen[screen] = sequence
        return copy

    def _opened(self) -> bool:
        try:
            with open(self._path, "rb") as file:
                found = os.fstat(file.fileno())
                memory = np.memmap(file, np.uint8, "r")
        except (OSError, ValueError):
            return False  # gone again, or empty: it is being made
        if memory.size < _HEAD_BYTES:
            return False
        magic, screens, slot_bytes = (int(n) for n in memory[:24].view(np.int64))
        whole = _HEAD_BYTES + screens * _SLOT_BYTES
        if magic != _MAGIC or slot_bytes != _SLOT_BYTES or memory.size != whole or screens < 1:
            return False
        slots = memory[_HEAD_BYTES:].reshape(screens, _SLOT_BYTES)
        self._heads = slots[:, :_HEAD_BYTES].view(np.int64)
        self._pixels, self._seen = slots[:, _HEAD_BYTES:], [0] * screens
        self._inode = found.st_dev, found.st_ino
        return True
