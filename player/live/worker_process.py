"""Starting, hearing and ending one worker process.

subprocess and not multiprocessing: the worker gets an environment of its own without a change to
the player's, no resource tracker or fork server comes along, and its output can be heard.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from player.live.synthesis_worker import WorkerConfig, WorkerError

_TAIL_LINES = 40
_TAIL_LINE_BYTES = 1000
_LISTEN_S = 0.02  # a process the engine started may hold the pipe open after the worker's end
if sys.platform == "win32":
    KILLED_STATUS = 1  # what poll gives after kill
else:
    KILLED_STATUS = -int(signal.SIGKILL)

# What the worker runs under unless the player's own environment says otherwise.
WORKER_ENVIRONMENT: Mapping[str, str] = {
    # glibc would map every large activation anew and hand it back after each operator: measured
    # up to 3.6 times slower at 1024 px. One arena, grown by 64 MB, trimmed above 1 GB.
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "1073741824",
    "MALLOC_TOP_PAD_": "67108864",
    # Engine threads that spin between operators take the cores that draw and present.
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "10000",  # some 30 us, overrides the policy's 0
    "KMP_BLOCKTIME": "0",
}


def worker_environment(base: Mapping[str, str], role: str = "live") -> dict[str, str]:
    """`base`, what it lacks of WORKER_ENVIRONMENT, the path of our modules, and INSPACE_ROLE, by
    which others tell the workers of one player apart."""
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, base.get("PYTHONPATH", "").split(os.pathsep))]
    ours = {"PYTHONPATH": os.pathsep.join(paths), "INSPACE_ROLE": role}
    return {**WORKER_ENVIRONMENT, **base, **ours}


class WorkerProcess:
    """One worker, from `start` to its end. Use from one thread."""

    def __init__(self, config: WorkerConfig, role: str = "live") -> None:
        self._config = config
        self._role = role
        self._process: subprocess.Popen[bytes] | None = None
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._tail_lock = threading.Lock()
        self._listener: threading.Thread | None = None

    def start(self) -> None:
        """Spawn it and hand it its configuration. Raises WorkerError if the system refuses."""
        line = self._config.to_json()
        # A session of its own: Ctrl-C in the player's terminal does not reach it, and whatever the
        # engine starts ends with it. -P: modules in the current folder cannot stand in for ours.
        command = [sys.executable, "-P", "-X", "faulthandler", "-m", "player.live.synthesis_worker"]
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=worker_environment(os.environ, self._role),
                start_new_session=sys.platform != "win32",
                creationflags=_creation_flags(),
            )
        except OSError as fault:
            raise WorkerError(f"The {self._role} worker cannot be started: {fault}.") from fault
        self._process = process
        self._listener = threading.Thread(target=self._listen, args=(process,), daemon=True)
        self._listener.start()
        assert process.stdin is not None
        try:
            process.stdin.write(line)  # some 500 bytes into an empty pipe: never blocks
            process.stdin.flush()
        except OSError:
            return  # it has died already; poll will tell

    @property
    def pid(self) -> int:
        """Process id, 0 before the start."""
        return self._process.pid if self._process else 0

    def poll(self) -> int | None:
        """The exit status once it has ended (negative: the signal), else None."""
        return self._process.poll() if self._process else None

    def kill(self) -> None:
        """End it and all it has started, now; returns before it has ended."""
        process = self._process
        if process is None or process.poll() is not None:
            return  # reaped: its number may belong to another process by now
        if sys.platform == "win32":
            process.kill()
            return
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            process.kill()

    def release(self) -> None:
        """Let it end by itself: closes the pipe that keeps it alive."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):  # unsent configuration of a worker already dead
                self._process.stdin.close()

    def wait(self, timeout_s: float) -> bool:
        """True if it has ended within the time; all it printed has been heard then."""
        if self._process is None:
            return True
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        if self._listener is not None:
            self._listener.join(_LISTEN_S)
        return True

    def tail(self) -> tuple[str, ...]:
        """The last lines it printed, at most 40 of 1000 bytes."""
        with self._tail_lock:
            return tuple(self._tail)

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as output:
            while line := output.readline(_TAIL_LINE_BYTES):
                text = line.decode("utf-8", errors="replace").rstrip()
                with self._tail_lock:
                    self._tail.append(text)


def exit_words(status: int) -> str:
    """How a process ended, in words: "was ended by SIGKILL", "ended with status 1"."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def _creation_flags() -> int:
    if sys.platform == "win32":
        return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return 0
