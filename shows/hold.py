"""Staying on one painting: its loop runs to the last stop and back, again and again. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

TURN_FRAMES = 15


@dataclass(frozen=True)
class Hold:
    """Of one cue. start_frame: of the show, the first on which it holds. painting_frame: the
    ballad's own frame at which the painting held stands. loop_frames: of its loop. end_frame: from
    which on the ballad counts again, None: until it is released.
    """

    start_frame: int
    painting_frame: int
    loop_frames: int
    end_frame: int | None = None

    def local_frame(self, frame: int, counted: int, counted_at: Callable[[int], int]) -> float:
        """counted: the ballad's own frame if it were not held, and counted_at of any frame."""
        if frame < self.start_frame:
            return counted
        if self.end_frame is None or frame < self.end_frame:
            return self.painting_frame + self._rippled(counted - self.painting_frame)
        left_at = self._rippled(counted_at(self.end_frame) - self.painting_frame)
        return self.painting_frame + left_at + (frame - self.end_frame)

    def film_frame(self, frame: int, counted: int, counted_at: Callable[[int], int]) -> int:
        """A film goes on to the last stop and waits there until the loop goes on from it."""
        if frame < self.start_frame:
            return counted
        last = self.painting_frame + self.loop_frames
        if self.end_frame is None or frame < self.end_frame:
            return min(counted, last)
        local = int(self.local_frame(frame, counted, counted_at))
        return max(local, min(counted_at(self.end_frame), last))

    def released(self, frame: int, counted_at: Callable[[int], int]) -> Hold | None:
        """Released on a frame: the loop runs back if it must, and goes on when it comes forward
        again. None: it had not turned yet, and goes on as if it had never been held."""
        turn, loop = turn_frames(self.loop_frames), self.loop_frames
        past = counted_at(frame) - self.painting_frame
        if past <= loop - turn:
            return None
        at = past % (2 * loop)
        if at < turn:
            wait = turn - at
        elif at <= loop - turn:
            wait = 0
        else:
            wait = 2 * loop - at + turn
        return replace(self, end_frame=frame + wait)

    def _rippled(self, past: int) -> float:
        """Frames from the painting. past: those counted since it, below 0 on the way to it.

        Forward and back at the loop's own speed, with a parabola of 30 frames where it turns, so
        that it never stops short. It comes no nearer to the painting than half of that.
        """
        turn, loop = turn_frames(self.loop_frames), self.loop_frames
        if past <= loop - turn:
            return past
        if loop == 0:
            return 0
        at = past % (2 * loop)
        from_top = at - loop
        if abs(from_top) < turn:
            return loop - (from_top * from_top + turn * turn) / (2 * turn)
        from_bottom = at if at < loop else at - 2 * loop
        if abs(from_bottom) < turn:
            return (from_bottom * from_bottom + turn * turn) / (2 * turn)
        return loop - abs(from_top)


def turn_frames(loop_frames: int) -> int:
    """Half the length of a turn."""
    return min(TURN_FRAMES, loop_frames // 4)


def held_from(frame: int, counted: int, segment_frames: int, loop_frames: int) -> Hold:
    """A hold from a frame of the show on, of the painting whose loop runs; in a morph, or where
    there is no room to turn before it, of the next one. counted: the ballad's own frame then."""
    painting_frame = counted - counted % segment_frames
    if counted - painting_frame > loop_frames - turn_frames(loop_frames):
        painting_frame += segment_frames
    return Hold(frame, painting_frame, loop_frames)
