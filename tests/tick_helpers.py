"""Waiting in tests without sleeping for a guessed time: until a condition holds, or a deadline."""

import threading
from collections.abc import Callable

from player.clock import HouseClock


def wait_for(condition: Callable[[], bool], *, seconds: float = 5.0) -> bool:
    """True as soon as the condition holds; False if it does not within `seconds`."""
    clock = HouseClock()
    deadline_ns = clock.now_ns() + int(seconds * 1e9)
    pause = threading.Event()
    while not condition():
        if clock.now_ns() >= deadline_ns:
            return False
        pause.wait(0.005)
    return True
