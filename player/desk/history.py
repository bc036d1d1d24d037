"""What was worst in every five seconds of the last ten minutes. Pure: times are handed in, in ns of
one monotonic clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from player.osc.rows import Value

SAMPLE_NS = 5_000_000_000
MOST_SAMPLES = 120  # ten minutes
MINUTE = 12  # samples
COUNTED = ("/status/late", "/status/dropped")
FRAME_TIME = "/status/frame-time/worst"
LATENESS = "/status/lateness/worst"
SKEW = "/status/skew"


@dataclass(frozen=True)
class Sample:
    """Of five seconds. lost: frames late or dropped in them, None while the player was silent.
    worst: the most of each measured address, in its unit; those that were not told are absent."""

    lost: int | None
    worst: Mapping[str, float] = field(default_factory=dict)


@dataclass
class History:
    """`hear` every value that comes, `tend` now and then; `samples` has the newest last."""

    samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=MOST_SAMPLES))
    _counted: int | None = None
    _sampled_ns: int | None = None
    _worst: dict[str, float] = field(default_factory=dict)

    def copy(self) -> History:
        """One that later values do not change."""
        return replace(self, samples=self.samples.copy(), _worst=dict(self._worst))

    def hear(self, address: str, value: Value) -> None:
        """Below 0 the player says that nothing is known."""
        if address in (FRAME_TIME, LATENESS, SKEW) and not isinstance(value, str) and value >= 0:
            self._worst[address] = max(self._worst.get(address, 0.0), float(value))

    def tend(self, values: Mapping[str, Value], now_ns: int, *, silent: bool) -> None:
        """Every five seconds another sample. values: what the player said last."""
        if self._sampled_ns is not None and now_ns - self._sampled_ns < SAMPLE_NS:
            return
        told = (values.get(address, 0) for address in COUNTED)
        counted = sum(int(count) for count in told if not isinstance(count, str))
        if self._counted is not None:
            # a player that was started again counts from nothing
            since = counted - self._counted if counted >= self._counted else counted
            self.samples.append(Sample(None if silent else since, self._worst))
        self._counted, self._sampled_ns, self._worst = counted, now_ns, {}
        if not silent:  # what stays as it is is not told again
            for address in (FRAME_TIME, LATENESS, SKEW):
                self.hear(address, values.get(address, ""))

    def lost_in_last_minute(self) -> int:
        """Frames late or dropped."""
        return sum(sample.lost or 0 for sample in list(self.samples)[-MINUTE:])

    def of(self, address: str) -> tuple[float | None, ...]:
        """The worst of every sample, None where it is not known."""
        return tuple(sample.worst.get(address) for sample in self.samples)

    def lost(self) -> tuple[float | None, ...]:
        """Frames late or dropped in every sample, None where it is not known."""
        return tuple(sample.lost for sample in self.samples)
