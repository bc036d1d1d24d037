"""What a person does at the window of a preview, and what its title tells them."""

from __future__ import annotations

from dataclasses import replace

from player import commands
from player.conductor import LocalConductor
from player.governor import Level, describe
from player.operator_desk import Read
from player.reading import Reading
from player.reload.desk import ReloadDesk
from player.transport import frame_at, opening_transport
from player.wall.preview_wall import PreviewWall
from shows.show import Show
from shows.timeline import position_at

LONGEST_LINE = 40
FULL_QUALITY = describe(Level())


class PreviewConductor(LocalConductor):
    """Plays one ballad on one screen, and leaps in it."""

    def leap(self, step: int, tick: int) -> None:
        """On this tick the painting so many places away begins; a pause stays one."""
        now = self.transport_at(tick)
        frame = frame_at(now, tick)
        position = position_at(self.show, now.cues[0], frame)
        painting = position.painting_index + step
        there = leap_frame(self.show, position.ballad_id, frame, painting)
        self._transport = replace(
            opening_transport(self.show, tick=tick, frame=there), rate=now.rate
        )


def leap_frame(show: Show, ballad_id: str, frame: int, painting: int) -> int:
    """The next frame after `frame` on which a painting (from 0, or counted round) begins, in a show
    whose frames are the ballad's own. Never an earlier one: to a screen that waits for live
    pictures that would be one that it has passed."""
    cycle = show.cycle_frames(ballad_id)
    there = frame - frame % cycle + painting * show.segment_frames % cycle
    return there if there > frame else there + cycle


class PreviewDesk:
    """Space pauses and goes on, the arrows leap to the painting before and after."""

    def __init__(self, conductor: PreviewConductor, wall: PreviewWall, reloads: ReloadDesk) -> None:
        self._conductor, self._wall, self._reloads = conductor, wall, reloads

    def obey(self, tick: int, now_ns: int, read: Read, ahead_ns: int = 0) -> None:
        """Do what the keys pressed since ask, as of this tick."""
        self._reloads.tend(tick)
        for key in self._wall.take_keys():
            match key:
                case "space":
                    is_playing = self._conductor.transport_at(tick).rate
                    self._conductor.obey(commands.Pause() if is_playing else commands.Play(), tick)
                case "left":
                    self._conductor.leap(-1, tick)
                case "right":
                    self._conductor.leap(1, tick)
        self._wall.set_title(title(read.reading()))

    def tell(self, presented_ns: int, read: Read) -> None:
        """The title is set when keys are asked for: there is nothing to do here."""


def title(reading: Reading) -> str:
    """As in `Tam Lin 2/5: The moon is whole - 30 frames a second, paused`. The frames are those
    presented; where the engine makes fewer, how many of them it makes."""
    show, transport = reading.show, reading.transport
    position = position_at(show, transport.cues[0], reading.frame)
    ballad = show.ballad(position.ballad_id)
    line = " ".join(ballad.paintings[position.painting_index].line.split())
    short = line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"
    where = f"{ballad.title} {position.painting_index + 1}/{len(ballad.paintings)}: {short}"
    state = [f"{reading.fps:.0f} frames a second"] if reading.fps else []
    state += [reading.quality] if reading.quality not in ("", FULL_QUALITY) else []
    state += [] if transport.rate else ["paused"]
    state += [] if reading.showing == "live" else ["a still until the engine is ready"]
    return " - ".join([where, ", ".join(state)] if state else [where])
