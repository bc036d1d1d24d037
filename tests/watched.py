"""Seeing what Python does while a hostile file is read: every audit event is written down.

An audit hook (PEP 578) hears of each import, exec, compile, open, start of a process or socket and
more, whoever causes it. It cannot be taken away again: use it in a process of its own.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HARMLESS = frozenset({"builtins.id"})  # the number of an object, which the reader asks for itself


class Watch:
    """What happened while `over` was open, as `event arguments` for each."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self._armed = False
        self._path: str | None = None
        sys.addaudithook(self._hear)

    @contextmanager
    def over(self, path: str | None = None) -> Iterator[list[str]]:
        """Collect all events of the block, but for the opening of `path` for reading."""
        self.events = []
        self._path = path
        self._armed = True
        try:
            yield self.events
        finally:
            self._armed = False

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self._armed or event in HARMLESS:
            return
        if event == "open" and self._path is not None and self._is_reading(*arguments):
            return
        self._armed = False  # an object of the arguments may cause events while it is printed
        self.events.append(f"{event} {ascii(arguments)[:200]}")
        self._armed = True

    def _is_reading(self, path: object, _mode: object = None, flags: object = 0) -> bool:
        # os.open gives the path; the open() of its descriptor that follows gives a number
        own = str(path) == self._path or isinstance(path, int)
        to_write = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        return own and isinstance(flags, int) and not flags & to_write


def limit_memory(more_bytes: int) -> None:
    """Let this process take so much more address space than it has; beyond comes MemoryError."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + more_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def peak_bytes() -> int:
    """The most memory (RSS) that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
