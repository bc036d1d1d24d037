"""A SyncNode on the network: one UDP socket, one thread, the machine's clock; and house time as a
Clock for the frame loop. The thread takes in and sends; other threads only ask and leave word."""

from __future__ import annotations

import contextlib
import logging
import random
import selectors
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from player.clock import Clock
from player.osc.udp_socket import PortUse, UdpPortError, bound_udp_socket
from player.sync.messages import MessageError
from player.sync.node import SyncNode
from player.sync.settings import Outgoing, Peer, SyncError, SyncSettings
from player.sync.states import State

DEFAULT_PORT = 9010
LONGEST_WAIT_NS = 100_000_000  # how soon the thread notices `close` at the latest
# House time is turned into local time anew at least this often (ns) in a wait, as it is slewed.
LOOK_AGAIN_NS = 20_000_000

_PORT_USE = PortUse("Clock sync", port_from="nodes: port in show.yaml", host_from="nodes: host")
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class NodeAddress:
    """A node of the show file: its name, and where its sync port is."""

    name: str
    host: str
    port: int = DEFAULT_PORT


class SyncEndpoint:
    """One node of the house, live. `start` opens the port, `close` ends it; one use each.

    Every method may be called from any thread. A datagram that is refused costs one count.
    """

    def __init__(
        self,
        name: str,
        nodes: Sequence[NodeAddress],
        *,
        clock: Clock,
        show_hash: str = "",
        key: bytes | None = None,
        broadcast: str | None = None,
        listen_on: str = "0.0.0.0",
        rng: random.Random | None = None,
    ) -> None:
        """broadcast: an address of the network, to which beacons and cues go, at this node's port.

        Host names are looked up here, once; one that is not known (that machine may be off) is
        logged, and its address is learnt when it is heard. Raises SyncError for a bad list.
        """
        own = [node for node in nodes if node.name == name]
        if len(own) != 1:
            known = ", ".join(node.name for node in nodes)
            raise SyncError(f"There is no node {name!r} in the show, or two; it has: {known}.")
        self._port = own[0].port
        self._listen_on = listen_on
        self._clock = clock
        settings = SyncSettings(
            name,
            tuple(Peer(node.name, _address_of(node, is_own=node is own[0])) for node in nodes),
            show_hash=show_hash,
            broadcast=None if broadcast is None else (broadcast, self._port),
            key=key,
        )
        self._node = SyncNode(settings, rng=rng or random.SystemRandom(), local_ns=clock.now_ns())
        self._lock = threading.Lock()  # over _node
        self._socket: socket.socket | None = None
        self._wake: tuple[socket.socket, socket.socket] | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self.send_failures = self.stumbles = 0

    def start(self) -> None:
        """Open the port, begin to listen. Raises SyncError naming the port and who holds it.

        A list of one node opens nothing and starts nothing.
        """
        if self._thread is not None or self._closing.is_set():
            raise SyncError("Clock sync can be started only once.")
        if self._node.is_alone:
            return
        try:
            opened = bound_udp_socket(self._listen_on, self._port, _PORT_USE, family=socket.AF_INET)
        except UdpPortError as fault:
            raise SyncError(f"{fault}.") from fault
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self._socket = opened
        self._wake = socket.socketpair()
        for end in self._wake:
            end.setblocking(False)
        self._thread = threading.Thread(target=self._serve, name="clock-sync", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, within 0.5 s. House time runs on as it last ran."""
        self._closing.set()
        self._rouse()
        if self._thread is not None:
            self._thread.join(timeout=0.5)
        for one in (self._socket, *(self._wake or ())):
            if one is not None:
                one.close()

    @property
    def port(self) -> int:
        """The UDP port."""
        return self._port

    def house_ns(self) -> int:
        """House time now. Never waits for the network's thread."""
        return self._node.house_time.house_at(self._clock.now_ns())

    def house_ns_at(self, local_ns: int) -> int:
        """House time at a local time, as it runs now."""
        return self._node.house_time.house_at(local_ns)

    def local_ns_of(self, house_ns: int) -> int:
        """The local time at a house time, as it runs now."""
        return self._node.house_time.local_at(house_ns)

    @property
    def is_ready(self) -> bool:
        """House time is known, and so is the state of the show, unless this node leads."""
        with self._lock:
            node = self._node
            return node.is_locked and (node.role == "leader" or node.newest_state is not None)

    @property
    def is_leader(self) -> bool:
        """Whether this node leads now."""
        return self._node.role == "leader"

    @property
    def epoch(self) -> int:
        """How many nodes have led so far."""
        return self._node.epoch

    def propose(self, text: str, effective_tick: int) -> None:
        """Leader only: a new state; see SyncNode. Raises SyncError."""
        with self._lock:
            self._node.propose(text, effective_tick, self._clock.now_ns())
        self._rouse()

    @property
    def newest_state(self) -> State | None:
        """The state announced last, in effect already or not."""
        with self._lock:
            return self._node.newest_state

    def state_at(self, tick: int) -> State | None:
        """The state in effect on a tick; see SyncNode."""
        with self._lock:
            return self._node.state_at(tick)

    def forward(self, text: str) -> int:
        """An operator's command for the leader; see SyncNode. Raises RequestError."""
        with self._lock:
            number = self._node.forward(text, self._clock.now_ns())
        self._rouse()
        return number

    def take_commands(self) -> list[str]:
        """Leader only: the commands given on any node, oldest first."""
        with self._lock:
            return self._node.take_commands()

    def report_latents(self, tick: int, checksum: str) -> None:
        """The checksum of this node's latents on a tick."""
        with self._lock:
            self._node.report_latents(tick, checksum)

    def differences(self) -> list[str]:
        """Which nodes play something else than this one, and what."""
        with self._lock:
            return self._node.differences()

    def status(self) -> str:
        """One line for the operator."""
        with self._lock:
            line = self._node.status(self._clock.now_ns())
        line += f"; {self.send_failures} not sent" if self.send_failures else ""
        return line + (f"; stumbled {self.stumbles} times, see the log" if self.stumbles else "")

    def skew_ns(self) -> int | None:
        """How far apart the house clocks are, as this node knows it; see SyncNode."""
        with self._lock:
            return self._node.skew_ns(self._clock.now_ns())

    def _rouse(self) -> None:
        if self._wake is not None:
            with contextlib.suppress(OSError):  # full: it is roused already
                self._wake[1].send(b"\0")

    def _serve(self) -> None:
        assert self._socket is not None and self._wake is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(self._wake[0], selectors.EVENT_READ)
            told = ""
            while not self._closing.is_set():
                try:
                    self._turn(selector)
                except Exception as fault:
                    # A defect of our own must cost one turn, never the wall's clock; and its trace
                    # is told once, not twenty times a second.
                    self.stumbles += 1
                    if repr(fault) != told:
                        told = repr(fault)
                        _logger.exception("Clock sync stumbled and goes on.")
                    self._closing.wait(0.05)

    def _turn(self, selector: selectors.BaseSelector) -> None:
        assert self._socket is not None and self._wake is not None
        with self._lock:
            self._send(self._node.advance(self._clock.now_ns()))
            due_ns = self._node.next_due_ns
        wait_ns = LONGEST_WAIT_NS if due_ns is None else due_ns - self._clock.now_ns()
        selector.select(min(max(wait_ns, 0), LONGEST_WAIT_NS) / 1e9)
        with contextlib.suppress(OSError):
            while self._wake[0].recv(4096):
                pass
        # a flood must not keep our own beacons from being sent
        for _ in range(64):
            try:
                datagram, sender = self._socket.recvfrom(65535)
            except BlockingIOError:
                return
            except OSError:
                return  # Windows tells here that an earlier datagram found nobody
            local_ns = self._clock.now_ns()
            with self._lock:
                self._send(self._node.receive(datagram, sender, local_ns))

    def _send(self, outgoing: list[Outgoing]) -> None:
        assert self._socket is not None
        for out in outgoing:
            try:
                datagram = self._node.encode(out, self._clock.now_ns())
            except MessageError:
                _logger.exception("Clock sync made a message that cannot be sent.")
                continue
            for destination in out.destinations:
                try:
                    assert isinstance(destination, tuple)
                    self._socket.sendto(datagram, destination)
                except OSError:  # a cable is out, or the network full: it is sent again anyway
                    self.send_failures += 1


class DisciplinedClock:
    """House time as the frame loop's Clock. Never turns back, but where the node itself steps:

    when it was off by more than 50 ms, after its machine had stood still or its clock was set.
    """

    def __init__(self, endpoint: SyncEndpoint, local: Clock) -> None:
        self._endpoint = endpoint
        self._local = local

    def now_ns(self) -> int:
        """House time in ns: since the first leader's start."""
        return self._endpoint.house_ns()

    def wait_until_ns(self, deadline_ns: int) -> None:
        """Return when house time has reached the deadline (ns), through slews and steps on; or
        when it was stepped back, since the deadline then means nothing any more."""
        latest_ns = self._endpoint.house_ns()
        while latest_ns <= (house_ns := self._endpoint.house_ns()) < deadline_ns:
            latest_ns = house_ns
            local_ns = self._endpoint.local_ns_of(deadline_ns)
            soon_ns = self._local.now_ns() + LOOK_AGAIN_NS
            # one ns may be lost in the rounding of a rate
            self._local.wait_until_ns(min(local_ns + 1, soon_ns))


def _address_of(node: NodeAddress, *, is_own: bool) -> tuple[str, int] | None:
    if is_own:
        return None
    try:
        found = socket.getaddrinfo(node.host, node.port, socket.AF_INET, socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as fault:
        _logger.warning(
            "The node %s at %s cannot be looked up now (%s); it is taken in when it is heard.",
            node.name,
            node.host,
            fault,
        )
        return None
    host, port = found[0][4][:2]
    return str(host), int(port)
