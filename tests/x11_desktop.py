"""What tests do to a virtual X desktop, and ask of it, that xrandr and xset cannot."""

from __future__ import annotations

import ctypes
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

XA_INTEGER = 19
SAVER_ON = 1


class _SaverInfo(ctypes.Structure):
    """XScreenSaverInfo of X11/extensions/scrnsaver.h."""

    _fields_ = (
        ("window", ctypes.c_ulong),
        ("state", ctypes.c_int),
        ("kind", ctypes.c_int),
        ("til_or_since", ctypes.c_ulong),
        ("idle", ctypes.c_ulong),
        ("event_mask", ctypes.c_ulong),
    )


@contextmanager
def _display() -> Iterator[tuple[ctypes.CDLL, ctypes.c_void_p]]:
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = x11.XDefaultRootWindow.restype = ctypes.c_ulong
    display = ctypes.c_void_p(x11.XOpenDisplay(None))
    try:
        yield x11, display
    finally:
        x11.XCloseDisplay(display)


def set_edid(output: int, block: bytes) -> None:
    """Gives the `output`-th output, from 0, this EDID: the dummy driver has none of its own."""
    told = subprocess.run(
        ["xrandr", "--current", "--verbose"], capture_output=True, text=True, check=True
    )
    ids = [int(text, 16) for text in re.findall(r"Identifier: (0x[0-9a-f]+)", told.stdout)]
    with _display() as (x11, display):
        ctypes.CDLL("libXrandr.so.2").XRRChangeOutputProperty(
            display,
            ctypes.c_ulong(ids[output]),
            ctypes.c_ulong(x11.XInternAtom(display, b"EDID", 0)),
            ctypes.c_ulong(XA_INTEGER),
            8,
            0,
            block,
            len(block),
        )
        x11.XSync(display, 0)


def screen_saver_is_on() -> bool:
    """Whether the X server's screen saver covers the desktop now."""
    info = _SaverInfo()
    with _display() as (x11, display):
        root = ctypes.c_ulong(x11.XDefaultRootWindow(display))
        ctypes.CDLL("libXss.so.1").XScreenSaverQueryInfo(display, root, ctypes.byref(info))
    return info.state == SAVER_ON
