"""Says what is on at any tick, and what a command makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from player.commands import TransportCommand
from player.reload.cues import carried_cues
from player.transport import Transport, apply_command, describe, frame_at, opening_transport
from shows.show import Show


class Conductor(Protocol):
    """What the frame loop asks. Called from the loop's thread, once per tick or more."""

    @property
    def show(self) -> Show: ...

    @property
    def decides(self) -> bool:
        """Whether it is this machine that says what is on, and not another."""
        ...

    @property
    def is_ready(self) -> bool:
        """Whether the clock and what is on are known, so that the show can begin."""
        ...

    def transport_at(self, tick: int) -> Transport:
        """What is on at this tick, which may lie a few ticks ahead."""
        ...

    def obey(self, command: TransportCommand, tick: int) -> str:
        """Do what an operator asks as of this tick; the answer is a sentence for them.

        Raises CommandError or ShowError, and then nothing has changed.
        """
        ...

    def stand(self, tick: int) -> None:
        """The show has not begun: its first frame stands on this tick too."""
        ...

    def tend(self, tick: int) -> None:
        """Once on every tick of the running show: do what others ask."""
        ...

    def status(self) -> str:
        """What there is to tell the operator about the machines in step; empty for one alone."""
        ...

    def skew_ns(self) -> int | None:
        """How far apart the machines' house clocks are; None for one alone, or not known."""
        ...


class LocalConductor:
    """One machine alone: a command takes effect on the tick that obeys it."""

    def __init__(self, show: Show, resumed: Transport | None = None) -> None:
        """resumed: what was on when the player before this one ended; it runs on at once."""
        self._show = show
        self._is_resumed = resumed is not None
        self._transport = resumed or opening_transport(show)

    @property
    def show(self) -> Show:
        return self._show

    @property
    def decides(self) -> bool:
        return True

    @property
    def is_ready(self) -> bool:
        return True

    def take_over(self, show: Show, tick: int) -> None:
        """The show was read anew: what plays stays where it is, as far as it is still there."""
        transport, frame = self._transport, frame_at(self._transport, tick)
        cues = carried_cues(self._show, show, transport.cues, frame)
        self._show, self._transport = show, replace(transport, cues=cues)

    def transport_at(self, tick: int) -> Transport:
        return self._transport

    def obey(self, command: TransportCommand, tick: int) -> str:
        self._transport = apply_command(self._show, self._transport, command, tick)
        return describe(self._show, self._transport, tick)

    def stand(self, tick: int) -> None:
        if not self._is_resumed:
            self._transport = replace(self._transport, anchor_tick=tick)

    def tend(self, tick: int) -> None:
        """Nobody else is there."""

    def status(self) -> str:
        return ""

    def skew_ns(self) -> int | None:
        return None
