"""Monitors and windows as GLFW hands them out, without a desktop."""

from __future__ import annotations

import ctypes
from collections import namedtuple
from dataclasses import dataclass, field
from typing import Any

Size = namedtuple("Size", "width height")
Mode = namedtuple("Mode", "size refresh_rate")


@dataclass
class FakeMonitor:
    name: bytes
    x: int
    y: int = 0
    width: int = 100
    height: int = 80
    rate: int = 60
    going: bool = False
    handle: Any = field(default_factory=lambda: ctypes.pointer(ctypes.c_int(0)))


class FakeGlfw:
    """Only what a MonitorWatch asks; counts the round trips that a real one would make."""

    class GLFWError(Exception):
        pass

    def __init__(self, monitors: list[FakeMonitor]) -> None:
        self.monitors = monitors
        self.round_trips = 0

    def get_monitors(self) -> list[Any]:
        return [monitor.handle for monitor in self.monitors]

    def get_monitor_name(self, handle: Any) -> bytes:
        return self._of(handle).name

    def get_monitor_pos(self, handle: Any) -> tuple[int, int]:
        self.round_trips += 1
        return self._of(handle).x, self._of(handle).y

    def get_video_mode(self, handle: Any) -> Mode:
        self.round_trips += 1
        monitor = self._of(handle)
        if monitor.going:
            raise ValueError("NULL pointer access")
        return Mode(Size(monitor.width, monitor.height), monitor.rate)

    def get_monitor_workarea(self, handle: Any) -> tuple[int, int, int, int]:
        self.round_trips += 1
        monitor = self._of(handle)
        return monitor.x, monitor.y + 20, monitor.width, monitor.height - 20

    def _of(self, handle: Any) -> FakeMonitor:
        return next(monitor for monitor in self.monitors if monitor.handle is handle)
