"""The run: one loop that looks at the screens, does harm at random times, and writes down."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from player.chaos import processes
from player.chaos.faults import Fault, Kind, pause_s
from player.chaos.house import House, HouseError
from player.chaos.judge import (
    FAULT_TOLERANCE,
    Tally,
    back_after_ns,
    longest_run,
    states,
    wrong_presents,
)
from player.chaos.observer import FIT_S, Observer, is_lit
from player.chaos.report import LIVE_AGAIN_S
from player.chaos.trend import Measurement
from player.clock import Clock
from player.wall.front_buffer import FrontBufferReader, Glimpse

POLL_S = 0.004
WINDOW_S = 3.0  # after a fault of the worker, judged by itself
START_LIMIT_S = 90.0  # for the engine to be calibrated on a machine that never saw it
GIVE_UP_S = 15.0  # on a player that does not come back
LOCK_LIMIT_S = 30.0
MEASURE_EVERY_S = 10.0
ASK_EVERY_S = 0.3
STRIKE_WITHIN_S = 0.3
SETTLED_S = 1.0  # after a fault, before the memory is measured: what has ended is gone by then
CHANGE_MORE_S = 1.5  # after the morph of a change of ballad
USUAL_FAULT_S = 8.0

Phase = Literal["starting", "locking", "steady", "window", "returning", "changing", "done"]


@dataclass(frozen=True)
class Settings:
    """seconds: of play, from the first fault's earliest time on. change_s: a morph's length."""

    seconds: float
    plan: Sequence[Kind]
    seed: int
    fps: Fraction
    change_s: float
    ballad_ids: tuple[str, ...]


@dataclass(frozen=True)
class Measured:
    """What the processes took. run: of the player, counted from 1. age_s: of that player.
    faults: of its workers so far, in all runs."""

    run: int
    age_s: float
    faults: int
    footprint: processes.Footprint

    def of(self, role: str | None = None) -> Measurement:
        """Of one role, or of all together, in MB; a role without a process takes 0."""
        found = self.footprint
        value = found.rss_mb if role is None else found.by_role.get(role, 0.0)
        return Measurement(self.run, self.age_s, value)


class Drill:
    """Use `run` once. Raises HouseError if the installation cannot be judged at all."""

    def __init__(
        self,
        settings: Settings,
        house: House,
        reader: FrontBufferReader,
        observer: Observer,
        clock: Clock,
        told: Callable[[str], None],
    ) -> None:
        self._settings, self._house, self._clock, self._told = settings, house, clock, told
        self._reader, self._observer = reader, observer
        self._chance = random.Random(settings.seed)
        self._left = list(settings.plan)
        self._phase: Phase = "starting"
        self._since_ns = self._began_ns = clock.now_ns()
        self._playing_ns: int | None = None
        self._next_ns = self._ask_ns = self._measure_ns = 0
        self._judged_from_ns = 0
        self._fault_ns = 0
        self._files_before = 0
        self._harmed = 0  # pid
        self._strike_ns: int | None = None  # when the next fault is done, once that is decided
        self._was_live = False
        self._to: list[str] = []  # what a change of ballad leads to
        self._kill_in_change_ns: int | None = None
        self._usual_s = USUAL_FAULT_S
        self._players: list[int] = []
        self._player_since_ns = 0
        self.first_picture_s: float | None = None
        self.was_live_at_first = True
        self.faults: list[Fault] = []
        self.differing = 0
        self.tally = Tally(settings.fps)
        self.measured: list[Measured] = []

    @property
    def seconds(self) -> float:
        """Of play so far."""
        if self._playing_ns is None:
            return 0.0
        return (self._clock.now_ns() - self._playing_ns) / 1e9

    @property
    def elapsed_s(self) -> float:
        """Since the installation was started."""
        return (self._clock.now_ns() - self._began_ns) / 1e9

    def run(self, stop: threading.Event) -> None:
        """Until all faults are done and the time is up, or told to stop."""
        processes.go_first()
        while self._phase != "done" and not stop.wait(POLL_S):
            now_ns = self._clock.now_ns()
            glimpse = self._reader.poll()
            if glimpse is not None:
                self._look(glimpse, now_ns)
            self._step(now_ns)

    def _look(self, glimpse: Glimpse, now_ns: int) -> None:
        if self.first_picture_s is None and is_lit(glimpse):
            self.first_picture_s = (now_ns - self._began_ns) / 1e9
        if self._phase == "starting":
            return
        before = self._observer.seen[-1].time_ns if self._observer.seen else 0
        one = self._observer.see(glimpse, now_ns)
        if one is None:
            return
        is_open = self._phase in ("steady", "returning")
        self.tally.see(one, judged=is_open and before >= self._judged_from_ns)
        if self._phase in ("window", "changing") and self.faults:
            self.faults[-1].black += one.black
        self.differing += self._phase == "changing"

    def _step(self, now_ns: int) -> None:
        match self._phase:
            case "starting":
                self._start(now_ns)
            case "locking":
                self._lock(now_ns)
            case "steady":
                self._wait_for_the_next(now_ns)
            case "window":
                self._watch(now_ns)
            case "returning":
                self._await_live(now_ns)
            case "changing":
                self._change(now_ns)
            case _:
                pass

    def _enter(self, phase: Phase, now_ns: int) -> None:
        self._phase, self._since_ns, self._ask_ns = phase, now_ns, 0
        self._house.heard_live()  # answers from before are of no interest

    def _in_phase_s(self, now_ns: int) -> float:
        return (now_ns - self._since_ns) / 1e9

    def _start(self, now_ns: int) -> None:
        if self._is_live(now_ns):
            self._note_player(now_ns)
            self._enter("locking", now_ns)
        elif self._in_phase_s(now_ns) > START_LIMIT_S:
            self._told(f"no live pictures after {START_LIMIT_S:.0f} s")
            self.was_live_at_first = False
            self._enter("locking", now_ns)
        elif now_ns >= self._next_ns:
            self._next_ns = now_ns + 500_000_000
            self._house.player()  # raises if it has ended

    def _lock(self, now_ns: int) -> None:
        """Where the films stand is found, and proves itself for two seconds."""
        if self._observer.has_course and self._observer.settle(now_ns):
            if self._playing_ns is None:
                self._playing_ns = now_ns
            self._settle(now_ns)
        elif self._in_phase_s(now_ns) > LOCK_LIMIT_S:
            raise HouseError(
                f"For {LOCK_LIMIT_S:.0f} s the screens have shown nothing that runs like the "
                "films: they may be of another show, or the player does not play."
            )
        elif self._observer.seen and len(self._observer.seen) > 2.5 * FIT_S * self._settings.fps:
            self._observer.lose_course()  # it was found on a picture that misled

    def _settle(self, now_ns: int) -> None:
        assert self._playing_ns is not None
        left_s = self._settings.seconds - (now_ns - self._playing_ns) / 1e9
        pause = FIT_S + pause_s(self._chance, left_s, len(self._left), self._usual_s)
        self._next_ns = now_ns + int(pause * 1e9)
        if self._phase != "returning":  # else the judging goes on as it was
            self._judged_from_ns = now_ns
        self._enter("steady", now_ns)

    def _wait_for_the_next(self, now_ns: int) -> None:
        assert self._playing_ns is not None
        if now_ns >= self._measure_ns and self._in_phase_s(now_ns) >= SETTLED_S:
            self._measure(now_ns)
        if not self._left:
            if (now_ns - self._playing_ns) / 1e9 >= self._settings.seconds:
                self._phase = "done"
            return
        if now_ns < self._next_ns:
            return
        if (now_ns - self._playing_ns) / 1e9 > 1.5 * self._settings.seconds + 120:
            self._told(f"{len(self._left)} faults did not fit into the time")
            self._phase = "done"
            return
        if self._strike_ns is None:  # not before all is well, and live
            is_live = self._observer.fit(now_ns) and self._is_live(now_ns)
            if is_live or (now_ns - self._next_ns) / 1e9 > GIVE_UP_S:
                # an answer comes at the same moment of every frame; the fault does not
                self._strike_ns = now_ns + int(self._chance.uniform(0.0, STRIKE_WITHIN_S) * 1e9)
                self._was_live = is_live
        elif now_ns >= self._strike_ns:
            self._strike_ns = None
            self._do(self._left.pop(0), now_ns)

    def _do(self, kind: Kind, now_ns: int) -> None:
        assert self._playing_ns is not None
        seen = self._observer.seen
        self._files_before = seen[-1].file if seen else 0
        if kind == "change":
            ids = self._settings.ballad_ids
            self._house.tell("/ballad/next")
            self._fault_ns = now_ns
            self._kill_in_change_ns = now_ns + int(
                self._chance.uniform(0.2, max(0.3, self._settings.change_s)) * 1e9
            )
            self._enter("changing", now_ns)
            self._to = [ids[(ids.index(b) + 1) % len(ids)] for b in self._observer.ballads]
        else:
            victim = self._house.player() if kind == "player" else self._house.live_worker()
            if victim is None:
                raise HouseError(f"There is no process to harm ({kind}).")
            self._harm(victim.pid, signal.SIGSTOP if kind == "hang" else signal.SIGKILL)
            self._enter("window", now_ns)
        self.faults.append(Fault(kind, (now_ns - self._playing_ns) / 1e9, self._was_live))
        self._told(f"fault {len(self.faults)}: {kind}")

    def _harm(self, pid: int, number: signal.Signals) -> None:
        self._harmed = pid
        processes.send(pid, number)
        self._fault_ns = self._clock.now_ns()

    def _watch(self, now_ns: int) -> None:
        fault = self.faults[-1]
        passed_s = (now_ns - self._fault_ns) / 1e9
        if passed_s < WINDOW_S:
            return
        seen = self._observer.since(self._fault_ns)
        if fault.kind == "player":
            back_ns = back_after_ns(seen, self._fault_ns, self._files_before)
            if back_ns is None and passed_s < GIVE_UP_S:
                return
            fault.back_s = passed_s if back_ns is None else back_ns / 1e9
        else:
            fps = self._settings.fps
            found = states(seen, now_ns, fps, FAULT_TOLERANCE, self._fault_ns)
            fault.frames = longest_run(found)
        fault.told = wrong_presents(seen, self._fault_ns)
        self._judged_from_ns = now_ns
        self._enter("returning", now_ns)

    def _await_live(self, now_ns: int) -> None:
        fault = self.faults[-1]
        passed_s = (now_ns - self._fault_ns) / 1e9
        if self._is_live(now_ns) and self._has_another_worker(fault.kind):
            fault.live_again_s = passed_s
        elif passed_s < LIVE_AGAIN_S:
            return
        else:
            self._told(f"not live again after {passed_s:.0f} s")
        self._usual_s += 0.3 * (passed_s + FIT_S - self._usual_s)
        self._note_player(now_ns)
        if fault.kind == "change":
            self._observer.changed_to(self._to)
            self._enter("locking", now_ns)
        else:
            self._settle(now_ns)

    def _change(self, now_ns: int) -> None:
        if self._kill_in_change_ns is not None and now_ns >= self._kill_in_change_ns:
            self._kill_in_change_ns = None
            victim = self._house.live_worker()
            if victim is not None:
                self._harm(victim.pid, signal.SIGKILL)
        if self._in_phase_s(now_ns) > self._settings.change_s + CHANGE_MORE_S:
            self._judged_from_ns = 2**63  # it is not known yet where the new films stand
            self._enter("returning", now_ns)

    def _is_live(self, now_ns: int) -> bool:
        """Asks now and then; True once an answer says so."""
        if now_ns >= self._ask_ns:
            self._ask_ns = now_ns + int(ASK_EVERY_S * 1e9)
            self._house.tell("/status")
        return bool(self._house.heard_live())

    def _has_another_worker(self, kind: Kind) -> bool:
        worker = self._house.live_worker()
        return worker is not None and (kind == "player" or worker.pid != self._harmed)

    def _note_player(self, now_ns: int) -> None:
        player = self._house.player()
        if player is not None and (not self._players or self._players[-1] != player.pid):
            self._players.append(player.pid)
            self._player_since_ns = self._fault_ns or self._began_ns

    def _measure(self, now_ns: int) -> None:
        self._measure_ns = now_ns + int(MEASURE_EVERY_S * 1e9)
        if not self._players:
            return
        footprint = processes.footprint(self._players[-1], self._players)
        if footprint is not None:
            age_s = (now_ns - self._player_since_ns) / 1e9
            faults = sum(fault.kind in ("kill", "hang") for fault in self.faults)
            self.measured.append(Measured(len(self._players), age_s, faults, footprint))
