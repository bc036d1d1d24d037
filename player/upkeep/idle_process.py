"""Work in the background that takes nothing from the show: making missing films, as it plays."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import subprocess
import threading
from collections.abc import Sequence

from player.upkeep.heartbeat import ADDRESS_VARIABLE, SYSTEMD_VARIABLE
from player.upkeep.process_family import ask_to_end, kill_family, start_family

FAMILY_VARIABLE = "INSPACE_IDLE_FAMILY"
_END_WITHIN_S = 0.4  # by itself; it has little of the processor, so it may well not
_LINE_BYTES = 1000
_LISTEN_S = 0.1


class IdleProcess:
    """A command at idle priority, with all it starts, from `start` to `close`.

    On Linux it is scheduled SCHED_IDLE with idle disk priority, elsewhere as nice 19 or Windows'
    idle class. Use from one thread that lives as long as the player: on Linux the command is killed
    when that thread ends, and so with the player.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._family = secrets.token_hex(8)
        self._process: subprocess.Popen[bytes] | None = None
        self._listener: threading.Thread | None = None
        self._last_line = ""
        self._fault = ""

    def start(self) -> None:
        """Start it. A system that refuses is no reason to stop the show: `poll` is 127 then, and
        `last_line` says why."""
        dropped = (ADDRESS_VARIABLE, SYSTEMD_VARIABLE)  # it shows no pictures
        environment = {name: value for name, value in os.environ.items() if name not in dropped}
        environment[FAMILY_VARIABLE] = self._family
        try:
            process = start_family(
                self._command, environment=environment, how="idle", output=subprocess.PIPE
            )
        except OSError as fault:
            self._fault = f"{self._command[0]} cannot be started: {fault}."
            return
        self._process = process
        self._listener = threading.Thread(
            target=self._listen, args=(process,), name="idle process", daemon=True
        )
        self._listener.start()

    @property
    def pid(self) -> int:
        """Process id, 0 before the start."""
        return self._process.pid if self._process else 0

    @property
    def last_line(self) -> str:
        """The last line it wrote, to standard output or error; a progress bar's newest state."""
        return self._fault or self._last_line

    def poll(self) -> int | None:
        """The exit status once it has ended (negative: the signal), else None."""
        if self._fault:
            return 127
        return self._process.poll() if self._process else None

    def close(self) -> None:
        """End it and all it has started, within a second. Once more does nothing."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            ask_to_end(process)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END_WITHIN_S)
        kill_family(process, FAMILY_VARIABLE, self._family, within_s=_END_WITHIN_S)
        if self._listener is not None:
            self._listener.join(_LISTEN_S)

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        """Read to the end, so that the command never waits for us."""
        assert process.stdout is not None
        rest = b""
        with process.stdout as output:
            while chunk := os.read(output.fileno(), 4096):
                *lines, rest = re.split(rb"[\r\n]+", rest + chunk)
                rest = rest[-_LINE_BYTES:]
                for line in [*lines, rest]:
                    if words := line[-_LINE_BYTES:].decode("utf-8", errors="replace").strip():
                        self._last_line = words
