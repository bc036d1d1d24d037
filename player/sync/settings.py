"""What a node is told at its start, and what it hands out to be sent."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from fractions import Fraction

from player.sync.messages import MAX_NODES, Message

Address = Hashable

# How far ahead of the tick on which the leader takes a command its state takes effect: its five
# datagrams go out within 120 ms, and an operator waits no longer than need be.
LEAD_MS = 160


class SyncError(Exception):
    """Clock sync is asked for what it cannot do; str() is a sentence."""


@dataclass(frozen=True)
class Peer:
    """A node of the list: its name, and where to send to (None: until it is heard)."""

    name: str
    address: Address | None = None


@dataclass(frozen=True)
class SyncSettings:
    """name: this node's own. nodes: all, this one too, in the order in which they take over.

    broadcast: where beacons and cues go instead of to each node. show_hash: only nodes with the
    same one follow each other. key: shared secret, or None.
    """

    name: str
    nodes: tuple[Peer, ...]
    show_hash: str = ""
    broadcast: Address | None = None
    key: bytes | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The nodes' names, in order. Raises SyncError for a list that cannot be."""
        names = tuple(peer.name for peer in self.nodes)
        if names.count(self.name) != 1 or len(set(names)) != len(names):
            raise SyncError(
                f"The node {self.name!r} is not in the list of nodes, or a name stands twice: "
                f"{', '.join(names)}."
            )
        if len(names) > MAX_NODES:
            raise SyncError(f"{len(names)} nodes are too many; at most {MAX_NODES}.")
        return names


@dataclass(frozen=True)
class Outgoing:
    """A message and where to; `SyncNode.encode` makes its datagram at the moment of sending."""

    message: Message
    destinations: tuple[Address, ...]


def lead_ticks(fps: Fraction, lead_ms: int = LEAD_MS) -> int:
    """A lead in whole ticks, rounded up: 5 at 30 fps, 167 ms."""
    return -(-lead_ms * fps.numerator // (1000 * fps.denominator))
