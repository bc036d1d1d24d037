"""Sees every present of the player and says which frame it is, by the pixels alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from fractions import Fraction

from player.chaos.judge import BLACK_BELOW, LIT_ABOVE, UNLIKE, Course, Seen
from player.chaos.picture_match import Match, Reference
from player.wall.front_buffer import Glimpse

FIT_S = 2.0  # a course is fitted to so much of what was seen
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
            self._course = Course.through(now_ns, frames, self._fps)
            self.seen.clear()
        course = self._course
        matches, black = [], 0
        for screen, sample in enumerate(glimpse.pixels):
            reference = self._reference(screen)
            due = course.due(now_ns, screen)
            matches.append(reference.nearest(sample, due))
            black += bool(sample.mean() < BLACK_BELOW and reference.mean(due) > LIT_ABOVE)
        one = Seen(
            now_ns,
            glimpse.file,
            glimpse.sequence,
            tuple(match.frames_on for match in matches),
            tuple(match.distance for match in matches),
            black,
        )
        self.seen.append(one)
        return one

    def fit(self, until_ns: int) -> bool:
        """Lay the course through the middle of the last seconds before that time, if all was well
        in them; whether it was."""
        from_ns = until_ns - int(FIT_S * 1e9)
        healthy = [one for one in self.since(from_ns) if from_ns <= one.time_ns <= until_ns]
        lasts = bool(self.seen) and self.seen[0].time_ns <= from_ns + _FIRST_NS
        if self._course is None or not lasts or len(healthy) < LEAST_SHARE * FIT_S * self._fps:
            return False
        fitted = self._course.fitted(healthy)
        right = sum(one.is_right(2) for one in healthy)
        if right < 0.9 * len(healthy):
            return False
        self._course = fitted
        return True

    def since(self, time_ns: int) -> list[Seen]:
        """What has been seen since then, and what stood on the screens at that time."""
        found = []
        for one in reversed(self.seen):
            found.append(one)
            if one.time_ns < time_ns:
                break
        return found[::-1]

    def _located(self, glimpse: Glimpse) -> list[Match]:
        return [
            self._reference(screen).located(sample) for screen, sample in enumerate(glimpse.pixels)
        ]

    def _reference(self, screen: int) -> Reference:
        return self._references[self._ballads[screen]]


def is_lit(glimpse: Glimpse) -> bool:
    """Something is to be seen on every screen."""
    return all(sample.mean() >= BLACK_BELOW for sample in glimpse.pixels)
