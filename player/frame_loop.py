"""The loop: on every tick obey, ask ahead, choose, draw, show, and write down what happened."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from player.clock import Clock, process_age_ns
from player.composer import Composer
from player.conductor import Conductor
from player.frame_report import FrameReport
from player.heat import Heat
from player.operator_desk import Desk
from player.pace import PaceMeter
from player.reading import Reading
from player.schedule_desk import ScheduleDesk
from player.sources import Choice, Sources
from player.transport import Transport, describe, frame_at
from player.wall.contract import Wall
from shows.timebase import frame_to_ns, ns_to_frame

# Drawing begins this share of a frame before the frame is due, so that it can be shown then. On two
# cores that draw, decode and synthesise at once 3 % of frames were late with a quarter, none with a
# half; a command is seen 8 ms later for it.
LEAD = Fraction(1, 2)
# A wait looks at `stop` at least this often.
LONGEST_WAIT_NS = 50_000_000
# A tick that is further away than this and a frame: the clock was set back. Ticks go by it again.
LONGEST_EARLY_NS = 1_000_000_000
# Garbage is collected in a wait at least this long, this often; never while a frame is made.
COLLECT_IN_NS = 10_000_000
COLLECT_EVERY_TICKS = 300
# The first picture may wait so long for the film, which needs no fade then as a still would.
FILM_WAIT_NS = 1_000_000_000

Stop = Callable[[], bool]


@dataclass(frozen=True)
class Presented:
    """What was shown, for those who watch. origin_ns: when tick 0 is, on the loop's clock."""

    tick: int
    frame: int
    transport: Transport
    origin_ns: int
    presented_ns: int


Watcher = Callable[[Presented], None]


