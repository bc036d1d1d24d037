"""What GLFW does not do for a window on X11: be shown without a wait, and never take the focus."""

from __future__ import annotations

import ctypes
from typing import Any

_XA_CARDINAL = 6
_REPLACE = 0


class X11Windows:
    """The X server's windows, over GLFW's own connection. On GLFW's thread only."""

    def __init__(self, display: int) -> None:
        """display: a Display pointer. Raises OSError without libX11."""
        self._x11 = ctypes.CDLL("libX11.so.6")
        self._x11.XInternAtom.restype = ctypes.c_ulong
        self._display = ctypes.c_void_p(display)

    def refuse_focus(self, glfw: Any, window: Any) -> None:
        """A new window of user time 0 is not to be focused (EWMH 1.5, _NET_WM_USER_TIME).

        To be called before the window is shown. A click focuses it still.
        """
        never = ctypes.c_ulong(0)
        self._x11.XChangeProperty(
            self._display,
            _window(glfw, window),
            ctypes.c_ulong(self._x11.XInternAtom(self._display, b"_NET_WM_USER_TIME", 0)),
            ctypes.c_ulong(_XA_CARDINAL),
            32,
            _REPLACE,
            ctypes.byref(never),
            1,
        )

    def show(self, glfw: Any, window: Any) -> None:
        """Asks for it and returns.

        glfwShowWindow waits until the window is seen, 50 ms under a window manager: all other
        screens would miss a frame.
        """
        self._x11.XMapWindow(self._display, _window(glfw, window))
        self._x11.XFlush(self._display)


def _window(glfw: Any, window: Any) -> ctypes.c_ulong:
    return ctypes.c_ulong(int(glfw.get_x11_window(window)))
