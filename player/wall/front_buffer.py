"""What a wall shows, in a file that another program can look at while it plays.

The file stands for a photograph of the wall: whoever reads it sees what is on at that instant.
Layout: eight 64-bit integers (magic, screens, width, height, begin, end, and two unused), then the
screens' pictures, uint8 [screens, H, W, 3], top row first. begin is raised before and end after
the pictures are written; a reader that finds them unequal, or changed, has seen a change and looks
again.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from player.live.shared_segment import segment_folder
from player.wall.contract import OutputError

_MAGIC = 0x1B6B_F407_0001
_HEAD = 8
_HEAD_BYTES = _HEAD * 8


class FrontBufferError(OutputError):
    """The file cannot be made, or is none; the text is a sentence."""


def usual_path(osc_port: int) -> Path:
    """Where the player on this OSC port keeps it unless told otherwise: memory, not a disk."""
    return segment_folder() / f"inspace-front-{osc_port}"


class FrontBuffer:
    """The writer's side. Replaces a file that is there; others may read it, nobody else write."""

    def __init__(self, path: Path, screens: int, size_px: tuple[int, int]) -> None:
        """Raises FrontBufferError."""
        self.screens, self.size_px = screens, size_px
        self._path = path
        width, height = size_px
        shape = (screens, height, width, 3)
        size_bytes = _HEAD_BYTES + int(np.prod(shape))
        try:
            path.unlink(missing_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
            with os.fdopen(os.open(path, flags, 0o644), "r+b") as file:
                _fill(file.fileno(), size_bytes)
                memory = np.memmap(file, np.uint8, "r+")
        except (OSError, ValueError) as fault:
            raise FrontBufferError(f"The front buffer {path} cannot be made: {fault}") from fault
        self._head = memory[:_HEAD_BYTES].view(np.int64)
        self._pixels = memory[_HEAD_BYTES:].reshape(shape)
        self._head[:4] = _MAGIC, screens, width, height

    def show(self, pictures: Iterable[NDArray[np.uint8]]) -> None:
        """pictures: one for each screen, [H, W, 3]; none is needed once the next is asked for."""
        self._head[4] += 1
        for place, picture in enumerate(pictures):
            self._pixels[place] = picture
        self._head[5] = self._head[4]

    def close(self) -> None:
        """Take the file away; who has it open keeps the last pictures."""
        with contextlib.suppress(OSError):  # on Windows a reader may hold it
            self._path.unlink(missing_ok=True)


def _fill(file: int, size_bytes: int) -> None:
    """Take the room now: where memory or disk is full the first touch of a page would be SIGBUS."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size_bytes)
    else:
        os.truncate(file, size_bytes)


def read_front_buffer(path: Path, attempts: int = 200_000) -> NDArray[np.uint8]:
    """What a wall shows now: [screens, H, W, 3]. Raises FrontBufferError."""
    try:
        memory = np.memmap(path, np.uint8, "r")
    except (OSError, ValueError) as fault:
        raise FrontBufferError(f"There is no front buffer at {path}: {fault}") from fault
    if memory.size < _HEAD_BYTES or memory[:8].view(np.int64)[0] != _MAGIC:
        raise FrontBufferError(f"{path} is no front buffer.")
    head = memory[:_HEAD_BYTES].view(np.int64)
    screens, width, height = (int(side) for side in head[1:4])
    pixels = memory[_HEAD_BYTES:].reshape(screens, height, width, 3)
    for _ in range(attempts):
        end = int(head[5])
        if int(head[4]) != end:
            continue
        copy = np.array(pixels)
        if int(head[4]) == end:
            return copy
    raise FrontBufferError(f"{path} changes faster than it can be read.")


@dataclass(frozen=True)
class Glimpse:
    """One present. sequence counts from 1 in one file; file counts the files seen, from 1: another
    one means another player. pixels: uint8 [screens, rows, columns, 3] of the places asked for."""

    file: int
    sequence: int
    pixels: NDArray[np.uint8]


class FrontBufferReader:
    """Watches a front buffer, whichever player writes it at the moment, and never waits for it."""

    def __init__(self, path: Path, every_px: int = 1, places: Sequence[int] | None = None) -> None:
        """every_px: one pixel of so many by so many is read, the middle one. places: of the screens
        that are read, from 0; None: all."""
        self._path, self._every_px = path, every_px
        self._places = None if places is None else list(places)
        self._files = 0
        self._sequence = 0
        self._inode = (0, 0)
        self._head: NDArray[np.int64] | None = None
        self._pixels = np.zeros((0, 0, 0, 3), np.uint8)

    def poll(self) -> Glimpse | None:
        """What is shown, if that is new since the last call; None too while it changes, and while
        there is no whole file. Raises FrontBufferError where it has not all of the places."""
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        if (found.st_dev, found.st_ino) != self._inode and not self._reopened():
            return None
        assert self._head is not None
        sequence = int(self._head[5])
        if sequence == self._sequence or int(self._head[4]) != sequence:
            return None
        copy = self._pixels.copy() if self._places is None else self._pixels[self._places]
        if int(self._head[4]) != sequence:
            return None
        self._sequence = sequence
        return Glimpse(self._files, sequence, copy)

    def _reopened(self) -> bool:
        try:
            with open(self._path, "rb") as file:
                found = os.fstat(file.fileno())
                memory = np.memmap(file, np.uint8, "r")
        except (OSError, ValueError):
            return False  # gone again, or empty: it is being made
        if memory.size < _HEAD_BYTES:
            return False
        head = memory[:_HEAD_BYTES].view(np.int64)
        shape = int(head[1]), int(head[3]), int(head[2]), 3
        if int(head[0]) != _MAGIC or memory.size != _HEAD_BYTES + int(np.prod(shape)):
            return False
        if self._places and max(self._places) >= shape[0]:
            raise FrontBufferError(
                f"{self._path} has {shape[0]} screens: there is no screen {max(self._places) + 1}."
            )
        middle = self._every_px // 2
        pixels = memory[_HEAD_BYTES:].reshape(shape)
        self._pixels = pixels[:, middle :: self._every_px, middle :: self._every_px]
        self._head, self._sequence = head, 0
        self._inode = found.st_dev, found.st_ino
        self._files += 1
        return True
