"""What runs, from the kernel's own records: parents, command lines, memory. Linux only."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from player.live.shared_segment import segment_folder

_PROC = Path("/proc")
_MIB = 1024 * 1024
_WORKER = "player.live.synthesis_worker"
ROLE = "INSPACE_ROLE"


@dataclass(frozen=True)
class Process:
    """started: in the kernel's ticks since boot, which with the pid names it for good."""

    pid: int
    parent: int
    started: int
    words: tuple[str, ...]

    @property
    def is_player(self) -> bool:
        return any(word.endswith("run_installation.py") for word in self.words[:4])

    @property
    def is_worker(self) -> bool:
        return _WORKER in self.words


@dataclass(frozen=True)
class Footprint:
    """Of a player with all its processes. rss_mb: their sum; by_role: of the player itself
    ("player") and of what it has started, by INSPACE_ROLE ("live", "film"; "other" without)."""

    rss_mb: float
    by_role: dict[str, float]
    descriptors: int
    segments: int


def children(parent: int) -> list[Process]:
    """The processes that a process has started and that run, oldest first."""
    found = [process for process in _all() if process.parent == parent]
    return sorted(found, key=lambda process: (process.started, process.pid))


def descendants(root: int) -> list[Process]:
    """All of them, without the root."""
    every: dict[int, list[Process]] = {}
    for process in _all():
        every.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    pending = [root]
    while pending:
        below = every.pop(pending.pop(), [])
        found += below
        pending += [process.pid for process in below]
    return found


def live_worker(player: int) -> Process | None:
    """The process that makes the live pictures. Films are decoded by the same program: told apart
    by INSPACE_ROLE in their environment, and without it by age."""
    workers = [process for process in children(player) if process.is_worker]
    roles = {process.pid: environment(process.pid).get(ROLE) for process in workers}
    named = [process for process in workers if roles[process.pid] == "live"]
    unnamed = [process for process in workers if roles[process.pid] is None]
    return next(iter(named or unnamed), None)


def environment(pid: int) -> dict[str, str]:
    """What a process was started with; empty if it is gone or not ours."""
    with contextlib.suppress(OSError):
        text = (_PROC / str(pid) / "environ").read_bytes().decode(errors="replace")
        return dict(word.split("=", 1) for word in text.split("\0") if "=" in word)
    return {}


def marked(name: str, value: str) -> list[int]:
    """The pids of all processes with this in their environment, this one excepted."""
    word = f"{name}={value}".encode()
    found = []
    for folder in _PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if word in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return [pid for pid in found if pid != os.getpid()]


def footprint(player: int, players: Iterable[int]) -> Footprint | None:
    """players: all there have been, whose shared memory counts too. None if it has ended."""
    by_role = {"player": round(_rss_mb(player), 2)}
    try:
        descriptors = len(os.listdir(_PROC / str(player) / "fd"))
    except OSError:
        return None
    for process in descendants(player):
        role = environment(process.pid).get(ROLE, "other")
        by_role[role] = round(by_role.get(role, 0.0) + _rss_mb(process.pid), 2)
    segments = sum(1 for pid in players for _ in segment_folder().glob(f"inspace-{pid}-*"))
    return Footprint(round(sum(by_role.values()), 2), by_role, descriptors, segments)


def send(pid: int, number: signal.Signals) -> bool:
    """Whether there was such a process."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
        return True
    return False


def go_first() -> None:
    """Let this process run before others where that is allowed: an observer that comes too late
    proves nothing. What has been started before keeps its own priority."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -10)


def _rss_mb(pid: int) -> float:
    with contextlib.suppress(OSError, IndexError, ValueError):
        pages = int((_PROC / str(pid) / "statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / _MIB
    return 0.0


def _all() -> list[Process]:
    found = []
    for folder in _PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            # the second field, the command, may hold spaces and brackets: count from its end
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            if fields[0] in "ZX":
                continue
            line = (folder / "cmdline").read_bytes().decode(errors="replace")
            words = tuple(line.split("\0"))
            found.append(Process(int(folder.name), int(fields[1]), int(fields[19]), words))
    return found
