"""Journals: files of lines to which only whole lines are added, each on the disk at once.

A line that a kill or a power cut tore off in the middle was never finished, and is no line.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

_LOOK_BACK_BYTES = 65_536


def add_lines(path: Path, lines: Sequence[bytes]) -> None:
    """Add lines (without their ends) to a file, which is made if need be, all of them or none.

    They are on the disk when this returns. What was torn off before goes. Not for two processes
    at a time. Raises OSError.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    file = os.open(path, flags, 0o644)
    try:
        whole_bytes = _whole_bytes(file)
        os.ftruncate(file, whole_bytes)
        os.lseek(file, whole_bytes, os.SEEK_SET)
        write_whole(file, b"".join(line + b"\n" for line in lines))
        os.fsync(file)
    finally:
        os.close(file)


def write_whole(file: int, data: bytes) -> None:
    """Write all of it to an open file that stands at its end; a full disk leaves it as it was.

    Raises OSError.
    """
    size = os.fstat(file).st_size
    try:
        while data:
            data = data[os.write(file, data) :]
    except OSError:
        with contextlib.suppress(OSError):  # then it is torn, as by a kill
            os.ftruncate(file, size)
        raise


def is_torn(file: int) -> bool:
    """Whether an open file ends in the middle of a line. It stands at its end then."""
    size = os.lseek(file, 0, os.SEEK_END)
    os.lseek(file, max(0, size - 1), os.SEEK_SET)
    return os.read(file, 1) not in (b"", b"\n")


def whole_lines(path: Path) -> list[bytes]:
    """The finished lines of a file, without their ends; without a file none. Raises OSError."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    return content[: content.rfind(b"\n") + 1].splitlines()


def _whole_bytes(file: int) -> int:
    """Bytes up to the end of the last finished line."""
    end = os.fstat(file).st_size
    while end > 0:
        start = max(0, end - _LOOK_BACK_BYTES)
        os.lseek(file, start, os.SEEK_SET)
        found = os.read(file, end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
