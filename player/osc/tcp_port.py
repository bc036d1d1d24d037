"""The operator's port over TCP: who is connected, within bounds. Belongs to one thread, whose
selector and turns it uses; `Connection.post` alone may be called from others."""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
from collections.abc import Callable

from player.osc.tcp_connection import MOST_WAITING_BYTES, Connection, ConnectionEndError
from player.osc.tcp_framing import FramingError

MOST_CONNECTIONS = 16
MOST_OF_ONE_HOST = 8
HELD_BACK_NS = 100_000_000
"""Who sends too much is not read for so long; the network then holds it back by itself."""
_TOLD_EVERY_NS = 1_000_000_000
_logger = logging.getLogger(__name__)

Heard = Callable[[bytes, Connection], bool]
Unreadable = Callable[[str, Connection], None]


class TcpPort:
    """Accepts, reads and sends without ever waiting for a client."""

    def __init__(
        self,
        listening: socket.socket,
        selector: selectors.BaseSelector,
        *,
        admits: Callable[[str], bool],
        heard: Heard,
        unreadable: Unreadable,
    ) -> None:
        """Owns `listening` from now on.

        admits: whether a host may connect at all. heard: told of each packet; whether more may be
        read of its sender now. unreadable: told why a connection is given up.
        """
        self._listening, self._selector = listening, selector
        self._admits, self._heard, self._unreadable = admits, heard, unreadable
        self._events: dict[Connection, int] = {}  # that it is registered for; 0: for none
        self._now_ns = 0
        self._listens = False
        self._listen_again_ns = 0
        self._is_called = False  # somebody wants to connect
        self._tell_again_ns = 0
        self._untold = 0

    def tend(self, now_ns: int) -> None:
        """Once a turn: what others have posted is sent, and who was held back is read again."""
        self._now_ns = now_ns
        if not self._listens and now_ns >= self._listen_again_ns:
            self._selector.register(self._listening, selectors.EVENT_READ, self._called)
            self._listens = True
        if self._is_called:
            self._is_called = False
            self._accept()
        for connection in list(self._events):
            if connection.is_overfull:
                self._end(connection, f"it does not read: {MOST_WAITING_BYTES} bytes wait")
            else:  # if it is awaited that the system takes more, it takes none now
                is_awaited = self._events[connection] & selectors.EVENT_WRITE
                self._ready(connection, 0 if is_awaited else selectors.EVENT_WRITE)

    def close(self) -> None:
        """End all connections, and listen no more."""
        for connection in list(self._events):
            self._end(connection)
        self._listening.close()

    def _called(self, _: int) -> None:
        # let in after the others of this turn: one of them may be on its way out, to come in again
        self._is_called = True

    def _accept(self) -> None:
        try:
            opened, address = self._listening.accept()
        except BlockingIOError:
            return
        except OSError as fault:  # no descriptor is left, or the client has gone already
            self._selector.unregister(self._listening)
            self._listens, self._listen_again_ns = False, self._now_ns + HELD_BACK_NS
            self._tell(f"OSC over TCP: a connection could not be accepted: {fault}")
            return
        host, port = str(address[0]), int(address[1])
        if not self._admits(host):
            opened.close()
            return
        if (full := self._full(host)) is not None:
            opened.close()
            self._tell(f"OSC over TCP: {host} port {port} is not let in: {full}")
            return
        try:
            connection = Connection(opened, host, port)
        except OSError:
            opened.close()
            return
        self._events[connection] = 0
        self._await(connection)

    def _full(self, host: str) -> str | None:
        """Why no more of this host are let in."""
        if len(self._events) >= MOST_CONNECTIONS:
            return f"there are {MOST_CONNECTIONS} connections already"
        if sum(one.host == host for one in self._events) >= MOST_OF_ONE_HOST:
            return f"there are {MOST_OF_ONE_HOST} connections of this host already"
        return None

    def _ready(self, connection: Connection, events: int) -> None:
        if connection not in self._events:  # it was ended earlier in this turn
            return
        try:
            if events & selectors.EVENT_READ:
                self._read(connection)
            if events & selectors.EVENT_WRITE:
                connection.flush()
        except ConnectionEndError:
            self._end(connection)
        except FramingError as fault:
            self._unreadable(str(fault), connection)
            self._end(connection, str(fault))
        except Exception:
            # A defect of the player's own must cost one connection, never the port.
            _logger.exception("OSC over TCP: %s failed", connection)
            self._end(connection)
        else:
            self._await(connection)

    def _read(self, connection: Connection) -> None:
        for packet in connection.read():
            if not self._heard(packet, connection):
                connection.read_again_ns = self._now_ns + HELD_BACK_NS

    def _await(self, connection: Connection) -> None:
        """Register for what there is to do: reading unless held back, writing what is left."""
        events = selectors.EVENT_READ if self._now_ns >= connection.read_again_ns else 0
        if connection.has_waiting:
            events |= selectors.EVENT_WRITE
        before = self._events[connection]
        if events == before:
            return
        self._events[connection] = events
        if not before:
            self._selector.register(connection.socket, events, self._when_ready(connection))
        elif not events:
            self._selector.unregister(connection.socket)
        else:
            self._selector.modify(connection.socket, events, self._when_ready(connection))

    def _when_ready(self, connection: Connection) -> Callable[[int], None]:
        return lambda events: self._ready(connection, events)

    def _end(self, connection: Connection, why: str = "") -> None:
        """why: told in the log; without it the client has gone by itself."""
        if self._events.pop(connection):
            self._selector.unregister(connection.socket)
        with contextlib.suppress(ConnectionEndError):
            connection.flush()  # the answer that says why
        connection.close()
        if why:
            self._tell(f"OSC over TCP: the connection of {connection} is closed: {why}")

    def _tell(self, sentence: str) -> None:
        """In the log, once a second at most."""
        if self._now_ns < self._tell_again_ns:
            self._untold += 1
            return
        more = f" (and {self._untold} more)" if self._untold else ""
        _logger.warning("%s%s.", sentence, more)
        self._tell_again_ns, self._untold = self._now_ns + _TOLD_EVERY_NS, 0
