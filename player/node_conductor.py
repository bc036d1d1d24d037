"""Several machines in step: the leader decides, and all read the same states at the same tick."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Protocol

from player.command_text import command_of, command_text
from player.commands import CommandError, TransportCommand
from player.sync.requests import RequestError
from player.sync.settings import lead_ticks
from player.sync.states import State
from player.transport import Transport, apply_command, describe, frame_at, opening_transport
from player.transport_text import TransportTextError, transport_of, transport_text
from shows.fingerprint import opening_latents_checksum
from shows.schema import ShowError
from shows.show import Show

# So much time a leader keeps at least when a command reached it late.
LEAST_LEAD_MS = 100
CHECK_EVERY_TICKS = 300

_log = logging.getLogger(__name__)


class Sync(Protocol):
    """What `player.sync.endpoint` offers; called from the frame loop's thread, never blocks."""

    @property
    def is_ready(self) -> bool: ...

    @property
    def is_leader(self) -> bool: ...

    def state_at(self, tick: int) -> State | None: ...

    @property
    def newest_state(self) -> State | None: ...

    def propose(self, text: str, effective_tick: int) -> None: ...

    def forward(self, text: str) -> int: ...

    def take_commands(self) -> list[str]: ...

    def report_latents(self, tick: int, checksum: str) -> None: ...

    def status(self) -> str: ...

    def skew_ns(self) -> int | None: ...


class NodeConductor:
    """A Conductor whose transports are the states that the leader announces.

    Until there is one, the show's first frame stands. The leader opens the show when its own
    frame loop runs.
    """

    def __init__(self, show: Show, sync: Sync) -> None:
        self._show, self._sync = show, sync
        self._standing = replace(opening_transport(show), rate=0)
        self._read: dict[State, Transport] = {}
        self._lead_ticks = lead_ticks(show.settings.fps)
        self._least_ticks = lead_ticks(show.settings.fps, LEAST_LEAD_MS)

    @property
    def show(self) -> Show:
        return self._show

    @property
    def decides(self) -> bool:
        return self._sync.is_leader

    @property
    def is_ready(self) -> bool:
        return self._sync.is_ready

    def transport_at(self, tick: int) -> Transport:
        state = self._sync.state_at(tick)
        return self._standing if state is None else self._transport_of(state)

    def obey(self, command: TransportCommand, tick: int) -> str:
        """On the leader at once; on a follower sent on to it, and the answer says so."""
        if self._sync.is_leader:
            changed = self._lead(command, tick + self._lead_ticks)
            return describe(self._show, changed, tick)
        apply_command(self._show, self.transport_at(tick), command, tick)  # raises what it raises
        try:
            self._sync.forward(command_text(command, tick + self._lead_ticks))
        except RequestError as fault:
            raise CommandError(str(fault)) from fault
        return "sent on to the machine that leads"

    def stand(self, tick: int) -> None:
        """The first frame stands anyway until the leader's loop runs."""

    def tend(self, tick: int) -> None:
        if self._sync.is_leader:
            if self._sync.newest_state is None:
                self._announce(opening_transport(self._show, tick=tick + 1), tick + 1)
            for text in self._sync.take_commands():
                self._lead_what_was_sent(text, tick)
        if tick % CHECK_EVERY_TICKS == 0:
            self._sync.report_latents(tick, opening_latents_checksum(self._show, tick))

    def status(self) -> str:
        return self._sync.status()

    def skew_ns(self) -> int | None:
        return self._sync.skew_ns()

    def _lead_what_was_sent(self, text: str, tick: int) -> None:
        try:
            command, wanted_tick = command_of(text)
            earliest, latest = tick + self._least_ticks, tick + 2 * self._lead_ticks
            self._lead(command, min(max(wanted_tick, earliest), latest))
        except (CommandError, ShowError) as fault:
            _log.warning("A command that another machine sent on is not obeyed: %s", fault)

    def _lead(self, command: TransportCommand, effective_tick: int) -> Transport:
        state = self._sync.newest_state
        before = self._standing if state is None else self._transport_of(state)
        if state is not None:  # states take effect in the order in which they were made
            effective_tick = max(effective_tick, state.effective_tick)
        # The frame of the tick itself is the first to differ: an operator waits for it.
        start_frame = frame_at(before, effective_tick) - before.rate
        changed = apply_command(self._show, before, command, effective_tick, start_frame)
        if changed != before:
            self._announce(changed, effective_tick)
        return changed

    def _announce(self, transport: Transport, effective_tick: int) -> None:
        self._sync.propose(transport_text(transport), effective_tick)

    def _transport_of(self, state: State) -> Transport:
        if state not in self._read:
            try:
                transport = transport_of(state.text, self._show)
            except TransportTextError as fault:
                # the nodes' shows are the same, so this is a fault of a program, not of a person
                _log.warning("The leader announced %s; what was on before stays.", fault)
                transport = next(reversed(self._read.values()), self._standing)
            if len(self._read) >= 32:
                self._read.pop(next(iter(self._read)))
            self._read[state] = transport
        return self._read[state]
