"""Opens the walls: a window per monitor, one window over all, or no window at all."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import moderngl
import numpy as np
from numpy.typing import NDArray

from player.headless_wall import DrawnWall, HeadlessWall
from player.monitors import Area, columns, desktop, left_to_right, shrunk, window_areas
from player.renderer import Painter, Shot, read_framebuffer
from player.wall import OutputError, Wall

__all__ = ["OutputError", "Wall", "has_display", "open_wall"]

OutputKind = Literal["windows", "span", "headless"]
HEADLESS_SIZE_PX = (256, 256)
_DRIVER_HINT = (
    "A graphics driver with OpenGL 3.3 is needed; on Debian and Ubuntu: apt-get install libgl1 "
    "libglx-mesa0 libgl1-mesa-dri."
)
_DESKTOP_HINT = (
    "Is DISPLAY right? On Debian and Ubuntu the libraries are libx11-6 libxext6 libxrandr2 "
    "libxinerama1 libxcursor1 libxi6 libxrender1. Without a desktop: --outputs headless."
)


def open_wall(kind: OutputKind, screens: int, size: tuple[int, int] | None = None) -> Wall:
    """Opens a wall of `screens` screens.

    size: of one screen in pixels. Headless: exactly that, 256x256 by default. In windows: at most
    that, in the middle of each monitor or tile; by default all of it. Raises OutputError.
    """
    if screens < 1 or (size is not None and min(size) < 1):
        raise OutputError(f"A wall needs a screen and a size, not {screens} screens of {size}.")
    if kind == "headless":
        return HeadlessWall(screens, size or HEADLESS_SIZE_PX)
    return WindowWall(screens, size, span=kind == "span")


def has_display() -> bool:
    """Whether windows can be opened here. Leaves GLFW running if so, for the wall to come."""
    try:
        glfw = _start_glfw()
    except OutputError:
        return False
    if glfw.get_monitors():
        return True
    glfw.terminate()
    return False


class _Window:
    """An undecorated window and its context, which shares the first window's textures."""

    def __init__(self, glfw: Any, area: Area, title: str, first: _Window | None) -> None:
        self._glfw = glfw
        for hint, value in (
            (glfw.CLIENT_API, glfw.OPENGL_API),
            (glfw.CONTEXT_VERSION_MAJOR, 3),
            (glfw.CONTEXT_VERSION_MINOR, 3),
            (glfw.OPENGL_PROFILE, glfw.OPENGL_CORE_PROFILE),
            (glfw.OPENGL_FORWARD_COMPAT, True),
            (glfw.DECORATED, False),
            (glfw.AUTO_ICONIFY, False),
            (glfw.FLOATING, False),
            (glfw.FOCUSED, False),
            (glfw.FOCUS_ON_SHOW, False),
            (glfw.VISIBLE, False),
            (glfw.DEPTH_BITS, 0),
            (glfw.STENCIL_BITS, 0),
        ):
            glfw.window_hint(hint, value)
        self.handle: Any = glfw.create_window(
            area.width, area.height, title, None, first.handle if first else None
        )
        glfw.set_window_pos(self.handle, area.x, area.y)
        glfw.set_input_mode(self.handle, glfw.CURSOR, glfw.CURSOR_HIDDEN)
        glfw.set_key_callback(self.handle, self._on_key)
        glfw.show_window(self.handle)
        glfw.set_window_pos(self.handle, area.x, area.y)  # some window managers place on showing
        glfw.make_context_current(self.handle)
        glfw.swap_interval(0 if first else 1)  # one window waits; seven would each wait in turn
        self.context = moderngl.create_context(require=330)
        self.painter: Painter | None = None  # the first window's belongs to the wall
        self.size_px: tuple[int, int] = glfw.get_framebuffer_size(self.handle)

    def _on_key(self, window: Any, key: int, scancode: int, action: int, modifiers: int) -> None:
        if action == self._glfw.PRESS and key in (self._glfw.KEY_ESCAPE, self._glfw.KEY_Q):
            self._glfw.set_window_should_close(window, True)


