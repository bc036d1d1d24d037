"""Ctrl-C and the like as a question that a loop asks, so that what is open can be given back."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable


def stop_on_signals() -> Callable[[], bool]:
    """True from the first SIGINT or SIGTERM on (on Windows Ctrl-Break too). Main thread only."""
    received: list[int] = []

    def note(number: int, _frame: object) -> None:
        received.append(number)

    signal.signal(signal.SIGINT, note)
    signal.signal(signal.SIGTERM, note)
    if sys.platform == "win32":
        signal.signal(signal.SIGBREAK, note)
    return lambda: bool(received)
