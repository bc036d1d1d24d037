"""Starting a process with everything it will start, and ending all of it, whoever started what.

A family is known by a word in its environment, which every process inherits: sessions, process
groups and the death of a parent do not hide one. (A group alone would miss the synthesis worker,
which has a session of its own.)
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Literal

_LEASH = Path(__file__).resolve().with_name("leash.py")
_ROUNDS = 8  # of looking for members: one that forks just then is found in the next round


def start_family(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    how: Literal["plain", "idle"] = "plain",
    output: int | IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` in a process group of its own, with nothing to read.

    On Linux it is killed when the calling THREAD ends: call from one that lives as long as it
    should. output: for its standard output and error; None: this process's own. Raises OSError.
    """
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP
        if how == "idle":
            flags |= subprocess.IDLE_PRIORITY_CLASS | subprocess.CREATE_NO_WINDOW
        return subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output is not None else None,
            env=dict(environment),
            creationflags=flags,
        )
    # -I -S: neither this folder nor the site's packages are looked at
    leash = [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid()), how]
    return subprocess.Popen(
        [*leash, *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        env=dict(environment),
        # Not a session of its own: with autogroups an idle process of another session would get
        # as much of the processor as all of ours.
        process_group=0,
    )


def ask_to_end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, on Windows Ctrl-Break, to the first of the family alone: it ends the others."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            process.send_signal(signal.CTRL_BREAK_EVENT)
        else:
            process.terminate()


def kill_family(
    process: subprocess.Popen[bytes], variable: str, value: str, *, within_s: float = 1.0
) -> None:
    """End all of it now, and wait for the first of it, at most `within_s`.

    variable, value: what the environment it was started with has and no other. Elsewhere than on
    Linux the others are left to notice.
    """
    if process.poll() is None:
        process.kill()
    for _ in range(_ROUNDS if sys.platform == "linux" else 0):
        if not (members := family_members(variable, value)):
            break
        for pid in members:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(within_s)  # a process in a system call that does not end cannot be killed


def family_members(variable: str, value: str) -> list[int]:
    """Their process ids, as far as /proc tells; without those that have ended."""
    word = f"{variable}={value}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:  # empty for one that has ended and was not waited for
            if word in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:  # not ours, or gone
            continue
    return found
