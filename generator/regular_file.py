"""Reading of files: never waits on a pipe or a device, never takes more than is allowed."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class UnreadableFileError(Exception):
    """The path is no file that may be read. The text is a clause, to stand after the path."""


def read_regular_file(path: Path, *, most_bytes: int) -> bytes:
    """All bytes of a regular file, as long as it is when it is opened; fewer if it shrinks.

    Rejected: mmap, which kills the process when the file shrinks while it is looked at.
    Raises UnreadableFileError.
    """
    data, size_bytes = _read(path, most_bytes)
    if size_bytes > most_bytes:
        raise UnreadableFileError(f"it is larger than {most_bytes} bytes")
    return data


def read_head(path: Path, most_bytes: int) -> bytes:
    """The first bytes of a regular file, or all that it has. Raises UnreadableFileError."""
    return _read(path, most_bytes, also_of_larger=True)[0]


def _read(path: Path, most_bytes: int, *, also_of_larger: bool = False) -> tuple[bytes, int]:
    """Up to most_bytes, and the size of the file; nothing of a larger file unless asked for."""
    try:
        # without O_NONBLOCK the open of a pipe waits for somebody to write into it
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise UnreadableFileError("it is no regular file but a folder, a pipe or a device")
            size_bytes = status.st_size
            if size_bytes > most_bytes and not also_of_larger:
                return b"", size_bytes
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(min(size_bytes, most_bytes)), size_bytes
        finally:
            os.close(descriptor)
    except FileNotFoundError as error:
        raise UnreadableFileError("there is no such file") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnreadableFileError(f"it cannot be read ({reason})") from error
    except ValueError as error:  # a NUL or a lone surrogate
        raise UnreadableFileError("its name cannot be that of a file") from error