class WindowWall(DrawnWall):
    """One window per screen or, with `span`, one over the desktop with the screens side by side.

    Windows are undecorated, without a cursor, and never fullscreen: a fullscreen window stays at
    meaningless coordinates after an unplug, and several of them fold each other away.
    """

    def __init__(self, screens: int, size: tuple[int, int] | None, *, span: bool) -> None:
        self._glfw = _start_glfw()
        self._span = span
        self._windows: list[_Window] = []
        try:
            with _sentences("The windows could not be opened", _DRIVER_HINT):
                for i, area in enumerate(self._areas(screens, size)):
                    first = self._windows[0] if self._windows else None
                    title = "Inspace ballads" if span else f"Inspace ballads {i + 1}"
                    self._windows.append(_Window(self._glfw, area, title, first))
                self._glfw.make_context_current(self._windows[0].handle)
                super().__init__(self._windows[0].context, screens)
                for window in self._windows:
                    self._glfw.make_context_current(window.handle)
                    if window is not self._windows[0]:
                        window.painter = Painter(window.context, owner=False)
                    (window.painter or self._painter).warm_up(window.context.screen)
        except BaseException:
            self._end_glfw()
            raise

    def size_of(self, screen: int) -> tuple[int, int]:
        _, area = self._place_of(screen)
        return area.width, area.height

    def upload(self, source: str, pixels: NDArray[np.uint8]) -> None:
        self._glfw.make_context_current(self._windows[0].handle)
        self._store.upload(source, pixels)

    def draw(self, shots: Sequence[Shot]) -> None:
        sizes = [(max(1, w), max(1, h)) for w, h in map(self.size_of, range(self._screens))]
        self._glfw.make_context_current(self._windows[0].handle)
        self._resolve(shots, sizes)
        if len(self._windows) > 1:
            self._context.finish()  # other contexts see an upload only once it is complete
        current = self._windows[0]
        for screen, shot in enumerate(self._drawn):
            window, area = self._place_of(screen)
            if not area.width or not area.height:  # minimised
                continue
            if window is not current:
                self._glfw.make_context_current(window.handle)
                current = window
            bottom = window.size_px[1] - area.y - area.height
            (window.painter or self._painter).draw(
                window.context.screen, (area.x, bottom), (area.width, area.height), shot
            )

    def present(self) -> None:
        for window in reversed(self._windows):  # the one that waits for its refresh comes last
            self._glfw.make_context_current(window.handle)
            self._glfw.swap_buffers(window.handle)
        self._context.finish()
        self._shown = self._drawn

    def poll(self) -> bool:
        self._glfw.poll_events()
        for window in self._windows:
            window.size_px = self._glfw.get_framebuffer_size(window.handle)
        return not any(self._glfw.window_should_close(window.handle) for window in self._windows)

    def read(self, screen: int) -> NDArray[np.uint8]:
        """Drawn anew from the same pictures: a window's front buffer cannot be read."""
        width, height = (max(1, side) for side in self.size_of(screen))
        if not self._shown:
            return np.zeros((height, width, 3), np.uint8)
        self._glfw.make_context_current(self._windows[0].handle)
        framebuffer = self._context.simple_framebuffer((width, height), 4)
        self._painter.draw(framebuffer, (0, 0), (width, height), self._shown[screen])
        pixels = read_framebuffer(framebuffer, (width, height))
        framebuffer.release()
        return pixels

    def describe(self) -> str:
        sizes = sorted({"x".join(map(str, self.size_of(i))) for i in range(self._screens)})
        kind = "one window over" if self._span else "windows,"
        self._glfw.make_context_current(self._windows[0].handle)
        return f"{kind} {self._screens} screens of {', '.join(sizes)}, {self._renderer()}"

    def close(self) -> None:
        if not self._windows:
            return
        for window in self._windows[1:]:
            self._glfw.make_context_current(window.handle)
            if window.painter:
                window.painter.release()
        self._glfw.make_context_current(self._windows[0].handle)
        self._release()
        self._end_glfw()

    def _end_glfw(self) -> None:
        for window in reversed(self._windows):  # the first one's textures are the others' too
            self._glfw.destroy_window(window.handle)
        self._windows.clear()
        self._glfw.terminate()

    def _areas(self, screens: int, size: tuple[int, int] | None) -> list[Area]:
        glfw = self._glfw
        monitors = glfw.get_monitors()
        if not monitors:
            raise OutputError("No monitor is connected. Connect one, or use --outputs headless.")
        whole = left_to_right([_monitor_area(glfw, monitor) for monitor in monitors])
        if self._span:
            total = (size[0] * screens, size[1]) if size else None
            return [shrunk(desktop(whole), total)]
        free = [Area(*glfw.get_monitor_workarea(monitor)) for monitor in monitors]
        return [shrunk(area, size) for area in window_areas(whole, free, screens)]

    def _place_of(self, screen: int) -> tuple[_Window, Area]:
        """The screen's window, and its area there: pixels from the window's top left."""
        window = self._windows[0 if self._span else screen]
        whole = Area(0, 0, *window.size_px)
        return window, columns(whole, self._screens)[screen] if self._span else whole


def _monitor_area(glfw: Any, monitor: Any) -> Area:
    x, y = glfw.get_monitor_pos(monitor)
    mode = glfw.get_video_mode(monitor)
    return Area(x, y, mode.size.width, mode.size.height)


def _start_glfw() -> Any:
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
    with _sentences("The desktop could not be reached", _DESKTOP_HINT):
        glfw.init()
    return glfw


@contextmanager
def _sentences(what: str, hint: str) -> Iterator[None]:
    """Turns the faults of GLFW and moderngl into OutputErrors."""
    import glfw

    try:
        yield
    except (glfw.GLFWError, moderngl.Error) as fault:
        reason = re.sub(r"^\(\d+\) b['\"](.*)['\"]$", r"\1", str(fault).strip())
        raise OutputError(f"{what}: {reason.rstrip('.')}. {hint}") from fault
