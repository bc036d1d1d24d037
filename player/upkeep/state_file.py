"""The state file: kept while the show runs, read when it is started again.

Written by a thread of its own, because a disk may take seconds to confirm; whole or not at all, so
that a player killed at any moment leaves the state before or after.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from player.clock import HouseClock, boot_id, wall_ns
from player.transport import Transport
from player.transport_text import transport_text
from player.upkeep.saved_state import (
    MAX_STATE_BYTES,
    Resumed,
    SavedState,
    StateError,
    resumed_state,
    state_of,
    state_text,
)
from shows.atomic_file import write_atomically
from shows.fingerprint import show_fingerprint
from shows.schema import ShowError
from shows.show import Show

KEEP_EVERY_S = 30  # with nothing changed: how well the wall clock then tells how long a PC was off
RETRY_EVERY_S = 10.0
_CLOSE_WITHIN_S = 2.0  # a disk that hangs does not hold up the player's end

_log = logging.getLogger("player")


@dataclass(frozen=True)
class _Kept:
    show: str
    transport: Transport
    tick: int
    origin_ns: int


class StateKeeper:
    """Keeps the newest state in `path`. Between `start` and `close`; use from one thread.

    fps: ticks a second. A disk that is full or read-only is told once and tried every 10 s.
    """

    def __init__(
        self,
        path: Path,
        show_fingerprint: str,
        fps: Fraction,
        *,
        house_ns: Callable[[], int] | None = None,
        utc_ns: Callable[[], int] = wall_ns,
        retry_every_s: float = RETRY_EVERY_S,
    ) -> None:
        """house_ns: the clock of `origin_ns`, HouseClock by default."""
        self._path, self._fingerprint, self._fps = path, show_fingerprint, fps
        self._house_ns = house_ns or HouseClock().now_ns
        self._utc_ns, self._retry_every_s = utc_ns, retry_every_s
        self._boot = boot_id()
        self._kept: _Kept | None = None  # what was last handed to the thread
        self._changed = threading.Condition()
        self._next: _Kept | None = None
        self._is_forgotten = self._is_closing = False
        self._fault = ""
        self._thread: threading.Thread | None = None

    @property
    def fault(self) -> str:
        """Why the state is not kept just now, as a sentence; empty: it is."""
        return self._fault

    def start(self) -> None:
        """Start the thread that writes."""
        self._thread = threading.Thread(target=self._write_on, name="state file", daemon=True)
        self._thread.start()

    def keep(self, transport: Transport, tick: int, origin_ns: int) -> None:
        """Call on every tick. Hands over what has changed, and every 30 s what has not."""
        kept = self._kept
        if (
            kept is not None
            and abs(tick - kept.tick) < KEEP_EVERY_S * self._fps
            and (kept.show, kept.origin_ns) == (self._fingerprint, origin_ns)
            and (transport is kept.transport or transport == kept.transport)
        ):
            return
        self._kept = _Kept(self._fingerprint, transport, tick, origin_ns)
        with self._changed:
            self._next = self._kept
            self._changed.notify()

    def take_over(self, show_fingerprint: str) -> None:
        """The show was read anew: what is kept next belongs to it."""
        self._fingerprint = show_fingerprint

    def forget(self) -> None:
        """The show has ended as it should: the file is removed, and no more is kept."""
        with self._changed:
            self._is_forgotten = True
            self._changed.notify()

    def close(self) -> None:
        """Write or remove what is to be, and end the thread; at most 2 s."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(_CLOSE_WITHIN_S)
            self._thread = None

    def _write_on(self) -> None:
        _sweep(self._path)
        wait_s: float | None = None
        while True:
            with self._changed:
                if not (self._is_closing or self._is_forgotten):
                    # after a fault even what changes meanwhile waits for the next try
                    self._changed.wait_for(self._is_due_at_once(wait_s), wait_s)
                kept, self._next = self._next, None
                is_forgotten, is_closing = self._is_forgotten, self._is_closing
            if is_forgotten:
                self._remove()
                return
            if kept is not None and not self._write(kept):
                wait_s = self._retry_every_s
                with self._changed:
                    self._next = self._next or kept
            else:
                wait_s = None
            if is_closing:
                return

    def _is_due_at_once(self, wait_s: float | None) -> Callable[[], bool]:
        def ends() -> bool:
            return self._is_closing or self._is_forgotten

        return ends if wait_s else lambda: ends() or self._next is not None

    def _write(self, kept: _Kept) -> bool:
        saved = SavedState(
            show=kept.show,
            transport=transport_text(kept.transport),
            tick=kept.tick,
            tick_ns=kept.origin_ns,
            boot=self._boot,
            wall_ns=self._utc_ns(),
            saved_monotonic_ns=self._house_ns(),
            fps=self._fps,
        )
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path, state_text(saved))
        except OSError as fault:
            self._refused(f"the folder {self._path.parent} cannot be made: {fault.strerror}.")
            return False
        except ShowError as fault:
            self._refused(str(fault))
            return False
        if self._fault:
            self._fault = ""
            _log.info("What is on is kept in %s again.", self._path)
        return True

    def _refused(self, why: str) -> None:
        if not self._fault:
            self._fault = (
                f"What is on cannot be kept for a restart: {why} Make room, or give another file "
                "with --state."
            )
            _log.warning("%s", self._fault)

    def _remove(self) -> None:
        try:
            self._path.unlink(missing_ok=True)
        except OSError as fault:
            _log.warning(
                "%s cannot be removed: %s. The next start would go on with it.",
                self._path,
                fault.strerror,
            )


def resumed(path: Path, show: Show, *, now_ns: int, wall_ns: int, boot: str) -> Resumed | None:
    """How the show goes on from `path`; None, and a sentence in the log, if it begins anew.

    now_ns, wall_ns, boot: HouseClock's time, `clock.wall_ns()` and `clock.boot_id()`, now. No file
    is no fault. The same show with other ballads, latents or settings is another show.
    """
    try:
        text = _read(path)
        if text is None:
            return None
        saved = state_of(text)
        fingerprint = show_fingerprint(show)
        return resumed_state(saved, show, fingerprint, now_ns=now_ns, wall_ns=wall_ns, boot=boot)
    except StateError as fault:
        _log.warning("The show begins at its beginning. %s is not used: %s.", path, fault)
    return None


def _read(path: Path) -> bytes | None:
    """All of it, or one byte more than is allowed. None: there is none. Raises StateError."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise StateError("it is no file with contents of its own")
            return file.read(MAX_STATE_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise StateError(f"it cannot be read: {fault.strerror}") from fault


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # for a pipe's other end


def _sweep(path: Path) -> None:
    """Remove what a player killed while it wrote has left beside the file."""
    with contextlib.suppress(OSError):
        for name in os.listdir(path.parent):
            if name.startswith(f".{path.name}."):
                with contextlib.suppress(OSError):
                    os.unlink(path.parent / name)
