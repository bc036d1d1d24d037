"""Looks now and then whether a show's files have changed, for `--watch`.

A poll, because it sees what another machine changes in a shared folder, which the systems' own
notices of changes do not, and because looking is cheap.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

LOOK_EVERY_S = 1.0
NOT_LOOKED_AT = {"films", "work"}  # folders of a show that hold what the player itself makes

Signature = frozenset[tuple[str, int, int, int]]
"""Of each file: its path, inode, size in bytes and time of change in ns."""


def signature_of(folder: Path) -> Signature:
    """Of a show's files: YAML, latents, generators, paintings and what lies beside them. What
    cannot be read is as good as absent."""
    found: set[tuple[str, int, int, int]] = set()
    for here, folders, names in os.walk(folder):
        skipped = NOT_LOOKED_AT if Path(here) == folder else set()
        folders[:] = [name for name in folders if name not in skipped and name[0] != "."]
        for name in names:
            path = os.path.join(here, name)
            try:
                facts = os.stat(path)
            except OSError:
                continue
            found.add((path, facts.st_ino, facts.st_size, facts.st_mtime_ns))
    return frozenset(found)


class FilesWatch:
    """`start` begins to look, from a thread of its own; `close` ends it.

    A change is told once two looks in a row have seen the same: somebody who writes several files,
    or a large one, is through by then.
    """

    def __init__(
        self, folder: Path, changed: Callable[[], None], *, every_s: float = LOOK_EVERY_S
    ) -> None:
        """changed: called from the thread."""
        self._folder, self._changed, self._every_s = folder, changed, every_s
        self._closing = threading.Event()
        self._settling = Settling(signature_of(folder))
        self._thread = threading.Thread(target=self._run, name="show files", daemon=True)

    def start(self) -> None:
        """What changed since this was made is told too."""
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._closing.wait(self._every_s):
            if self._settling.look(signature_of(self._folder)):
                self._changed()


class Settling:
    """What looks tell: whether there is something new that has come to rest."""

    def __init__(self, known: Signature) -> None:
        self._known = self._seen = known

    def look(self, now: Signature) -> bool:
        """True once for every change that two looks in a row agree on."""
        is_settled = now == self._seen != self._known
        self._seen = now
        if is_settled:
            self._known = now
        return is_settled
