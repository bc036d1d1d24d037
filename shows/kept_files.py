"""What was made of a file, kept for as long as the file stays the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

_T = TypeVar("_T")
_Facts = tuple[int, int, int, int]


class KeptFiles:
    """For reading a whole folder again where few files have changed. Use from one thread.

    A file is the same if its inode, its size and both its times are; what is kept must be a value
    that nobody changes.
    """

    def __init__(self) -> None:
        self._kept: dict[Path, tuple[_Facts, object]] = {}
        self._used: dict[Path, tuple[_Facts, object]] = {}

    def read(self, path: Path, read: Callable[[], _T]) -> _T:
        """What `read` makes of the file, or has made of it before. Raises what `read` raises, and
        keeps nothing then. One path must always be read by the same function."""
        try:
            found = path.stat()
        except OSError:
            return read()
        facts = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        before = self._kept.get(path)
        made = before[1] if before is not None and before[0] == facts else read()
        self._used[path] = (facts, made)
        return made  # type: ignore[return-value]  # by the one function of this path

    def forget_others(self) -> None:
        """Keep only what was read since the last call."""
        self._kept, self._used = self._used, {}
