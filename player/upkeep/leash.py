"""Becomes a command that ends when its parent ends: `leash.py PARENT_PID HOW COMMAND...`.

A file that is run, never imported, with the standard library's smallest part, so that it is through
in some 15 ms. HOW: `plain`, or `idle` for work that takes only what processor and disk time nobody
else wants. A small program and not `preexec_fn`: that would fork the player with all its memory,
which holds up frames, and is not safe beside threads.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2); outlives exec
# ioprio_set(2): who is a process, class idle
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30}
_IOPRIO_WHO_PROCESS = 1
_IOPRIO_IDLE = 3 << 13
_NOT_STARTED = 127  # as shells have it


def main(words: list[str]) -> int:
    """Returns only if the command could not be started."""
    parent_pid, how, *command = words
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != int(parent_pid):
            return _NOT_STARTED  # it has ended already: nobody would end the command
    if how == "idle":
        _become_idle()
    try:
        os.execvp(command[0], command)
    except OSError as fault:
        print(f"{command[0]} cannot be started: {fault.strerror}.", file=sys.stderr)
    return _NOT_STARTED


def _become_idle() -> None:
    # each is a courtesy: what the system refuses, it does without
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        number = _IOPRIO_SET.get(os.uname().machine)
        if number is not None:
            ctypes.CDLL(None).syscall(number, _IOPRIO_WHO_PROCESS, 0, _IOPRIO_IDLE)
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            os.nice(19)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
