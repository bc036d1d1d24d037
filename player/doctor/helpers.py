"""The programs that checks ask: started with a time limit, and never left running.

Whatever may crash or hang (graphics, the engine, a driver's tool) is asked in a process of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from player.live.worker_process import exit_words, worker_environment
from player.upkeep.process_family import kill_family, start_family

_FAMILY = "INSPACE_DOCTOR"


@dataclass(frozen=True)
class Answer:
    """What a program wrote, and its exit status; None: it did not end in time and was killed."""

    status: int | None
    text: str


class Helpers:
    """Asks programs from any thread; `close` ends all that still run."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self._is_closed = False

    def ask(self, command: Sequence[str], within_s: float) -> Answer | None:
        """Its answer; None where there is no such program, or it cannot be started."""
        if shutil.which(command[0]) is None:
            return None
        return self._ask(command, within_s, {**os.environ, "LC_ALL": "C"})

    def ask_module(self, module: str, words: Sequence[str], within_s: float) -> dict[str, Any]:
        """The JSON mapping that one of our own modules prints as its last line.

        Instead of it `{"fault": sentence}` if the module crashed, or `{"late": True}` if it was
        not through in time.
        """
        command = [sys.executable, "-P", "-m", module, *words]
        answer = self._ask(command, within_s, worker_environment(os.environ, "doctor"))
        if answer is None:
            return {"fault": "The system starts no more processes."}
        if answer.status is None:
            return {"late": True}
        for line in reversed(answer.text.splitlines()):
            if line.startswith("{"):
                with contextlib.suppress(ValueError):  # cut off by its end
                    told: dict[str, Any] = json.loads(line)
                    return told
        last = (answer.text.strip().splitlines() or [""])[-1][:200]
        return {"fault": f"The process that tried it {exit_words(answer.status)}. {last}".strip()}

    def close(self) -> None:
        """End everything that still runs; what is asked afterwards is not started."""
        with self._lock:
            self._is_closed = True
            running = dict(self._running)
        for word, process in running.items():
            kill_family(process, _FAMILY, word)

    def _ask(
        self, command: Sequence[str], within_s: float, environment: Mapping[str, str]
    ) -> Answer | None:
        word = secrets.token_hex(8)
        with self._lock:
            if self._is_closed:
                return None
            try:
                process = start_family(
                    command,
                    environment={**environment, _FAMILY: word},
                    output=subprocess.PIPE,
                )
            except OSError:
                return None
            self._running[word] = process
        try:
            out, _ = process.communicate(timeout=within_s)
            return Answer(process.returncode, out.decode("utf-8", "replace"))
        except subprocess.TimeoutExpired:
            return Answer(None, "")
        finally:
            kill_family(process, _FAMILY, word)
            if process.stdout is not None:
                process.stdout.close()
            with self._lock:
                del self._running[word]
