"""How hot the machine is, read by a thread of its own and never by the frame loop."""

from __future__ import annotations

import threading
from collections.abc import Callable

from player.heat import Heat
from player.upkeep.measures import GpuSensor, processor_c

EVERY_S = 5.0


class Thermometer:
    """`start` it once, `close` it at the end; `heat` may be read by any thread at any time."""

    def __init__(
        self,
        processor: Callable[[], float | None] = processor_c,
        graphics: Callable[[], float | None] | None = None,
        *,
        every_s: float = EVERY_S,
    ) -> None:
        """processor, graphics: read the sensors; they may take their time. graphics: None for the
        driver's own tool."""
        self.heat = Heat()
        self._processor = processor
        self._graphics = graphics or _graphics_card()
        self._every_s = every_s
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="thermometer", daemon=True)

    def start(self) -> None:
        """Begin to read; the first figures are there as soon as the sensors have answered."""
        self._thread.start()

    def close(self) -> None:
        """End it; a sensor that does not answer is not waited for."""
        self._closing.set()

    def _run(self) -> None:
        while not self._closing.is_set():
            self.heat = Heat(self._processor(), self._graphics())
            self._closing.wait(self._every_s)


def _graphics_card() -> Callable[[], float | None]:
    sensor = GpuSensor()
    return lambda: sensor.read()[0]
