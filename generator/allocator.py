"""How a process that draws or trains on a CPU is started: with an allocator that keeps its memory.

glibc maps large blocks anew for every operator and the kernel then faults in every page of them,
which costs more than the arithmetic (up to 3.6 times at 1024 pixels). It reads these settings at
process start only.
"""

from __future__ import annotations

import os
import sys

SETTINGS = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "100000000000",
    "MALLOC_TOP_PAD_": "500000000",
}


def restart_with_allocator(**more: str) -> None:
    """Start this command anew with the settings, and `more` environment variables; returns at once
    on Windows or when they are set."""
    wanted = {**SETTINGS, **more}
    if os.name != "posix" or all(name in os.environ for name in wanted):
        return
    os.execve(sys.executable, sys.orig_argv, {**wanted, **os.environ})
