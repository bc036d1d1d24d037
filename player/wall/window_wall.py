"""The wall of windows: one per screen, or one over the desktop."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import moderngl
import numpy as np
from numpy.typing import NDArray

from player.clock import HouseClock
from player.wall.contract import OutputError, Standing
from player.wall.desktop import MonitorWatch, sentences, start_glfw, x11_display
from player.wall.front_buffer import FrontBuffer
from player.wall.front_views import FrontViews, front_size
from player.wall.headless_wall import DrawnWall
from player.wall.losses import ContextWatch, DisplayWatch, reset_status_of
from player.wall.machine_file import Machine
from player.wall.monitors import Area
from player.wall.placing import WithEdid, describe_rate
from player.wall.renderer import Painter, read_framebuffer
from player.wall.seating import Seating, screens_of
from player.wall.shots import Shot
from player.wall.stay_awake import stay_awake
from player.wall.window import Window
from player.wall.x11_windows import X11Windows
from player.wall.xrandr import ask_xrandr

_DRIVER_HINT = (
    "A graphics driver with OpenGL 3.3 is needed; on Debian and Ubuntu: apt-get install libgl1 "
    "libglx-mesa0 libgl1-mesa-dri."
)
_told = sentences("The pictures could not be drawn", "Look at the graphics driver.", moderngl.Error)
# Windows are looked after, in case something has moved them, every so many polls.
POLLS_BETWEEN_CORRECTIONS = 16


class WindowWall(DrawnWall):
    """One window per screen or, with `span`, one over the desktop with all screens in it.

    The wall follows the monitors by name: a screen whose monitor goes keeps its size and is not
    shown, and no other waits for it; when its monitor is back, so is the screen. One window, the
    master, waits for its monitor's refresh at a swap; seven would wait in turn.
    """

    def __init__(
        self,
        screens: int,
        size: tuple[int, int] | None,
        *,
        span: bool,
        machine: Machine | None = None,
    ) -> None:
        self._glfw = start_glfw()
        self._span = span
        self._clock = HouseClock()
        self._windows: list[Window] = []
        self._keys: list[str] = []
        self._polls = 0
        self._front_views: FrontViews | None = None
        self._closing = ExitStack()
        try:
            with sentences("The windows could not be opened", _DRIVER_HINT, moderngl.Error):
                self._display_watch = DisplayWatch(x11_display(self._glfw))
                self._watch = MonitorWatch(self._glfw, ask_xrandr)
                self._closing.callback(self._watch.close)
                if not self._watch.monitors:
                    raise OutputError(
                        "No monitor is connected. Connect one, or use --outputs headless."
                    )
                self._seating = self._first_seating(screens, size, machine)
                self._open_windows()
                super().__init__(self._windows[0].context, screens)
                self._windows[0].make_current()
                self._context_watch = ContextWatch(
                    lambda: str(self._context.error), reset_status_of(self._glfw)
                )
                for window in self._windows:
                    window.make_current()
                    if window is not self._windows[0]:
                        window.painter = Painter(window.context, owner=False)
                    (window.painter or self._painter).warm_up(window.context.screen)
                self._master = self._windows[0]
                self._master.set_swap_interval(1)
                self._take_places()
            self._closing.enter_context(stay_awake(x11_display(self._glfw)))
        except BaseException:  # Ctrl-C too: no window may be left behind
            self._end_glfw()
            raise

    def _first_seating(
        self, screens: int, size: tuple[int, int] | None, machine: Machine | None
    ) -> Seating:
        monitors = self._watch.monitors
        placed = screens_of(machine, monitors, screens, size)
        by_edid = [screen for screen in placed if isinstance(screen.place, WithEdid)]
        if by_edid and not self._watch.tells_edid:
            raise OutputError(
                f"The screen {by_edid[0].name!r} is placed by EDID, which this system does not "
                "tell: that takes X11 and the program xrandr (apt-get install x11-xserver-utils). "
                "Place it by output, index or rectangle."
            )
        in_columns = self._span and (machine is None or not machine.places_any)
        desktop_px = (size[0] * screens, size[1]) if size and in_columns else None
        seating = Seating(placed, in_columns=in_columns, desktop_px=desktop_px)
        seating.open(monitors, self._clock.now_ns())
        return seating

    def _open_windows(self) -> None:
        display = x11_display(self._glfw)
        x11 = X11Windows(display) if display is not None else None
        areas = [self._seating.desktop_area] if self._span else self._seating.last_areas
        for i, area in enumerate(areas):
            first = self._windows[0] if self._windows else None
            title = "Inspace ballads" if self._span else f"Inspace ballads {i + 1}"
            size_px = (area.width, area.height)
            self._windows.append(Window(self._glfw, size_px, title, first, self._keys, x11))

    def size_of(self, screen: int) -> tuple[int, int]:
        _, area = self._place_of(screen)
        return area.width, area.height

    @_told
    def upload(self, source: str, pixels: NDArray[np.uint8]) -> None:
        self._windows[0].make_current()
        self._store.upload(source, pixels)

    @_told
    def keep_front(self, path: Path, size_px: tuple[int, int] | None) -> None:
        """Keep in a file, for others, what the screens show; see `front_views`. Call it once.

        size_px: of one screen there; None: small, in the shape of the first. Raises
        FrontBufferError.
        """
        front = FrontBuffer(path, self._screens, size_px or front_size(self.logical_size_of(0)))
        self._windows[0].make_current()
        self._front_views = FrontViews(self._context, self._store, self._painter, front)

    @_told
    def warm_up_next(self, layers: int = 3) -> bool:
        self._windows[0].make_current()
        if self._store.warm_up():
            return True
        for place, window in enumerate(self._windows):
            window.make_current()
            # the first one's painter also draws what is read back, of all the screens
            drawn = slice(place, place + 1) if place else slice(None)
            painter = window.painter or self._painter
            if painter.warm_up_next(
                window.context.screen, self._calibrations[drawn], self._looks[drawn], layers
            ):
                return True
        return False

    @_told
    def draw(self, shots: Sequence[Shot]) -> None:
        sizes = [(max(1, w), max(1, h)) for w, h in map(self.size_of, range(self._screens))]
        self._windows[0].make_current()
        self._resolve(shots, sizes)
        if len(self._windows) > 1:
            self._context.finish()  # other contexts see an upload only once it is complete
        if self._front_views is not None:
            logical_px = list(map(self.logical_size_of, range(self._screens)))
            self._front_views.draw(shots, logical_px, self._calibrations, self._looks)
        if self._span and self._seating.has_gaps:
            whole = (0, 0, *self._windows[0].size_px)  # after a swap a buffer may hold anything
            self._context.screen.clear(0.0, 0.0, 0.0, 1.0, viewport=whole)
        current = self._windows[0]
        for screen, shot in enumerate(self._drawn):
            window, area = self._place_of(screen)
            if not (self._is_shown(screen) and area.width and area.height):  # absent or minimised
                continue
            if window is not current:
                window.make_current()
                current = window
            bottom = window.size_px[1] - area.y - area.height
            (window.painter or self._painter).draw(
                window.context.screen, (area.x, bottom), (area.width, area.height), shot
            )

    @_told
    def finish(self) -> None:
        for window in self._windows:
            if window.is_shown:
                window.make_current()
                window.context.finish()
        self._windows[0].make_current()
        self._context_watch.check()
        self._display_watch.check()

    @_told
    def present(self) -> None:
        shown = [window for window in self._windows if window.is_shown]
        for window in sorted(shown, key=lambda window: window is self._master):
            window.make_current()  # the one that waits for its refresh comes last
            self._glfw.swap_buffers(window.handle)
        self._context.finish()
        self._shown = self._drawn

    @_told
    def poll(self) -> bool:
        self._glfw.poll_events()
        self._display_watch.check()
        self._polls += 1
        if self._watch.glance():
            self._seating.follow(self._watch.monitors, self._clock.now_ns())
            self._take_places()
        elif self._polls % POLLS_BETWEEN_CORRECTIONS == 0:
            self._take_places()
        return not any(window.wants_to_close() for window in self._windows)

    def take_keys(self) -> tuple[str, ...]:
        keys = tuple(self._keys)
        self._keys.clear()
        return keys

    def read(self, screen: int) -> NDArray[np.uint8]:
        """Drawn anew from the same pictures: a window's front buffer cannot be read."""
        width, height = (max(1, side) for side in self.size_of(screen))
        if not self._shown:
            return np.zeros((height, width, 3), np.uint8)
        self._windows[0].make_current()
        framebuffer = self._context.simple_framebuffer((width, height), 4)
        self._painter.draw(framebuffer, (0, 0), (width, height), self._shown[screen])
        pixels = read_framebuffer(framebuffer, (width, height))
        framebuffer.release()
        return pixels

    @_told
    def begin_small(self, screen: int) -> None:
        if self._thin_small(screen):
            return
        area_px = self._small_area_px
        self._windows[0].make_current()
        self._begin_small(screen, area_px)

    @_told
    def take_small(self) -> list[tuple[int, NDArray[np.uint8]]]:
        if self._small_views.is_drawing:
            self._windows[0].make_current()
        return self._small_views.take()

    def _renderer_name(self) -> str:
        self._windows[0].make_current()
        return str(self._context.info["GL_RENDERER"])

    def describe(self) -> str:
        sizes = sorted({"x".join(map(str, self.size_of(i))) for i in range(self._screens)})
        kind = "one window over" if self._span else "windows,"
        absent = self._seating.seats.count(None)
        missing = f", {absent} of them absent" if absent else ""
        rate = describe_rate(self.refresh_hz())
        self._windows[0].make_current()
        return (
            f"{kind} {self._screens} screens of {', '.join(sizes)}{missing}, {rate}, "
            f"{self._renderer()}"
        )

    def screens_status(self) -> tuple[str, ...]:
        return self._seating.status(self._clock.now_ns())

    def standing_of(self, screen: int) -> Standing:
        return self._seating.standing_of(screen)

    def refresh_hz(self) -> Fraction | None:
        master = self._windows.index(self._master)
        seats = self._seating.seats if self._span else self._seating.seats[master : master + 1]
        return next((seat.monitor.refresh_hz for seat in seats if seat), None)

    def close(self) -> None:
        if not self._windows:
            return
        if self._display_watch.is_lost:  # without it GLFW and the driver have nothing to give back
            self._closing.close()
            self._windows.clear()
            return
        for window in self._windows[1:]:
            window.make_current()
            if window.painter:
                window.painter.release()
        self._windows[0].make_current()
        if self._front_views is not None:
            self._front_views.release()
        self._release()
        self._end_glfw()

    def _end_glfw(self) -> None:
        self._closing.close()
        for window in reversed(self._windows):  # the first one's textures are the others' too
            self._glfw.destroy_window(window.handle)
        self._windows.clear()
        self._glfw.terminate()

    def _take_places(self) -> None:
        """Every window where its seat is, or hidden; the master one that is shown."""
        if self._span:
            self._windows[0].stand(self._seating.desktop_area)
            return
        for window, seat in zip(self._windows, self._seating.seats, strict=True):
            if seat is None:
                window.hide()
            else:
                window.stand(seat.area)
        if not self._master.is_shown:
            shown = [window for window in self._windows if window.is_shown]
            if shown:
                self._master.set_swap_interval(0)
                self._master = shown[0]
                self._master.set_swap_interval(1)

    def _is_shown(self, screen: int) -> bool:
        return self._seating.seats[screen] is not None

    def _place_of(self, screen: int) -> tuple[Window, Area]:
        """The screen's window, and its area there: pixels from the window's top left."""
        if not self._span:
            window = self._windows[screen]
            return window, Area(0, 0, *window.size_px)
        area, whole = self._seating.last_areas[screen], self._seating.desktop_area
        return self._windows[0], Area(area.x - whole.x, area.y - whole.y, area.width, area.height)
