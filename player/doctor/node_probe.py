"""Asks the other machines of a show for a sign of life, by the protocol of clock sync.

With a key every player answers (`Hello`, `Welcome`). Without one only the leader does (`Ping`,
`Pong`): a follower's silence says nothing. A machine that is there without a player refuses the
datagram, which its network tells us. House time and states are left alone.
"""

from __future__ import annotations

import random
import selectors
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from player.clock import Clock
from player.sync.gatekeeper import Gatekeeper
from player.sync.messages import Acknowledgement, Message, MessageError, Ping
from shows.schema import Node

ASKED_S = 1.2
_EVERY_NS = 200_000_000


@dataclass
class Probe:
    """One machine while it is asked. answered_ms: how long its first answer took, None without.

    is_refused: it is there, and nobody listens at that port. fault: why it cannot be asked.
    address: None where its name is unknown.
    """

    node: Node
    sender: str
    gate: Gatekeeper
    address: str | None = None
    answered_ms: float | None = None
    is_refused: bool = False
    fault: str = ""
    sent_ns: int = field(default=0, repr=False)

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing more to be heard."""
        return self.answered_ms is not None or self.is_refused or bool(self.fault)


def probe(
    nodes: Sequence[Node], name: str | None, *, key: bytes | None, show_hash: str, clock: Clock
) -> list[Probe]:
    """Ask all nodes but `name` at once, for 1.2 s at most, in the name of `name` (or of another).

    show_hash: of our show; empty, where it is not known, asks no leader.
    """
    names = [node.name for node in nodes]
    probes = []
    for node in nodes:
        if node.name == name:
            continue
        sender = name or next((other for other in names if other != node.name), "doctor")
        gate = Gatekeeper(sender, {node.name}, key, random.SystemRandom())
        probes.append(Probe(node, sender, gate))
    with ExitStack() as closing, selectors.DefaultSelector() as selector:
        for one in probes:
            if opened := _opened(one):
                closing.callback(opened.close)
                selector.register(opened, selectors.EVENT_READ, one)
        _ask(probes, selector, show_hash, clock)
    return probes


def _ask(
    probes: Sequence[Probe], selector: selectors.BaseSelector, show_hash: str, clock: Clock
) -> None:
    next_ns = clock.now_ns()
    end_ns = next_ns + int(ASKED_S * 1e9)
    while (now_ns := clock.now_ns()) < end_ns and not all(one.is_settled for one in probes):
        if now_ns >= next_ns:
            next_ns = now_ns + _EVERY_NS
            for key in selector.get_map().values():
                _send(key, show_hash, clock.now_ns())
        for key, _ in selector.select(max(0, min(next_ns, end_ns) - now_ns) / 1e9):
            _receive(key, clock.now_ns())


def _opened(one: Probe) -> socket.socket | None:
    """Connected, so that the other machine's refusal is told."""
    node = one.node
    try:
        found = socket.getaddrinfo(node.host, node.port, socket.AF_INET, socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        one.fault = f"the name {node.host} is not known on this network"
        return None
    where = found[0][4]
    one.address = str(where[0])
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setblocking(False)
    try:
        opened.connect(where)
    except OSError as fault:
        one.fault = fault.strerror or str(fault)
        opened.close()
        return None
    return opened


def _send(key: selectors.SelectorKey, show_hash: str, now_ns: int) -> None:
    one: Probe = key.data
    if one.is_settled:
        return
    hellos = one.gate.hellos(now_ns)
    message: Message
    if hellos:
        message = hellos[0][1]
    elif show_hash:
        message = Ping(one.sender, 0, 0, now_ns, -1, show_hash, -1, "")
    else:
        message = Acknowledgement(one.sender, 0)  # means nothing to anybody, but can be refused
    one.sent_ns = now_ns
    try:
        _socket(key).send(one.gate.encode(message, now_ns))
    except ConnectionRefusedError:
        one.is_refused = True
    except OSError as fault:
        one.fault = fault.strerror or str(fault)


def _receive(key: selectors.SelectorKey, now_ns: int) -> None:
    one: Probe = key.data
    try:
        one.gate.admit(_socket(key).recv(65535), now_ns)
    except ConnectionRefusedError:
        one.is_refused = True
    except (OSError, MessageError):
        return  # sealed with another key, or nothing of ours
    else:
        one.answered_ms = (now_ns - one.sent_ns) / 1e6


def _socket(key: selectors.SelectorKey) -> socket.socket:
    assert isinstance(key.fileobj, socket.socket)
    return key.fileobj
