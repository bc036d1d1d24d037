"""What the operator does to the calibrations while the show runs: change, undo, redo, save.

It holds values and draws nothing: whoever calls hands `calibrations` to the wall.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import assert_never

from player import commands
from player.commands import CalibrationCommand, CommandError
from player.disk_writer import Work
from player.wall.calibration import (
    FIELDS,
    IDENTITY,
    CalibrationField,
    ScreenCalibration,
    Value,
    value_text,
    with_values,
)
from player.wall.calibration_file import previous_path, write_calibrations
from shows.schema import ShowError

HISTORY_STEPS = 500
# A fader sends a value a frame: what comes within a second of the last for the same field of the
# same screen (30 ticks at 30 fps) is one step to undo.
STEP_TICKS = 30


@dataclass(frozen=True)
class Change:
    """One screen, from one calibration to another. field: None for all of it."""

    screen: int
    field: CalibrationField | None
    before: ScreenCalibration
    after: ScreenCalibration
    tick: int | None


class CalibrationDesk:
    """The calibrations of a show's screens, counted from 0, and the way back through changes."""

    def __init__(
        self,
        screens: Sequence[str],
        calibrations: Mapping[str, ScreenCalibration],
        path: Path | None,
    ) -> None:
        """screens: their names in the show, in order. calibrations: by name, as they were read;
        those of screens that this show does not have are kept for saving. path: of the file that
        `save` writes; None: nothing can be saved.
        """
        self._names = tuple(screens)
        self._others = {name: c for name, c in calibrations.items() if name not in self._names}
        self._calibrations = [calibrations.get(name, IDENTITY) for name in self._names]
        self._path = path
        self._done: deque[Change] = deque(maxlen=HISTORY_STEPS)
        self._undone: list[Change] = []

    @property
    def calibrations(self) -> tuple[ScreenCalibration, ...]:
        """Of every screen, in order."""
        return tuple(self._calibrations)

    def obey(self, command: CalibrationCommand, tick: int | None = None) -> str | Work:
        """Do what the operator asks, and answer; what waits for the disk is given back to be done.

        tick: of the house clock, see `set`. Raises CommandError with a sentence; then nothing has
        changed.
        """
        match command:
            case commands.SetCalibration(screen, field, values):
                self.set(screen, field, values, tick)
                return self.value_text(screen, field)
            case commands.QueryCalibration(screen, field):
                return self.all_text(screen) if field is None else self.value_text(screen, field)
            case commands.ResetCalibration(screen):
                self.reset(screen)
                return f"{self._called(screen)} is uncalibrated"
            case commands.UndoCalibration():
                change = self.undo()
                return f"undone: {self._told(change, change.before)}"
            case commands.RedoCalibration():
                change = self.redo()
                return f"done again: {self._told(change, change.after)}"
            case commands.SaveCalibration():
                return self.save()
            case _:
                assert_never(command)

    def set(
        self,
        screen: int,
        field: CalibrationField,
        values: Sequence[Value],
        tick: int | None = None,
    ) -> ScreenCalibration:
        """Changes one field and gives the screen's calibration as it is then.

        tick: changes of the same field within STEP_TICKS of each other are undone together; None:
        alone. Raises CommandError for values that make no sense.
        """
        before = self._calibration(screen)
        try:
            after = with_values(before, field, values, self._called(screen))
        except ShowError as fault:
            raise CommandError(str(fault).replace("\n", " ")) from fault
        self._do(Change(screen, field, before, after, tick))
        return after

    def reset(self, screen: int) -> ScreenCalibration:
        """The screen as if it had never been calibrated. Raises CommandError: no such screen."""
        self._do(Change(screen, None, self._calibration(screen), IDENTITY, None))
        return IDENTITY

    def undo(self) -> Change:
        """Takes the last change back: its screen is at `before` again. Raises CommandError."""
        if not self._done:
            raise CommandError("there is no change of a calibration to undo")
        change = self._done.pop()
        self._undone.append(change)
        self._calibrations[change.screen] = change.before
        return change

    def redo(self) -> Change:
        """Does again what was undone last: its screen is at `after`. Raises CommandError."""
        if not self._undone:
            raise CommandError("there is no undone change of a calibration to do again")
        change = self._undone.pop()
        self._done.append(change)
        self._calibrations[change.screen] = change.after
        return change

    def save(self) -> Work:
        """What writes the calibrations as they are now, and says where; it waits for the disk.

        Raises CommandError where there is no file to save to.
        """
        path = self._path
        if path is None:
            raise CommandError(
                "there is no file to save the calibration to: start the player with a machine "
                "file (--machine), beside which it is kept"
            )
        named = dict(zip(self._names, self._calibrations, strict=True))
        return partial(_write, path, {**named, **self._others})

    def value_text(self, screen: int, field: CalibrationField) -> str:
        """As in "gamma 1.1". Raises CommandError for a screen that does not exist."""
        return f"{field} {value_text(self._calibration(screen), field)}"

    def all_text(self, screen: int) -> str:
        """Every field of a screen, with "; " between them. Raises CommandError."""
        return "; ".join(self.value_text(screen, name) for name in FIELDS)

    def _do(self, change: Change) -> None:
        if change.before == change.after:
            return
        self._calibrations[change.screen] = change.after
        self._undone.clear()
        last = self._done[-1] if self._done else None
        if last is not None and _one_step(last, change):
            change = Change(change.screen, change.field, last.before, change.after, change.tick)
            self._done.pop()
        if change.before != change.after:
            self._done.append(change)

    def _calibration(self, screen: int) -> ScreenCalibration:
        if not 0 <= screen < len(self._names):
            raise CommandError(
                f"there is no screen {screen + 1}: the screens are 1 to {len(self._names)}"
            )
        return self._calibrations[screen]

    def _called(self, screen: int) -> str:
        return f"screen {screen + 1} ({self._names[screen]})"

    def _told(self, change: Change, now: ScreenCalibration) -> str:
        field = change.field
        what = "all values" if field is None else f"{field} {value_text(now, field)}"
        return f"{self._called(change.screen)}, {what}"


def _write(path: Path, calibrations: Mapping[str, ScreenCalibration]) -> str:
    try:
        written = write_calibrations(path, calibrations)
    except ShowError as fault:
        raise CommandError(str(fault)) from fault
    if not written:
        return f"{path} already holds this calibration"
    kept = previous_path(path)
    before = f"; the one before: {kept.name}" if os.path.exists(kept) else ""
    return f"saved to {path}{before}"


def _one_step(last: Change, new: Change) -> bool:
    return (
        (last.screen, last.field) == (new.screen, new.field)
        and last.field is not None
        and last.tick is not None
        and new.tick is not None
        and 0 <= new.tick - last.tick < STEP_TICKS
    )
