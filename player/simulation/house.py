"""A simulated night: an hour of seven machines with faults, and an hour of holdover. To figures."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from player.simulation.faults import schedule
from player.simulation.machine import FPS
from player.simulation.measures import Measures
from player.simulation.network import NetworkSettings
from player.simulation.world import World, WorldSettings

NS_PER_S = 1_000_000_000
STARTS_WITHIN_S = 2.0
LOCK_S = 600
HOLDOVER_S = 3600
HOLDOVER_PPM = (-50.0, 50.0, -50.0, 50.0)

Progress = Callable[[int], object]
"""Told the simulated seconds done since the last call."""


@dataclass(frozen=True)
class NightSettings:
    """is_sabotaged: every datagram is thrown away, so that each machine runs by its own clock."""

    nodes: int = 7
    loss: float = 0.05
    seconds: int = 3600
    switches: int = 1000
    seed: int = 1
    has_faults: bool = True
    is_sabotaged: bool = False
    key: bytes | None = None

    @property
    def network(self) -> NetworkSettings:
        """The network of this night."""
        return NetworkSettings(loss=1.0 if self.is_sabotaged else self.loss)


def simulate_night(
    settings: NightSettings, progress: Progress = lambda _: None
) -> dict[str, object]:
    """The figures of a night, see docs/sync.md; a figure that never came counts as the longest."""
    world = World(WorldSettings(settings.nodes, settings.network, settings.seed, key=settings.key))
    rng = random.Random(settings.seed + 2)
    measures = Measures(world, rng)
    faults = schedule(settings.nodes, settings.seconds, rng) if settings.has_faults else ()
    late = {place for fault in faults if fault.kind == "late start" for place in fault.places}
    measures.plan(faults)
    for place in range(settings.nodes):
        if place not in late:
            boot_ns = round(rng.uniform(0, STARTS_WITHIN_S) * NS_PER_S)
            world.at(boot_ns, partial(world.start, place))
    end_ns = settings.seconds * NS_PER_S
    measures.switches.plan(settings.switches, 12 * NS_PER_S, end_ns, rng)
    _run(world, settings.seconds, progress)
    switches = measures.switches
    switches.finish()
    latencies_ms = switches.latencies_ms(settings.seconds * 1e3)
    return {
        "spread_ms": {
            "p50": percentile(measures.spread_ms, 50),
            "p99": percentile(measures.spread_ms, 99),
            "max": percentile(measures.spread_ms, 100),
        },
        "agreement": measures.agreeing / max(1, measures.samples),
        "samples": measures.samples,
        "switches": len(switches.given_ns),
        "switches_missed": len(switches.missed),
        "switches_late": len(switches.late),
        "switches_void": len(switches.void),
        "command_ms": {
            "p50": percentile(latencies_ms, 50),
            "p99": percentile(latencies_ms, 99),
        },
        "failovers": len(measures.failover_s),
        "failover_s_max": max(measures.failover_s, default=0.0),
        "index_jumps": measures.jumps,
        "settled_s_max": max(measures.settled_s, default=0.0),
        "faults": dict(Counter(fault.kind for fault in faults)),
    }


def simulate_holdover(
    settings: NightSettings,
    *,
    lock_s: int = LOCK_S,
    holdover_s: int = HOLDOVER_S,
    progress: Progress = lambda _: None,
) -> dict[str, object]:
    """Frames that four machines of +-50 ppm are apart after an hour without the network."""
    network = settings.network
    world = World(
        WorldSettings(len(HOLDOVER_PPM), network, settings.seed, HOLDOVER_PPM, key=settings.key)
    )
    for place in range(len(HOLDOVER_PPM)):
        world.start(place)
    _run(world, lock_s, progress)
    world.network.part([[place] for place in range(len(HOLDOVER_PPM))])
    _run(world, holdover_s, progress)
    houses = [machine.house_ns(world.now_ns) for machine in world.machines]
    apart_ns = max(houses) - min(houses)
    return {"holdover_frames": float(apart_ns * FPS / NS_PER_S), "holdover_ms": apart_ns / 1e6}


def percentile(values: list[float], share: int) -> float:
    """The value that `share` of a hundred do not exceed; 0 for none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


def _run(world: World, seconds: int, progress: Progress) -> None:
    start_ns = world.now_ns
    done_s = 0
    while done_s < seconds:
        step_s = min(10, seconds - done_s)
        done_s += step_s
        world.run(start_ns + done_s * NS_PER_S)
        progress(step_s)
