"""What happens in a simulated week: a seeded stream of commands, faults and clock steps."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from player import commands
from player.commands import TransportCommand
from shows.show import Show

Kind = Literal[
    "command", "death", "hang", "film gap", "slow film", "overload", "restart", "clock step"
]

# Of each, on average, in a day; a burst is twelve commands within two seconds.
A_DAY = {
    "command": 1500,
    "burst": 40,
    "pause": 24,
    "blackout": 30,
    "death": 150,
    "hang": 60,
    "film gap": 80,
    "slow film": 40,
    "overload": 50,
    "restart": 20,
    "clock step": 12,
}
DAY_S = 86_400
BURST_COMMANDS, BURST_S = 12, 2.0


@dataclass(frozen=True, order=True)
class Event:
    """At a tick. value: how many times slower (overload), seconds (clock step), else unused;
    ticks: for how long, or until the next one is there."""

    tick: int
    kind: Kind
    ticks: int = 0
    value: float = 0.0
    command: TransportCommand | None = None


def stream_of(show: Show, rng: random.Random, first_tick: int, ticks: int) -> tuple[Event, ...]:
    """All events of so many ticks from first_tick on, in order of their ticks."""
    per_s = float(show.settings.fps)
    share = ticks / (DAY_S * per_s)
    events: list[Event] = []

    def at_random() -> int:
        return first_tick + rng.randrange(max(ticks, 1))

    def lasting(least_s: float, most_s: float) -> int:
        return round(rng.uniform(least_s, most_s) * per_s)

    def each(name: str) -> range:
        wanted = A_DAY[name] * share
        return range(int(wanted) + (rng.random() < wanted % 1))

    def add(kind: Kind, length: int = 0, value: float = 0.0) -> None:
        events.append(Event(at_random(), kind, length, value))

    events += [Event(at_random(), "command", command=_asked(show, rng)) for _ in each("command")]
    for _ in each("burst"):
        start = at_random()
        events += [
            Event(start + lasting(0, BURST_S), "command", command=_asked(show, rng))
            for _ in range(BURST_COMMANDS)
        ]
    events += _pairs(each("pause"), at_random, lambda: lasting(0.1, 60), _PAUSES)
    events += _pairs(each("blackout"), at_random, lambda: lasting(0.1, 120), _BLACKOUTS)
    for _ in each("death"):
        add("death", lasting(0.5, 10))
    for _ in each("hang"):
        add("hang", lasting(0.3, 2), rng.uniform(0.5, 10))
    for _ in each("film gap"):
        add("film gap", lasting(0.05, 20))
    for _ in each("slow film"):
        add("slow film", lasting(0.05, 5))
    for _ in each("overload"):
        add("overload", lasting(5, 120), rng.uniform(1.2, 12))
    for _ in each("restart"):
        add("restart", lasting(0.3, 3))
    for _ in each("clock step"):
        add("clock step", 0, rng.choice((0.2, -0.2, 2, -2, 3600, -3600, 10_000, -10_000)))
    return tuple(sorted(events, key=lambda event: event.tick))


_Pair = tuple[TransportCommand, TransportCommand]
_PAUSES: _Pair = (commands.Pause(), commands.Play())
_BLACKOUTS: _Pair = (commands.Blackout(True), commands.Blackout(False))


def _pairs(
    times: range, at_random: Callable[[], int], lasting: Callable[[], int], pair: _Pair
) -> list[Event]:
    events: list[Event] = []
    for _ in times:
        start = at_random()
        events.append(Event(start, "command", command=pair[0]))
        events.append(Event(start + lasting(), "command", command=pair[1]))
    return events


def _asked(show: Show, rng: random.Random) -> TransportCommand:
    """What an operator might send; more often than not a ballad for one screen."""
    ballad, screen = rng.choice(show.ballad_ids), rng.randrange(len(show.settings.screens))
    choices: tuple[TransportCommand, ...] = (
        commands.SetScreenBallad(screen, ballad),
        commands.SetScreenBallad(screen, ballad),
        commands.SetScreenBallad(screen, ballad),
        commands.SetBallad(ballad),
        commands.EachOwn(),
        commands.NextBallad(),
        commands.PreviousBallad(),
        commands.Identify(None, rng.random() < 0.5),
        commands.ShowCard(rng.random() < 0.5),
    )
    return rng.choice(choices)
