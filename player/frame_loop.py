"""The loop: on every tick obey, ask ahead, choose, draw, show, and write down what happened."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from fractions import Fraction

from player.clock import Clock, process_age_ns
from player.composer import Composer
from player.conductor import Conductor
from player.frame_report import FrameReport
from player.frame_source import FrameSource, Pictures, SourceStatus
from player.operator_desk import OperatorDesk
from player.source_policy import Policy, advanced
from player.transport import Transport, describe, frame_at
from player.wall.contract import Wall
from shows.show import Show
from shows.timebase import frame_to_ns, ns_to_frame
from shows.timeline import Cues, latents_at

# Frames asked of the engine ahead of the one on show: what jitter it may have. On two cores 2 of 4
# runs repeated 1.1 % with 4; none of 3 with 6. A command waits for none of them: what it changes
# is asked for again.
LOOKAHEAD_FRAMES = 6
# Drawing begins this share of a frame before the frame is due, so that it can be shown then.
LEAD = Fraction(1, 4)
# A wait looks at `stop` at least this often.
LONGEST_WAIT_NS = 50_000_000
# A tick that is further away than this and a frame: the clock was set back. Ticks go by it again.
LONGEST_EARLY_NS = 1_000_000_000
# Garbage is collected in a wait at least this long, this often; never while a frame is made.
COLLECT_IN_NS = 10_000_000
COLLECT_EVERY_TICKS = 300

_log = logging.getLogger(__name__)

Stop = Callable[[], bool]


class FrameLoop:
    """Plays a show on a wall. Everything is called from the thread that opened the wall."""

    def __init__(
        self,
        show: Show,
        wall: Wall,
        *,
        screens: tuple[int, ...],
        live: FrameSource | None,
        conductor: Conductor,
        composer: Composer,
        desk: OperatorDesk | None,
        report: FrameReport,
        clock: Clock,
        origin_ns: int | None = None,
    ) -> None:
        """screens: which of the show's hang on this wall. live None: the paintings as stills only.

        origin_ns: when tick 0 is, on a clock shared with others; None: ticks begin with `preroll`.
        """
        self._show, self._wall, self._clock = show, wall, clock
        self._screens, self._live = screens, live
        self._conductor, self._composer, self._desk = conductor, composer, desk
        self._report, self._fps = report, show.settings.fps
        self._origin_ns = origin_ns
        self._longest_early_ns = LONGEST_EARLY_NS + frame_to_ns(1, self._fps)
        self._policy = Policy.opening()
        self._asked: dict[int, Cues] = {}  # frames asked of the engine, and what decided them
        self._tick = 0
        self._moved_at_tick: int | None = None  # the tick after the house clock's last jump
        self._was_seen = False  # a picture, not black
        self._was_live = False
        self._collect_at_tick = 0

    def preroll(self, *, stop: Stop, limit_ns: int | None) -> int:
        """Show the first paintings, at the show's rate, until the engine's first frame fades in.

        Frame 0 stands until `run`. The other paintings are read meanwhile, one a tick, because
        reading one while the show plays would hold a frame up. limit_ns: the longest wait; None:
        no limit. Returns the ticks shown. An engine that fails is not started again before `run`,
        so its status tells why.
        """
        ticks = 0
        due_ns = started_ns = self._clock.now_ns()
        self._tick = self._tick_at(started_ns)
        engine_is_settled = self._live is None
        while self._wait_until(due_ns, stop) and self._wall.poll():
            self._obey()
            transport = self._conductor.transport_at(self._tick)
            frame = frame_at(transport, self._tick)
            self._ask_ahead(frame)
            if self._live is not None and not engine_is_settled:
                self._live.tend(self._clock.now_ns())
                engine_is_settled = self._live.status().state == "failed" or self._is_live(frame)
            is_whole = True
            if self._is_live(frame):
                self._show_frame(transport, frame, None)
                is_whole = not self._policy.is_fading
            else:
                self._draw(transport, frame, None, None)
            ticks += 1
            now_ns = self._clock.now_ns()
            self._tick = self._tick + 1 if self._origin_ns is None else self._tick_at(now_ns)
            self._conductor.stand(self._tick)
            paintings_are_left = self._composer.read_next_painting()
            is_ready = self._conductor.is_ready and engine_is_settled
            if is_ready and is_whole and not paintings_are_left:
                break
            if limit_ns is not None and now_ns - started_ns > limit_ns:
                break
            frame_ns = frame_to_ns(1, self._fps)
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
            self._tick = self._moved_at_tick = self._tick_at(self._clock.now_ns() + lead_ns) + 1
        end_tick = None if ticks is None else self._tick + ticks
        while end_tick is None or self._tick < end_tick:
            due_ns = origin_ns + frame_to_ns(self._tick, self._fps)
            waiting_ns = self._clock.now_ns()
            if due_ns - waiting_ns > self._longest_early_ns:
                moved = ns_to_frame(waiting_ns - origin_ns, self._fps) + 1 - self._tick
                _log.warning("The clock was set back: the show moves by %d frames.", moved)
                self._tick += moved
                self._moved_at_tick = self._tick
                end_tick = None if end_tick is None else end_tick + moved
                continue
            self._collect_garbage(due_ns - lead_ns - waiting_ns)
            if not (self._wait_until(due_ns - lead_ns, stop) and self._wall.poll()):
                break
            woken_ns = self._clock.now_ns()
            self._report.stage("wait", woken_ns - waiting_ns)
            self._conductor.tend(self._tick)
            self._obey()
            transport = self._conductor.transport_at(self._tick)
            frame = frame_at(transport, self._tick)
            self._ask_ahead(frame)
            self._report.stage("ask", self._clock.now_ns() - woken_ns)
            repeated = self._show_frame(transport, frame, due_ns)
            presented_ns = self._clock.now_ns()
            self._report.record(
                tick=self._tick,
                frame=frame,
                due_ns=due_ns,
                presented_ns=presented_ns,
                source=self._policy.showing,
                repeated=repeated,
            )
            reached = ns_to_frame(max(presented_ns - origin_ns, 0), self._fps)
            following = max(self._tick + 1, reached)
            if end_tick is not None:
                following = min(following, end_tick)
            passed = following - self._tick - 1
            if self._origin_ns is not None and passed > self._fps:
                _log.warning("The house clock is %d frames further on: the show follows.", passed)
                self._moved_at_tick = following
            elif transport.rate:  # a pause passes over no frame
                self._report.dropped(passed)
            self._tick = following

    def status_line(self) -> str:
        """One line for the operator: what is on, out of what, and how well so far."""
        parts = [
            describe(self._show, self._conductor.transport_at(self._tick), self._tick),
            f"source {self._policy.showing}" + (", fading" if self._policy.is_fading else ""),
        ]
        if self._live is None:
            parts.append("engine off")
        else:
            status = self._live.status()
            engine = f" ({status.engine})" if status.engine else ""
            parts.append(f"engine {status.state}: {status.detail}{engine}")
            parts.append(f"worker restarts {status.restarts}")
        parts += [f"{name} {count}" for name, count in self._report.counts.items()]
        parts += self._wall.screens_status()
        parts += [self._conductor.status()] if self._conductor.status() else []
        return "; ".join(parts)

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

    def _show_frame(self, transport: Transport, frame: int, due_ns: int | None) -> bool:
        """Choose, draw, present; True if some screen still shows an older picture."""
        if self._live is None:
            self._draw(transport, frame, None, due_ns)
            return False
        began_ns = self._clock.now_ns()
        self._live.tend(began_ns)
        pictures = self._live.pictures(frame)
        self._report.stage("fetch", self._clock.now_ns() - began_ns)
        status = self._live.status()
        age = None if pictures is None else frame - pictures.frame
        before = self._policy.showing
        self._policy = advanced(
            self._policy, live_age=self._excused(age), live_ready=status.state == "ready"
        )
        if self._policy.showing != before:
            self._log_change(status, age)
        self._draw(transport, frame, pictures, due_ns)
        if self._policy.showing == "live" and not self._was_live:
            self._was_live = True
            self._report.note("start_to_live_s", round(process_age_ns() / 1e9, 3))
        return self._policy.live_weight > 0 and age != 0

    def _excused(self, age: int | None) -> int | None:
        """The age of live's picture; after a jump of the clock the engine needs a moment, in which
        the picture from before it counts as old as the jump is."""
        if not age or self._moved_at_tick is None:
            return age
        return min(age, max(1, self._tick - self._moved_at_tick))

    def _log_change(self, status: SourceStatus, age: int | None) -> None:
        if self._policy.showing == "live":
            _log.info("The screens show live pictures.")
        elif status.state == "ready" and age is not None:
            _log.warning(
                "The screens show the paintings as stills: the engine is %d frames late.", age
            )
        else:
            _log.warning("The screens show the paintings as stills. %s", status.detail)

    def _draw(
        self, transport: Transport, frame: int, live: Pictures | None, due_ns: int | None
    ) -> None:
        """Draw, and show it when it is due: not before, so that fast and slow machines agree."""
        began_ns = self._clock.now_ns()
        weight = self._policy.live_weight if live is not None else 0.0
        shots = self._composer.compose(transport, self._tick, frame, live, weight)
        uploaded_ns = self._clock.now_ns()
        self._wall.draw(shots)
        self._wall.finish()
        drawn_ns = held_ns = self._clock.now_ns()
        if due_ns is not None and drawn_ns < due_ns <= drawn_ns + self._longest_early_ns:
            self._clock.wait_until_ns(due_ns - self._refresh_ns())
            held_ns = self._clock.now_ns()
        self._wall.present()
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

    def _ask_ahead(self, frame: int) -> None:
        """Ask for this frame and the next ones, again where a command has changed them."""
        if self._live is None:
            return
        last = frame + LOOKAHEAD_FRAMES
        self._asked = {n: cues for n, cues in self._asked.items() if frame <= n <= last}
        for tick in range(self._tick, self._tick + LOOKAHEAD_FRAMES + 1):
            transport = self._conductor.transport_at(tick)
            wanted = frame_at(transport, tick)
            cues = begun_cues(transport.cues, wanted)
            if self._asked.get(wanted) != cues:
                self._asked[wanted] = cues
                self._live.request(
                    wanted,
                    [latents_at(self._show, cues, screen, wanted) for screen in self._screens],
                )

    def _is_live(self, frame: int) -> bool:
        pictures = self._live.pictures(frame) if self._live is not None else None
        return pictures is not None and pictures.frame == frame

    def _obey(self) -> None:
        if self._desk is not None:
            self._desk.obey(self._tick, self.status_line)


def begun_cues(cues: Cues, frame: int) -> Cues:
    """Without the changes of ballad that do not show on this frame yet; the first of each stays."""
    return tuple(
        screen_cues[:1] + tuple(cue for cue in screen_cues[1:] if cue.progress(frame) > 0)
        for screen_cues in cues
    )
