"""Every minute a line of figures, every hour a snapshot of each screen; both into the journal.

Called by the frame loop on every tick: what takes longer than a moment is left to the journal's
thread, and the screens are read one at a time, a second apart, because reading a large screen back
may take a good part of a frame.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from player.frame_report import FrameReport
from player.upkeep.journal import Journal

MINUTE_S = 60
HOUR_S = 3600
FIRST_SNAPSHOT_S = 30  # after the start: the show stands by then


class Readable(Protocol):
    """The part of a wall that is needed here."""

    def read(self, screen: int) -> NDArray[np.uint8]:
        """[H, W, 3], top row first: what the screen showed last."""
        ...


Told = Callable[[Mapping[str, object]], None]


class Minutes:
    """The journal's sampler. One for a run."""

    def __init__(
        self,
        journal: Journal,
        report: FrameReport,
        extra: Callable[[], Mapping[str, object]],
        *,
        wall: Readable | None = None,
        screens: Sequence[str] = (),
        on_minute: Told | None = None,
    ) -> None:
        """extra: further facts of a minute, such as `is_open`, `governor`, `worker_restarts`.

        screens: the names of the wall's screens, in its order. on_minute: is handed each minute's
        facts too; it must return at once.
        """
        self._journal, self._report, self._extra = journal, report, extra
        self._wall, self._screens, self._on_minute = wall, tuple(screens), on_minute
        self._second_ticks, self._minute_ticks, self._hour_ticks, self._first_ticks = (
            int(seconds * report.fps) for seconds in (1, MINUTE_S, HOUR_S, FIRST_SNAPSHOT_S)
        )
        self._last_tick: int | None = None
        self._minute_tick = 0
        self._hour_tick = 0
        self._snapshot_tick = 0
        self._to_read: deque[int] = deque()

    def tend(self, tick: int) -> None:
        """Once a tick, after it was presented. A jump of the ticks begins a new minute."""
        last, self._last_tick = self._last_tick, tick
        if last is None:
            self._minute_tick = tick + self._minute_ticks
            self._hour_tick = tick + self._first_ticks
        elif not 0 <= tick - last <= self._minute_ticks:
            self._minute_tick = tick
            self._hour_tick = tick + self._first_ticks
            self._to_read.clear()
        if tick >= self._minute_tick:
            self._minute_tick = tick + self._minute_ticks
            self._tell()
        elif tick >= self._hour_tick:
            self._hour_tick = tick + self._hour_ticks
            self._snapshot_tick = tick
            if self._wall is not None and self._journal.is_kept:
                self._to_read.extend(range(len(self._screens)))
        elif self._to_read and tick >= self._snapshot_tick:
            self._snapshot_tick = tick + self._second_ticks
            screen = self._to_read.popleft()
            if self._wall is not None:
                self._journal.picture(self._screens[screen], self._wall.read(screen))

    def finish(self) -> None:
        """At the end of a run: the minute that has begun, if anything was shown in it."""
        if self._last_tick is not None:
            self._tell()

    def _tell(self) -> None:
        window = self._report.take_window()
        if not window["ticks"]:
            return
        facts = {**self._extra(), **window, "fps": float(self._report.fps)}
        if self._screens:
            facts["screens"] = list(self._screens)
        self._journal.minute(facts)
        if self._on_minute is not None:
            self._on_minute(facts)
