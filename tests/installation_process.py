"""run_installation.py as a process: started, talked to by OSC, listened to, ended."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from player.clock import HouseClock
from player.live.shared_segment import segment_folder
from tests.tick_helpers import wait_for

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0  # for torch to be imported on a machine that is busy with other tests


class Installation:
    """One run. Use as a context: whatever happens, nothing of it is left running."""

    def __init__(self, *arguments: object, **environment: str) -> None:
        """Plays on a port of the system's choice unless told otherwise."""
        words = [str(argument) for argument in arguments]
        if "--osc-port" not in words:
            words += ["--osc-port", "0"]
        self.lines: list[str] = []
        self._clock = HouseClock()
        self._process = subprocess.Popen(
            [sys.executable, ROOT / "run_installation.py", *words],
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._worker_pids: set[int] = set()
        self._operator = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._operator.settimeout(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._listener.join(5)
        self._operator.close()
        if kind is not None:
            print("\n".join(self.lines))

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def text(self) -> str:
        """All it has said on standard error so far."""
        return "\n".join(self.lines)

    def said(self, pattern: str, *, seconds: float = START_SECONDS) -> re.Match[str]:
        """The match of the pattern in what it says, waited for."""
        found: list[re.Match[str]] = []

        def is_said() -> bool:
            match = re.search(pattern, self.text)
            found.extend([match] if match else [])
            return bool(found) or self._process.poll() is not None

        assert wait_for(is_said, seconds=seconds), f"never said: {pattern}\n{self.text}"
        self._listener.join(5 if not found else 0)
        match = found[0] if found else re.search(pattern, self.text)
        assert match is not None, f"ended without saying: {pattern}\n{self.text}"
        return match

    @property
    def osc_port(self) -> int:
        return int(self.said(r"OSC: \S+ port (\d+)")[1])

    def ask(self, address: str, *args: object) -> str:
        """Send a command; the text of its answer, which must be ok."""
        outcome, text = self.answer(address, *args)
        assert outcome == "ok", (address, text)
        return text

    def answer(self, address: str, *args: object) -> tuple[str, str]:
        """Send a command; its answer: ok or error, and the text."""
        builder = OscMessageBuilder(address)
        for arg in args:
            builder.add_arg(arg)
        self._operator.sendto(builder.build().dgram, ("127.0.0.1", self.osc_port))
        answer = OscMessage(self._operator.recv(8192))
        assert answer.address == "/reply"
        assert answer.params[0] == address, answer.params
        return str(answer.params[1]), str(answer.params[2])

    def status_with(self, pattern: str, *, seconds: float = START_SECONDS) -> re.Match[str]:
        """The match of the pattern in the answer to /status, asked for until it fits."""
        found: list[re.Match[str]] = []

        def fits() -> bool:
            self.worker_pids()
            match = re.search(pattern, self.ask("/status"))
            found.extend([match] if match else [])
            return bool(found)

        assert wait_for(fits, seconds=seconds), f"{pattern} is not in: {self.ask('/status')}"
        return found[0]

    def frame(self) -> int:
        """The frame that is on."""
        return int(self.status_with(r"frame (\d+)")[1])

    def reaches(self, frame: int) -> bool:
        """Waits until that frame has been on."""
        return wait_for(lambda: self.frame() > frame, seconds=START_SECONDS)

    def worker_pids(self) -> list[int]:
        """The processes it has started that still run."""
        running = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == self.pid and fields[0] != "Z":
                running.append(int(stat.parent.name))
        self._worker_pids.update(running)
        return running

    def signal(self, *numbers: signal.Signals) -> None:
        for number in numbers:
            os.kill(self.pid, number)

    def ended(self, *, seconds: float = START_SECONDS) -> int:
        """Its exit status, waited for; checks that no process and no shared memory is left."""
        assert wait_for(lambda: self._process.poll() is not None, seconds=seconds), self.text
        self._listener.join(5)
        left = [pid for pid in self._worker_pids if Path(f"/proc/{pid}").exists()]
        assert left == [], f"workers that run on: {left}"
        assert [path.name for path in segment_folder().glob(f"inspace-{self.pid}-*")] == []
        assert "Traceback" not in self.text, self.text
        return self._process.returncode

    def ends_within_a_second_of(self, *numbers: signal.Signals) -> bool:
        """Send the signals; whether it ended in time, with status 0 and nothing left.

        The second is one of a machine that is not overloaded: with more to do than it has
        processors for, everything takes so many times longer.
        """
        allowed = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
        self.worker_pids()
        before_ns = self._clock.now_ns()
        self.signal(*numbers)
        assert wait_for(lambda: self._process.poll() is not None, seconds=START_SECONDS), self.text
        seconds = (self._clock.now_ns() - before_ns) / 1e9
        assert self.ended() == 0, self.text
        print(f"ended after {seconds:.2f} s, allowed {allowed:.2f} s")
        return seconds < allowed

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stream:
            for line in stream:
                self.lines.append(line.rstrip("\n"))
