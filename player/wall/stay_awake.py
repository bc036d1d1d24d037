"""Keeps the screen saver, and the monitors' and the machine's sleep, away while the wall is open.

Two ways, because neither reaches everything: the X server's own saver and DPMS are held off through
MIT-SCREEN-SAVER, which ends with our connection even if we are killed; desktops (GNOME, KDE and
others, over D-Bus) and Windows have lockers of their own, which wakepy knows. `xset s off` was
rejected: it outlives the process and needs undoing.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable
from contextlib import ExitStack

_log = logging.getLogger(__name__)


def stay_awake(x11_display: int | None) -> ExitStack:
    """Until the stack is closed. x11_display: a Display pointer, None where there is no X.

    What cannot be held off is a sentence in the log, no more.
    """
    closing = ExitStack()
    ways: list[str] = []
    if x11_display is not None and (resume := _suspend_x11_saver(x11_display)):
        closing.callback(resume)
        ways.append("the X server")
    if by := _inhibit_desktop(closing):
        ways.append(by)
    if ways:
        _log.info("Screen saver and sleep are held off through %s.", " and ".join(ways))
    else:
        _log.warning(
            "Nothing here lets the screen saver be held off: switch the screen saver, screen lock "
            "and power saving off in the system's settings (on X with libxss1 it is done for you)."
        )
    return closing


def _suspend_x11_saver(display: int) -> Callable[[], None] | None:
    """Source: XScreenSaver(3), XScreenSaverSuspend, since version 1.1 of the extension."""
    try:
        library = ctypes.CDLL("libXss.so.1")
        x11 = ctypes.CDLL("libX11.so.6")
        flush, reset = x11.XFlush, x11.XResetScreenSaver
        query, suspend = library.XScreenSaverQueryVersion, library.XScreenSaverSuspend
    except (OSError, AttributeError):
        return None
    major, minor = ctypes.c_int(0), ctypes.c_int(0)
    pointer = ctypes.c_void_p(display)
    known = library.XScreenSaverQueryExtension(pointer, ctypes.byref(major), ctypes.byref(minor))
    if not known or not query(pointer, ctypes.byref(major), ctypes.byref(minor)):
        return None
    if (major.value, minor.value) < (1, 1):
        return None

    def set_suspended(is_suspended: int) -> None:
        suspend(pointer, ctypes.c_int(is_suspended))
        if is_suspended:
            reset(pointer)  # one that is on already would stay on
        flush(pointer)

    set_suspended(1)
    return lambda: set_suspended(0)


def _inhibit_desktop(closing: ExitStack) -> str | None:
    """The way that worked, None without one."""
    try:
        from wakepy import keep

        # its account of every way tried is for its makers; ours is one sentence
        logging.getLogger("wakepy").setLevel(logging.WARNING)
        mode = closing.enter_context(keep.presenting(on_fail="pass"))
    except Exception as fault:  # noqa: BLE001 - whatever a desktop's bus may come up with
        _log.debug("wakepy failed: %s", fault)
        return None
    return str(mode.method) if mode.active else None
