"""The loop: on every tick obey, ask ahead, choose, draw, show, and write down what happened."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from player.clock import Clock, process_age_ns
from player.commands import CommandError, QueryStatus
from player.frame_report import FrameReport
from player.frame_source import FrameSource, Pictures
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
# command takes to be seen.
LOOKAHEAD_FRAMES = 4
# Drawing begins this share of a frame before the frame is due, so that it is shown about then.
LEAD = Fraction(1, 4)


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
        self._policy = Policy("live" if live is not None else "slate", fade=0)
        self._asked_until = 0  # the first frame not yet asked of the engine
        self._uploaded: dict[str, int] = {}
        self._tick = 0

    def preroll(self, *, stop: Callable[[], bool], limit_ns: int | None) -> int:
        """Show the first paintings, at the show's rate, until the engine has the first frame.

        limit_ns: the longest wait; None: no limit. Returns the number of frames shown. The house
        clock's tick 0 comes after this, so that frame 0 is the first live one.
        """
        shown = 0
        started_ns = self._clock.now_ns()
        while not stop():
            self._clock.wait_until_ns(started_ns + frame_to_ns(shown, self._fps))
            if not self._wall.poll():
                break
            self._obey()
            self._ask_ahead(0)
            if self._live is not None:
                self._live.tend(self._clock.now_ns())
            self._draw(0, None)
            shown += 1
            if self._live is None or self._live_has_lead(0):
                break
            if self._live.status().state == "failed":
                break
            if limit_ns is not None and self._clock.now_ns() - started_ns > limit_ns:
                break
        return shown

    def run(self, *, stop: Callable[[], bool], ticks: int | None = None) -> None:
        """Play from tick 0 for `ticks` ticks of the house clock, or until told to stop or closed."""
        lead_ns = int(LEAD * 1_000_000_000 / self._fps)
        start_ns = self._clock.now_ns() + lead_ns
        self._tick = 0
        while not stop() and (ticks is None or self._tick < ticks):
            due_ns = start_ns + frame_to_ns(self._tick, self._fps)
            self._clock.wait_until_ns(due_ns - lead_ns)
            if not self._wall.poll():
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
            reached = ns_to_frame(max(presented_ns - start_ns, 0), self._fps)
            following = max(self._tick + 1, reached)
            if ticks is not None:
                following = min(following, max(ticks, self._tick + 1))
            skipped = following - self._tick - 1
            if skipped and self._transport.rate:
                self._report.dropped(skipped)
            self._tick = following

    def status_line(self) -> str:
        """One line for the operator."""
        parts = [
            describe(self._show, self._transport, self._tick),
            f"source {self._policy.showing}",
        ]
        if self._live is not None:
            status = self._live.status()
            parts.append(f"engine {status.state}: {status.detail}")
        return "; ".join(parts)

    def _show_frame(self, frame: int) -> bool:
        """Ask, choose, draw, present; True if some screen still shows an older picture."""
        self._ask_ahead(frame)
        pictures: Pictures | None = None
        ready = False
        if self._live is not None:
            self._live.tend(self._clock.now_ns())
            pictures = self._live.pictures(frame)
            ready = self._live.status().state == "ready"
        age = None if pictures is None else frame - pictures.frame
        self._policy = advanced(self._policy, live_age=age, live_ready=ready)
        self._draw(frame, pictures)
        return self._policy.showing == "live" and age != 0

    def _draw(self, frame: int, live: Pictures | None) -> None:
        weight = self._policy.live_weight if live is not None else 0.0
        stills: Pictures | None = None
        if weight < 1.0:
            keys = [
                (position.ballad_id, position.painting_index)
                for position in (
                    position_at(self._show, cues, frame) for cues in self._transport.cues
                )
            ]
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

    def _live_has_lead(self, frame: int) -> bool:
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
