"""The clocks of the player, and the only module of it that reads time.

All times are integer nanoseconds of one monotonic clock whose zero means nothing: only
differences may be used. No frame is ever due by the wall clock, so setting it moves no picture;
`wall_ns` is for opening hours, records, and for going on after the machine was off.
"""

import os
import sys
import threading
import time
from pathlib import Path
from typing import Protocol

# Longest single sleep (ns): a wait looks at the clock again at least this often, so that a
# suspended or slewed machine is noticed.
LONGEST_SLEEP_NS = 50_000_000
# The last part of a wait (ns) is slept in short steps, because one long sleep may end late.
# Spinning instead was rejected: it takes a core from the engine.
FINE_PART_NS = 2_000_000
FINE_STEP_NS = 200_000

_LOADED_NS = time.perf_counter_ns()


class ClockError(Exception):
    """A clock was asked for something it can never do."""


class Clock(Protocol):
    """What the player knows of time: a reading, and a wait."""

    def now_ns(self) -> int:
        """Time of this clock in ns. Never decreases."""
        ...

    def wait_until_ns(self, deadline_ns: int) -> None:
        """Return when `now_ns() >= deadline_ns`; at once if that is so already."""
        ...


def _monotonic_is_fine() -> bool:
    # Before Python 3.13 Windows' monotonic clock steps by 15.6 ms; its performance counter
    # does not, and is the same in all processes of a machine.
    return time.get_clock_info("monotonic").resolution <= 1e-6


class HouseClock:
    """The machine's monotonic clock. Waits sleep; they end some 0.1 ms after the deadline."""

    def __init__(self) -> None:
        self._read = time.monotonic_ns if _monotonic_is_fine() else time.perf_counter_ns

    def now_ns(self) -> int:
        """Monotonic time in ns."""
        return self._read()

    def wait_until_ns(self, deadline_ns: int) -> None:
        """Sleep until the deadline (ns): coarsely first, the last 2 ms in short steps."""
        while (left_ns := deadline_ns - self._read()) > 0:
            if left_ns > FINE_PART_NS:
                step_ns = min(left_ns - FINE_PART_NS, LONGEST_SLEEP_NS)
            else:
                step_ns = min(left_ns, FINE_STEP_NS)
            time.sleep(step_ns / 1e9)


class ManualClock:
    """A clock that stands still until `advance` moves it; for tests, with or without threads.

    A wait for a time already reached returns; a wait for a later one could only be ended by
    another thread, so it raises ClockError instead of blocking a test for ever.
    """

    def __init__(self, now_ns: int = 0) -> None:
        self._now_ns = now_ns
        self._lock = threading.Lock()

    def now_ns(self) -> int:
        """The time (ns) this clock was last moved to."""
        with self._lock:
            return self._now_ns

    def advance(self, duration_ns: int) -> None:
        """Move forward by `duration_ns` >= 0 ns; raises ClockError for a negative one."""
        if duration_ns < 0:
            raise ClockError(f"a clock cannot go back: asked to advance by {duration_ns} ns")
        with self._lock:
            self._now_ns += duration_ns

    def wait_until_ns(self, deadline_ns: int) -> None:
        """Return if the deadline (ns) is reached; raises ClockError if it is still to come."""
        missing_ns = deadline_ns - self.now_ns()
        if missing_ns > 0:
            raise ClockError(
                f"waiting {missing_ns} ns on a clock that stands still would never end: "
                "advance it first"
            )


class OfflineClock:
    """A clock on which waiting costs nothing: it jumps to the deadline. For export and tests."""

    def __init__(self, now_ns: int = 0) -> None:
        self._now_ns = now_ns

    def now_ns(self) -> int:
        """The latest deadline (ns) waited for, or the start."""
        return self._now_ns

    def wait_until_ns(self, deadline_ns: int) -> None:
        """Be at the deadline (ns) at once; a past one changes nothing."""
        self._now_ns = max(self._now_ns, deadline_ns)


def wall_ns() -> int:
    """The wall clock: UTC, in ns since 1970. It may be wrong, and be set forward or back."""
    return time.time_ns()


def processor_ns() -> int:
    """Processor time (ns) of this process so far, of all its threads: what it has cost, however
    busy the machine was with others."""
    return time.process_time_ns()


def boot_id() -> str:
    """What is the same in all processes since the machine was started, and never again after.

    Between two processes with the same one the readings of HouseClock may be compared. Empty where
    the system tells none (elsewhere than on Linux): then nothing is known of other processes.
    """
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_text(errors="replace").strip()
    except OSError:
        return ""
    return text if len(text) <= 64 else ""


def process_age_ns() -> int:
    """Ns since this process was started.

    On Linux from the kernel's record of the start, exact to its tick of 10 ms and including
    interpreter start and imports. Elsewhere since this module was loaded: a lower bound.
    """
    age_ns = _linux_age_ns()
    return time.perf_counter_ns() - _LOADED_NS if age_ns is None else age_ns


def _linux_age_ns() -> int | None:
    """Age of this process from /proc/self/stat field 22 (proc(5)); None where it cannot be read."""
    if sys.platform != "linux":
        return None
    try:
        # Field 2, the command, may hold spaces and brackets: count from its last bracket.
        fields = Path("/proc/self/stat").read_text(errors="replace").rpartition(")")[2].split()
        started_ns = int(fields[19]) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
        # scripts/play becomes this process by exec, after a set-up that may take minutes
        started_ns = max(started_ns, int(float(os.environ.get("INSPACE_STARTED_S", 0)) * 1e9))
    except (OSError, IndexError, ValueError):
        return None
    return max(0, time.clock_gettime_ns(time.CLOCK_BOOTTIME) - started_ns)
