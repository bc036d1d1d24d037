"""The monitors against the machine file, their refresh rates, and what would blank them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from player.doctor.finding import Finding, amber, green, joined, red, waits_for
from player.doctor.helpers import Helpers
from player.doctor.patient import Patient
from player.wall.edid import Edid
from player.wall.machine_file import Machine, MachineScreen, read_machine_file
from player.wall.monitors import Area
from player.wall.placing import (
    Monitor,
    Place,
    Seat,
    describe_place,
    describe_rate,
    seated,
    without_mirrors,
)
from player.wall.refresh import cadence, describe
from player.wall.seating import screens_of
from shows.schema import ShowError

OUTPUTS, REFRESH, BLANKING = "outputs", "refresh", "blanking"
DESKTOP_WITHIN_S = 9.0
_NEARLY = Fraction(1, 500)  # 59.94 Hz stands for 60: one short frame in 17 s, which nobody sees


def look_at_desktop(patient: Patient, helpers: Helpers) -> Sequence[Finding]:
    """Outputs, refresh rates and blanking, of one look at the desktop."""
    told = helpers.ask_module("player.doctor.desktop_child", [], DESKTOP_WITHIN_S)
    if told.get("late"):
        told = {"fault": f"The desktop does not answer within {DESKTOP_WITHIN_S:.0f} s."}
    return [*_monitors(patient, told), _blanking(helpers, told.get("has_compositor"))]


def _monitors(patient: Patient, told: Mapping[str, Any]) -> list[Finding]:
    show, path = patient.show, patient.options.machine
    names = [show.settings.screens[screen].name for screen in patient.screens] if show else []
    try:
        machine = read_machine_file(path, names) if path and show else None
    except (ShowError, OSError) as fault:
        mend = "Mend the line it names; docs/machine.md has the words."
        return [red(OUTPUTS, str(fault), mend), waits_for(REFRESH, OUTPUTS)]
    monitors = tuple(monitor_of(one) for one in told.get("monitors", ()))
    if not monitors:
        return _without_monitors(machine, told.get("fault", "No monitor is on."))
    if show is None:
        return [waits_for(name, "show") for name in (OUTPUTS, REFRESH)]
    return [
        judged_outputs(names, machine, monitors, told["off"]),
        judged_refresh(show.settings.fps, names, machine, monitors),
    ]


def monitor_of(plain: Mapping[str, Any]) -> Monitor:
    """The way back of `desktop_child.as_plain`."""
    rate, edid = plain["refresh_hz"], plain["edid"]
    return Monitor(
        plain["name"],
        Area(*plain["area"]),
        Area(*plain["work_area"]),
        None if rate is None else Fraction(*rate),
        None if edid is None else Edid(*edid),
    )


def judged_outputs(
    names: Sequence[str],
    machine: Machine | None,
    monitors: Sequence[Monitor],
    off: Sequence[str] = (),
) -> Finding:
    """names: of the screens here. off: outputs that are connected and show nothing."""
    faults = [
        red(
            OUTPUTS,
            f"{screen.name} is not shown: there is no {_place(screen.place)}.",
            f"Check cable and power of that monitor, or mend the machine file: there are "
            f"{_outputs(monitors)}.",
        )
        for screen, seat in _seats(names, machine, monitors)
        if seat is None
    ]
    is_shared = len(names) > len(without_mirrors(monitors))
    if is_shared and (machine is None or not (machine.places_any or machine.outputs == "span")):
        faults.append(
            amber(
                OUTPUTS,
                f"{len(names)} screens share {_count(monitors)} as tiles.",
                "Connect a monitor for each screen, or say in a machine file (--machine) what is "
                "meant.",
            )
        )
    if off:
        faults.append(
            amber(
                OUTPUTS,
                f"Connected, but switched off in the system: {', '.join(off)}.",
                "Switch it on in the display settings, or take its cable out.",
            )
        )
    where = "against the machine file" if machine else "without a machine file, from the left"
    healthy = f"{_count(monitors)} for {len(names)} screens, {where}: {_outputs(monitors)}."
    return joined(OUTPUTS, faults, f"{healthy}{_per_card()}")


def judged_refresh(
    fps: Fraction, names: Sequence[str], machine: Machine | None, monitors: Sequence[Monitor]
) -> Finding:
    """Of the monitors that show a screen. Mixed rates, and rates that are no multiple."""
    seats = [seat for _, seat in _seats(names, machine, monitors) if seat]
    used = {seat.monitor.name: seat.monitor for seat in seats}
    rates = {name: one.refresh_hz for name, one in used.items() if one.refresh_hz is not None}
    if not rates:
        return green(REFRESH, "The refresh rates cannot be known here.")
    told = ", ".join(sorted({describe_rate(rate) for rate in rates.values()}))
    faults = []
    if len(set(rates.values())) > 1:
        each = ", ".join(f"{name} {describe_rate(rate)}" for name, rate in rates.items())
        mend = "Set all monitors to one rate, 60 Hz if they have it."
        faults.append(amber(REFRESH, f"The rates are mixed: {each}.", mend))
    for rate in sorted(set(rates.values())):
        if not _carries(fps, rate):
            mend = f"Set a multiple of {float(fps):g} Hz in the display settings."
            faults.append(amber(REFRESH, f"{describe(fps, rate)}.", mend))
    return joined(REFRESH, faults, f"{told}: carries {float(fps):g} frames a second evenly.")


def judged_blanking(xset: str, gnome_idle: str, has_compositor: bool | None) -> Finding:
    """xset: what `xset q` wrote. gnome_idle: GNOME's idle delay as gsettings writes it."""
    ways = []
    timeout = re.search(r"timeout:\s+(\d+)", xset)
    if timeout and int(timeout[1]):
        ways.append(f"the X server's screen saver after {timeout[1]} s")
    if "DPMS is Enabled" in xset:
        ways.append("the monitors' power saving (DPMS)")
    idle = re.fullmatch(r"uint32 (\d+)", gnome_idle.strip())
    if idle and int(idle[1]):
        ways.append(f"GNOME after {idle[1]} s")
    if ways:
        return amber(
            BLANKING,
            f"Without the player the screens go dark by {' and '.join(ways)}; it holds that off "
            "only while it runs.",
            "Switch screen saver and power saving off in the settings; on plain X: "
            "xset s off -dpms.",
        )
    if not xset and not gnome_idle:
        return green(BLANKING, "What blanks the screens cannot be known here.")
    drawn = {True: " A compositor runs.", False: " No compositor runs.", None: ""}[has_compositor]
    return green(BLANKING, f"Nothing blanks the screens.{drawn}")


