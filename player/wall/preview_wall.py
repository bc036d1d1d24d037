"""A wall of one screen in an ordinary window: framed, titled, moved and sized by whoever looks."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import moderngl
import numpy as np
from numpy.typing import NDArray

from player.wall.contract import Standing
from player.wall.desktop import sentences, start_glfw, x11_display
from player.wall.headless_wall import DrawnWall
from player.wall.losses import ContextWatch, DisplayWatch, reset_status_of
from player.wall.renderer import read_framebuffer
from player.wall.shots import Shot

_DRIVER_HINT = "A graphics driver with OpenGL 3.3 is needed; `preview --sheet` needs no window."
_told = sentences("The pictures could not be drawn", "Look at the graphics driver.", moderngl.Error)
MOST_KEYS = 16


class PreviewWall(DrawnWall):
    """`take_keys` gives the words `space`, `left` and `right` besides letters; the title is ours.

    Unlike the windows of an exhibition it has a frame and a pointer, takes the focus, and stays
    where the person puts it.
    """

    def __init__(self, size_px: tuple[int, int], title: str) -> None:
        """size_px: at first; the window can be made larger. Raises OutputError."""
        self._glfw = glfw = start_glfw()
        self._title = title
        self._keys: list[str] = []
        self._is_open = True
        try:
            with sentences("The window could not be opened", _DRIVER_HINT, moderngl.Error):
                self._display_watch = DisplayWatch(x11_display(glfw))
                glfw.default_window_hints()
                for hint, value in (
                    (glfw.CONTEXT_VERSION_MAJOR, 3),
                    (glfw.CONTEXT_VERSION_MINOR, 3),
                    (glfw.OPENGL_PROFILE, glfw.OPENGL_CORE_PROFILE),
                    (glfw.OPENGL_FORWARD_COMPAT, True),
                    (glfw.CONTEXT_ROBUSTNESS, glfw.LOSE_CONTEXT_ON_RESET),
                    (glfw.DEPTH_BITS, 0),
                    (glfw.STENCIL_BITS, 0),
                ):
                    glfw.window_hint(hint, value)
                self._handle: Any = glfw.create_window(*size_px, title, None, None)
                glfw.set_key_callback(self._handle, self._on_key)
                glfw.make_context_current(self._handle)
                glfw.swap_interval(0)  # a desktop that composes shows whole pictures anyway
                super().__init__(moderngl.create_context(require=330), 1)
                self._context_watch = ContextWatch(
                    lambda: str(self._context.error), reset_status_of(glfw)
                )
                self._painter.warm_up(self._context.screen)
        except BaseException:
            glfw.terminate()
            raise

    def set_title(self, title: str) -> None:
        """What stands above the pictures; costs nothing where it is that already."""
        if title != self._title:
            self._title = title
            self._glfw.set_window_title(self._handle, title)

    def size_of(self, screen: int) -> tuple[int, int]:
        """Never 0: a window that is folded away has one pixel."""
        width, height = self._glfw.get_framebuffer_size(self._handle)
        return max(1, width), max(1, height)

    @_told
    def upload(self, source: str, pixels: NDArray[np.uint8]) -> None:
        self._store.upload(source, pixels)

    @_told
    def warm_up_next(self, layers: int = 3) -> bool:
        return self._store.warm_up() or self._painter.warm_up_next(
            self._context.screen, self._calibrations, self._looks, layers
        )

    @_told
    def draw(self, shots: Sequence[Shot]) -> None:
        size_px = self.size_of(0)
        self._resolve(shots, [size_px])
        self._painter.draw(self._context.screen, (0, 0), size_px, self._drawn[0])

    @_told
    def finish(self) -> None:
        self._context.finish()
        self._context_watch.check()
        self._display_watch.check()

    @_told
    def present(self) -> None:
        self._glfw.swap_buffers(self._handle)
        self._shown = self._drawn

    @_told
    def poll(self) -> bool:
        self._glfw.poll_events()
        self._display_watch.check()
        return not self._glfw.window_should_close(self._handle)

    def take_keys(self) -> tuple[str, ...]:
        keys = tuple(self._keys)
        self._keys.clear()
        return keys

    def read(self, screen: int) -> NDArray[np.uint8]:
        """Drawn anew from the same pictures: a window's front buffer cannot be read."""
        width, height = self.size_of(screen)
        if not self._shown:
            return np.zeros((height, width, 3), np.uint8)
        framebuffer = self._context.simple_framebuffer((width, height), 4)
        self._painter.draw(framebuffer, (0, 0), (width, height), self._shown[screen])
        pixels = read_framebuffer(framebuffer, (width, height))
        framebuffer.release()
        return pixels

    @_told
    def begin_small(self, screen: int) -> None:
        self._begin_small(screen, self._small_area_px)

    @_told
    def take_small(self) -> list[tuple[int, NDArray[np.uint8]]]:
        return self._small_views.take()

    def _renderer_name(self) -> str:
        return str(self._context.info["GL_RENDERER"])

    def describe(self) -> str:
        width, height = self.size_of(0)
        return f"a window of {width}x{height}, {self._renderer()}"

    def screens_status(self) -> tuple[str, ...]:
        width, height = self.size_of(0)
        return (f"Screen 1: a window, {width}x{height}",)

    def standing_of(self, screen: int) -> Standing:
        return Standing("window", "no refresh")

    def refresh_hz(self) -> Fraction | None:
        """None: no present waits for a monitor; the window may lie on two."""
        return None

    def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        if self._display_watch.is_lost:  # without it there is nothing to give back
            return
        self._release()
        self._glfw.destroy_window(self._handle)
        self._glfw.terminate()

    def _on_key(self, window: Any, key: int, scancode: int, action: int, modifiers: int) -> None:
        glfw = self._glfw
        if action != glfw.PRESS:
            return
        named = {glfw.KEY_SPACE: "space", glfw.KEY_LEFT: "left", glfw.KEY_RIGHT: "right"}
        if key in (glfw.KEY_ESCAPE, glfw.KEY_Q):
            glfw.set_window_should_close(window, True)
        elif len(self._keys) < MOST_KEYS:
            letter = chr(key).lower() if glfw.KEY_A <= key <= glfw.KEY_Z else None
            name = named.get(key, letter)
            self._keys += [name] if name else []
