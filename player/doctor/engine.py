"""Whether the engine is there, how it draws on this machine, and whether that is fast enough."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from player.doctor.finding import Finding, State, amber, green, red, waits_for
from player.doctor.graphics import nvidia_cards
from player.doctor.helpers import Helpers
from player.doctor.patient import Patient
from player.doctor.show_files import is_damaged
from player.this_program import command, pip_install
from shows.show import Show

NAME = "engine"
MEASURED_S = 1.5
CHOICE_S = 4.0  # for the engine to find its best way to draw, once torch is loaded
WITHIN_S = 13.0  # for all of it
ENOUGH, BARELY = 1.3, 1.0  # times the show's need
MOST_STRIDE = 3  # of the governor: every third picture made, the others mixed
FULL_LOAD = 0.95  # of the engine's time, for the governor


def look_at_engine(patient: Patient, helpers: Helpers) -> Sequence[Finding]:
    """The real engine in a process of its own, with as many different pictures as the show asks
    of this machine at once."""
    show = patient.show
    if show is None:
        return [waits_for(NAME, "show")]
    if patient.generator is None:
        return [waits_for(NAME, "generator")]
    if patient.options.fast:
        return [green(NAME, "Not measured, because of --fast.")]
    if patient.held is not None and patient.held.status is not None:
        return [green(NAME, f"Not measured: a player runs here. {_told_of(patient.held.status)}")]
    pictures = pictures_at_once(show, patient.screens)
    told = _measured(helpers, patient, show, pictures)
    if told.get("late"):
        finding = f"It was not through within {WITHIN_S:.0f} s."
        mend = f"Ask once more: torch loads slowly the first time. If it stays so: {_too_slow()}"
        return [_bad(patient, finding, mend)]
    if told.get("kind") == "CheckpointError" and is_damaged(show, patient.generator):
        return [waits_for(NAME, "generator")]
    if "fault" in told:
        mend = "Restart the machine; if it stays so, reinstall the graphics driver and torch."
        if "is missing" in told["fault"]:
            mend = f"Install it: {pip_install('live')}."
        return [_bad(patient, f"It cannot be opened: {told['fault'].rstrip('.')}.", mend)]
    cards = [] if told["has_cuda"] else nvidia_cards(helpers)
    need = pictures * float(show.settings.fps)
    rate, how, is_plain = (told[word] for word in ("pictures_per_second", "engine", "is_plain"))
    return [judged(patient, rate, need, how, is_plain, cards)]


def pictures_at_once(show: Show, screens: Sequence[int]) -> int:
    """How many different pictures a frame has on these screens, as the show opens. Screens of one
    ballad that are not apart in time share one."""
    apart = show.settings.phases != "together"
    wanted = set()
    for screen in screens:
        words = show.settings.screens[screen]
        wanted.add((words.ballad, screen if apart else words.phase_frames or 0))
    return max(1, len(wanted))


def judged(
    patient: Patient, rate: float, need: float, how: str, is_plain: bool, idle_cards: Sequence[str]
) -> Finding:
    """rate, need: pictures a second. how: the engine's own words. idle_cards: NVIDIA cards here,
    while the engine draws on the processor."""
    margin = rate / need
    finding = f"{rate:.0f} pictures a second, the show needs {need:.0f}: {margin:.2f} times. {how}."
    if is_plain:
        finding += (
            " Measured on the plain path: the best one on this machine is not known yet, and "
            "finding it takes longer than this check may."
        )
    if idle_cards:
        finding += f" {idle_cards[0]} is not used: this torch is without CUDA."
    if margin >= ENOUGH and not idle_cards:
        return green(NAME, finding)
    if idle_cards:
        mend = "Install a torch with CUDA for this driver, then run the doctor again."
    elif is_plain:
        mend = "Play the show once until it is live, so that the best path is known; ask again."
    elif margin >= BARELY:
        mend = "Close other programs and see to cooling: there is little to spare."
    else:
        mend = _too_slow()
    state, words = _state(patient, margin)
    return Finding(NAME, state, f"{finding} {words}".strip(), mend)


def _too_slow() -> str:
    return (
        "Use a faster graphics card, a smaller generator or fewer screens a machine, or make "
        f"films: {command('export')}."
    )


def _state(patient: Patient, margin: float) -> tuple[State, str]:
    if margin >= BARELY:
        return "amber", ""
    for stride in range(2, MOST_STRIDE + 1):
        if margin * stride * FULL_LOAD >= BARELY:
            nth = "2nd" if stride == 2 else "3rd"
            return "amber", f"The player will make every {nth} frame and mix the others."
    if patient.has_all_films:
        return "amber", "The films will play instead."
    return "red", "There are not films of all ballads to play instead."


def _bad(patient: Patient, finding: str, mend: str) -> Finding:
    if patient.has_all_films:
        return amber(NAME, f"{finding} The films will play instead.", mend)
    return red(NAME, f"{finding} There are not films of all ballads to play instead.", mend)


def _measured(helpers: Helpers, patient: Patient, show: Show, pictures: int) -> dict[str, Any]:
    assert patient.generator is not None
    words = {
        "path": str(show.generator_path.resolve()),
        "screens": pictures,
        "noise_mode": show.settings.noise_mode,
        "threads": patient.options.threads,
        "num_ws": patient.generator.num_ws,
        "seconds": MEASURED_S,
        "choice_s": CHOICE_S,
    }
    return helpers.ask_module("player.doctor.engine_child", [json.dumps(words)], WITHIN_S)


def _told_of(status: str) -> str:
    """What a running player says of its engine."""
    parts = [part.strip() for part in status.split(";")]
    told = [part for part in parts if part.startswith(("engine", "quality", "source"))]
    return f"It says: {'; '.join(told)}." if told else "It says nothing of its engine."
