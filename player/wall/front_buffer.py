"""What a headless wall shows, in a file that another program can look at while it plays.

The file stands for a photograph of the wall: whoever reads it sees what is on at that instant.
Layout: eight 64-bit integers (magic, screens, width, height, begin, end, and two unused), then the
screens' pictures, uint8 [screens, H, W, 3], top row first. begin is raised before and end after
the pictures are written; a reader that finds them unequal, or changed, has seen a change and looks
again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from player.wall.contract import OutputError

_MAGIC = 0x1B6B_F407_0001
_HEAD = 8
_HEAD_BYTES = _HEAD * 8


class FrontBufferError(OutputError):
    """The file cannot be made, or is none; the text is a sentence."""


class FrontBuffer:
    """The writer's side. Replaces a file that is there."""

    def __init__(self, path: Path, screens: int, size_px: tuple[int, int]) -> None:
        """Raises FrontBufferError."""
        width, height = size_px
        shape = (screens, height, width, 3)
        try:
            path.unlink(missing_ok=True)
            memory = np.memmap(path, np.uint8, "w+", shape=(_HEAD_BYTES + int(np.prod(shape)),))
        except OSError as fault:
            raise FrontBufferError(f"The front buffer {path} cannot be made: {fault}") from fault
        self._head = memory[:_HEAD_BYTES].view(np.int64)
        self._pixels = memory[_HEAD_BYTES:].reshape(shape)
        self._head[:4] = _MAGIC, screens, width, height

    def show(self, pictures: list[NDArray[np.uint8]]) -> None:
        """pictures: one for each screen, [H, W, 3]."""
        self._head[4] += 1
        for place, picture in enumerate(pictures):
            self._pixels[place] = picture
        self._head[5] = self._head[4]


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

    def __init__(self, path: Path, every_px: int = 1) -> None:
        """every_px: one pixel of so many by so many is read, the middle one."""
        self._path, self._every_px = path, every_px
        self._files = 0
        self._sequence = 0
        self._inode = (0, 0)
        self._head: NDArray[np.int64] | None = None
        self._pixels = np.zeros((0, 0, 0, 3), np.uint8)

    def poll(self) -> Glimpse | None:
        """What is shown, if that is new since the last call; None too while it changes, and while
        there is no whole file."""
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
        copy = self._pixels.copy()
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
        middle = self._every_px // 2
        pixels = memory[_HEAD_BYTES:].reshape(shape)
        self._pixels = pixels[:, middle :: self._every_px, middle :: self._every_px]
        self._head, self._sequence = head, 0
        self._inode = found.st_dev, found.st_ino
        self._files += 1
        return True
