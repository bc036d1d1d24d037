"""Has the page of the night made every morning, beside the journal, at idle priority."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from player.upkeep.idle_process import IdleProcess
from player.upkeep.wall_time import Zone, local

LOOK_EVERY_TICKS = 900
FIRST_LOOK_TICKS = 1800  # the start has enough to do
AT_HOUR = 7  # local time: before the doors open, after the night

_log = logging.getLogger("player")


class MorningReport:
    """Once a day after 7:00 local time, if the page of that day is not there yet."""

    def __init__(
        self,
        show: Path,
        journal: Path,
        program: Path,
        zone: Zone,
        wall_ns: Callable[[], int],
        make: Callable[[Sequence[str]], IdleProcess] = IdleProcess,
    ) -> None:
        """program: run_installation.py, which makes the page. zone: of the show's schedule. make:
        what runs it."""
        self._show, self._journal, self._program = show, journal, program
        self._zone, self._wall_ns, self._make = zone, wall_ns, make
        self._look_at_tick: int | None = None
        self._asked = ""
        self._process: IdleProcess | None = None

    def tend(self, tick: int) -> None:
        """Once per tick; cheap."""
        if self._look_at_tick is None:
            self._look_at_tick = tick + FIRST_LOOK_TICKS
        if tick < self._look_at_tick:
            return
        self._look_at_tick = tick + LOOK_EVERY_TICKS
        if self._process is not None and self._process.poll() is not None:
            if self._process.poll() != 0:
                _log.warning("The page of the night was not made. %s", self._process.last_line)
            self._process.close()
            self._process = None
        now = local(self._wall_ns(), self._zone)
        page = self._journal / f"night-{now:%Y-%m-%d}.html"
        if now.hour < AT_HOUR or page.name == self._asked or page.exists():
            return
        self._asked = page.name
        self._process = self._make(
            [
                *(sys.executable, str(self._program), "report"),
                *("--show", str(self._show), "--journal", str(self._journal)),
                *("--out", str(page)),
            ]
        )
        self._process.start()

    def close(self) -> None:
        if self._process is not None:
            self._process.close()
