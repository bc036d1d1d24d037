"""Obeys what waits at the operator's port, between two frames, and tells what changed."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from player import commands
from player.calibration_desk import CalibrationDesk
from player.commands import CalibrationCommand, Command, CommandError, QueryStatus
from player.conductor import Conductor
from player.osc.control import OscControl, Request
from player.osc.feedback import Feedback, TooManySubscribersError
from player.osc.values import as_text, value_of
from player.reading import Reading
from player.snapshots import Snapshots
from player.wall.contract import Wall
from shows.schema import ShowError

NS_PER_S = 1_000_000_000


class Read(Protocol):
    """What the frame loop tells of itself, when it is asked."""

    def status_line(self) -> str: ...

    def reading(self) -> Reading: ...


class OperatorDesk:
    """Takes what waits at the operator's port. One bad request costs one answer."""

    def __init__(
        self,
        control: OscControl,
        conductor: Conductor,
        calibration: CalibrationDesk,
        wall: Wall,
        screens: tuple[int, ...],
        *,
        snapshots: Snapshots | None = None,
        always_told: Sequence[object] = (),
    ) -> None:
        """calibration: of all screens of the show; `screens` are those that hang on this wall.
        always_told: socket addresses that are sent what changes without subscribing."""
        self._control, self._conductor = control, conductor
        self._calibration, self._wall, self._screens = calibration, wall, screens
        self._snapshots = snapshots
        self._feedback = Feedback(control.send, tuple(always_told))
        self._presented_ns: deque[int] = deque()
        self._hand_over()

    @property
    def fps(self) -> float:
        """Frames presented in the second before the last one."""
        return float(len(self._presented_ns))

    def obey(self, tick: int, now_ns: int, read: Read) -> None:
        """Obey all that waits, as of this tick. Keys: i shows the identify cards, c the card."""
        for key in self._wall.take_keys():
            transport = self._conductor.transport_at(tick)
            if key == "i":
                self._conductor.obey(commands.Identify(None, not transport.identified), tick)
            elif key == "c":
                self._conductor.obey(commands.ShowCard(not transport.card), tick)
        for request in self._control.take_requests():
            try:
                answer = self._obeyed(request, tick, now_ns, read)
            except (CommandError, ShowError) as fault:
                self._control.reply(request, False, str(fault))
            else:
                self._control.reply(request, True, answer)

    def tell(self, presented_ns: int, read: Read) -> None:
        """Once a frame is presented: subscribers are sent what changed."""
        self._presented_ns.append(presented_ns)
        while presented_ns - self._presented_ns[0] >= NS_PER_S:
            self._presented_ns.popleft()
        if self._feedback.is_due(presented_ns):
            self._feedback.tell(read.reading(), presented_ns)

    def _obeyed(self, request: Request, tick: int, now_ns: int, read: Read) -> str:
        command: Command = request.command
        match command:
            case QueryStatus():
                return read.status_line()
            case commands.QueryValue(path, screen):
                return as_text(value_of(read.reading(), path, screen))
            case commands.Subscribe(seconds):
                try:
                    return self._feedback.subscribe(request.sender, seconds, now_ns)
                except TooManySubscribersError as fault:
                    raise CommandError(str(fault)) from fault
            case commands.Snapshot():
                if self._snapshots is None:
                    raise CommandError("this player keeps no snapshots")
                return self._snapshots.take(self._wall, tick)
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
