"""A file that one process holds at a time; the system lets go of it when that ends, however."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO


class HeldElsewhereError(Exception):
    """Another process holds it."""


def held(path: Path) -> IO[bytes]:
    """Hold this file, which is made if need be, until the one that is given is closed.

    Raises HeldElsewhereError, and OSError for a file that cannot be opened.
    """
    file = path.open("ab")
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        file.close()
        raise HeldElsewhereError(f"{path} is held by another process") from fault
    return file
