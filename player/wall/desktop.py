"""The desktop as GLFW sees it: its start, and its monitors followed while the wall draws.

The only door to GLFW: windows are made in `player/wall/window.py` with the module handed out here.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from player.wall.contract import OutputError
from player.wall.monitors import Area
from player.wall.placing import Monitor, told_apart
from player.wall.xrandr import RandrOutput

_DESKTOP_HINT = (
    "Is DISPLAY right? On Debian and Ubuntu the libraries are libx11-6 libxext6 libxrandr2 "
    "libxinerama1 libxcursor1 libxi6 libxrender1. Without a desktop: --outputs headless."
)

Ask = Callable[[], "tuple[RandrOutput, ...] | None"]


def start_glfw() -> Any:
    """The glfw module, initialised (again: harmless), its faults as exceptions."""
    if sys.platform.startswith("linux"):
        if not os.environ.get("DISPLAY"):
            raise OutputError(
                "There is no X display here (DISPLAY is not set), so no window can be opened. "
                "Start it from the desktop (under Wayland XWayland is needed, because Wayland "
                "lets no program place its windows), or use --outputs headless."
            )
        os.environ.setdefault("PYGLFW_LIBRARY_VARIANT", "x11")  # read when glfw is imported
    try:
        import glfw
    except ImportError as fault:
        raise OutputError(f"{fault}. Reinstall the Python package glfw.") from fault

    glfw.ERROR_REPORTING = "raise"
    with sentences("The desktop could not be reached", _DESKTOP_HINT):
        glfw.init()
    return glfw


@contextmanager
def sentences(what: str, hint: str, *kinds: type[Exception]) -> Iterator[None]:
    """Turns the faults of GLFW, and of these kinds, into OutputErrors."""
    import glfw

    faults: tuple[type[Exception], ...] = (glfw.GLFWError, *kinds)
    try:
        yield
    except faults as fault:
        reason = re.sub(r"^\(\d+\) b['\"](.*)['\"]$", r"\1", str(fault).strip())
        raise OutputError(f"{what}: {reason.rstrip('.')}. {hint}") from fault


def x11_display(glfw: Any) -> int | None:
    """GLFW's own connection to the X server, for ctypes; None where there is no X."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.cast(glfw.get_x11_display(), ctypes.c_void_p).value
    except (AttributeError, TypeError, ctypes.ArgumentError, glfw.GLFWError):
        return None  # a GLFW built without X11


@dataclass(frozen=True)
class _Seen:
    """What GLFW says of one monitor. refresh_hz: to a whole number, 0 if it does not know."""

    name: str
    area: Area
    work_area: Area
    refresh_hz: int


class MonitorWatch:
    """The monitors, as of the last glance, with what xrandr adds to them.

    Every glance sees which monitors there are, which costs nothing. Moves and new modes raise no
    event, and asking for them takes round trips to the X server: every second glance asks about one
    monitor, in turn, so that seven have all been asked after 14 glances.
    """

    def __init__(self, glfw: Any, ask: Ask) -> None:
        """ask: `ask_xrandr` or what stands in for it; called on another thread later on."""
        self._glfw = glfw
        self._ask = ask
        self._turn = 0
        self._asker: ThreadPoolExecutor | None = None
        self._answer: Future[tuple[RandrOutput, ...] | None] | None = None
        self._is_answer_stale = False
        self._seen = self._look()
        told = ask()
        self.tells_edid = told is not None
        self._details = {output.name: output for output in told or ()}
        self.monitors = _combined(self._seen.values(), self._details)

    def glance(self) -> bool:
        """True if `monitors` has changed. To be called after polling GLFW, on its thread."""
        is_moved = self._is_moved()
        if is_moved:
            before = {seen.name: seen.area for seen in self._seen.values() if seen}
            self._seen = self._look()
            for seen in self._seen.values():
                if seen and before.get(seen.name) != seen.area:  # or another monitor on its output
                    self._details.pop(seen.name, None)
            self._ask_anew()
        if not (self._take_answer() or is_moved):
            return False
        last, self.monitors = self.monitors, _combined(self._seen.values(), self._details)
        return self.monitors != last

    def close(self) -> None:
        """Waits for nothing."""
        if self._asker is not None:
            self._asker.shutdown(wait=False, cancel_futures=True)

    def _is_moved(self) -> bool:
        handles = {_address(handle): handle for handle in self._glfw.get_monitors()}
        if handles.keys() != self._seen.keys():
            return True
        self._turn = (self._turn + 1) % (2 * len(handles) or 1)
        if self._turn % 2 or not handles:
            return False
        address, handle = list(handles.items())[self._turn // 2]
        seen = self._seen[address]
        return _area_and_rate(self._glfw, handle) != (seen and (seen.area, seen.refresh_hz))

    def _look(self) -> dict[int, _Seen | None]:
        handles = self._glfw.get_monitors()
        return {_address(handle): _read(self._glfw, handle) for handle in handles}

    def _ask_anew(self) -> None:
        if not self.tells_edid:
            return
        if self._answer is not None:
            self._is_answer_stale = True
            return
        if self._asker is None:
            self._asker = ThreadPoolExecutor(1, "xrandr")
        self._answer = self._asker.submit(self._ask)

    def _take_answer(self) -> bool:
        """True if xrandr has answered; what a change has overtaken does not count."""
        if self._answer is None or not self._answer.done():
            return False
        answer, self._answer = self._answer, None
        if self._is_answer_stale:
            self._is_answer_stale = False
            self._ask_anew()
            return False
        told = None if answer.exception() else answer.result()
        if told is not None:
            self._details = {output.name: output for output in told}
        return told is not None


def _combined(
    seen: Iterable[_Seen | None], details: Mapping[str, RandrOutput]
) -> tuple[Monitor, ...]:
    """From the left. xrandr's refresh rate goes before GLFW's, which is rounded."""
    monitors = []
    for one in seen:
        if one is None:
            continue
        told = details.get(one.name)
        rate = told.refresh_hz if told and told.area == one.area else None
        rate = rate or (Fraction(one.refresh_hz) if one.refresh_hz > 0 else None)
        monitors.append(
            Monitor(one.name, one.area, one.work_area, rate, told.edid if told else None)
        )
    return told_apart(monitors)


def _read(glfw: Any, handle: Any) -> _Seen | None:
    """None for a monitor that is just going."""
    current = _area_and_rate(glfw, handle)
    if current is None:
        return None
    area, refresh_hz = current
    try:
        work_area = Area(*glfw.get_monitor_workarea(handle))
        return _Seen(_output_name(glfw, handle), area, work_area, refresh_hz)
    except glfw.GLFWError:
        return None


def _area_and_rate(glfw: Any, handle: Any) -> tuple[Area, int] | None:
    try:
        x, y = glfw.get_monitor_pos(handle)
        mode = glfw.get_video_mode(handle)
    except (glfw.GLFWError, ValueError):  # ValueError: GLFW gave no mode, ctypes a null pointer
        return None
    width, height = mode.size
    return Area(x, y, width, height), mode.refresh_rate


def _output_name(glfw: Any, handle: Any) -> str:
    """The connector on X11; the adapter on Windows (DISPLAY1), where all monitors share a name."""
    raw = glfw.get_win32_adapter(handle) if sys.platform == "win32" else None
    raw = raw or glfw.get_monitor_name(handle) or b"monitor"
    name = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    return name.removeprefix("\\\\.\\").strip() or "monitor"


def _address(handle: Any) -> int:
    return ctypes.cast(handle, ctypes.c_void_p).value or 0
