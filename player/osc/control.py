"""OSC addresses to Commands, and their answers: a UDP thread that parses and decides nothing.

The thread turns datagrams into Requests on a bounded queue; the frame loop takes them at a frame
boundary, applies them and answers. Addresses are looked up exactly: no patterns, no wildcards.
The table of addresses is `player.osc.table`.
"""

import contextlib
import logging
import queue
import selectors
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from player.clock import Clock, HouseClock
from player.commands import Command, CommandError
from player.osc import packets as osc_packets
from player.osc.gate import Gate, Network, RateBound
from player.osc.rows import Names
from player.osc.table import parse_message
from player.osc.udp_socket import PortUse, UdpPortError, bound_udp_socket

Sender = Any
"""The socket address a datagram came from, as `recvfrom` gives it."""

QUEUE_REQUESTS = 64
_PORT_USE = PortUse("OSC", port_from="--osc-port", host_from="--osc-host")
_POLL_SECONDS = 0.1  # how soon the thread notices `close`
_logger = logging.getLogger(__name__)


class OscError(Exception):
    """The OSC port cannot be opened; the text is a sentence for the person who starts the show."""


@dataclass(frozen=True)
class Request:
    """A command as it arrived: what to do, and whom to answer about which address."""

    command: Command
    address: str
    sender: Sender


class OscControl:
    """The operator's port. `start` opens it, `close` ends it; one use each."""

    def __init__(
        self,
        *,
        names: Names,
        host: str = "127.0.0.1",
        port: int = 9000,
        queue_requests: int = QUEUE_REQUESTS,
        send: Callable[[bytes, Sender], None] | None = None,
        allow: Sequence[Network] = (),
        rate: RateBound | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Port 0 lets the system choose one, see `port`. `send` replaces the socket in tests.

        allow: the networks whose packets are read; none named: all. rate: of one sender's messages.
        """
        self._gate = Gate(allow, rate)
        self._clock = clock or HouseClock()
        self._dropped = 0
        self._names = names
        self._host = host
        self._port = port
        self._send = send if send is not None else self._send_by_socket
        self._requests: queue.Queue[Request] = queue.Queue(queue_requests)
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._errors = 0
        self._errors_lock = threading.Lock()

    @property
    def port(self) -> int:
        """The UDP port: the real one once started."""
        return self._port

    @property
    def errors(self) -> int:
        """How many packets and requests have been refused since the start."""
        return self._errors

    @property
    def dropped(self) -> int:
        """Those of them that were not even read: from elsewhere than allowed, or too many."""
        return self._dropped

    def start(self) -> None:
        """Open the port and listen. Raises OscError naming the port (and who holds it)."""
        if self._closing.is_set() or self._socket is not None:
            raise OscError(f"OSC control on port {self._port} can be started only once")
        try:
            self._socket = bound_udp_socket(self._host, self._port, _PORT_USE)
        except UdpPortError as fault:
            raise OscError(str(fault)) from fault
        self._port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="osc-control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening, within 0.5 s; what is still queued is not answered any more."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout=0.5)
        if self._socket is not None:
            self._socket.close()

    def take_requests(self) -> list[Request]:
        """All waiting requests, oldest first; never blocks. Each must get a `reply`."""
        taken: list[Request] = []
        with contextlib.suppress(queue.Empty):
            while len(taken) < self._requests.maxsize:
                taken.append(self._requests.get_nowait())
        return taken

    def reply(self, request: Request, ok: bool, text: str) -> None:
        """Answer a request at its sender's port; a refusal is counted. Never blocks or raises."""
        self._answer(request.address, request.sender, ok, text)

    def send(self, datagram: bytes, to: Sender) -> None:
        """Something that nobody asked for just now. Never blocks or raises."""
        self._send(datagram, to)

    def handle_datagram(self, data: bytes, sender: Sender) -> None:
        """Queue what one datagram asks, or answer and count why not. Never raises.

        However much of it is refused, it is answered here at most once. A packet from elsewhere
        than allowed is not answered at all.
        """
        host = _host_of(sender)
        verdict = self._gate.judge(host, self._clock.now_ns())
        if verdict != "admitted":
            self._dropped += 1
            if verdict == "told":
                self._answer("", sender, False, self._gate.reason())
            else:
                self._count(1)
            return
        try:
            messages = osc_packets.decode_packet(data)
        except osc_packets.PacketError as fault:
            if not _goes_unanswered(fault.address):
                self._answer(fault.address, sender, False, f"this cannot be read: {fault}")
            return
        self._gate.charge(host, len(messages) - 1)
        answers = [
            (message.address, answer)
            for message in messages
            if not _goes_unanswered(message.address)
            and (answer := self._handle_message(message, sender)) is not None
        ]
        if not answers:
            return
        refused = [(address, text) for address, (ok, text) in answers if not ok]
        if not refused:
            self._answer(answers[0][0], sender, True, answers[0][1][1])
            return
        self._count(len(refused) - 1)
        (address, text), more = refused[0], len(refused) - 1
        self._answer(address, sender, False, text + (f" (and {more} more)" if more else ""))

    def _handle_message(
        self, message: osc_packets.Message, sender: Sender
    ) -> tuple[bool, str] | None:
        """Queue it; or what to answer at once: whether it is ok, and a sentence."""
        address = message.address
        try:
            command = parse_message(address, message.arguments, self._names)
        except CommandError as fault:
            return False, str(fault)
        except Exception as fault:
            # A defect of the player's own must cost one reply, never the operator's port.
            _logger.exception("OSC %s failed", address)
            return False, f"the player failed on this: {fault!r}"
        if command is None:
            return True, "button released: nothing to do"
        try:
            self._requests.put_nowait(Request(command, address, sender))
        except queue.Full:
            waiting = self._requests.maxsize
            return False, f"too many commands at once: {waiting} are waiting, this one is left out"
        return None

    def _answer(self, address: str, sender: Sender, ok: bool, text: str) -> None:
        if not ok:
            self._count(1)
        self._send(osc_packets.encode_reply(address, ok, text), sender)

    def _count(self, refused: int) -> None:
        with self._errors_lock:
            self._errors += refused

    def _send_by_socket(self, datagram: bytes, sender: Sender) -> None:
        if self._socket is not None:
            # The sender may be gone, or the network full: then there is nobody to tell.
            with contextlib.suppress(OSError):
                self._socket.sendto(datagram, sender)

    def _serve(self) -> None:
        assert self._socket is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            while not self._closing.is_set():
                if not selector.select(_POLL_SECONDS):
                    continue
                try:
                    data, sender = self._socket.recvfrom(65535)
                except BlockingIOError:
                    continue
                except OSError:
                    # Windows tells here that an earlier answer found nobody.
                    self._closing.wait(0.01)
                    continue
                self.handle_datagram(data, sender)


def _host_of(sender: Sender) -> str:
    return str(sender[0]) if isinstance(sender, tuple) and sender else ""


def _goes_unanswered(address: str) -> bool:
    """Underscore addresses are for others; answering an answer would let two players talk on."""
    return address.startswith("/_") or address == "/reply"
