"""What was shown, and when: the counts an exhibition is judged by. Memory does not grow.

Nothing here reads time: the frame loop hands in the times of its own clock.
"""

import json
import math
from array import array
from collections.abc import Mapping
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

from shows.atomic_file import write_atomically
from shows.schema import ShowError

BIN_MS = 0.05
HIGHEST_BIN_MS = 250.0


class ReportError(Exception):
    """The report cannot be written; the text says where and why."""


class Spread:
    """Percentiles of durations in fixed bins of 0.05 ms up to 250 ms, and the exact maximum.

    A percentile is the middle of its bin, so within 0.025 ms; above 250 ms it is the maximum.
    """

    def __init__(self) -> None:
        self._counts = array("Q", bytes(8 * (round(HIGHEST_BIN_MS / BIN_MS) + 1)))
        self._total = 0
        self._max_ms = 0.0

    def add(self, duration_ms: float) -> None:
        """Count one duration; below 0 counts as 0."""
        duration_ms = max(0.0, duration_ms)
        self._counts[min(int(duration_ms / BIN_MS), len(self._counts) - 1)] += 1
        self._total += 1
        self._max_ms = max(self._max_ms, duration_ms)

    def percentile_ms(self, percent: int) -> float | None:
        """The smallest duration that `percent` of all do not exceed; None without any."""
        if self._total == 0:
            return None
        wanted = max(1, -(-self._total * percent // 100))
        up_to = accumulate(self._counts)
        number = next(n for n, seen in enumerate(up_to) if seen >= wanted)
        if number == len(self._counts) - 1:
            return self._max_ms
        return min((number + 0.5) * BIN_MS, self._max_ms)

    def as_dict(self) -> dict[str, float | None]:
        """`p50`, `p99` and `max` in ms; None each without any duration."""
        return {
            "p50": _rounded(self.percentile_ms(50)),
            "p99": _rounded(self.percentile_ms(99)),
            "max": _rounded(self._max_ms if self._total else None),
        }


class _Window:
    """Counts since a moment; what a journal keeps of every minute."""

    def __init__(self) -> None:
        self.ticks = 0
        self.sources: dict[tuple[str, ...], int] = {}  # ticks by what the screens showed
        self.intervals = Spread()
        self.lateness = Spread()

    def by_source(self) -> dict[str, int]:
        """Ticks by source, summed over the screens."""
        told: dict[str, int] = {}
        for sources, ticks in self.sources.items():
            for source in sources:
                told[source] = told.get(source, 0) + ticks
        return dict(sorted(told.items()))

    def by_screen(self) -> list[dict[str, int]]:
        """Ticks by source, of each screen."""
        screens = max(map(len, self.sources), default=0)
        told: list[dict[str, int]] = [{} for _ in range(screens)]
        for sources, ticks in self.sources.items():
            for screen, source in enumerate(sources):
                told[screen][source] = told[screen].get(source, 0) + ticks
        return told


class FrameReport:
    """Counts of one run. One `record` for every tick that was presented."""

    def __init__(self, fps: Fraction) -> None:
        self._fps = Fraction(fps)
        self._ticks = 0
        self._presented = 0
        self._late = 0
        self._repeated = 0
        self._blended = 0
        self._dropped = 0
        self._by_source: dict[str, int] = {}
        self._intervals = Spread()
        self._lateness = Spread()
        self._stages: dict[str, Spread] = {}
        self._first_frame: int | None = None
        self._last_frame: int | None = None
        self._last_presented_ns: int | None = None
        self._engine_ms_sum = 0.0
        self._engine_pictures = 0
        self._first_picture_ns: int | None = None
        self._notes: dict[str, object] = {}
        self._window = _Window()
        self._counts_before = self.counts

    def record(
        self,
        *,
        tick: int,
        frame: int,
        due_ns: int,
        presented_ns: int,
        source: str,
        repeated: bool,
        sources: tuple[str, ...] = (),
        blended: bool = False,
    ) -> None:
        """One tick was presented: `frame` was due and shown at these times of the house clock.

        `repeated`: some screen still showed an older picture because its own was not ready.
        `blended`: live pictures were two frames mixed.
        `sources`: what each screen showed, where they differ; `source` alone for all of one kind.
        A tick that shows the same frame number again, as in a pause, counts among the ticks and
        their intervals only: a frame number is presented once.
        """
        self._ticks += 1
        self._repeated += repeated
        window = self._window
        window.ticks += 1
        shown = sources or (source,)
        window.sources[shown] = window.sources.get(shown, 0) + 1
        if self._last_presented_ns is not None:
            interval_ms = (presented_ns - self._last_presented_ns) / 1e6
            self._intervals.add(interval_ms)
            window.intervals.add(interval_ms)
        self._last_presented_ns = presented_ns
        if frame == self._last_frame:
            return
        self._last_frame = frame
        if self._first_frame is None:
            self._first_frame = frame
        self._presented += 1
        self._blended += blended
        self._by_source[source] = self._by_source.get(source, 0) + 1
        self._lateness.add((presented_ns - due_ns) / 1e6)
        window.lateness.add((presented_ns - due_ns) / 1e6)
        # More than half a frame, in whole numbers: 2 * late_ns > 1e9 / fps.
        self._late += 2 * (presented_ns - due_ns) * self._fps > 1_000_000_000

    def stage(self, name: str, ns: int) -> None:
        """A stage of a tick, such as `upload`, took this long."""
        if name not in self._stages:
            self._stages[name] = Spread()
        self._stages[name].add(ns / 1e6)

    def forget_stages(self) -> None:
        """Count the stages anew."""
        self._stages.clear()

    def dropped(self, count: int) -> None:
        """`count` >= 0 frame numbers were passed over and will never be shown."""
        self._dropped += count

    def engine_ms(self, ms: float) -> None:
        """The engine made pictures at `ms` milliseconds for one; call once per new set."""
        if math.isfinite(ms):
            self._engine_ms_sum += ms
            self._engine_pictures += 1

    def first_picture(self, ns_since_process_start: int) -> None:
        """The first real picture, not a black one, was presented; later calls change nothing."""
        if self._first_picture_ns is None:
            self._first_picture_ns = ns_since_process_start

    def note(self, name: str, value: object) -> None:
        """A further entry of the report, such as `osc_errors`; the counts' own names win."""
        self._notes[name] = value

    def take_window(self) -> dict[str, object]:
        """What was counted since the last call, or since the start; the next window begins here.

        `ticks`, `presented`, `late`, `repeated`, `dropped`; `interval_ms` and `lateness_ms` as p50,
        p99 and max; `by_source` in ticks of all screens, `by_screen` in ticks of each. Takes some
        0.3 ms.
        """
        window, self._window = self._window, _Window()
        before, self._counts_before = self._counts_before, self.counts
        return {
            "ticks": window.ticks,
            **{what: count - before[what] for what, count in self.counts.items()},
            "interval_ms": window.intervals.as_dict(),
            "lateness_ms": window.lateness.as_dict(),
            "by_source": window.by_source(),
            "by_screen": window.by_screen(),
        }

    @property
    def fps(self) -> Fraction:
        """Ticks a second."""
        return self._fps

    @property
    def counts(self) -> dict[str, int]:
        """How many frames so far, by what became of them."""
        return {
            "presented": self._presented,
            "late": self._late,
            "repeated": self._repeated,
            "dropped": self._dropped,
        }

    def as_dict(self) -> dict[str, object]:
        """The report, ready for JSON; what never happened is None (`null`)."""
        engine_ms = self._engine_ms_sum / self._engine_pictures if self._engine_pictures else None
        first_s = None if self._first_picture_ns is None else self._first_picture_ns / 1e9
        return {
            **self._notes,
            **{f"frames_{what}": count for what, count in self.counts.items()},
            "frames_blended": self._blended,
            "interval_ms": self._intervals.as_dict(),
            "frames_by_source": dict(sorted(self._by_source.items())),
            "engine_ms_per_picture": _rounded(engine_ms),
            "start_to_first_picture_s": _rounded(first_s),
            "fps": float(self._fps),
            "ticks_presented": self._ticks,
            "first_frame": self._first_frame,
            "last_frame": self._last_frame,
            "lateness_ms": self._lateness.as_dict(),
            "stages_ms": {name: spread.as_dict() for name, spread in self._stages.items()},
        }


def write_report(path: Path, report: Mapping[str, object]) -> None:
    """Write the report as JSON in one step: a reader sees the old file or the whole new one.

    Missing folders are made. Raises ReportError if it cannot be written.
    """
    try:
        text = json.dumps(dict(report), indent=2, allow_nan=False) + "\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode())
    except (OSError, ValueError, TypeError, ShowError) as fault:
        raise ReportError(f"The frame report cannot be written to {path}: {fault}") from fault


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
