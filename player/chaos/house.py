"""The installation under test as real processes: started, asked, and ended with all it started."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from player.chaos import processes
from player.osc.packets import PacketError, decode_packet, encode_message

ROOT = Path(__file__).resolve().parents[2]
MARK = "INSPACE_CHAOS"
LEAVE_S = 8.0
_PR_SET_PDEATHSIG = 1  # prctl(2)
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
_LIVE = re.compile(r"\bsource live(?!, fading)")


class HouseError(Exception):
    """The installation cannot be started, or has ended; the text is a sentence."""


class House:
    """One run of the installation. Use as a context: nothing of it outlives that.

    Everything it starts inherits a mark in its environment, by which it is found in the end, even
    if its parent is gone. If this process is killed, the kernel tells the first one to end.
    """

    def __init__(self, words: Sequence[str], log: Path, osc_port: int) -> None:
        """words: what follows `run_installation.py`. log: what it says goes there."""
        self._words = [sys.executable, str(ROOT / "run_installation.py"), *words]
        self._is_supervised = "supervise" in words
        self._log, self._osc_port = log, osc_port
        self._mark = secrets.token_hex(8)
        self._process: subprocess.Popen[bytes] | None = None
        self._operator = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._operator.setblocking(False)

    def __enter__(self) -> House:
        with open(self._log, "wb") as log:
            self._process = _started(self._words, {MARK: self._mark}, log)
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()

    def player(self) -> processes.Process | None:
        """The process that shows the pictures, if there is one just now. Raises HouseError once
        the installation has ended by itself."""
        assert self._process is not None
        status = self._process.poll()
        if status is not None:
            raise HouseError(
                f"The installation ended by itself with status {status}; its last words: "
                f"{last_words(self._log)}"
            )
        if self._is_supervised:
            found = [child for child in processes.children(self._process.pid) if child.is_player]
            return found[-1] if found else None
        own = os.getpid()
        return next((p for p in processes.children(own) if p.pid == self._process.pid), None)

    def live_worker(self) -> processes.Process | None:
        player = self.player()
        return processes.live_worker(player.pid) if player else None

    def tell(self, address: str) -> None:
        """Send an OSC message without arguments; what it answers is heard by `heard_live`."""
        with contextlib.suppress(OSError):  # nobody listens while the player is started again
            message = encode_message(address, "", ())
            self._operator.sendto(message, ("127.0.0.1", self._osc_port))

    def heard_live(self) -> bool | None:
        """Whether the newest answer to /status says that live pictures are on; None: no answer."""
        live = None
        while True:
            try:
                data = self._operator.recv(65536)
            except ConnectionRefusedError:  # an earlier question found nobody
                continue
            except OSError:
                return live
            with contextlib.suppress(PacketError):
                for message in texts(data):
                    if message and message[0] == "/status":
                        live = bool(_LIVE.search(message[-1]))

    def close(self) -> None:
        """End everything, stopped processes too; may be called twice."""
        self._operator.close()
        process, self._process = self._process, None
        if process is None:
            return
        for pid in processes.marked(MARK, self._mark):
            processes.send(pid, signal.SIGCONT)
        if process.poll() is None:
            processes.send(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(LEAVE_S)
        for _ in range(5):  # one may be starting another this very moment
            left = processes.marked(MARK, self._mark)
            for pid in left:
                processes.send(pid, signal.SIGKILL)
            if not left:
                break
            threading.Event().wait(0.05)
        process.wait()


def texts(data: bytes) -> list[tuple[str, ...]]:
    """The texts among the arguments of each message. Raises PacketError."""
    return [
        tuple(argument for argument in message.arguments if isinstance(argument, str))
        for message in decode_packet(data)
    ]


def make_missing_films(show: Path, stop: threading.Event) -> None:
    """Raises HouseError if that fails; returns early when told to stop."""
    mark = secrets.token_hex(8)
    words = ["export", "--missing", "--show", str(show)]
    command = [sys.executable, str(ROOT / "run_installation.py"), *words]
    process = _started(command, {MARK: mark}, None)
    try:
        while process.poll() is None and not stop.wait(0.1):
            pass
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(LEAVE_S)
    finally:
        for pid in processes.marked(MARK, mark):
            processes.send(pid, signal.SIGKILL)
        status = process.wait()
    if status and not stop.is_set():
        raise HouseError(f"The films cannot be made: the export ended with status {status}.")


def free_port() -> int:
    """A UDP port that nobody has now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def last_words(log: Path, lines: int = 4) -> str:
    try:
        text = log.read_text(errors="replace").strip()
    except OSError as fault:
        return f"(its log {log} cannot be read: {fault.strerror})"
    return " / ".join(text.splitlines()[-lines:]) or "none"


def _started(
    command: Sequence[str], marks: dict[str, str], log: BinaryIO | None
) -> subprocess.Popen[bytes]:
    environment = {key: word for key, word in os.environ.items() if key != "INSPACE_STARTED_S"}
    try:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env={**environment, **marks},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
    except OSError as fault:
        raise HouseError(f"{command[0]} cannot be started: {fault.strerror}.") from fault


def _end_with_parent() -> None:
    """In the child, before it becomes what it is to be."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
