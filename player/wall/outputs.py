"""Opens the walls: a window per monitor, one window over all, or no window at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from player.wall.contract import OutputError, Wall
from player.wall.desktop import MonitorWatch, start_glfw
from player.wall.headless_wall import HeadlessWall
from player.wall.machine_file import Machine
from player.wall.placing import Monitor, describe_rate
from player.wall.window_wall import WindowWall
from player.wall.xrandr import ask_xrandr

__all__ = ["OutputError", "Wall", "has_display", "list_monitors", "monitors_text", "open_wall"]

OutputKind = Literal["windows", "span", "headless"]
HEADLESS_SIZE_PX = (256, 256)


def open_wall(
    kind: OutputKind,
    screens: int,
    size: tuple[int, int] | None = None,
    machine: Machine | None = None,
    front: Path | None = None,
    front_px: tuple[int, int] | None = None,
) -> Wall:
    """Opens a wall of `screens` screens.

    size: of one screen in pixels. Headless: exactly that, 256x256 by default. In windows: at most
    that, in the middle of each monitor or tile; by default all of it. machine: where the screens
    stand, and with which calibrations they begin; its sizes go before `size`, and its `outputs` is
    for the caller to heed. Without it the screens stand from left to right. front: a file that the
    wall keeps what it shows in; front_px: of a screen there, if there are windows; None: small.
    Raises OutputError; FrontBufferError if it is that file which cannot be.
    """
    if screens < 1 or (size is not None and min(size) < 1):
        raise OutputError(f"A wall needs a screen and a size, not {screens} screens of {size}.")
    wall: HeadlessWall | WindowWall
    if kind == "headless":
        wall = HeadlessWall(screens, size or HEADLESS_SIZE_PX, front)
    else:
        wall = WindowWall(screens, size, span=kind == "span", machine=machine)
    for number, screen in enumerate(machine.screens if machine else ()):
        if screen.calibration is not None:
            wall.set_calibration(number, screen.calibration)
    if front is not None and isinstance(wall, WindowWall):
        try:
            wall.keep_front(front, front_px)  # now, when it is known which screens are turned
        except OutputError:
            wall.close()
            raise
    return wall


def has_display() -> bool:
    """Whether windows can be opened here. Leaves GLFW running if so, for the wall to come."""
    try:
        glfw = start_glfw()
    except OutputError:
        return False
    if glfw.get_monitors():
        return True
    glfw.terminate()
    return False


def list_monitors() -> tuple[Monitor, ...]:
    """The monitors that are on, from the left. Opens no window. Raises OutputError."""
    glfw = start_glfw()
    try:
        watch = MonitorWatch(glfw, ask_xrandr)
        watch.close()
        return watch.monitors
    finally:
        glfw.terminate()


def monitors_text(monitors: Sequence[Monitor]) -> str:
    """A line for each monitor, in the words of a machine file."""
    if not monitors:
        return "No monitor is on."
    rows = [
        (
            f"index {index}",
            f"output {monitor.name}",
            f"{monitor.area.width}x{monitor.area.height} at {monitor.area.x},{monitor.area.y}",
            describe_rate(monitor.refresh_hz),
            f"edid {monitor.edid.text}" if monitor.edid else "EDID not told",
        )
        for index, monitor in enumerate(monitors, 1)
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
