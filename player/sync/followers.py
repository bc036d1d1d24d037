"""What a node knows of the others: who is there, and whose clock is the odd one."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from player.sync.house_time import STEP_BEYOND_NS
from player.sync.messages import Ping

# A follower asks twice a second: after three questions missed it is taken for gone.
GONE_AFTER_NS = 1_700_000_000
# Followers' clocks must agree to within this (ns) to outvote the leader's.
AGREE_NS = 20_000_000
VOTE_WITHIN_NS = 1_000_000_000
LEAST_RISES_NS = 20_000  # with every ping, so that an old shortest way is forgotten


@dataclass
class _Seen:
    heard_ns: int = 0  # local time
    is_here: bool = False
    ahead_ns: int | None = None  # our house time less its own, None before it has any
    has_agreed: bool = False
    least_ns: int = 0  # the least it was ahead of late: about the shortest way of a ping


class Followers:
    """The leader's view of the others, by place in the list. Times are local ns."""

    def __init__(self, nodes: int) -> None:
        self._seen = [_Seen() for _ in range(nodes)]

    def heard(self, place: int, ping: Ping, *, house_ns: int, local_ns: int) -> None:
        """A follower has asked; house_ns: our house time at receipt."""
        seen = self._seen[place]
        if local_ns - seen.heard_ns > GONE_AFTER_NS:
            seen.has_agreed = False
        seen.heard_ns, seen.is_here = local_ns, True
        seen.ahead_ns = None if ping.house_ns < 0 else house_ns - ping.house_ns
        if seen.ahead_ns is not None and abs(seen.ahead_ns) < AGREE_NS:
            kept_ns = seen.least_ns + LEAST_RISES_NS if seen.has_agreed else AGREE_NS
            seen.least_ns = min(kept_ns, seen.ahead_ns)
            seen.has_agreed = True

    def present(self, local_ns: int) -> int:
        """The set of those who asked of late, a bit for each place."""
        return sum(
            1 << place for place, seen in enumerate(self._seen) if self._asks(seen, local_ns)
        )

    def forget(self) -> None:
        """Another leads: who follows is not known here any more."""
        for seen in self._seen:
            seen.is_here, seen.ahead_ns, seen.has_agreed = False, None, False

    def rebase(self, by_ns: int) -> None:
        """The local clock has jumped by so much."""
        for seen in self._seen:
            seen.heard_ns += by_ns

    def furthest_ns(self, local_ns: int) -> int | None:
        """The most that our house time and that of a follower which asked of late were apart, the
        way of its ping included; None without any."""
        apart = [
            abs(seen.ahead_ns)
            for seen in self._seen
            if seen.ahead_ns is not None and self._asks(seen, local_ns)
        ]
        return max(apart, default=None)

    def odd_clock_ns(self, local_ns: int) -> int:
        """By how much our house time has left that of the followers, or 0.

        Only if most of the followers that are here, and two at least, which agreed with us before,
        now disagree by more than 50 ms and agree with each other: then it is our own clock that
        has jumped. Those that know of a leap of their own have no vote, but count.
        """
        members = [seen for seen in self._seen if seen.has_agreed and self._asks(seen, local_ns)]
        votes = [
            seen.ahead_ns - seen.least_ns
            for seen in members
            if seen.ahead_ns is not None and 0 <= local_ns - seen.heard_ns <= VOTE_WITHIN_NS
        ]
        if len(votes) < 2:
            return 0
        middle = median(votes)
        agreeing = [vote for vote in votes if abs(vote - middle) <= AGREE_NS]
        enough = max(2, len(members) // 2 + 1)
        if abs(middle) <= STEP_BEYOND_NS or len(agreeing) < enough:
            return 0
        return min(agreeing)  # the ping that waited least

    def stepped(self) -> None:
        """We have put our clock right: the votes are used up."""
        for seen in self._seen:
            seen.ahead_ns = None

    @staticmethod
    def _asks(seen: _Seen, local_ns: int) -> bool:
        return seen.is_here and local_ns - seen.heard_ns <= GONE_AFTER_NS
