"""When a packet's commands are due, and those that wait for it, under bounds. Reads no clock."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from player.osc.time_tags import NS_PER_S, ahead_ns

LONGEST_AHEAD_NS = 60 * NS_PER_S
MOST_AT_ONCE = 64
MOST_LATER = 512
MOST_LATER_OF_ONE = 128

T = TypeVar("T")


class NotKeptError(Exception):
    """Too far ahead, or no place is left; the text is a sentence for the one who sent it."""


def due_at(time_tag: int, *, now_ns: int, wall_ns: int) -> int:
    """On the clock of `now_ns`, for a tag that came at this moment of that clock and of the wall
    clock: from then on the wall clock may be set. Now, if the tag has passed or names no time.

    Raises NotKeptError for a tag of more than a minute ahead.
    """
    ahead = max(ahead_ns(time_tag, wall_ns), 0)
    if ahead > LONGEST_AHEAD_NS:
        raise NotKeptError(
            f"its time tag is {ahead / NS_PER_S:.1f} s ahead, and at most "
            f"{LONGEST_AHEAD_NS // NS_PER_S} s are waited: is the sender's clock right?"
        )
    return now_ns + ahead


@dataclass(frozen=True, order=True)
class _Waiting(Generic[T]):
    due_ns: int
    number: int
    item: T = field(compare=False)
    host: str | None = field(compare=False)
    """Whose place it takes among what waits for later; None: it was due when it came."""


class DueQueue(Generic[T]):
    """By due time, then by order of arrival. What is due when it comes and what is due later have
    bounds of their own, so that neither takes the other's places, and no host all of the later
    ones. Times are handed in."""

    def __init__(
        self,
        most_at_once: int = MOST_AT_ONCE,
        most_later: int = MOST_LATER,
        most_later_of_one: int = MOST_LATER_OF_ONE,
    ) -> None:
        """most_at_once: bounds what is due when it comes, and what one `take` gives."""
        self._most_at_once = most_at_once
        self._most_later, self._most_later_of_one = most_later, most_later_of_one
        self._heap: list[_Waiting[T]] = []
        self._later: Counter[str] = Counter()
        self._number = 0

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def later(self) -> int:
        """How many were given a later time and have not been taken."""
        return self._later.total()

    def add(self, item: T, due_ns: int, now_ns: int, host: str = "") -> None:
        """A time that has passed is now. Raises NotKeptError."""
        is_later = due_ns > now_ns
        if is_later:
            self._check_later(host)
            self._later[host] += 1
        elif len(self._heap) - self.later >= self._most_at_once:
            raise NotKeptError(
                f"too many commands at once: {self._most_at_once} are waiting, this one is left out"
            )
        waiting = _Waiting(max(due_ns, now_ns), self._number, item, host if is_later else None)
        heapq.heappush(self._heap, waiting)
        self._number += 1

    def take(
        self, until_ns: int, ends: Callable[[T], bool] = lambda item: False
    ) -> tuple[list[T], list[T]]:
        """What is due by then, in order, and what is dropped for it.

        ends: of an item: whether all is dropped that came before it and is due after it. What one
        call does not give, because `most_at_once` bounds it, the next one does.
        """
        taken: list[T] = []
        dropped: list[T] = []
        while self._heap and self._heap[0].due_ns <= until_ns and len(taken) < self._most_at_once:
            first = heapq.heappop(self._heap)
            self._forget(first)
            taken.append(first.item)
            if ends(first.item):
                dropped += self._drop_before(first.number)
        return taken, dropped

    def clear(self) -> None:
        self._heap.clear()
        self._later.clear()

    def _check_later(self, host: str) -> None:
        if self._later[host] >= self._most_later_of_one:
            raise NotKeptError(
                f"{self._most_later_of_one} commands of this sender wait for their time, "
                "this one is left out"
            )
        if self.later >= self._most_later:
            raise NotKeptError(
                f"{self._most_later} commands wait for their time, this one is left out"
            )

    def _drop_before(self, number: int) -> list[T]:
        gone = sorted(one for one in self._heap if one.number < number)
        self._heap = [one for one in self._heap if one.number > number]
        heapq.heapify(self._heap)
        for one in gone:
            self._forget(one)
        return [one.item for one in gone]

    def _forget(self, one: _Waiting[T]) -> None:
        if one.host is not None:
            self._later[one.host] -= 1
            if not self._later[one.host]:
                del self._later[one.host]