class FrameLoop:
    """Plays a show on a wall. Everything is called from the thread that opened the wall."""

    def __init__(
        self,
        fps: Fraction,
        wall: Wall,
        *,
        sources: Sources,
        conductor: Conductor,
        composer: Composer,
        desk: Desk | None,
        report: FrameReport,
        clock: Clock,
        schedule: ScheduleDesk | None = None,
        watchers: Sequence[Watcher] = (),
        alive: Callable[[int], None] = lambda now_ns: None,
        heat: Callable[[], Heat] = Heat,
        origin_ns: int | None = None,
    ) -> None:
        """watchers: told of every present of the running show, at once; they must not block.
        alive: told the time of every present, those before the show runs as well. heat: how hot the
        machine was lately, at once.

        origin_ns: when tick 0 is, on a clock shared with others or with a player that was here
        before; None: ticks begin with `preroll`.
        """
        self._fps, self._wall, self._clock = fps, wall, clock
        self._sources, self._conductor = sources, conductor
        self._composer, self._desk = composer, desk
        self._report, self._schedule, self._heat = report, schedule, heat
        self._pace = PaceMeter(fps)
        self._watchers, self._alive, self._origin_ns = tuple(watchers), alive, origin_ns
        self._longest_early_ns = LONGEST_EARLY_NS + frame_to_ns(1, self._fps)
        self._tick = 0
        self._drawn_ns = 0  # when the newest frame was
        self._was_seen = False  # a picture, not black
        self._was_live = False
        self._collect_at_tick = 0

    def preroll(self, *, stop: Stop, limit_ns: int | None) -> int:
        """Show the first frame until its pictures are there: a film's at once, else live's.

        That frame stands until `run` unless ticks go by a shared clock. Until then the paintings
        stand for it. limit_ns: the longest wait; None: no limit. Returns the ticks shown. An engine
        that fails is not started again before `run`, so its status tells why.
        """
        ticks = 0
        due_ns = started_ns = self._clock.now_ns()
        self._tick = self._tick_at(started_ns)
        while self._wait_until(due_ns, stop) and self._wall.poll():
            self._obey()
            transport = self._conductor.transport_at(self._tick)
            frame = frame_at(transport, self._tick)
            self._sources.ask_ahead(self._tick, self._conductor.transport_at)
            now_ns = self._clock.now_ns()
            settled = self._sources.tend_opening(now_ns)
            waits_for_film = self._sources.expects_film and now_ns - started_ns < FILM_WAIT_NS
            is_there = self._sources.has_film(frame) or self._sources.is_live(frame)
            if is_there:
                self._show_frame(transport, frame, None)
            elif not waits_for_film:
                self._draw(transport, frame, self._sources.stills(), None)
            ticks += 1
            now_ns = self._clock.now_ns()
            self._tick = self._tick + 1 if self._origin_ns is None else self._tick_at(now_ns)
            self._conductor.stand(self._tick)
            is_whole = is_there and not self._sources.is_fading
            if self._was_seen and self._wall.warm_up_next():
                continue  # now, because in the middle of the show a frame would wait for it
            is_settled = settled and not waits_for_film
            if self._conductor.is_ready and (is_whole or is_settled):
                break
            if limit_ns is not None and now_ns - started_ns > limit_ns:
                break
            frame_ns = frame_to_ns(1, self._fps)
            if waits_for_film and not is_there:
                due_ns = now_ns + frame_ns // 8  # the first picture is not to wait for a tick
            else:
                due_ns = min(max(due_ns + frame_ns, now_ns), now_ns + frame_ns)
        return ticks

    def run(self, *, stop: Stop, ticks: int | None = None) -> None:
        """Play for `ticks` ticks of the house clock, or until told to stop or closed."""
        lead_ns = min(int(LEAD * 1_000_000_000 / self._fps), LONGEST_WAIT_NS)
        self._report.forget_stages()  # of the preroll
        if self._origin_ns is None:
            origin_ns = self._clock.now_ns() + lead_ns - frame_to_ns(self._tick, self._fps)
        else:
            origin_ns = self._origin_ns
            self._tick = self._tick_at(self._clock.now_ns() + lead_ns) + 1
            self._sources.clock_moved()
        end_tick = None if ticks is None else self._tick + ticks
        while end_tick is None or self._tick < end_tick:
            due_ns = origin_ns + frame_to_ns(self._tick, self._fps)
            waiting_ns = self._clock.now_ns()
            if due_ns - waiting_ns > self._longest_early_ns:
                moved = ns_to_frame(waiting_ns - origin_ns, self._fps) + 1 - self._tick
                self._sources.tell_clock(
                    f"The clock was set back: the show moves by {moved} frames."
                )
                self._tick += moved
                end_tick = None if end_tick is None else end_tick + moved
                continue
            self._collect_garbage(due_ns - lead_ns - waiting_ns)
            if not (self._wait_until(due_ns - lead_ns, stop) and self._wall.poll()):
                break
            woken_ns = self._clock.now_ns()
            self._report.stage("wait", woken_ns - waiting_ns)
            self._conductor.tend(self._tick)
            # what is due by the time this tick is shown; a clock that was set makes it no more
            self._obey(min(max(due_ns - woken_ns, 0), lead_ns))
            self._follow_schedule(woken_ns)
            transport = self._conductor.transport_at(self._tick)
            frame = frame_at(transport, self._tick)
            self._sources.ask_ahead(self._tick, self._conductor.transport_at)
            self._report.stage("ask", self._clock.now_ns() - woken_ns)
            choice = self._show_frame(transport, frame, due_ns)
            presented_ns = self._clock.now_ns()
            self._report.record(
                tick=self._tick,
                frame=frame,
                due_ns=due_ns,
                presented_ns=presented_ns,
                source=choice.showing,
                repeated=choice.repeated,
                sources=choice.shown,
                blended=choice.is_blended,
            )
            self._pace.presented(self._tick, self._drawn_ns - woken_ns, presented_ns - due_ns)
            presented = Presented(self._tick, frame, transport, origin_ns, presented_ns)
            for watcher in self._watchers:
                watcher(presented)
            if self._desk is not None:
                self._desk.tell(presented_ns, self)
            reached = ns_to_frame(max(presented_ns - origin_ns, 0), self._fps)
            following = max(self._tick + 1, reached)
            if end_tick is not None:
                following = min(following, end_tick)
            passed = following - self._tick - 1
            if self._origin_ns is not None and passed > self._fps:
                self._sources.tell_clock(
                    f"The house clock is {passed} frames further on: the show follows."
                )
            elif transport.rate:  # a pause passes over no frame
                self._report.dropped(passed)
            self._tick = following

    def status_line(self) -> str:
        """One line for the operator: what is on, out of what, and how well so far."""
        parts = [
            describe(self._conductor.show, self._conductor.transport_at(self._tick), self._tick),
            *self._sources.describe(),
        ]
        parts += [f"{name} {count}" for name, count in self._report.counts.items()]
        parts += self._wall.screens_status()
        parts += [self._schedule.describe()] if self._schedule is not None else []
        parts += [self._conductor.status()] if self._conductor.status() else []
        return "; ".join(parts)

    def reading(self) -> Reading:
        """What values are read from, as of this tick."""
        transport = self._conductor.transport_at(self._tick)
        counts = self._report.counts
        return Reading(
            show=self._conductor.show,
            transport=transport,
            tick=self._tick,
            frame=frame_at(transport, self._tick),
            shown=self._sources.shown,
            showing=self._sources.showing,
            quality=self._sources.quality(),
            engine=self._sources.engine_words(),
            alarm=self._sources.alarm(),
            late=counts["late"],
            dropped=counts["dropped"],
            pace=self._pace.pace,
            heat=self._heat(),
            skew_ns=self._conductor.skew_ns(),
        )

    def _tick_at(self, now_ns: int) -> int:
        if self._origin_ns is None:
            return 0
        return ns_to_frame(max(now_ns - self._origin_ns, 0), self._fps)

    def _wait_until(self, due_ns: int, stop: Stop) -> bool:
        """Wait for the time, or until the clock was set back; False as soon as told to stop."""
        while not stop():
            now_ns = self._clock.now_ns()
            if now_ns >= due_ns or due_ns - now_ns > self._longest_early_ns:
                return True
            self._clock.wait_until_ns(min(due_ns, now_ns + LONGEST_WAIT_NS))
        return False

    def _collect_garbage(self, idle_ns: int) -> None:
        if idle_ns >= COLLECT_IN_NS and self._tick >= self._collect_at_tick:
            gc.collect(1)
            self._collect_at_tick = self._tick + COLLECT_EVERY_TICKS

    def _follow_schedule(self, now_ns: int) -> None:
        """What is due passes by a machine that does not decide."""
        due = self._schedule.due_commands(now_ns) if self._schedule is not None else ()
        for command in due if self._conductor.decides else ():
            self._conductor.obey(command, self._tick)

    def _show_frame(self, transport: Transport, frame: int, due_ns: int | None) -> Choice:
        """Choose, draw, present."""
        began_ns = self._clock.now_ns()
        if due_ns is not None:
            self._sources.tend(began_ns)
        moves = bool(transport.rate) and due_ns is not None
        choice = self._sources.choose(frame, moves=moves, wanted=transport.source)
        self._report.stage("fetch", self._clock.now_ns() - began_ns)
        self._draw(transport, frame, choice, due_ns)
        if choice.showing == "live" and not self._was_live:
            self._was_live = True
            self._report.note("start_to_live_s", round(process_age_ns() / 1e9, 3))
        return choice

    def _draw(self, transport: Transport, frame: int, choice: Choice, due_ns: int | None) -> None:
        """Draw, and show it when it is due: not before, so that fast and slow machines agree."""
        began_ns = self._clock.now_ns()
        brightness = self._schedule.brightness_at(began_ns) if self._schedule is not None else 1.0
        shots = self._composer.compose(transport, self._tick, frame, choice, brightness)
        uploaded_ns = self._clock.now_ns()
        self._wall.draw(shots)
        self._wall.finish()
        drawn_ns = held_ns = self._drawn_ns = self._clock.now_ns()
        if due_ns is not None and drawn_ns < due_ns <= drawn_ns + self._longest_early_ns:
            self._clock.wait_until_ns(due_ns - self._refresh_ns())
            held_ns = self._clock.now_ns()
        self._wall.present()
        self._alive(self._clock.now_ns())
        self._report.stage("upload", uploaded_ns - began_ns)
        self._report.stage("draw", drawn_ns - uploaded_ns)
        self._report.stage("hold", held_ns - drawn_ns)
        self._report.stage("swap", self._clock.now_ns() - held_ns)
        if not self._was_seen and any(shot.gain > 0 for shot in shots):
            self._was_seen = True
            self._report.first_picture(process_age_ns())

    def _refresh_ns(self) -> int:
        """What a presenting window may wait for its monitor, 0 without one: so much earlier a
        frame is handed over."""
        hz = self._wall.refresh_hz()
        return int(1_000_000_000 / hz) if hz else 0

    def _obey(self, ahead_ns: int = 0) -> None:
        if self._desk is not None:
            self._desk.obey(self._tick, self._clock.now_ns(), self, ahead_ns)
