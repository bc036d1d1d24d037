"""Obeys what waits at the operator's port, between two frames, and tells what changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from player import commands
from player.calibration_desk import CalibrationDesk
from player.commands import CalibrationCommand, Command, CommandError, QueryStatus
from player.conductor import Conductor
from player.disk_writer import DiskWriter, Work
from player.osc.control import OscControl, Request
from player.osc.feedback import Feedback, TooManySubscribersError
from player.osc.values import as_text, value_of
from player.reading import Reading
from player.snapshots import Snapshots
from player.wall.contract import Wall
from shows.schema import ShowError


class Read(Protocol):
    """What the frame loop tells of itself, when it is asked."""

    def status_line(self) -> str: ...

    def reading(self) -> Reading: ...


class Desk(Protocol):
    """Who tells the frame loop what is wanted, and hears what was shown."""

    def obey(self, tick: int, now_ns: int, read: Read, ahead_ns: int = 0) -> None:
        """Do all that is asked for by the time this tick is shown, `ahead_ns` from now."""
        ...

    def tell(self, presented_ns: int, read: Read) -> None:
        """A frame is presented."""
        ...


class Reloads(Protocol):
    """Who reads the show anew."""

    def ask(self, answer: Callable[[bool, str], None]) -> None:
        """Begin to read; the answer is given, in this thread, when it is through."""
        ...

    def tend(self, tick: int) -> None:
        """Once per tick, before anything is obeyed."""
        ...

    def status(self) -> str:
        """What there is to tell about it; empty if there is nothing."""
        ...


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
        disk: DiskWriter,
        snapshots: Snapshots | None = None,
        always_told: Sequence[object] = (),
    ) -> None:
        """calibration: of all screens of the show; `screens` are those that hang on this wall.
        disk: does what waits for the disk, and answers then.
        always_told: socket addresses that are sent what changes without subscribing."""
        self._control, self._conductor = control, conductor
        self._calibration, self._wall, self._screens = calibration, wall, screens
        self._disk, self._snapshots = disk, snapshots
        self._reloads: Reloads | None = None
        self._feedback = Feedback(control.send, tuple(always_told), control.reaches)
        self._hand_over()

    def obey(self, tick: int, now_ns: int, read: Read, ahead_ns: int = 0) -> None:
        """Obey all that is due within `ahead_ns`, when this tick is shown, as of this tick.

        Keys: i shows the identify cards, c the card.
        """
        if self._reloads is not None:
            self._reloads.tend(tick)
        for key in self._wall.take_keys():
            transport = self._conductor.transport_at(tick)
            if key == "i":
                self._conductor.obey(commands.Identify(None, not transport.identified), tick)
            elif key == "c":
                self._conductor.obey(commands.ShowCard(not transport.card), tick)
        for request in self._control.take_requests(ahead_ns):
            if self._reloads is not None and isinstance(request.command, commands.Reload):
                self._reloads.ask(partial(self._control.reply, request))
                continue
            try:
                answer = self._obeyed(request, tick, now_ns, read)
            except (CommandError, ShowError) as fault:
                self._control.reply(request, False, str(fault))
            else:
                if isinstance(answer, str):
                    self._control.reply(request, True, answer)
                else:
                    self._disk.later(answer, partial(self._control.reply, request))

    def obeys_reload(self, reloads: Reloads) -> None:
        """Who reads the show anew when that is asked for, from now on."""
        self._reloads = reloads

    def always_tell(self, always: Sequence[object]) -> None:
        """Who is sent what changes without subscribing, from now on."""
        self._feedback.always_tell(tuple(always))

    def tell(self, presented_ns: int, read: Read) -> None:
        """Once a frame is presented: subscribers are sent what changed."""
        if self._feedback.is_due(presented_ns):
            self._feedback.tell(read.reading(), presented_ns)

    def _obeyed(self, request: Request, tick: int, now_ns: int, read: Read) -> str | Work:
        command: Command = request.command
        if isinstance(command, commands.Snapshot | commands.SaveCalibration):
            self._disk.refuse_if_full()
        match command:
            case QueryStatus():
                reloads = "" if self._reloads is None else self._reloads.status()
                return read.status_line() + self._waiting() + (f"; {reloads}" if reloads else "")
            case commands.QueryValue(path, screen):
                return as_text(value_of(read.reading(), path, screen))
            case commands.Subscribe(seconds):
                try:
                    return self._feedback.subscribe(request.sender, seconds, now_ns)
                except TooManySubscribersError as fault:
                    raise CommandError(str(fault)) from fault
            case commands.Reload():
                raise CommandError("this player does not read its show anew")
            case commands.Snapshot():
                if self._snapshots is None:
                    raise CommandError("this player keeps no snapshots")
                return self._snapshots.take(self._wall, tick)
        if isinstance(command, CalibrationCommand):
            return self._calibrated(command, tick)
        return self._conductor.obey(command, tick)

    def _waiting(self) -> str:
        waiting = self._control.waiting
        return f"; commands that wait for their time {waiting}" if waiting else ""

    def _calibrated(self, command: CalibrationCommand, tick: int) -> str | Work:
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
