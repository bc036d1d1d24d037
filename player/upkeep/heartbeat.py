"""Tells whoever watches over the player that pictures are being shown.

To systemd, as sd_notify(3) has it, or in the same words to our own supervisor over UDP on this
machine. What is not heard is lost: nothing here raises or waits, whatever becomes of the watcher.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Mapping

ADDRESS_VARIABLE = "INSPACE_HEARTBEAT"  # host:port of our supervisor
FAMILY_VARIABLE = "INSPACE_FAMILY"  # names one life of the player; repeated in every datagram
SYSTEMD_VARIABLE = "NOTIFY_SOCKET"
BEAT_EVERY_NS = 250_000_000
MAX_DATAGRAM_BYTES = 1024  # no message here comes near it
_MAX_STATUS_CHARS = 200
# File name of a socket at most; sun_path in unix(7).
_MAX_PATH_BYTES = 107


class Heartbeat:
    """Made by `from_environment`. Use from one thread."""

    def __init__(self, opened: socket.socket | None, family: str = "") -> None:
        """opened: connected and not blocking; None: nobody listens, and every call does nothing."""
        self._socket = opened
        self._head = f"FAMILY={family}\n" if family else ""
        self._is_ready = False
        self._beat_ns: int | None = None
        self._status = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Heartbeat:
        """INSPACE_HEARTBEAT=host:port (loopback only) goes before NOTIFY_SOCKET (a path, or an
        abstract name after @). Neither, or nothing behind it: a heartbeat that does nothing."""
        if address := environment.get(ADDRESS_VARIABLE, ""):
            return cls(_to_supervisor(address), environment.get(FAMILY_VARIABLE, "")[:64])
        return cls(_to_systemd(environment.get(SYSTEMD_VARIABLE, "")))

    def ready(self) -> None:
        """The first picture is on the screens. Told once."""
        if not self._is_ready:
            self._is_ready = True
            self._send("READY=1")

    def presented(self, now_ns: int) -> None:
        """A picture was shown at `now_ns`. Told at most every 0.25 s of that clock."""
        if self._beat_ns is not None and 0 <= now_ns - self._beat_ns < BEAT_EVERY_NS:
            return
        self._beat_ns = now_ns
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """A line for whoever asks the watcher, cut to 200 characters; told when it has changed."""
        line = " ".join(text.split())[:_MAX_STATUS_CHARS]
        if line != self._status:
            self._status = line
            self._send(f"STATUS={line}")

    def stopping(self) -> None:
        """The player ends of its own will from here on."""
        self._send("STOPPING=1")

    def close(self) -> None:
        """Nothing is told any more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, words: str) -> None:
        if self._socket is None:
            return
        # a full queue, a watcher that is gone: the next beat is soon
        with contextlib.suppress(OSError):
            self._socket.send((self._head + words).encode("utf-8", "replace"))


def _to_supervisor(address: str) -> socket.socket | None:
    host, _, port = address.rpartition(":")
    try:
        where = ipaddress.ip_address(host.strip("[]"))
        if not where.is_loopback or not port.isascii() or not port.isdigit():
            return None
        family = socket.AF_INET if where.version == 4 else socket.AF_INET6
        return _connected(family, (str(where), int(port)))
    except ValueError:
        return None


def _to_systemd(name: str) -> socket.socket | None:
    family = getattr(socket, "AF_UNIX", None)
    encoded = name.encode("utf-8", "surrogateescape")
    if family is None or name[:1] not in ("/", "@") or len(encoded) > _MAX_PATH_BYTES:
        return None
    return _connected(family, b"\0" + encoded[1:] if name[0] == "@" else encoded)


def _connected(
    family: socket.AddressFamily, where: tuple[str, int] | bytes
) -> socket.socket | None:
    try:
        opened = socket.socket(family, socket.SOCK_DGRAM)
    except OSError:
        return None
    try:
        opened.setblocking(False)
        opened.connect(where)
    except (OSError, ValueError, OverflowError):  # OverflowError: a port above 65535
        opened.close()
        return None
    return opened
