"""One OSC client over TCP: its socket, its framing, and what waits to be sent to it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

from player.osc.tcp_framing import Framing, framing_of

READ_BYTES = 8192
"""Of one connection in one turn, so that it cannot keep the others waiting."""
MOST_WAITING_BYTES = 256 << 10
"""All values of seven screens are 10 KB, and what changes some KB a second: a minute or so."""
_SYSTEM_HOLDS_BYTES = 64 << 10  # beside that; left to itself the system holds megabytes
# a client that is gone without a word (a cable, a battery) is noticed after two minutes
_KEEP_ALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}


class ConnectionEndError(Exception):
    """The client has closed the connection, or the network has."""


class Connection:
    """A client, and the sender of its packets: it is told apart by identity. `post` may be called
    from any thread, all else from the port's."""

    def __init__(self, opened: socket.socket, host: str, port: int) -> None:
        """Owns the socket from now on. Raises OSError if the client is gone already."""
        opened.setblocking(False)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SYSTEM_HOLDS_BYTES)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEP_ALIVE.items():
            # some systems know none of them, or know them and refuse
            with contextlib.suppress(AttributeError, OSError):
                opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        self.socket = opened
        self.host, self.port = host, port
        self.read_again_ns = 0
        """Nothing is read before: it has sent too much."""
        self._framing: Framing | None = None
        self._lock = threading.Lock()
        self._waiting = bytearray()
        self._is_open = True
        self._is_overfull = False

    def __str__(self) -> str:
        return f"{self.host} port {self.port}"

    @property
    def is_open(self) -> bool:
        return self._is_open

    @property
    def is_overfull(self) -> bool:
        """Whether something had to be left out because the client does not read."""
        return self._is_overfull

    @property
    def has_waiting(self) -> bool:
        return bool(self._waiting)

    def post(self, packet: bytes) -> None:
        """To be sent by the port's thread. Never blocks or raises; nothing is cut: what does not
        fit is left out, and `is_overfull` from then on."""
        framing = self._framing
        if framing is None:
            return
        frame = framing.framed(packet)
        with self._lock:
            if not self._is_open or self._is_overfull:
                return
            if len(self._waiting) + len(frame) > MOST_WAITING_BYTES:
                self._is_overfull = True
            else:
                self._waiting += frame

    def flush(self) -> None:
        """Send what the system takes without waiting. Raises ConnectionEndError."""
        while True:
            with self._lock:
                part = bytes(self._waiting[:_SYSTEM_HOLDS_BYTES])
            if not part:
                return
            try:
                sent = self.socket.send(part)
            except BlockingIOError:
                return
            except OSError as fault:
                raise ConnectionEndError(str(fault)) from fault
            with self._lock:
                del self._waiting[:sent]

    def read(self) -> Iterator[bytes]:
        """The packets that have come whole, of one read. Raises ConnectionEndError, and
        FramingError after those before the fault."""
        try:
            data = self.socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as fault:
            raise ConnectionEndError(str(fault)) from fault
        if not data:
            raise ConnectionEndError("closed by the client")
        if self._framing is None:
            self._framing = framing_of(data[:1])
        yield from self._framing.packets(data)

    def close(self) -> None:
        """Nothing is sent or kept any more."""
        with self._lock:
            self._is_open = False
            self._waiting.clear()
        self.socket.close()
