"""The graphics card with its driver, and OpenGL as the player draws with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from player.doctor.finding import Finding, amber, green, red
from player.doctor.helpers import Answer, Helpers
from player.doctor.patient import Patient

SMI_WITHIN_S = 5.0
GL_WITHIN_S = 12.0
_QUERY = ("--query-gpu=name,driver_version,memory.total", "--format=csv,noheader")
_NVIDIA, _DISPLAY_CLASS = "0x10de", "0x03"


def look_at_gpu(patient: Patient, helpers: Helpers) -> Sequence[Finding]:
    """NVIDIA's own tool is asked. No card is no fault: whether the processor does, the check
    `engine` tells."""
    del patient
    name = "gpu"
    answer = _ask_smi(helpers)
    if answer is None:
        if nvidia_on_the_bus():
            mend = "Install the driver of NVIDIA, with nvidia-smi, and restart the machine."
            return [amber(name, "There is an NVIDIA card, and its driver is not installed.", mend)]
        return [green(name, "No NVIDIA card is told of here.")]
    mend = "Restart the machine; if it stays so, reinstall the driver."
    if answer.status is None:
        finding = f"The driver's tool nvidia-smi does not answer within {SMI_WITHIN_S:.0f} s."
        return [red(name, finding, mend)]
    if answer.status != 0:
        said = " ".join(answer.text.split())[:200]
        if "No devices were found" in said and not nvidia_on_the_bus():
            return [green(name, "The driver of NVIDIA finds no card.")]
        words = said.rstrip(".") or f"status {answer.status}"
        return [red(name, f"nvidia-smi fails: {words}.", mend)]
    return [green(name, f"{_cards(answer.text)}.")]


def nvidia_cards(helpers: Helpers) -> list[str]:
    """The names of the cards, as far as the driver's tool tells."""
    answer = _ask_smi(helpers)
    if answer is None or answer.status != 0:
        return []
    return [line.split(",")[0].strip() for line in answer.text.splitlines() if "," in line]


def nvidia_on_the_bus(devices: Path = Path("/sys/bus/pci/devices")) -> bool:
    """Whether a graphics card of NVIDIA sits on the PCI bus (Linux: sysfs tells)."""
    return any(
        _word(folder / "vendor") == _NVIDIA and _word(folder / "class").startswith(_DISPLAY_CLASS)
        for folder in devices.glob("*")
    )


def look_at_gl(patient: Patient, helpers: Helpers) -> Sequence[Finding]:
    """A picture is drawn without a display and read back, in a process of its own."""
    del patient
    name = "opengl"
    told = helpers.ask_module("player.doctor.gl_child", [], GL_WITHIN_S)
    mend = "Install the graphics card's own driver, with EGL and OpenGL 3.3 or later."
    if told.get("late"):
        finding = f"No picture was drawn within {GL_WITHIN_S:.0f} s."
        return [red(name, finding, f"Restart the machine. {mend}")]
    if "fault" in told:
        return [red(name, told["fault"], mend)]
    if not told["is_right"]:
        return [red(name, f"A picture came out wrong. {told['wall']}.", mend)]
    if told["is_software"]:
        finding = f"The processor draws, no graphics card: {told['wall']}."
        return [amber(name, finding, f"{mend} On a machine that has no card: accept it.")]
    return [green(name, f"{told['wall']}.")]


def _ask_smi(helpers: Helpers) -> Answer | None:
    return helpers.ask(["nvidia-smi", *_QUERY], SMI_WITHIN_S)


def _cards(text: str) -> str:
    """As in "2 x NVIDIA RTX A4000, driver 550.54, 16376 MiB"."""
    rows = [[cell.strip() for cell in line.split(",")] for line in text.splitlines() if "," in line]
    counts: dict[str, int] = {}
    for row in rows:
        words = f"{row[0]}, driver {', '.join(row[1:])}"
        counts[words] = counts.get(words, 0) + 1
    told = [f"{count} x {words}" if count > 1 else words for words, count in counts.items()]
    return "; ".join(told) or "NVIDIA's driver is there"


def _word(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
