"""An undecorated window at a place of the desktop, with an OpenGL context of its own."""

from __future__ import annotations

import logging
from typing import Any

import moderngl

from player.wall.monitors import Area
from player.wall.renderer import Painter
from player.wall.x11_windows import X11Windows

# How often a window is put back that something else has moved, before it is left where it is.
MOST_TRIES = 8

_log = logging.getLogger(__name__)


class Window:
    """Without a cursor, never in the focus by itself, and hidden until `stand`.

    Its context shares the first window's textures. It is never fullscreen: such a window stays at
    meaningless coordinates after an unplug, and several of them fold each other away. And it is
    never destroyed while the wall is open: making one again takes longer than a frame.
    """

    def __init__(
        self,
        glfw: Any,
        size_px: tuple[int, int],
        title: str,
        first: Window | None,
        keys: list[str],
        x11: X11Windows | None,
    ) -> None:
        """keys: to which the letters pressed in this window are added. x11: None elsewhere."""
        self._glfw = glfw
        self._x11 = x11
        self._title = title
        self._keys = keys
        self._wanted: Area | None = None
        self._tries = 0
        for hint, value in (
            (glfw.CLIENT_API, glfw.OPENGL_API),
            (glfw.CONTEXT_VERSION_MAJOR, 3),
            (glfw.CONTEXT_VERSION_MINOR, 3),
            (glfw.OPENGL_PROFILE, glfw.OPENGL_CORE_PROFILE),
            (glfw.OPENGL_FORWARD_COMPAT, True),
            # where the driver has it: a reset is told, instead of drawing nothing for ever
            (glfw.CONTEXT_ROBUSTNESS, glfw.LOSE_CONTEXT_ON_RESET),
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
            *size_px, title, None, first.handle if first else None
        )
        glfw.set_input_mode(self.handle, glfw.CURSOR, glfw.CURSOR_HIDDEN)
        glfw.set_key_callback(self.handle, self._on_key)
        # told by events: asking for size and position is a round trip to the X server for each
        glfw.set_framebuffer_size_callback(self.handle, self._on_framebuffer_size)
        glfw.set_window_size_callback(self.handle, self._on_size)
        glfw.set_window_pos_callback(self.handle, self._on_position)
        self._position: tuple[int, int] = glfw.get_window_pos(self.handle)
        self._size: tuple[int, int] = glfw.get_window_size(self.handle)
        self.size_px: tuple[int, int] = glfw.get_framebuffer_size(self.handle)
        self.is_shown = False
        self.set_swap_interval(0)
        self.context = moderngl.create_context(require=330)
        self.painter: Painter | None = None  # the first window's belongs to the wall

    def make_current(self) -> None:
        self._glfw.make_context_current(self.handle)

    def set_swap_interval(self, refreshes: int) -> None:
        """Leaves the context current."""
        self.make_current()
        self._glfw.swap_interval(refreshes)

    def stand(self, area: Area) -> None:
        """Shows the window there, or puts it back there; costs nothing where it is right."""
        if area != self._wanted:
            self._wanted, self._tries = area, 0
        is_there = (*self._position, *self._size) == (area.x, area.y, area.width, area.height)
        if self.is_shown and (is_there or self._tries > MOST_TRIES):
            return
        self._tries += 1
        if self._tries > MOST_TRIES:
            _log.warning(
                "The desktop does not leave the window %r at %s; it stands at %s. Switch off what "
                "arranges windows there.",
                self._title,
                area,
                Area(*self._position, *self._size),
            )
            return
        if self._size != (area.width, area.height):
            self._glfw.set_window_size(self.handle, area.width, area.height)
        self._glfw.set_window_pos(self.handle, area.x, area.y)
        if not self.is_shown:
            if self._x11 is None:
                self._glfw.show_window(self.handle)
            else:
                self._x11.refuse_focus(self._glfw, self.handle)
                self._x11.show(self._glfw, self.handle)
            self._glfw.set_window_pos(self.handle, area.x, area.y)  # some desktops place on showing
            self.is_shown = True

    def hide(self) -> None:
        """Its size stays, and what is drawn for it can still be read back."""
        if self.is_shown:
            self._glfw.hide_window(self.handle)
            self.is_shown = False
            self._wanted = None

    def wants_to_close(self) -> bool:
        return bool(self._glfw.window_should_close(self.handle))

    def _on_framebuffer_size(self, window: Any, width: int, height: int) -> None:
        self.size_px = (width, height)

    def _on_size(self, window: Any, width: int, height: int) -> None:
        self._size = (width, height)

    def _on_position(self, window: Any, x: int, y: int) -> None:
        self._position = (x, y)

    def _on_key(self, window: Any, key: int, scancode: int, action: int, modifiers: int) -> None:
        if action != self._glfw.PRESS:
            return
        if key in (self._glfw.KEY_ESCAPE, self._glfw.KEY_Q):
            self._glfw.set_window_should_close(window, True)
        elif self._glfw.KEY_A <= key <= self._glfw.KEY_Z and len(self._keys) < 16:
            self._keys.append(chr(key).lower())
