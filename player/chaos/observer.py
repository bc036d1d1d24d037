"""Sees every present of the player and says which frame it is, by the pixels alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from fractions import Fraction
from statistics import median

from player.chaos.judge import BLACK_BELOW, LIT_ABOVE, TOLERANCE, UNLIKE, Course, Seen
from player.chaos.picture_match import Match, Reference
from player.wall.front_buffer import Glimpse

FIT_S = 2.0  # a course is fitted to so much of what was seen
DOWN, UP = 0.25, 1.0  # frames
DOWN_FIRST = 3.0
RIGHT_SHARE, RIGHT_SHARE_FIRST = 0.9, 0.5  # of the presents
LEAST_SHARE = 0.3  # of the presents due in that time: an overloaded machine is judged, too
_FIRST_NS = 100_000_000
_KEPT = 4096  # presents: more than the longest window has


class Observer:
    """One wall. ballads: what each screen shows, from the left."""

    def __init__(
        self, references: Mapping[str, Reference], ballads: Sequence[str], fps: Fraction
    ) -> None:
        self._references, self._fps = references, fps
        self._ballads = tuple(ballads)
        self._course: Course | None = None
        self._is_aligned = False  # the screens with each other
        self._moved = 0.0  # frames since the films' place was settled
        self.seen: deque[Seen] = deque(maxlen=_KEPT)

    @property
    def ballads(self) -> tuple[str, ...]:
        return self._ballads

    @property
    def has_course(self) -> bool:
        return self._course is not None

    def changed_to(self, ballads: Sequence[str]) -> None:
        """Other ballads are on from now: where they stand is to be found anew."""
        self._ballads = tuple(ballads)
        self._course = None

    def lose_course(self) -> None:
        """Find anew where the films stand."""
        self._course = None

    def see(self, glimpse: Glimpse, now_ns: int) -> Seen | None:
        """What a present was; None while it is not known where the films stand. The first one
        that looks like frames of the films, on all screens, sets that."""
        if self._course is None:
            found = self._located(glimpse)
            if max(match.distance for match in found) > UNLIKE:
                return None
            frames = [match.frames_on for match in found]
            self._course, self._moved = Course.through(now_ns, frames, self._fps), 0.0
            self._is_aligned = False
            self.seen.clear()
        course = self._course
        dues = tuple(course.due(now_ns, screen) for screen in range(len(self._ballads)))
        matches, black = [], 0
        for screen, (sample, due) in enumerate(zip(glimpse.pixels, dues, strict=True)):
            reference = self._reference(screen)
            matches.append(reference.nearest(sample, due))
            black += bool(sample.mean() < BLACK_BELOW and reference.mean(due) > LIT_ABOVE)
        one = Seen(
            now_ns,
            glimpse.file,
            glimpse.sequence,
            tuple(match.frames_on for match in matches),
            tuple(match.distance for match in matches),
            black,
            dues,
        )
        self.seen.append(one)
        return one

    def settle(self, until_ns: int) -> bool:
        """Once it is known where the films stand: lay the course exactly; whether that was so.

        The one picture it was found on may have misled on some screens, by a frame or two, as one
        blended of two others does.
        """
        from_ns = until_ns - int(FIT_S * 1e9)
        if self._course is not None and not self._is_aligned and self._lasts(from_ns):
            self._is_aligned = True
            seen = self.since(from_ns)
            off = [median(column) for column in zip(*(one.off for one in seen), strict=True)]
            apart = [round(frames - median(off)) for frames in off]
            if any(apart):
                self._course = self._course.moved(apart)
                self.seen.clear()
        is_fit = self.fit(until_ns, down=DOWN_FIRST, share=RIGHT_SHARE_FIRST)
        self._moved = 0.0
        return is_fit

    def fit(
        self, until_ns: int, down: float = DOWN, up: float = UP, share: float = RIGHT_SHARE
    ) -> bool:
        """Lay the course along the last seconds before that time, if all was well in them; whether
        it was. In all it is moved by no more than `down` and `up` frames from where it was settled:
        a show that slips, or runs ahead, does not take its judge along."""
        from_ns = until_ns - int(FIT_S * 1e9)
        healthy = [one for one in self.since(from_ns) if from_ns <= one.time_ns <= until_ns]
        enough = len(healthy) >= LEAST_SHARE * FIT_S * self._fps
        if self._course is None or not enough or not self._lasts(from_ns):
            return False
        right = sum(one.is_right(TOLERANCE) for one in healthy)
        if right < share * len(healthy):
            return False
        wanted = self._moved + self._course.ahead(healthy)
        move = min(max(wanted, -down), up) - self._moved
        self._course, self._moved = self._course.moved(move), self._moved + move
        return True

    def since(self, time_ns: int) -> list[Seen]:
        """What has been seen since then, and what stood on the screens at that time."""
        found = []
        for one in reversed(self.seen):
            found.append(one)
            if one.time_ns < time_ns:
                break
        return found[::-1]

    def _lasts(self, from_ns: int) -> bool:
        return bool(self.seen) and self.seen[0].time_ns <= from_ns + _FIRST_NS

    def _located(self, glimpse: Glimpse) -> list[Match]:
        return [
            self._reference(screen).located(sample) for screen, sample in enumerate(glimpse.pixels)
        ]

    def _reference(self, screen: int) -> Reference:
        return self._references[self._ballads[screen]]


def is_lit(glimpse: Glimpse) -> bool:
    """Something is to be seen on every screen."""
    return all(sample.mean() >= BLACK_BELOW for sample in glimpse.pixels)
