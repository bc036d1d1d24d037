"""What is measured of a simulated house: spread, agreement, failover, jumps of the frame number."""

from __future__ import annotations

import random
from collections import Counter
from functools import partial

from player.simulation.faults import LEADER, SETTLING_S, Fault
from player.simulation.machine import FPS, Machine
from player.simulation.switches import Switches
from player.simulation.world import World

NS_PER_S = 1_000_000_000
FRAME_NS = round(NS_PER_S / FPS)
BORDER_NS = 1_000_000
POLL_NS = 5_000_000
# A failover that has not come after this time is counted as having taken so long.
WATCHED_NS = 60 * NS_PER_S
JUMP_FRAMES = 1.5  # counting by whole frames may differ by one
SETTLED_NS = 1_000_000
_FOR_EVER = 10**20


class Measures:
    """Applies the faults, samples the machines about ten times a second, keeps the figures."""

    def __init__(self, world: World, rng: random.Random) -> None:
        self.world = world
        self.rng = rng
        self.spread_ms: list[float] = []
        self.samples = 0
        self.agreeing = 0
        self.jumps = 0
        self.failover_s: list[float] = []
        self.settled_s: list[float] = []
        self.switches = Switches(world, self.is_excused)
        world.watcher = self.switches
        nodes = len(world.machines)
        self._excused_until_ns = [round(SETTLING_S * NS_PER_S)] * nodes
        self._last: list[tuple[int, int] | None] = [None] * (nodes + 1)
        self._settling: dict[int, int] = {}
        world.at(round(SETTLING_S * NS_PER_S), self._sample)

    def is_excused(self, place: int) -> bool:
        """Whether a fault befalls a machine, or did less than ten seconds ago."""
        return self.world.now_ns < self._excused_until_ns[place]

    def plan(self, faults: tuple[Fault, ...]) -> None:
        """Let these happen."""
        for fault in faults:
            self.world.at(round(fault.start_s * NS_PER_S), partial(self._begin, fault))

    def acting_leader(self) -> Machine | None:
        """Whom most machines follow, if it runs; of several the earliest in the list."""
        names = Counter(
            machine.node.leader_name
            for machine in self._members()
            if machine.node is not None and machine.node.leader_name is not None
        )
        if not names:
            return None
        most = max(names.values())
        for machine in self.world.machines:
            if machine.node is not None and names.get(machine.node.name) == most:
                return machine if machine.is_running else None
        return None

    def _members(self) -> list[Machine]:
        return [m for m in self.world.machines if m.is_running and not self.is_excused(m.place)]

    def _sample(self) -> None:
        self.world.at(
            self.world.now_ns + round(self.rng.uniform(0.05, 0.15) * NS_PER_S), self._sample
        )
        now_ns = self.world.now_ns
        members = self._members()
        houses = sorted(machine.house_ns(now_ns) for machine in members)
        if len(houses) > 1:
            self.spread_ms.append((houses[-1] - houses[0]) / 1e6)
            phase_ns = houses[len(houses) // 2] % FRAME_NS
            if BORDER_NS < phase_ns < FRAME_NS - BORDER_NS:
                self.samples += 1
                ticks = {machine.tick(now_ns) for machine in members}
                self.agreeing += len(ticks) == 1
        shown: list[int | None] = [None] * len(self._last)
        for machine in members:
            shown[machine.place] = machine.tick(now_ns)
        leader = self.acting_leader()
        if leader is not None:
            if not self.is_excused(leader.place):
                shown[-1] = leader.tick(now_ns)
            self._note_settled(leader)
        for place, tick in enumerate(shown):
            self._note_jump(place, tick)

    def _note_jump(self, place: int, tick: int | None) -> None:
        """Jumps of a machine, or (the last place) of whoever leads the wall."""
        before, now_ns = self._last[place], self.world.now_ns
        if tick is None:
            if place < len(self.world.machines):
                self._last[place] = None
            return
        if before is not None:
            due_frames = float((now_ns - before[0]) * FPS / NS_PER_S)
            self.jumps += abs(tick - before[1] - due_frames) > JUMP_FRAMES
        self._last[place] = (now_ns, tick)

    def _note_settled(self, leader: Machine) -> None:
        now_ns = self.world.now_ns
        for place, since_ns in list(self._settling.items()):
            machine = self.world.machines[place]
            if machine.node is None or not machine.is_running or not machine.node.is_locked:
                continue
            if abs(machine.house_ns(now_ns) - leader.house_ns(now_ns)) < SETTLED_NS:
                self.settled_s.append((now_ns - since_ns) / 1e9)
                del self._settling[place]

    # -- faults -----------------------------------------------------------------------------

    def _begin(self, fault: Fault) -> None:
        world = self.world
        leader = self.acting_leader()
        leads = 0 if leader is None else leader.place
        places = [leads if place == LEADER else place for place in fault.places]
        if fault.kind == "partition":
            self._part(places, leads)
        else:
            for place in places:
                self.switches.machine_failed(place)
                self._excused_until_ns[place] = _FOR_EVER
                if fault.kind == "death":
                    world.kill(place)
                elif fault.kind == "suspension":
                    world.suspend(place)
                elif fault.kind == "clock jump":
                    world.jump(place, round(fault.jump_ms * 1e6))
            if fault.kind in ("death", "suspension") and leads in places:
                self._watch_failover(world.now_ns)
        end_ns = round(fault.end_s * NS_PER_S)
        world.at(end_ns, partial(self._end, fault, places))

    def _part(self, side: list[int], leads: int) -> None:
        others = [m.place for m in self.world.machines if m.place not in side]
        self.world.network.part([others, side])
        self.switches.sides_changed()
        # those on the smaller side are the parted ones; of two equal ones, the later in the list
        smaller = min(side, others, key=lambda group: (len(group), -min(group, default=0)))
        for place in smaller:
            self.switches.machine_failed(place)
            self._excused_until_ns[place] = _FOR_EVER
        if leads in smaller:
            self._watch_failover(self.world.now_ns)

    def _end(self, fault: Fault, places: list[int]) -> None:
        world = self.world
        befallen = [n for n, until in enumerate(self._excused_until_ns) if until == _FOR_EVER]
        if fault.kind == "partition":
            world.network.part([])
            self.switches.sides_changed()
        else:
            for place in places:
                if fault.kind in ("death", "late start"):
                    world.start(place)
                elif fault.kind == "suspension":
                    world.resume(place)
            befallen = places
        for place in befallen:
            self._excused_until_ns[place] = world.now_ns + round(SETTLING_S * NS_PER_S)
            self._settling[place] = world.now_ns

    def _watch_failover(self, since_ns: int) -> None:
        """Poll until all that are left follow one that runs."""
        now_ns = self.world.now_ns
        members = self._members()
        names = {machine.node.leader_name for machine in members if machine.node is not None}
        leader = self.acting_leader()
        is_over = len(names) == 1 and leader is not None and leader in members
        if is_over or now_ns - since_ns > WATCHED_NS:
            self.failover_s.append((now_ns - since_ns) / 1e9)
            return
        self.world.at(now_ns + POLL_NS, partial(self._watch_failover, since_ns))
