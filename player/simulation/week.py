"""Part of a simulated week: transport, timeline, policy, governor and schedule on every tick."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from player.clock import OfflineClock
from player.commands import TransportCommand
from player.governor import Governor, Measured, governed
from player.schedule_desk import ScheduleDesk
from player.simulation.week_engine import SimulatedEngine, SimulatedFilm
from player.simulation.week_events import Event, stream_of
from player.simulation.week_judge import WeekJudge
from player.source_policy import Offer, Policy, advanced
from player.transport import Transport, apply_command, blackout_gain, frame_at, opening_transport
from player.transport_text import transport_of, transport_text
from shows.schedule_schema import Schedule
from shows.show import Show
from shows.show_file import load_show
from shows.timebase import NS_PER_SECOND, frame_to_ns
from shows.timeline import latents_at

# Saturday, 24 October 2026, noon: London's clocks go back in the night that follows.
START_WALL_NS = 1_792_843_200 * NS_PER_SECOND
LATENTS_EVERY_TICKS = 997
SHARD_S = 21_600  # simulated at one go
START_TICKS = 60  # from an engine's start to its first picture


@dataclass(frozen=True)
class Shard:
    """Some hours of the week. first_s, seconds: since its start. is_sabotaged: no fallback."""

    folder: Path
    first_s: int
    seconds: int
    seed: int
    is_sabotaged: bool = False


@dataclass(frozen=True)
class ShardResult:
    """What the judge found. ticks: simulated; away: ticks on which the player was down."""

    ticks: int
    away: int
    counts: Counter[str]
    figures: dict[str, float]
    stale_ticks_max: int
    cues_max: int
    latents_compared: int
    fault_count: int
    faults: list[str]


def simulated_schedule(show: Show) -> Schedule:
    """Hours across midnight and through the change of the clocks, times of day, and a rotation."""
    ballads = show.ballad_ids
    return Schedule.model_validate(
        {
            "timezone": "Europe/London",
            "open": {"daily": ["10:00-18:00"], "sat": ["10:00-12:30", "18:00-01:30"]},
            "night": "dim",
            "ballads": [
                {"at": "01:30", "ballad": "each"},
                {"at": "17:00", "ballad": ballads[0]},
            ],
            "rotation": {"every_minutes": 20, "ballads": ["each", *ballads]},
        }
    )


def simulate_shard(shard: Shard) -> ShardResult:
    """Simulate; for a process of its own. Raises ShowError."""
    show = load_show(shard.folder)
    settings = show.settings.model_copy(update={"schedule": simulated_schedule(show)})
    return _Run(replace(show, settings=settings), shard).run()


class _Run:
    def __init__(self, show: Show, shard: Shard) -> None:
        self._show, self._shard = show, shard
        fps = show.settings.fps
        self._first = int(shard.first_s * fps)
        self._last = int((shard.first_s + shard.seconds) * fps)
        self._frame_ms = float(1000 / fps)
        rng = random.Random(f"{shard.seed} {shard.first_s}")
        self._events = [*stream_of(show, rng, self._first, self._last - self._first)][::-1]
        self._clock = OfflineClock(frame_to_ns(self._first, fps))
        self._step_ns = 0  # what the wall clock was set by
        self._judge = WeekJudge(self._frame_ms)
        self._counts: Counter[str] = Counter()
        self._film = SimulatedFilm()
        self._away = 0
        self._transport = opening_transport(show, tick=self._first, frame=self._first)
        self._matches_from = self._first
        self._begin(self._first, resumed_wall_ns=None)

    def _begin(self, tick: int, resumed_wall_ns: int | None) -> None:
        """What a player has that was just started."""
        self._desk = ScheduleDesk(
            self._show, wall_ns=self._wall_ns, resumed_wall_ns=resumed_wall_ns
        )
        self._policy, self._governor = Policy.opening(), Governor.opening()
        self._engine = SimulatedEngine(tick, START_TICKS)

    def run(self) -> ShardResult:
        fps, judge, clock = self._show.settings.fps, self._judge, self._clock
        falls_back = not self._shard.is_sabotaged
        tick, events, compared, away = self._first, self._events, 0, 0
        next_event = events[-1].tick if events else self._last
        while tick < self._last:
            clock.wait_until_ns(frame_to_ns(tick, fps))
            while next_event <= tick:
                away += self._happen(events.pop(), tick)
                next_event = events[-1].tick if events else self._last
            if away:  # the player is down, and what was to happen meanwhile happens after it
                self._away += away
                tick, away = tick + away, 0
                continue
            now_ns = clock.now_ns()
            for command in self._desk.due_commands(now_ns):
                self._counts["scheduled"] += 1
                self._obey(command, tick)
            transport = self._transport
            frame = frame_at(transport, tick)
            judge.frame(tick, frame, transport.rate)
            judge.light(tick, self._desk.brightness_at(now_ns), blackout_gain(transport, tick))
            self._choose(tick, frame, transport.rate == 1, falls_back)
            if tick % LATENTS_EVERY_TICKS == 0:
                compared += self._compare_latents(tick, transport, frame)
            tick += 1
        judge.bounded(sum(self._counts[kind] for kind in ("overload", "death", "hang", "restart")))
        return ShardResult(
            ticks=self._last - self._first - self._away,
            away=self._away,
            counts=self._counts + judge.counts,
            figures=judge.figures,
            stale_ticks_max=judge.stale_ticks_max,
            cues_max=judge.cues_max,
            latents_compared=compared,
            fault_count=judge.fault_count,
            faults=judge.faults,
        )

    def _choose(self, tick: int, frame: int, moves: bool, falls_back: bool) -> None:
        engine, film, judge = self._engine, self._film, self._judge
        governor = self._governor
        engine.step(tick, governor.level, self._frame_ms, moves)
        film.step(tick, moves)
        governor = self._governor = governed(
            governor,
            Measured(
                self._frame_ms,
                engine.render_ms,
                moves and engine.age != 0,
                engine.ready,
                True,
                True,
            ),
        )
        judge.level(tick, governor)
        matches = frame >= self._matches_from
        offer = Offer(engine.age, engine.ready, film.age, matches, governor.level.film)
        if falls_back:
            self._policy = advanced(self._policy, offer)
        elif engine.age == 0:
            self._policy = Policy("live", (10, 0, 0))
        judge.shown(tick, self._policy, engine, film, matches)

    def _happen(self, event: Event, tick: int) -> int:
        """Ticks for which the player is away: it was restarted."""
        self._counts[event.kind] += 1
        if event.command is not None:
            self._obey(event.command, tick)
        elif event.kind == "death":
            self._engine.die(tick, event.ticks)
        elif event.kind == "hang":
            back_ticks = round(event.value * 1000 / self._frame_ms)
            self._engine.hang(tick, event.ticks, back_ticks)
        elif event.kind == "film gap":
            self._film.gap(tick + event.ticks)
        elif event.kind == "slow film":
            self._film.slow_down(tick + event.ticks)
        elif event.kind == "overload":
            self._engine.slow_down(event.value, tick + event.ticks)
        elif event.kind == "clock step":
            self._step_ns += round(event.value * NS_PER_SECOND)
        else:
            return self._restart(event.ticks, tick)
        return 0

    def _restart(self, ticks: int, tick: int) -> int:
        """The player dies and comes back with what its state file says."""
        self._transport = transport_of(transport_text(self._transport), self._show)
        ticks = max(ticks, 1)
        self._judge.restarted(ticks, self._transport.rate)
        self._begin(tick + ticks, resumed_wall_ns=self._wall_ns())
        return ticks

    def _obey(self, command: TransportCommand, tick: int) -> None:
        self._transport = apply_command(self._show, self._transport, command, tick)
        cues = self._transport.cues
        # Where a change of ballad is under way, live and film are of one frame but two pictures.
        self._matches_from = max(
            (cue.end_frame for screen in cues for cue in screen), default=self._first
        )
        self._judge.cues(tick, cues)

    def _compare_latents(self, tick: int, transport: Transport, frame: int) -> int:
        """The latents of all screens, and again from what the transport's text says."""
        again = transport_of(transport_text(transport), self._show)
        if again != transport:
            self._judge.fault(tick, "the transport's text is another transport")
        for screen in range(len(transport.cues)):
            here = latents_at(self._show, transport.cues, screen, frame)
            there = latents_at(self._show, again.cues, screen, frame_at(again, tick))
            if here.tobytes() != there.tobytes() or not np.isfinite(here).all():
                self._judge.fault(tick, f"the latents of screen {screen + 1} differ")
        return len(transport.cues)

    def _wall_ns(self) -> int:
        return START_WALL_NS + self._clock.now_ns() + self._step_ns
