"""One simulated machine: its clock, the player's own SyncNode on it, and what a player does."""

from __future__ import annotations

import random
from fractions import Fraction

from player.simulation.network import DriftingClock
from player.sync.node import SyncNode
from player.sync.settings import Outgoing, Peer, SyncSettings, lead_ticks
from shows.timebase import frame_to_ns, ns_to_frame

FPS = Fraction(30)
AHEAD_TICKS = lead_ticks(FPS)
# A state is told with this many bytes, about what a show of seven screens takes.
STATE_BYTES = 700
KEPT_SWITCHES = 40
_BUFFERED = 64  # datagrams that a suspended machine's socket holds


class Machine:
    """A machine that can be started, killed, suspended and resumed."""

    def __init__(
        self, place: int, names: tuple[str, ...], clock: DriftingClock, key: bytes | None
    ) -> None:
        self.place = place
        self.clock = clock
        self.node: SyncNode | None = None
        self.is_suspended = False
        self.buffered: list[tuple[bytes, int]] = []
        self.wake = 0  # counts what was planned; only the newest plan counts
        self.planned_ns: int | None = None
        self.looks_at_ns: int | None = None
        peers = tuple(Peer(name, n) for n, name in enumerate(names))
        self._settings = SyncSettings(names[place], peers, show_hash="one", key=key)

    @property
    def is_running(self) -> bool:
        """Neither dead nor suspended."""
        return self.node is not None and not self.is_suspended

    def start(self, true_ns: int, rng: random.Random) -> None:
        """A fresh process, which knows nothing."""
        local_ns = self.clock.local(true_ns)
        self.node = SyncNode(self._settings, rng=rng, local_ns=local_ns)
        self.buffered, self.planned_ns = [], None

    def kill(self) -> None:
        """The process is gone, with all it knew."""
        self.node, self.is_suspended, self.buffered = None, False, []

    def buffer(self, datagram: bytes, sender: int) -> None:
        """What arrives while it is suspended waits in the socket, as much as fits."""
        if len(self.buffered) < _BUFFERED:
            self.buffered.append((datagram, sender))

    def house_ns(self, true_ns: int) -> int:
        """Its house time; it must run."""
        assert self.node is not None
        return self.node.house_ns(self.clock.local(true_ns))

    def tick(self, true_ns: int) -> int:
        """The frame number of the house clock that its screens show."""
        return ns_to_frame(self.house_ns(true_ns), FPS)

    def true_of_tick(self, tick: int) -> int:
        """The true time at which it reaches a tick, as its clocks run now."""
        assert self.node is not None
        return self.clock.true(self.node.local_ns_of(frame_to_ns(tick, FPS)))

    def play(self, true_ns: int) -> tuple[int, tuple[int, ...]] | None:
        """The leader's frame loop on a tick: commands become a state that takes effect later.

        Returns the tick of effect and the switches in it, or None if there was nothing to do.
        """
        node = self.node
        if node is None or node.role != "leader":
            return None
        commands = node.take_commands()
        newest = node.newest_state
        if not commands and newest is not None:
            return None
        switches = switches_of("" if newest is None else newest.text)
        new = tuple(int(command) for command in commands)
        text = " ".join(str(one) for one in (*switches, *new)[-KEPT_SWITCHES:])
        effective_tick = self.tick(true_ns) + AHEAD_TICKS
        node.propose(text.rjust(STATE_BYTES, "."), effective_tick, self.clock.local(true_ns))
        return effective_tick, new

    def has_switch(self, switch: int, tick: int | None = None) -> bool:
        """Whether its state on a tick, or the newest one, holds a switch."""
        assert self.node is not None
        state = self.node.newest_state if tick is None else self.node.state_at(tick)
        return state is not None and switch in switches_of(state.text)


def switches_of(text: str) -> tuple[int, ...]:
    """The switches that a simulated state holds: its text is their numbers after some dots."""
    return tuple(int(word) for word in text.lstrip(".").split())


def datagrams(node: SyncNode, outgoing: list[Outgoing], local_ns: int) -> list[tuple[int, bytes]]:
    """Receiver and bytes of what a node sends now."""
    sent: list[tuple[int, bytes]] = []
    for out in outgoing:
        data = node.encode(out, local_ns)
        sent += [(to, data) for to in out.destinations if isinstance(to, int)]
    return sent
