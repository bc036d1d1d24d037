"""Obeys the operator at tick borders and answers each request: show, calibration, status."""

from __future__ import annotations

from collections.abc import Callable

from player import commands
from player.calibration_desk import CalibrationDesk
from player.commands import CalibrationCommand, Command, CommandError, QueryStatus
from player.conductor import Conductor
from player.osc.control import OscControl
from player.wall.contract import Wall
from shows.schema import ShowError


class OperatorDesk:
    """Takes what waits at the operator's port. One bad request costs one answer."""

    def __init__(
        self,
        control: OscControl,
        conductor: Conductor,
        calibration: CalibrationDesk,
        wall: Wall,
        screens: tuple[int, ...],
    ) -> None:
        """calibration: of all screens of the show; `screens` are those that hang on this wall."""
        self._control, self._conductor = control, conductor
        self._calibration, self._wall, self._screens = calibration, wall, screens
        self._hand_over()

    def obey(self, tick: int, status_line: Callable[[], str]) -> None:
        """Obey all that waits, as of this tick. Keys: i shows the identify cards, c the card."""
        for key in self._wall.take_keys():
            transport = self._conductor.transport_at(tick)
            if key == "i":
                self._conductor.obey(commands.Identify(None, not transport.identified), tick)
            elif key == "c":
                self._conductor.obey(commands.ShowCard(not transport.card), tick)
        for request in self._control.take_requests():
            try:
                answer = self._obeyed(request.command, tick, status_line)
            except (CommandError, ShowError) as fault:
                self._control.reply(request, False, str(fault))
            else:
                self._control.reply(request, True, answer)

    def _obeyed(self, command: Command, tick: int, status_line: Callable[[], str]) -> str:
        if isinstance(command, QueryStatus):
            return status_line()
        if isinstance(command, CalibrationCommand):
            return self._calibrated(command, tick)
        return self._conductor.obey(command, tick)

    def _calibrated(self, command: CalibrationCommand, tick: int) -> str:
        of_screen = commands.SetCalibration | commands.QueryCalibration | commands.ResetCalibration
        if isinstance(command, of_screen) and command.screen not in self._screens:
            raise CommandError(
                f"screen {command.screen + 1} does not hang on this machine: "
                "calibrate it at the machine it hangs on"
            )
        answer = self._calibration.obey(command, tick)
        self._hand_over()
        return answer

    def _hand_over(self) -> None:
        for place, screen in enumerate(self._screens):
            self._wall.set_calibration(place, self._calibration.calibrations[screen])
