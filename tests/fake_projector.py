"""A projector that speaks PJLink class 1 on loopback, and some that do not."""

from __future__ import annotations

import hashlib
import secrets
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Manner = Literal[
    *("good", "one command", "zero bytes"),
    *("silent", "garbage", "flood", "closes", "not text", "short"),
]


class FakeProjector:
    """power: "0" off, "1" on, "2" cooling, "3" warming. commands: all that came, in order.

    busy: so many commands are answered with ERR3 first.
    """

    def __init__(self, password: str | None = None, manner: Manner = "good") -> None:
        self.password, self.manner = password, manner
        self.power, self.busy = "0", 0
        self.commands: list[str] = []
        self.refused = 0
        self.was_set = threading.Event()
        self.ending = threading.Event()
        self.port = 0

    def greeting(self) -> tuple[bytes, str]:
        """What it says first, and the digest it then expects (empty: none)."""
        if self.password is None:
            return b"PJLINK 0\r", ""
        token = secrets.token_hex(4)
        digest = hashlib.md5((token + self.password).encode()).hexdigest()
        return f"PJLINK 1 {token}\r".encode(), digest

    def answer(self, command: str) -> str:
        self.commands.append(command)
        if command == "%1POWR ?":
            return f"%1POWR={self.power}"
        if command in ("%1POWR 0", "%1POWR 1"):
            if self.busy:
                self.busy -= 1
                return "%1POWR=ERR3"
            self.power = command[-1]
            self.was_set.set()
            return "%1POWR=OK"
        return f"{command[:6]}=ERR1"


@contextmanager
def listening(projector: FakeProjector) -> Iterator[FakeProjector]:
    """Serve it on a free port of loopback."""

    class Handler(socketserver.StreamRequestHandler):
        timeout = 5

        def handle(self) -> None:
            with suppress(OSError):
                self._speak()

        def _speak(self) -> None:
            strange = {
                "garbage": b"HTTP/1.1 400 Bad Request\r\n\r\n",
                "not text": b"PJLINK \xff\xfe\xfd\r",
                "short": b"PJ\r",
                "flood": b"x" * 300_000,
                "closes": b"",
            }
            if projector.manner in strange:
                self.wfile.write(strange[projector.manner])
                return
            if projector.manner == "silent":
                projector.ending.wait(5)
                return
            greeting, digest = projector.greeting()
            zero = b"\0\0" if projector.manner == "zero bytes" else b""
            self.wfile.write(zero + greeting)
            if digest:
                if self.rfile.read(32).decode() != digest:
                    projector.refused += 1
                    self.wfile.write(b"PJLINK ERRA\r")
                    return
                self.wfile.write(projector.answer(self._line()).encode() + b"\r")
            while line := self._line():
                self.wfile.write(zero + projector.answer(line).encode() + b"\r")
                if projector.manner == "one command":
                    return

        def _line(self) -> str:
            text = bytearray()
            while (byte := self.rfile.read(1)) not in (b"", b"\r"):
                text += byte
            return text.decode()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        projector.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield projector
        finally:
            projector.ending.set()
            server.shutdown()
            thread.join()
