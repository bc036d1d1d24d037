"""The wall that a show is opened on: windows or none, their look, their calibration."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from player.calibration_desk import CalibrationDesk
from player.options import Options
from player.wall.calibration_file import calibration_path, calibrations_or_warning
from player.wall.front_buffer import FrontBufferError, usual_path
from player.wall.look import look_of
from player.wall.machine_file import Machine
from player.wall.outputs import Wall, has_display, open_wall
from shows.show import Show

_log = logging.getLogger("player")


def opened_wall(
    options: Options, show: Show, screens: Sequence[int], machine: Machine | None, osc_port: int
) -> Wall:
    """screens: those of the show, from 0, that hang here. Raises OutputError."""
    wall = _open_wall(options, len(screens), machine, osc_port)
    if not options.plain:
        is_software = wall.is_software
        for place, screen in enumerate(screens):
            wall.set_look(place, look_of(show.settings, screen, software=is_software))
    return wall


def calibration_desk(
    names: Sequence[str], machine: Machine | None, machine_file: Path | None
) -> CalibrationDesk:
    """What was saved live goes before what stands in the machine file."""
    first = {
        screen.name: screen.calibration
        for screen in (machine.screens if machine else ())
        if screen.calibration is not None
    }
    if machine_file is None:
        return CalibrationDesk(names, first, None)
    path = calibration_path(machine_file)
    saved, warning = calibrations_or_warning(path)
    if warning:
        _log.warning("%s", warning)
    return CalibrationDesk(names, {**first, **saved}, path)


def _open_wall(options: Options, screens: int, machine: Machine | None, osc_port: int) -> Wall:
    kind = options.outputs or (machine.outputs if machine else None)
    if kind is None:
        kind = "windows" if has_display() else "headless"
    elif kind != "headless" and not has_display():
        _log.warning("There is no display here, so --outputs %s becomes headless.", kind)
        kind = "headless"
    if kind == "headless" and options.outputs is None:
        _log.warning("There is no display here: playing headless.")
    front = options.front
    if front is not None and not front.name:
        front = usual_path(osc_port)
    try:
        return open_wall(kind, screens, options.size, machine, front, options.front_px)
    except FrontBufferError as fault:
        _log.warning("%s The show goes on without it.", fault)
        return open_wall(kind, screens, options.size, machine)
