"""Discrete events: machines, a network, faults, an operator. Nothing sleeps; nothing reads time."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from player.simulation.machine import Machine, datagrams
from player.simulation.network import DriftingClock, Network, NetworkSettings

NS_PER_S = 1_000_000_000
WANDER_EVERY_NS = 10 * NS_PER_S


@dataclass(frozen=True)
class WorldSettings:
    """ppm: the machines' clock rates; None: drawn within +-100. wander_ppm: per ten seconds."""

    nodes: int = 7
    network: NetworkSettings = field(default_factory=NetworkSettings)
    seed: int = 1
    ppm: tuple[float, ...] | None = None
    wander_ppm: float = 0.02
    key: bytes | None = None


class Watcher(Protocol):
    """Who measures: told what happens, at true times."""

    def proposed(self, leader: Machine, tick: int, switches: tuple[int, ...], true_ns: int) -> None:
        """A leader's frame loop made a state of switches, in effect on a tick."""
        ...


class World:
    """All machines and the events to come."""

    def __init__(self, settings: WorldSettings) -> None:
        self.rng = random.Random(settings.seed)
        self.now_ns = 0
        self.watcher: Watcher | None = None
        self.network = Network(settings.network, random.Random(settings.seed + 1))
        names = tuple(f"node-{n + 1}" for n in range(settings.nodes))
        rng = self.rng
        self.machines = [
            Machine(
                place,
                names,
                DriftingClock(
                    local_ns=rng.randrange(1, 10**15),
                    ppm=settings.ppm[place] if settings.ppm else rng.uniform(-100, 100),
                ),
                settings.key,
            )
            for place in range(settings.nodes)
        ]
        self._wander_ppm = settings.wander_ppm
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        if settings.wander_ppm:
            self.at(WANDER_EVERY_NS, self._wander)

    def at(self, true_ns: int, act: Callable[[], None]) -> None:
        """Plan an event; one of the past happens next."""
        self._count += 1
        heapq.heappush(self._events, (max(true_ns, self.now_ns), self._count, act))

    def run(self, until_ns: int) -> None:
        """Let everything happen up to a true time."""
        while self._events and self._events[0][0] <= until_ns:
            self.now_ns, _, act = heapq.heappop(self._events)
            act()
        self.now_ns = until_ns

    def start(self, place: int) -> None:
        """Start a machine's process, now."""
        machine = self.machines[place]
        machine.start(self.now_ns, random.Random(self.rng.getrandbits(60)))
        self._after(machine, [])

    def kill(self, place: int) -> None:
        """End a machine's process, now; one that was suspended runs again, as after a reset."""
        machine = self.machines[place]
        machine.clock.resume(self.now_ns)
        machine.kill()

    def suspend(self, place: int) -> None:
        """Suspend a machine that runs, now: its clock stands, and datagrams wait."""
        machine = self.machines[place]
        if machine.node is None:
            return
        machine.clock.suspend(self.now_ns)
        machine.is_suspended = True

    def resume(self, place: int) -> None:
        """Wake a suspended machine, now; nothing if it has been reset meanwhile."""
        machine = self.machines[place]
        if not machine.is_suspended:
            return
        machine.clock.resume(self.now_ns)
        machine.is_suspended = False
        machine.planned_ns = None
        waiting, machine.buffered = machine.buffered, []
        for datagram, sender in waiting:
            self._deliver(machine, datagram, sender)
        self._advance(machine, machine.wake)

    def jump(self, place: int, by_ns: int) -> None:
        """Set a machine's clock to another time, now."""
        machine = self.machines[place]
        machine.clock.jump(self.now_ns, by_ns)
        machine.planned_ns = None
        self._plan(machine)

    def command(self, place: int, switch: int) -> None:
        """An operator gives a command at a machine, now."""
        machine = self.machines[place]
        assert machine.node is not None
        machine.node.forward(str(switch), machine.clock.local(self.now_ns))
        self._advance(machine, machine.wake)

    def _advance(self, machine: Machine, wake: int) -> None:
        if machine.wake != wake or not machine.is_running or machine.node is None:
            return
        machine.planned_ns = None
        local_ns = machine.clock.local(self.now_ns)
        outgoing = machine.node.advance(local_ns)
        self._after(machine, datagrams(machine.node, outgoing, local_ns))

    def _deliver(self, machine: Machine, datagram: bytes, sender: int) -> None:
        if machine.node is None:
            return
        if machine.is_suspended:
            machine.buffer(datagram, sender)
            return
        local_ns = machine.clock.local(self.now_ns)
        outgoing = machine.node.receive(datagram, sender, local_ns)
        self._after(machine, datagrams(machine.node, outgoing, local_ns))

    def _after(self, machine: Machine, sent: list[tuple[int, bytes]]) -> None:
        """What follows from every doing of a node: datagrams, its next due time, its player."""
        for to, data in sent:
            receiver = self.machines[to]
            for when_ns in self.network.arrivals_ns(machine.place, to, self.now_ns):
                self.at(when_ns, partial(self._deliver, receiver, data, machine.place))
        self._plan(machine)
        node = machine.node
        if node is None or node.role != "leader" or machine.looks_at_ns is not None:
            return
        if node.has_commands() or node.newest_state is None:
            # its frame loop looks once a tick
            look_ns = machine.true_of_tick(machine.tick(self.now_ns) + 1)
            machine.looks_at_ns = look_ns
            self.at(look_ns, partial(self._play, machine))

    def _plan(self, machine: Machine) -> None:
        if machine.node is None or machine.node.next_due_ns is None or machine.is_suspended:
            return
        due_ns = machine.clock.true(machine.node.next_due_ns)
        if machine.planned_ns is not None and machine.planned_ns <= due_ns:
            return  # it wakes before that, and plans anew
        machine.planned_ns = due_ns
        machine.wake += 1
        wake = machine.wake
        self.at(due_ns, partial(self._advance, machine, wake))

    def _play(self, machine: Machine) -> None:
        machine.looks_at_ns = None
        if not machine.is_running:
            return
        made = machine.play(self.now_ns)
        if made is not None and self.watcher is not None:
            self.watcher.proposed(machine, *made, self.now_ns)
        self._advance(machine, machine.wake)

    def _wander(self) -> None:
        for machine in self.machines:
            if not machine.is_suspended:
                machine.clock.wander(self.now_ns, self.rng.gauss(0, self._wander_ppm))
        self.at(self.now_ns + WANDER_EVERY_NS, self._wander)
