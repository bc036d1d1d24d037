"""What the running desktop has: monitors, outputs that are off, a compositor. In a process of its
own, because GLFW wants a main thread and an X error ends whoever caused it.

    python -m player.doctor.desktop_child

Prints one line of JSON; `fault` where there is no desktop.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from typing import Any

from player.wall.outputs import OutputError, list_monitors
from player.wall.placing import Monitor
from player.wall.xrandr import ask_xrandr


def main() -> int:
    """Look and print; 0."""
    try:
        monitors = list_monitors()
    except OutputError as fault:
        print(json.dumps({"fault": str(fault)}))
        return 0
    told = {
        "monitors": [as_plain(monitor) for monitor in monitors],
        "off": [one.name for one in ask_xrandr() or () if one.is_connected and one.area is None],
        "has_compositor": _has_compositor(),
    }
    print(json.dumps(told))
    return 0


def as_plain(monitor: Monitor) -> dict[str, Any]:
    """As JSON; `desktop.monitor_of` is the way back."""
    area, work, rate, edid = monitor.area, monitor.work_area, monitor.refresh_hz, monitor.edid
    return {
        "name": monitor.name,
        "area": [area.x, area.y, area.width, area.height],
        "work_area": [work.x, work.y, work.width, work.height],
        "refresh_hz": None if rate is None else [rate.numerator, rate.denominator],
        "edid": None
        if edid is None
        else [edid.maker, edid.product, edid.serial, edid.name, edid.serial_text],
    }


def _has_compositor() -> bool | None:
    """Whether somebody owns the selection _NET_WM_CM_S0 (Extended Window Manager Hints, section
    "Compositing managers"); None where X cannot be asked."""
    if not os.environ.get("DISPLAY"):
        return None
    try:
        x11 = ctypes.CDLL("libX11.so.6")
        x11.XOpenDisplay.restype = ctypes.c_void_p
        x11.XInternAtom.restype = x11.XGetSelectionOwner.restype = ctypes.c_ulong
        display = ctypes.c_void_p(x11.XOpenDisplay(None))
        if not display:
            return None
        atom = ctypes.c_ulong(x11.XInternAtom(display, b"_NET_WM_CM_S0", 0))
        return bool(x11.XGetSelectionOwner(display, atom))
    except (OSError, AttributeError):
        return None


if __name__ == "__main__":
    sys.exit(main())
