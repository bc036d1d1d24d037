"""Faults of a house, as a list drawn from a seed: what happens, when, to whom. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

FaultKind = Literal["death", "suspension", "partition", "clock jump", "late start"]
SETTLING_S = 10.0


@dataclass(frozen=True)
class Fault:
    """kind; start_s and end_s in true seconds; places: the machines it befalls.

    A leader's place is -1: whoever leads then. jump_ms: of a clock.
    """

    kind: FaultKind
    start_s: float
    end_s: float
    places: tuple[int, ...]
    jump_ms: float = 0.0


LEADER = -1


def schedule(nodes: int, seconds: float, rng: random.Random) -> tuple[Fault, ...]:
    """One fault about every two minutes, of every kind in turn, with peace between them.

    Machines: the last one starts late. At least two machines stand on each side of a partition of
    four or more; one cable alone is pulled in every second one.
    """
    faults: list[Fault] = []
    if nodes < 2:
        return ()
    if nodes > 2:
        faults.append(Fault("late start", 0.0, 35.0, (nodes - 1,)))
    at_s, turn = 60.0, 0
    while at_s + 45 < seconds:
        faults.append(_fault(turn, nodes, at_s, rng))
        at_s += 120 + rng.uniform(0, 10)
        turn += 1
    return tuple(faults)


def _fault(turn: int, nodes: int, at_s: float, rng: random.Random) -> Fault:
    anyone = (rng.randrange(nodes),)
    lasting_s = rng.uniform(2, 40)
    jump_ms = rng.choice([-1, 1]) * 10 ** rng.uniform(1.8, 4.5)
    match turn % 8:
        case 0 | 4:
            return Fault("death", at_s, at_s + lasting_s, (LEADER,))
        case 1:
            side = rng.sample(range(nodes), max(1, nodes // 2))
            return Fault("partition", at_s, at_s + lasting_s, tuple(sorted(side)))
        case 2:
            return Fault("suspension", at_s, at_s + lasting_s, anyone)
        case 3:
            return Fault("clock jump", at_s, at_s, anyone, jump_ms)
        case 5:
            return Fault("partition", at_s, at_s + lasting_s, anyone)
        case 6:
            return Fault("suspension", at_s, at_s + lasting_s, (LEADER,))
        case _:
            return Fault("clock jump", at_s, at_s, (LEADER,), jump_ms)
