"""The loop: on every tick obey, ask ahead, choose, draw, show, and write down what happened."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from player.clock import Clock, process_age_ns
from player.commands import CommandError, QueryStatus
from player.frame_report import FrameReport
from player.frame_source import FrameSource, Pictures, SourceStatus
from player.osc_control import OscControl, Request
from player.shots import Layer, Shot
from player.slate_source import SlateSource
from player.source_policy import Policy, advanced
from player.transport import (
    Transport,
    apply_command,
    blackout_gain,
    describe,
    frame_at,
    opening_transport,
)
from player.wall import Wall
from shows.schema import ShowError
from shows.show import Show
from shows.timebase import frame_to_ns, ns_to_frame
from shows.timeline import latents_at, position_at

# Frames asked of the engine ahead of the one on show: what jitter it may have, and how long a
# command takes to be seen. On two cores 2 of 4 runs repeated 1.1 % with 4; none of 3 with 6.
LOOKAHEAD_FRAMES = 6
# Drawing begins this share of a frame before the frame is due, so that it is shown about then.
LEAD = Fraction(1, 4)
# A wait looks at `stop` at least this often.
LONGEST_WAIT_NS = 50_000_000

_log = logging.getLogger(__name__)

Stop = Callable[[], bool]


class FrameLoop:
    """Plays a show on a wall. Everything is called from the thread that opened the wall."""

    def __init__(
        self,
        show: Show,
        wall: Wall,
        *,
        live: FrameSource | None,
        slates: SlateSource,
        control: OscControl | None,
        report: FrameReport,
        clock: Clock,
    ) -> None:
        """live None: the paintings as stills only."""
        self._show, self._wall, self._clock = show, wall, clock
        self._live, self._slates = live, slates
        self._control, self._report = control, report
        self._fps = show.settings.fps
        self._screens = len(show.settings.screens)
        self._transport: Transport = opening_transport(show)
        self._policy = Policy.opening()
        self._asked_until = 0  # the first frame not yet asked of the engine
        self._uploaded: dict[str, int] = {}
        self._tick = 0
        self._was_seen = False  # a picture, not black
        self._was_live = False

    def preroll(self, *, stop: Stop, limit_ns: int | None) -> int:
        """Show the first paintings, at the show's rate, until the engine's first frame fades in.

        Frame 0 stands until `run`. The other paintings are read meanwhile, one a tick, because
        reading one while the show plays would hold a frame up. limit_ns: the longest wait; None:
        no limit. Returns the ticks shown. An engine that fails is not started again before `run`,
        so its status tells why.
        """
        first_tick = self._tick
        due_ns = started_ns = self._clock.now_ns()
        engine_is_settled = self._live is None
        while self._wait_until(due_ns, stop) and self._wall.poll():
            self._obey()
            self._ask_ahead(0)
            if self._live is not None and not engine_is_settled:
                self._live.tend(self._clock.now_ns())
                engine_is_settled = self._live.status().state == "failed" or self._is_live(0)
            is_whole = True
            if self._is_live(0):
                self._show_frame(0)
                is_whole = not self._policy.is_fading
            else:
                self._draw(0, None)
            self._tick += 1
            self._transport = replace(self._transport, anchor_tick=self._tick)
            paintings_are_left = self._slates.read_next()
            now_ns = self._clock.now_ns()
            if engine_is_settled and is_whole and not paintings_are_left:
                break
            if limit_ns is not None and now_ns - started_ns > limit_ns:
                break
            due_ns = max(due_ns + frame_to_ns(1, self._fps), now_ns)
        return self._tick - first_tick

    def run(self, *, stop: Stop, ticks: int | None = None) -> None:
        """Play for `ticks` ticks of the house clock, or until told to stop or closed."""
        lead_ns = int(LEAD * 1_000_000_000 / self._fps)
        start_ns = self._clock.now_ns() + lead_ns
        first_tick = self._tick
        end_tick = None if ticks is None else first_tick + ticks
        while end_tick is None or self._tick < end_tick:
            due_ns = start_ns + frame_to_ns(self._tick - first_tick, self._fps)
            if not (self._wait_until(due_ns - lead_ns, stop) and self._wall.poll()):
                break
            self._obey()
            frame = frame_at(self._transport, self._tick)
            repeated = self._show_frame(frame)
            presented_ns = self._clock.now_ns()
            self._report.record(
                tick=self._tick,
                frame=frame,
                due_ns=due_ns,
                presented_ns=presented_ns,
                source=self._policy.showing,
                repeated=repeated,
            )
            reached = first_tick + ns_to_frame(max(presented_ns - start_ns, 0), self._fps)
            following = max(self._tick + 1, reached)
            if end_tick is not None:
                following = min(following, end_tick)
            if self._transport.rate:  # a pause passes over no frame
                self._report.dropped(following - self._tick - 1)
            self._tick = following

    def status_line(self) -> str:
        """One line for the operator: what is on, out of what, and how well so far."""
        parts = [
            describe(self._show, self._transport, self._tick),
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
        return "; ".join(parts)

    def _wait_until(self, due_ns: int, stop: Stop) -> bool:
        """Wait for the time; False as soon as told to stop."""
        while not stop():
            now_ns = self._clock.now_ns()
            if now_ns >= due_ns:
                return True
            self._clock.wait_until_ns(min(due_ns, now_ns + LONGEST_WAIT_NS))
        return False

    def _show_frame(self, frame: int) -> bool:
        """Ask, choose, draw, present; True if some screen still shows an older picture."""
        self._ask_ahead(frame)
        if self._live is None:
            self._draw(frame, None)
            return False
        self._live.tend(self._clock.now_ns())
        pictures = self._live.pictures(frame)
        status = self._live.status()
        age = None if pictures is None else frame - pictures.frame
        before = self._policy.showing
        self._policy = advanced(self._policy, live_age=age, live_ready=status.state == "ready")
        if self._policy.showing != before:
            self._log_change(status, age)
        self._draw(frame, pictures)
        if self._policy.showing == "live" and not self._was_live:
            self._was_live = True
            self._report.note("start_to_live_s", round(process_age_ns() / 1e9, 3))
        return self._policy.live_weight > 0 and age != 0

    def _log_change(self, status: SourceStatus, age: int | None) -> None:
        if self._policy.showing == "live":
            _log.info("The screens show live pictures.")
        elif status.state == "ready" and age is not None:
            _log.warning(
                "The screens show the paintings as stills: the engine is %d frames late.", age
            )
        else:
            _log.warning("The screens show the paintings as stills. %s", status.detail)

    def _draw(self, frame: int, live: Pictures | None) -> None:
        weight = self._policy.live_weight if live is not None else 0.0
        stills: Pictures | None = None
        if weight < 1.0:
            positions = (position_at(self._show, cues, frame) for cues in self._transport.cues)
            keys = [(position.ballad_id, position.painting_index) for position in positions]
            stills = self._slates.pictures_for(keys, frame)
            self._upload("slate", stills)
        if live is not None and weight > 0.0:
            self._upload("live", live)
        gain = blackout_gain(self._transport, self._tick)
        self._wall.draw(
            [
                Shot(_layers(screen, live, stills, weight), gain, settings.fit)
                for screen, settings in enumerate(self._show.settings.screens)
            ]
        )
        self._wall.present()
        if gain > 0 and not self._was_seen:
            self._was_seen = True
            self._report.first_picture(process_age_ns())

    def _upload(self, source: str, pictures: Pictures) -> None:
        if self._uploaded.get(source) != pictures.serial:
            self._wall.upload(source, pictures.pixels)
            self._uploaded[source] = pictures.serial

    def _ask_ahead(self, frame: int) -> None:
        if self._live is None:
            return
        first = max(self._asked_until, frame)
        for wanted in range(first, frame + LOOKAHEAD_FRAMES + 1):
            self._live.request(
                wanted,
                [
                    latents_at(self._show, self._transport.cues, screen, wanted)
                    for screen in range(self._screens)
                ],
            )
            self._asked_until = wanted + 1

    def _is_live(self, frame: int) -> bool:
        pictures = self._live.pictures(frame) if self._live is not None else None
        return pictures is not None and pictures.frame == frame

    def _obey(self) -> None:
        if self._control is None:
            return
        for request in self._control.take_requests():
            self._obey_one(self._control, request)

    def _obey_one(self, control: OscControl, request: Request) -> None:
        if isinstance(request.command, QueryStatus):
            control.reply(request, True, self.status_line())
            return
        try:
            self._transport = apply_command(
                self._show, self._transport, request.command, self._tick, self._asked_until
            )
        except (CommandError, ShowError) as fault:
            control.reply(request, False, str(fault))
            return
        control.reply(request, True, describe(self._show, self._transport, self._tick))


def _layers(
    screen: int, live: Pictures | None, stills: Pictures | None, weight: float
) -> tuple[Layer, ...]:
    """The still underneath, the live picture with its weight over it; only what is seen."""
    layers = []
    if stills is not None:
        layers.append(Layer("slate", stills.picture_of_screen[screen], 1.0 - weight))
    if live is not None and weight > 0.0:
        layers.append(Layer("live", live.picture_of_screen[screen], weight))
    return tuple(layers)
