"""Where the supervisor hears the player: a UDP port of this machine that nobody else can reach."""

from __future__ import annotations

import re
import select
import socket
from dataclasses import dataclass

from player.upkeep.heartbeat import MAX_DATAGRAM_BYTES

_MOST_AT_ONCE = 256  # a program that floods the port does not keep the supervisor from its work
_MAX_STATUS_CHARS = 200


@dataclass(frozen=True)
class Heard:
    """What came since the last look. beats: signs of shown pictures; status: the newest line."""

    beats: int = 0
    status: str | None = None


class HeartbeatPort:
    """Open from construction until `close`; a context. Raises OSError if no port is left."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(("127.0.0.1", 0))

    def __enter__(self) -> HeartbeatPort:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        """host:port, for INSPACE_HEARTBEAT."""
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def listen(self, family: str, timeout_s: float) -> Heard:
        """Wait for a datagram, at most so long, and take all there are. Only those of `family`
        count: one of the life before may still be on its way."""
        select.select([self._socket], [], [], timeout_s)
        beats, status = 0, None
        for _ in range(_MOST_AT_ONCE):
            try:
                datagram = self._socket.recv(MAX_DATAGRAM_BYTES)
            except BlockingIOError:
                break
            except OSError:  # Windows: longer than we take, or the sender is gone
                continue
            word = words_of(datagram, family)
            beats += word in ("READY=1", "WATCHDOG=1")
            if word.startswith("STATUS="):
                status = printable(word.removeprefix("STATUS="))
        return Heard(beats, status)

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()


def words_of(datagram: bytes, family: str) -> str:
    """What a datagram of this family says; empty for any other, and for what is no text."""
    try:
        head, _, words = datagram.decode("utf-8").partition("\n")
    except UnicodeDecodeError:
        return ""
    return words if head == f"FAMILY={family}" else ""


def printable(text: str) -> str:
    """One line that does nothing to a terminal, cut to 200 characters."""
    return re.sub(r"[^\x20-\x7e\xa0-\u1fff\u2010-\u2027]", " ", text)[:_MAX_STATUS_CHARS]
