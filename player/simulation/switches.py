"""Every command of the simulated operator, and whether each machine obeyed it on its frame."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from player.simulation.machine import Machine
from player.simulation.world import World

NS_PER_S = 1_000_000_000
# A machine that lacks a switch on its tick may still get it in this time; then it was late only.
GRACE_NS = 2 * NS_PER_S
# Commands are given until so long before the end.
LAST_NS = 10 * NS_PER_S


@dataclass
class Switches:
    """given_ns, effect_ns: true times by switch; effect: the last machine to reach its tick.

    late: some machine reached the tick of effect without it. missed: and did not get it in two
    seconds more. void: its own machine, or the network between the sides, changed meanwhile, so
    that nobody could promise it.
    """

    world: World
    is_excused: Callable[[int], bool]
    given_ns: dict[int, int] = field(default_factory=dict)
    effect_ns: dict[int, int] = field(default_factory=dict)
    late: set[int] = field(default_factory=set)
    missed: set[int] = field(default_factory=set)
    void: set[int] = field(default_factory=set)
    _changed_ns: int = -(10**18)
    _origin: dict[int, int] = field(default_factory=dict)
    _proposals: dict[int, int] = field(default_factory=dict)

    def plan(self, count: int, start_ns: int, end_ns: int, rng: random.Random) -> None:
        """So many commands, at random times, on machines that no fault has befallen."""
        for switch in range(1, count + 1):
            when_ns = rng.randrange(start_ns, max(start_ns + 1, end_ns - LAST_NS))
            self.world.at(when_ns, partial(self._give, switch, rng.random()))

    def sides_changed(self) -> None:
        """The network has been parted or healed, now."""
        self._changed_ns = self.world.now_ns

    def machine_failed(self, place: int) -> None:
        """What was given at a machine in its last second with the others may be lost with it."""
        for switch, origin in self._origin.items():
            if origin == place and self.world.now_ns - self.given_ns[switch] < NS_PER_S:
                self.void.add(switch)

    def proposed(self, leader: Machine, tick: int, switches: tuple[int, ...], true_ns: int) -> None:
        """A leader made a state: look at every machine on its side when it reaches the tick."""
        for switch in switches:
            # one leader may be gone before it could tell; what counts is what the next one says
            self.effect_ns.pop(switch, None)
            self.late.discard(switch)
            self._proposals[switch] = true_ns
        for machine in self.world.machines:
            is_near = self.world.network.is_joined(leader.place, machine.place)
            if machine.is_running and is_near and not self.is_excused(machine.place):
                reached_ns = machine.true_of_tick(tick)
                self.world.at(reached_ns, partial(self._check, machine, tick, switches, true_ns))

    def finish(self) -> None:
        """Commands that no leader ever took are missed, and so are those not obeyed by all."""
        nowhere = self.given_ns.keys() - self.effect_ns.keys()
        self.missed |= nowhere - self.void
        self.late |= self.missed
        self.late -= self.void
        self.missed -= self.void

    def latencies_ms(self, otherwise_ms: float) -> list[float]:
        """From command to the tick of effect on the last machine; `otherwise_ms` for the missed."""
        return [
            otherwise_ms if switch in self.missed else (self.effect_ns[switch] - given_ns) / 1e6
            for switch, given_ns in self.given_ns.items()
            if switch not in self.void
        ]

    def _give(self, switch: int, chance: float) -> None:
        places = [
            machine.place
            for machine in self.world.machines
            if machine.is_running and not self.is_excused(machine.place)
        ]
        if not places:
            self.world.at(self.world.now_ns + NS_PER_S, partial(self._give, switch, chance))
            return
        place = places[int(chance * len(places))]
        self.given_ns[switch] = self.world.now_ns
        self._origin[switch] = place
        self.world.command(place, switch)

    def _check(
        self, machine: Machine, tick: int, switches: tuple[int, ...], proposed_ns: int
    ) -> None:
        if not self._counts(machine):
            return
        for switch in switches:
            if self._proposals[switch] != proposed_ns:
                continue
            self.effect_ns[switch] = max(self.effect_ns.get(switch, 0), self.world.now_ns)
            if not machine.has_switch(switch, tick):
                self.late.add(switch)
                again = partial(self._check_again, machine, switch, proposed_ns)
                self.world.at(self.world.now_ns + GRACE_NS, again)

    def _check_again(self, machine: Machine, switch: int, proposed_ns: int) -> None:
        if self._changed_ns >= proposed_ns:
            self.void.add(switch)
        elif self._counts(machine) and not machine.has_switch(switch):
            self.missed.add(switch)

    def _counts(self, machine: Machine) -> bool:
        return machine.is_running and not self.is_excused(machine.place)
