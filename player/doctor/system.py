"""The machine itself: its clock, power, memory and temperature."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from player.doctor.finding import Finding, amber, green, joined, red
from player.doctor.helpers import Helpers
from player.doctor.patient import Patient
from player.heat import HOT_C, WARM_C
from player.upkeep.measures import gpu_figures, processor_c

CLOCK, POWER, MEMORY, TEMPERATURE = "clock", "power", "memory", "temperature"
_ASK_S = 3.0
LEAST_FREE_MB, SCARCE_MB = 400, 1500
_MEND_CLOCK = (
    "Set the time by the network: timedatectl set-ntp true, or install chrony; on Windows: "
    "w32tm /resync."
)


def look_at_clock(patient: Patient, helpers: Helpers) -> Sequence[Finding]:
    """Whether the system sets its clock by the network. It matters where the show goes by the
    time of day; its frames never do."""
    is_synced, by = _is_synced(helpers)
    settings = patient.show.settings if patient.show else None
    has_hours = settings is not None and settings.schedule is not None
    matters = " Opening hours go by it." if has_hours else ""
    if is_synced is None:
        told = "Whether the system's clock is set by the network cannot be known here."
        if has_hours:
            mend = "Compare the clock with another one, or install chrony."
            return [amber(CLOCK, f"{told}{matters}", mend)]
        return [green(CLOCK, told)]
    if not is_synced:
        return [
            amber(
                CLOCK, f"The system's clock is not set by the network ({by}).{matters}", _MEND_CLOCK
            )
        ]
    return [green(CLOCK, f"The system's clock is set by the network ({by}).")]


def _is_synced(helpers: Helpers) -> tuple[bool | None, str]:
    """None: nothing here tells. And which program told."""
    if sys.platform == "win32":
        told = helpers.ask(["w32tm", "/query", "/status"], _ASK_S)
        return (windows_clock(told.text) if told and told.status == 0 else None), "w32tm"
    told = helpers.ask(["timedatectl", "show", "-p", "NTPSynchronized", "--value"], _ASK_S)
    if told is not None and told.status == 0 and told.text.strip() in ("yes", "no"):
        return told.text.strip() == "yes", "timedatectl"
    told = helpers.ask(["chronyc", "-c", "tracking"], _ASK_S)
    if told is not None and told.status == 0 and told.text.count(",") > 5:
        return told.text.strip().endswith("Normal"), "chronyc"
    told = helpers.ask(["ntpq", "-c", "rv 0 leap"], _ASK_S)
    if told is not None and told.status == 0 and "leap" in told.text:
        return "leap=00" in told.text.replace(" ", ""), "ntpq"
    return None, ""


def windows_clock(text: str) -> bool | None:
    """Of `w32tm /query /status`, whose first figure is the leap indicator, in whatever language:
    3 is not synchronised (RFC 5905, figure 9)."""
    leap = re.search(r":\s*([0-3])\(", text)
    return None if leap is None else leap[1] != "3"


def look_at_power(patient: Patient, helpers: Helpers) -> Sequence[Finding]:
    """The power profile, and a battery that is being emptied."""
    del patient
    import psutil

    faults = []
    known = []
    told = helpers.ask(["powerprofilesctl", "get"], _ASK_S)
    profile = told.text.strip() if told is not None and told.status == 0 else _platform_profile()
    if profile:
        known.append(f"power profile {profile}")
    if profile in ("power-saver", "low-power", "quiet"):
        mend = "Choose performance, or balanced, in the power settings."
        faults.append(amber(POWER, f"The power profile is {profile}: the engine is slowed.", mend))
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if battery is not None:
        known.append(f"battery {battery.percent:.0f} %")
        if battery.power_plugged is False:
            finding = f"It runs on its battery ({battery.percent:.0f} %)."
            faults.append(amber(POWER, finding, "Connect the mains."))
    healthy = "The power profile cannot be known here."
    if known:
        words = ", ".join(known)
        healthy = f"{words[0].upper()}{words[1:]}."
    return [joined(POWER, faults, healthy)]


def _platform_profile(path: Path = Path("/sys/firmware/acpi/platform_profile")) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def look_at_memory(patient: Patient, helpers: Helpers) -> Sequence[Finding]:
    """What is free now. A player that runs has what it needs already."""
    del helpers
    import psutil

    memory = psutil.virtual_memory()
    free_mb, all_mb = memory.available / 1e6, memory.total / 1e6
    told = f"{free_mb / 1000:.1f} of {all_mb / 1000:.1f} GB are free."
    return [judged_memory(free_mb, told, is_playing=patient.is_playing)]


def judged_memory(free_mb: float, told: str, *, is_playing: bool) -> Finding:
    """By what is free, in MB."""
    mend = "Close other programs, or restart the machine."
    if free_mb < LEAST_FREE_MB and not is_playing:
        return red(MEMORY, told, mend)
    if free_mb < (LEAST_FREE_MB if is_playing else SCARCE_MB):
        return amber(MEMORY, told, mend)
    return green(MEMORY, told)


def look_at_temperature(patient: Patient, helpers: Helpers) -> Sequence[Finding]:
    """The hottest sensor of processor and graphics card."""
    del patient
    words = ["nvidia-smi", "--query-gpu=temperature.gpu", "--format=csv,noheader,nounits"]
    told = helpers.ask(words, _ASK_S)
    gpu_c = gpu_figures(told.text)[0] if told is not None and told.status == 0 else None
    return [judged_temperature(processor_c(), gpu_c)]


def judged_temperature(cpu_c: float | None, gpu_c: float | None) -> Finding:
    """In degrees Celsius, None where nothing tells."""
    known = {"processor": cpu_c, "graphics card": gpu_c}
    told = ", ".join(f"{what} {c:.0f} °C" for what, c in known.items() if c is not None)
    if not told:
        return green(TEMPERATURE, "The temperatures cannot be known here.")
    hottest = max(c for c in known.values() if c is not None)
    finding = f"{told[0].upper()}{told[1:]}."
    mend = "Give it air: clean filters and fans, open the case's surroundings."
    if hottest >= HOT_C:
        return red(TEMPERATURE, finding, f"{mend} It may switch itself off.")
    if hottest >= WARM_C:
        return amber(TEMPERATURE, finding, mend)
    return green(TEMPERATURE, finding)
