"""Ctrl-C and SIGTERM, kept until the work in hand is done."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType, TracebackType

Handler = Callable[[int, FrameType | None], object] | int | None


class StopSignals:
    """Within the context SIGINT and SIGTERM only set `received`; the first one counts.

    second_raises: a second signal raises KeyboardInterrupt at once.
    Only the main thread may enter it (signal.signal raises ValueError elsewhere).
    """

    def __init__(self, *, second_raises: bool) -> None:
        self.second_raises = second_raises
        self.received: int | None = None
        self._before: dict[signal.Signals, Handler] = {}

    def __enter__(self) -> StopSignals:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None and self.second_raises:
            raise KeyboardInterrupt
        self.received = self.received or number

    def leave(self) -> None:
        """End the verb as the signal would have: KeyboardInterrupt, or SystemExit(128 + number)."""
        if self.received in (None, signal.SIGINT):
            raise KeyboardInterrupt
        raise SystemExit(128 + self.received)