def _blanking(helpers: Helpers, has_compositor: bool | None) -> Finding:
    xset = gnome = None
    if os.environ.get("DISPLAY"):
        xset = helpers.ask(["xset", "q"], 2.0)
        if "GNOME" in os.environ.get("XDG_CURRENT_DESKTOP", ""):
            words = ["gsettings", "get", "org.gnome.desktop.session", "idle-delay"]
            gnome = helpers.ask(words, 2.0)
    return judged_blanking(
        xset.text if xset and xset.status == 0 else "",
        gnome.text if gnome and gnome.status == 0 else "",
        has_compositor,
    )


def _without_monitors(machine: Machine | None, fault: str) -> list[Finding]:
    refresh = green(REFRESH, "Cannot be known without monitors.")
    mend = "Start the doctor, and the player, from the desktop that has the monitors."
    if machine is not None and machine.places_any:
        finding = f"The machine file places screens, and there is no monitor. {fault}"
        return [red(OUTPUTS, finding, mend), refresh]
    return [amber(OUTPUTS, f"It would play headless, seen by nobody. {fault}", mend), refresh]


def _seats(
    names: Sequence[str], machine: Machine | None, monitors: Sequence[Monitor]
) -> tuple[tuple[MachineScreen, Seat | None], ...]:
    """Each screen, and where it stands; None: nowhere."""
    screens = screens_of(machine, monitors, len(names), None)
    seats = seated(monitors, [screen.place for screen in screens], [None] * len(screens))
    return tuple(zip(screens, seats, strict=True))


def _carries(fps: Fraction, rate: Fraction) -> bool:
    if cadence(fps, rate).even:
        return True
    times = rate / fps
    return round(times) >= 1 and abs(times / round(times) - 1) < _NEARLY


def _place(place: Place) -> str:
    return describe_place(place).removeprefix("a ")


def _outputs(monitors: Sequence[Monitor]) -> str:
    return ", ".join(
        f"{one.name} (EDID {one.edid.text})" if one.edid else one.name for one in monitors
    )


def _count(monitors: Sequence[Monitor]) -> str:
    return f"{len(monitors)} monitor{'s' if len(monitors) != 1 else ''}"


def _per_card(folder: Path = Path("/sys/class/drm")) -> str:
    """Connected outputs of each graphics card, where Linux tells; else nothing."""
    if sys.platform != "linux":
        return ""
    counts: dict[str, int] = {}
    for status in sorted(folder.glob("card[0-9]*-*/status")):
        try:
            if status.read_text(errors="replace").strip() == "connected":
                card = status.parent.name.partition("-")[0]
                counts[card] = counts.get(card, 0) + 1
        except OSError:
            continue
    told = ", ".join(f"{card} {count}" for card, count in counts.items())
    return f" Connected by card: {told}." if told else ""
