"""OSC addresses to Commands, and their answers: a thread that parses and decides nothing.

The thread (`player.osc.ports`) turns packets into Requests that wait, within bounds, until they are
due; the frame loop takes them at a frame boundary, applies them and answers. Addresses are looked
up exactly: no patterns, no wildcards. The table of addresses is `player.osc.table`.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from player.clock import Clock, HouseClock, wall_ns
from player.commands import Command, CommandError, Safe
from player.osc import packets as osc_packets
from player.osc.due import DueQueue, NotKeptError, due_at
from player.osc.gate import Gate, Network, RateBound
from player.osc.port_socket import PortError
from player.osc.ports import Ports, Sender
from player.osc.rows import Names
from player.osc.table import parse_message
from player.osc.tcp_connection import Connection

_logger = logging.getLogger(__name__)


class OscError(Exception):
    """The OSC port cannot be opened; the text is a sentence for the person who starts the show."""


@dataclass(frozen=True)
class Request:
    """A command as it arrived: what to do, and whom to answer about which address."""

    command: Command
    address: str
    sender: Sender


@dataclass(frozen=True)
class _Arrival:
    """A packet's: from where, when on the control's clock, and when by the wall clock."""

    sender: Sender
    now_ns: int
    wall_ns: int


class OscControl:
    """The operator's port. `start` opens it, `close` ends it; one use each."""

    def __init__(
        self,
        *,
        names: Names,
        host: str = "127.0.0.1",
        port: int = 9000,
        tcp: bool = False,
        send: Callable[[bytes, Sender], None] | None = None,
        allow: Sequence[Network] = (),
        rate: RateBound | None = None,
        clock: Clock | None = None,
        wall_ns: Callable[[], int] = wall_ns,
    ) -> None:
        """Port 0 lets the system choose one, see `port`. `send` replaces the sockets in tests.

        tcp: at the same port as well. allow: the networks whose packets are read; none named: all.
        rate: of one sender's messages. wall_ns: what a time tag is compared with as it arrives;
        from then on it waits by `clock`.
        """
        self._gate = Gate(allow, rate)
        self._clock, self._wall_ns = clock or HouseClock(), wall_ns
        self._dropped = 0
        self._names = names
        self._host, self._port, self._tcp = host, port, tcp
        self._ports = Ports(
            heard=self.handle_datagram,
            unreadable=self._refuse_stream,
            admits=self._admits,
            clock=self._clock,
        )
        self._send = send if send is not None else self._ports.send
        self._due: DueQueue[Request] = DueQueue()
        self._due_lock = threading.Lock()
        self._is_closed = False
        self._errors = 0
        self._errors_lock = threading.Lock()

    @property
    def port(self) -> int:
        """Of UDP, and of TCP: the real one once started."""
        return self._port

    @property
    def errors(self) -> int:
        """How many packets and requests have been refused since the start."""
        return self._errors

    @property
    def dropped(self) -> int:
        """Those of them that were not even read: from elsewhere than allowed, or too many."""
        return self._dropped

    @property
    def waiting(self) -> int:
        """How many commands wait for the time that their bundle names."""
        with self._due_lock:
            return self._due.later

    def start(self) -> None:
        """Open the port and listen. Raises OscError naming the port (and who holds it)."""
        if self._is_closed or self._ports.was_opened:
            raise OscError(f"OSC control on port {self._port} can be started only once")
        try:
            self._port = self._ports.open(self._host, self._port, tcp=self._tcp)
        except PortError as fault:
            raise OscError(str(fault)) from fault

    def take_names(self, names: Names) -> None:
        """What the arguments are judged by from now on: the show was read anew."""
        self._names = names

    def close(self) -> None:
        """Stop listening, within 0.5 s; what still waits is not done or answered any more."""
        self._is_closed = True
        self._ports.close()
        with self._due_lock:
            self._due.clear()

    def take_requests(self, ahead_ns: int = 0) -> list[Request]:
        """All that is due, or will be within `ahead_ns`, in the order of its time; never blocks.

        At most 64; what is more comes with the next call. Each must get a `reply`. What waits for a
        time after /safe and was sent before it is left out, and answered so.
        """
        until_ns = self._clock.now_ns() + ahead_ns
        with self._due_lock:
            taken, dropped = self._due.take(until_ns, ends=_is_safe)
        if dropped:
            self._answer_dropped(dropped)
        return taken

    def reply(self, request: Request, ok: bool, text: str) -> None:
        """Answer a request at its sender's port; a refusal is counted. Never blocks or raises."""
        self._answer(request.address, request.sender, ok, text)

    def send(self, datagram: bytes, to: Sender) -> None:
        """Something that nobody asked for just now. Never blocks or raises."""
        self._send(datagram, to)

    def reaches(self, sender: Sender) -> bool:
        """False once a sender's connection has ended; of UDP nobody knows, so True."""
        return not isinstance(sender, Connection) or sender.is_open

    def handle_datagram(self, data: bytes, sender: Sender) -> bool:
        """Queue what one packet asks, or answer and count why not. Never raises.

        However much of it is refused, it is answered here at most once. A packet from elsewhere
        than allowed is not answered at all. Returns False if this sender has sent too many.
        """
        host = _host_of(sender)
        arrival = _Arrival(sender, self._clock.now_ns(), self._wall_ns())
        verdict = self._gate.judge(host, arrival.now_ns)
        if verdict != "admitted":
            self._dropped += 1
            if verdict == "told":
                self._answer("", sender, False, self._gate.reason())
            else:
                self._count(1)
            return False
        try:
            messages = osc_packets.decode_packet(data)
        except osc_packets.PacketError as fault:
            if not _goes_unanswered(fault.address):
                self._answer(fault.address, sender, False, f"this cannot be read: {fault}")
            return True
        self._gate.charge(host, len(messages) - 1)
        answers = [
            (message.address, answer)
            for message in messages
            if not _goes_unanswered(message.address)
            and (answer := self._handle_message(message, arrival)) is not None
        ]
        if answers:
            self._answer_packet(sender, answers)
        return True

    def _answer_packet(
        self, sender: Sender, answers: Sequence[tuple[str, tuple[bool, str]]]
    ) -> None:
        refused = [(address, text) for address, (ok, text) in answers if not ok]
        if refused:
            self._refuse(sender, *refused[0], more=len(refused) - 1)
        else:
            self._answer(answers[0][0], sender, True, answers[0][1][1])

    def _handle_message(
        self, message: osc_packets.Message, arrival: _Arrival
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
        request = Request(command, address, arrival.sender)
        try:
            due_ns = due_at(message.time_tag, now_ns=arrival.now_ns, wall_ns=arrival.wall_ns)
            with self._due_lock:
                self._due.add(request, due_ns, arrival.now_ns, _host_of(arrival.sender))
        except NotKeptError as fault:
            return False, str(fault)
        return None

    def _answer_dropped(self, dropped: Sequence[Request]) -> None:
        """One answer a sender."""
        of_sender: dict[Sender, list[Request]] = {}
        for request in dropped:
            of_sender.setdefault(request.sender, []).append(request)
        for sender, requests in of_sender.items():
            text = "left out: its time would have come after /safe"
            self._refuse(sender, requests[0].address, text, more=len(requests) - 1)

    def _refuse(self, sender: Sender, address: str, text: str, *, more: int) -> None:
        self._count(more)
        self._answer(address, sender, False, text + (f" (and {more} more)" if more else ""))

    def _refuse_stream(self, why: str, connection: Connection) -> None:
        self._answer("", connection, False, f"this cannot be read: {why}")

    def _admits(self, host: str) -> bool:
        """Whether it may connect; a refusal counts as a packet dropped."""
        admitted = self._gate.allows(host)
        if not admitted:
            self._dropped += 1
            self._count(1)
        return admitted

    def _answer(self, address: str, sender: Sender, ok: bool, text: str) -> None:
        if not ok:
            self._count(1)
        self._send(osc_packets.encode_reply(address, ok, text), sender)

    def _count(self, refused: int) -> None:
        with self._errors_lock:
            self._errors += refused


def _host_of(sender: Sender) -> str:
    if isinstance(sender, Connection):
        return sender.host
    return str(sender[0]) if isinstance(sender, tuple) and sender else ""


def _is_safe(request: Request) -> bool:
    return isinstance(request.command, Safe)


def _goes_unanswered(address: str) -> bool:
    """Underscore addresses are for others; answering an answer would let two players talk on."""
    return address.startswith("/_") or address == "/reply"
