"""What was seen against what was due: the longest run of wrong frames, black ones, a late return.

Pure: it is given what was on the screens and when, and never what the player says of itself.
A picture counts for as long as it stands: one that is right when it comes and stays for ten frames
is wrong from the time on that it is too old.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from operator import add
from statistics import median
from typing import Literal

FAULT_TOLERANCE = 1  # frames, in the seconds after a fault
TOLERANCE = 2  # and at all other times
# One screen of seven may be told wrong by so many frames more: in slow parts of a film its
# neighbours differ by less than the coding noise. All seven together are not.
ONE_SCREEN_MORE = 2
# Root mean square, eight-bit steps: a picture further from each frame of the film is another one.
UNLIKE = 14.0
BLACK_BELOW, LIT_ABOVE = 6.0, 12.0  # mean of a screen, and of what was due
BACK_PRESENTS = 5  # a player is back with the first of so many right pictures in a row

State = Literal["right", "wrong", "unseen"]


@dataclass(frozen=True)
class Seen:
    """One present. file and sequence: see `Glimpse`. off: frames from the due one, per screen.
    distance: see `Match`. black: of the screens, how many were black and should not have been.
    due: the frames that were due, per screen, by the course as it was then."""

    time_ns: int
    file: int
    sequence: int
    off: tuple[int, ...]
    distance: tuple[float, ...]
    black: int = 0
    due: tuple[int, ...] = ()

    def is_right(self, tolerance: int, held_frames: int = 0) -> bool:
        """After it has stood for so many frames, too."""
        off = [frames - held_frames for frames in self.off]
        return (
            not self.black
            and abs(median(off)) <= tolerance
            and max(map(abs, off)) <= tolerance + ONE_SCREEN_MORE
            and max(self.distance) <= UNLIKE
        )


@dataclass(frozen=True)
class Course:
    """Which film frame is due when: frame = offset + fps * time, for each screen.

    offsets may lie anywhere between whole frames; the due frame is the nearest one.
    """

    fps: Fraction
    offsets: tuple[float, ...]

    @staticmethod
    def through(time_ns: int, frames: Sequence[int], fps: Fraction) -> Course:
        """The course that has these frames on at this time."""
        elapsed = float(fps * time_ns / 1_000_000_000)
        return Course(fps, tuple(frame - elapsed for frame in frames))

    def due(self, time_ns: int, screen: int) -> int:
        return round(self.offsets[screen] + float(self.fps * time_ns / 1_000_000_000))

    def ahead(self, seen: Sequence[Seen]) -> float:
        """How many frames the punctual ones of what was seen lay before (above 0) or behind it.

        Pictures come late on a machine with much to do, and never early: so not the middle of
        them counts but the foremost tenth, one in ten being left to the noise of matching.
        """
        off = sorted(
            due + frames - self._exact(one.time_ns, screen)
            for one in seen
            for screen, (due, frames) in enumerate(zip(one.due, one.off, strict=True))
        )
        return off[len(off) * 9 // 10] if off else 0.0

    def moved(self, frames: float | Sequence[float]) -> Course:
        """All screens alike, or each by its own frames."""
        if isinstance(frames, int | float):
            frames = [frames] * len(self.offsets)
        return Course(self.fps, tuple(map(add, self.offsets, frames)))

    def _exact(self, time_ns: int, screen: int) -> float:
        return self.offsets[screen] + float(self.fps * time_ns / 1_000_000_000)


def states(
    seen: Sequence[Seen], until_ns: int, fps: Fraction, tolerance: int, from_ns: int = 0
) -> list[State]:
    """Frame by frame from the first present, or from_ns, to until_ns: what was on the screens.

    unseen: the player showed something, and the observer came too late to see it.
    """
    found: list[State] = []
    for at, one in enumerate(seen):
        following = seen[at + 1] if at + 1 < len(seen) else None
        end_ns = following.time_ns if following else until_ns
        stood = max(1, round(float((end_ns - one.time_ns) * fps / 1_000_000_000)))
        missed = 0
        if following is not None and following.file == one.file:
            missed = following.sequence - one.sequence - 1
        for held in range(stood):
            if one.time_ns + round(held * 1_000_000_000 / fps) < from_ns:
                continue
            if held >= stood - missed and held > 0:
                found.append("unseen")
            else:
                found.append("right" if one.is_right(tolerance, held) else "wrong")
    return found


def longest_run(found: Sequence[State]) -> int:
    """Of wrong frames; an unseen one among them counts as one of them."""
    longest = run = waiting = 0
    for state in found:
        if state == "wrong":
            run, waiting = run + waiting + 1, 0
        elif state == "unseen" and run:
            waiting += 1
        else:
            run = waiting = 0
        longest = max(longest, run)
    return longest


def back_after_ns(seen: Sequence[Seen], fault_ns: int, files_before: int) -> int | None:
    """How long after its end another player showed the due frame, and went on to; None: not yet."""
    since: int | None = None
    count = 0
    for one in seen:
        if one.file <= files_before or not one.is_right(FAULT_TOLERANCE):
            since, count = None, 0
            continue
        since, count = one.time_ns if since is None else since, count + 1
        if count == BACK_PRESENTS:
            return since - fault_ns
    return None


def wrong_presents(seen: Sequence[Seen], fault_ns: int, most: int = 40) -> tuple[str, ...]:
    """The wrong presents of a window, in words for whoever looks into it."""
    lines = []
    for one in seen:
        if one.time_ns >= fault_ns and not one.is_right(FAULT_TOLERANCE):
            after_ms = (one.time_ns - fault_ns) / 1e6
            off = ", ".join(f"{frames:+d}" for frames in one.off)
            black = f"; {one.black} black" if one.black else ""
            lines.append(f"{after_ms:.0f} ms: {off}; distance {max(one.distance):.1f}{black}")
    return tuple(lines[:most])


@dataclass
class Tally:
    """What is counted over a whole run, present by present; the first one opens it."""

    fps: Fraction
    presents: int = 0
    unseen: int = 0
    black: int = 0
    wrong: int = 0  # frames, outside of the windows
    astray: int = 0  # single screens further off than TOLERANCE, while all in all it was right
    worst: list[str] = field(default_factory=list)  # the first wrong ones, in words
    _last: Seen | None = None

    def see(self, one: Seen, *, judged: bool) -> None:
        """judged: this present and the one before lie outside of all windows."""
        self.presents += 1
        self.black += one.black
        last, self._last = self._last, one
        if last is not None and last.file == one.file:
            self.unseen += one.sequence - last.sequence - 1
        if not judged or last is None:
            return
        found = states([last, one], one.time_ns, self.fps, TOLERANCE)[:-1]
        wrong = found.count("wrong")
        self.wrong += wrong
        if wrong and len(self.worst) < 20:
            off = ", ".join(f"{frames:+d}" for frames in last.off)
            stood_ms = (one.time_ns - last.time_ns) / 1e6
            far = max(last.distance)
            self.worst.append(f"{wrong} frames: {off}; stood {stood_ms:.0f} ms; distance {far:.1f}")
        elif not wrong:
            self.astray += sum(abs(frames) > TOLERANCE for frames in last.off)
