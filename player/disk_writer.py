"""Writes to the disk beside the frame loop: in the order asked for, answered once it is there."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from player.commands import CommandError

_log = logging.getLogger("player")

MOST_WAITING = 16
CLOSING_S = 5.0  # a disk that hangs must not keep the player from ending

Work = Callable[[], str]
"""The part of a command that waits for the disk: gives the answer, or raises CommandError."""
Answer = Callable[[bool, str], None]
"""Whether it was done, and a sentence. Called in the writer's thread."""


class DiskWriter:
    """Does one piece of work after the other, in a thread that the first one starts."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[tuple[Work, Answer] | None] = queue.Queue()
        self._thread: threading.Thread | None = None

    def refuse_if_full(self) -> None:
        """Raises CommandError where so much waits that the disk must be hanging."""
        if self._waiting.qsize() >= MOST_WAITING:
            raise CommandError(
                f"{self._waiting.qsize()} things wait to be written already: the disk is slow, or "
                "hangs"
            )

    def later(self, work: Work, answer: Answer) -> None:
        """Do this after what was asked for before, then answer. Returns at once."""
        self._waiting.put((work, answer))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="disk-writer", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Wait until all is written and answered, but no longer than for CLOSING_S. Nothing is
        taken after it."""
        if self._thread is None:
            return
        self._waiting.put(None)
        self._thread.join(timeout=CLOSING_S)
        if self._thread.is_alive():
            _log.warning(
                "The disk did not take within %g s what was still to be saved; the player ends "
                "without it.",
                CLOSING_S,
            )

    def _run(self) -> None:
        while (asked := self._waiting.get()) is not None:
            work, answer = asked
            try:
                text = work()
            except CommandError as fault:
                answer(False, str(fault))
            except Exception as fault:  # noqa: BLE001 - a defect of ours costs one answer, no more
                _log.exception("What was to be written failed")
                answer(False, f"the player failed on this: {fault!r}")
            else:
                answer(True, text)
