"""A simulated network and simulated clocks. True time is integer ns; all chance is injected."""

from __future__ import annotations

import random
from dataclasses import dataclass

NS_PER_MS = 1_000_000


@dataclass(frozen=True)
class NetworkSettings:
    """Each way takes 0.2 ms, plus an exponential 1 ms, plus 20 ms for one datagram in a hundred.

    loss, duplication, spikes: shares of the datagrams. Reordering follows from the delays.
    """

    loss: float = 0.05
    duplication: float = 0.005
    least_ms: float = 0.2
    mean_ms: float = 1.0
    spikes: float = 0.01
    spike_ms: float = 20.0


class Network:
    """When a datagram arrives, if it does; sides of a partition do not hear each other."""

    def __init__(self, settings: NetworkSettings, rng: random.Random) -> None:
        self._settings = settings
        self._rng = rng
        self._side: dict[int, int] = {}

    def part(self, sides: list[list[int]]) -> None:
        """Separate groups of machines; who stands in none is on the first side. []: healed."""
        self._side = {machine: n for n, side in enumerate(sides) for machine in side}

    def is_joined(self, one: int, other: int) -> bool:
        """Whether two machines are on one side."""
        return self._side.get(one, 0) == self._side.get(other, 0)

    def arrivals_ns(self, sender: int, receiver: int, now_ns: int) -> list[int]:
        """The true times at which a datagram sent now arrives: none, one or two."""
        settings, rng = self._settings, self._rng
        if not self.is_joined(sender, receiver) or rng.random() < settings.loss:
            return []
        copies = 2 if rng.random() < settings.duplication else 1
        return [now_ns + self._delay_ns() for _ in range(copies)]

    def _delay_ns(self) -> int:
        settings, rng = self._settings, self._rng
        delay_ms = settings.least_ms + rng.expovariate(1 / settings.mean_ms)
        if rng.random() < settings.spikes:
            delay_ms += settings.spike_ms
        return round(delay_ms * NS_PER_MS)


class DriftingClock:
    """A machine's monotonic clock: wrong in rate, and sometimes standing or jumping."""

    def __init__(self, *, local_ns: int, ppm: float, true_ns: int = 0) -> None:
        self._true_ns = true_ns
        self._local_ns = local_ns
        self._rate = ppm * 1e-6
        self._is_standing = False

    def local(self, true_ns: int) -> int:
        """What it reads at a true time not before the last change."""
        if self._is_standing:
            return self._local_ns
        passed_ns = true_ns - self._true_ns
        return self._local_ns + passed_ns + round(passed_ns * self._rate)

    def true(self, local_ns: int) -> int:
        """The true time at which it will read `local_ns`, or a ns later, while it runs as now."""
        passed_ns = local_ns - self._local_ns
        return self._true_ns + passed_ns - int(passed_ns * self._rate / (1 + self._rate)) + 1

    def wander(self, true_ns: int, by_ppm: float) -> None:
        """Its rate changes a little."""
        self._rebase(true_ns)
        self._rate += by_ppm * 1e-6

    def jump(self, true_ns: int, by_ns: int) -> None:
        """It is set to another time, as by NTP."""
        self._rebase(true_ns)
        self._local_ns += by_ns

    def suspend(self, true_ns: int) -> None:
        """It stands, as in a suspended machine."""
        self._rebase(true_ns)
        self._is_standing = True

    def resume(self, true_ns: int) -> None:
        """It runs on from where it stood, if it did."""
        if self._is_standing:
            self._true_ns = true_ns
            self._is_standing = False

    def _rebase(self, true_ns: int) -> None:
        self._local_ns = self.local(true_ns)
        self._true_ns = true_ns
