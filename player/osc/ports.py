"""The operator's sockets, and the one thread that reads them: UDP, and TCP where it is wanted."""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import threading
from collections.abc import Callable
from typing import Any

from player.clock import Clock
from player.osc.port_socket import PortError, PortUse, bound_socket
from player.osc.tcp_connection import Connection
from player.osc.tcp_port import TcpPort

Sender = Any
"""The socket address a datagram came from, as `recvfrom` gives it, or a TCP `Connection`."""

Heard = Callable[[bytes, Sender], bool]
Unreadable = Callable[[str, Sender], None]

_PORT_USE = PortUse("OSC", port_from="--osc-port", host_from="--osc-host")
_TCP_USE = PortUse("OSC over TCP (--osc-tcp)", _PORT_USE.port_from, _PORT_USE.host_from)
_POLL_SECONDS = 0.1  # how soon it is noticed that a connection held back may be read again
_DATAGRAMS_A_TURN = 64
_TRIES = 20  # at ports of the system's choice, until one is free for UDP and TCP
_logger = logging.getLogger(__name__)


class Ports:
    """`open` once, `close` once. What arrives is told on the thread; `send` may be called from any
    other."""

    def __init__(
        self,
        *,
        heard: Heard,
        unreadable: Unreadable,
        admits: Callable[[str], bool],
        clock: Clock,
    ) -> None:
        """heard, unreadable, admits: see TcpPort; `heard` is told of datagrams as well."""
        self._heard, self._unreadable, self._admits = heard, unreadable, admits
        self._clock = clock
        self._udp: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._waker: socket.socket | None = None
        self._is_woken = False

    def open(self, host: str, port: int, *, tcp: bool) -> int:
        """Listen; returns the port, the same one for both. Raises PortError."""
        udp, listening = _bound(host, port, tcp=tcp)
        self._udp = udp
        self._waker, waking = socket.socketpair()
        self._waker.setblocking(False)
        waking.setblocking(False)
        self._thread = threading.Thread(
            target=self._serve, args=(udp, listening, waking), name="osc-control", daemon=True
        )
        self._thread.start()
        return int(udp.getsockname()[1])

    @property
    def was_opened(self) -> bool:
        return self._udp is not None

    def send(self, packet: bytes, to: Sender) -> None:
        """Never blocks or raises. Over TCP it is handed to the thread."""
        if isinstance(to, Connection):
            to.post(packet)
            self._wake()
        elif self._udp is not None:
            # The sender may be gone, or the network full: then there is nobody to tell.
            with contextlib.suppress(OSError):
                self._udp.sendto(packet, to)

    def close(self) -> None:
        """Within 0.5 s."""
        self._closing.set()
        self._wake()
        if self._thread is not None:
            self._thread.join(timeout=0.5)
        for one in (self._udp, self._waker):
            if one is not None:
                one.close()

    def _wake(self) -> None:
        if self._waker is not None and not self._is_woken:
            self._is_woken = True
            with contextlib.suppress(OSError):
                self._waker.send(b"\0")

    def _serve(
        self, udp: socket.socket, listening: socket.socket | None, waking: socket.socket
    ) -> None:
        with selectors.DefaultSelector() as selector, contextlib.ExitStack() as ending:
            ending.callback(waking.close)
            selector.register(udp, selectors.EVENT_READ, self._read_datagrams)
            selector.register(waking, selectors.EVENT_READ, lambda _: self._woken(waking))
            port: TcpPort | None = None
            if listening is not None:
                port = TcpPort(
                    listening,
                    selector,
                    admits=self._admits,
                    heard=self._heard,
                    unreadable=self._unreadable,
                )
                ending.callback(port.close)
            while not self._closing.is_set():
                if port is not None:
                    port.tend(self._clock.now_ns())
                for key, events in selector.select(_POLL_SECONDS):
                    key.data(events)

    def _woken(self, waking: socket.socket) -> None:
        # in this order: what is posted after it wakes anew, what was before is seen to in this turn
        self._is_woken = False
        with contextlib.suppress(OSError):
            waking.recv(64)

    def _read_datagrams(self, _: int) -> None:
        assert self._udp is not None
        for _ in range(_DATAGRAMS_A_TURN):
            try:
                data, sender = self._udp.recvfrom(65535)
            except BlockingIOError:
                return
            except OSError:
                # Windows tells here that an earlier answer found nobody.
                self._closing.wait(0.01)
                return
            self._heard(data, sender)


def _bound(host: str, port: int, *, tcp: bool) -> tuple[socket.socket, socket.socket | None]:
    """A UDP socket, and one of TCP at the same port. Raises PortError."""
    if not tcp:
        return bound_socket(host, port, _PORT_USE, "udp"), None
    for tries_left in reversed(range(1 if port else _TRIES)):
        udp = bound_socket(host, port, _PORT_USE, "udp")
        try:
            return udp, bound_socket(host, udp.getsockname()[1], _TCP_USE, "tcp")
        except PortError:
            udp.close()
            if not tries_left:
                raise
    raise AssertionError("the last try returns or raises")
