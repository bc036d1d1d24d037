"""What a wall cannot go on without: its graphics context, and the X server. Noticed, told, raised.

Left alone, a lost context draws nothing for ever, and Xlib ends the process without a clean-up.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from player.wall.contract import OutputError

_OUT_OF_MEMORY = "GL_OUT_OF_MEMORY"
# moderngl knows no name for GL_CONTEXT_LOST, the only other error that OpenGL 4.6 has
_LOST = "GL_UNKNOWN_ERROR"
_EXTENSIONS = {"GL_KHR_robustness": "KHR", "GL_ARB_robustness": "ARB"}
_RESETS = {  # KHR_robustness, glGetGraphicsResetStatus
    0x8253: " while it drew for the player",
    0x8254: " because of another program",
    0x8255: "",
}
_RESTART = "Start the player again; if it happens often, look at the driver and the card's heat."


class ContextWatch:
    """Of one OpenGL context, which must be current at every check."""

    def __init__(
        self, error: Callable[[], str], reset_status: Callable[[], int] | None = None
    ) -> None:
        """error: the name of what glGetError tells. reset_status: see `reset_status_of`."""
        self._error = error
        self._reset_status = reset_status

    def check(self) -> None:
        """Raises OutputError once the context is lost or its memory used up. A few microseconds."""
        if self._reset_status is not None:
            status = self._reset_status()
            if status:
                raise OutputError(
                    f"The graphics driver was reset{_RESETS.get(status, '')}. {_RESTART}"
                )
        error = self._error()
        if error == _LOST:
            raise OutputError(f"The graphics driver was reset, or has lost its card. {_RESTART}")
        if error == _OUT_OF_MEMORY:
            raise OutputError(
                "The graphics memory is used up. End other programs that draw, or show smaller "
                "pictures."
            )


def reset_status_of(glfw: Any) -> Callable[[], int] | None:
    """glGetGraphicsResetStatus of the current context: 0, or why it was lost. None: not told."""
    for extension, suffix in _EXTENSIONS.items():
        if glfw.extension_supported(extension):
            address = glfw.get_proc_address(f"glGetGraphicsResetStatus{suffix}")
            if address:
                return ctypes.CFUNCTYPE(ctypes.c_uint)(_number(address))
    return None


def _number(address: Any) -> int:
    return int(ctypes.cast(address, ctypes.c_void_p).value or 0)


class DisplayWatch:
    """Whether GLFW's connection to the X server still stands.

    Xlib from 1.7 on goes on after its handler; an older one ends the process with status 1, with a
    line of its own. One for a connection; it stays with it for good.
    """

    def __init__(self, display: int | None) -> None:
        """display: a Display pointer; None where there is no X: then nothing is ever lost."""
        self.is_lost = False
        if display is None:
            return
        self._on_fault = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(self._note)
        self._on_exit = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(self._note)
        _kept.append(self)  # Xlib holds its functions as long as the process lives
        try:
            x11 = ctypes.CDLL("libX11.so.6")
            x11.XSetIOErrorExitHandler(ctypes.c_void_p(display), self._on_exit, None)
            x11.XSetIOErrorHandler(self._on_fault)
        except (OSError, AttributeError):
            return

    def check(self) -> None:
        """Raises OutputError once the connection is lost."""
        if self.is_lost:
            raise OutputError(
                "The display server has ended, and the player's windows with it. The player ends; "
                "start it again from the desktop that comes back."
            )

    def _note(self, *_: object) -> int:
        self.is_lost = True
        return 0


_kept: list[DisplayWatch] = []
