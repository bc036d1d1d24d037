"""How fast and how punctual the last second was. The frame loop hands in ticks and times."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from statistics import median

UNKNOWN = -1.0


@dataclass(frozen=True)
class Pace:
    """Of one whole second of ticks; until the first is over 0 frames and UNKNOWN milliseconds.

    fps: frames presented a second. frame_ms: what a frame took from waking until it was drawn,
    without waiting for its time or for the monitor. late_ms: from when it was due until it was
    presented; 0 for one before its time. Of each the median and the worst.
    """

    fps: float = 0.0
    frame_ms: float = UNKNOWN
    worst_frame_ms: float = UNKNOWN
    late_ms: float = UNKNOWN
    worst_late_ms: float = UNKNOWN


class PaceMeter:
    """Counts by ticks and not by the times of presents: of frames that are shown a moment early or
    late 31 may lie within 1000 ms, but of 30 ticks no more than 30 can be presented."""

    def __init__(self, fps: Fraction) -> None:
        self._fps = fps
        self._ticks = max(1, round(fps))  # of a second
        self._begin: int | None = None
        self._frame_ns: list[int] = []
        self._late_ns: list[int] = []
        self.pace = Pace()

    def presented(self, tick: int, frame_ns: int, late_ns: int) -> None:
        """Once for every tick that is presented, in their order; a clock may be set back."""
        if self._begin is None or tick < self._begin:
            self._begin_at(tick)
        elif tick >= self._begin + self._ticks:
            self._sum_up()
            self._begin_at(tick - (tick - self._begin) % self._ticks)
        self._frame_ns.append(frame_ns)
        self._late_ns.append(late_ns)

    def _begin_at(self, tick: int) -> None:
        self._begin = tick
        self._frame_ns.clear()
        self._late_ns.clear()

    def _sum_up(self) -> None:
        self.pace = Pace(
            float(len(self._late_ns) * self._fps / self._ticks),
            *_median_and_worst_ms(self._frame_ns),
            *_median_and_worst_ms(self._late_ns),
        )


def _median_and_worst_ms(durations_ns: list[int]) -> tuple[float, float]:
    return max(0.0, median(durations_ns) / 1e6), max(0.0, max(durations_ns) / 1e6)
