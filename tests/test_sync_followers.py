"""Whose clock is the odd one, as a leader judges by what its followers tell."""

from __future__ import annotations

import pytest

from player.sync.followers import GONE_AFTER_NS, Followers
from player.sync.messages import UNSURE, Ping

MS = 1_000_000
S = 1_000_000_000


def heard(followers: Followers, place: int, at_ns: int, *, behind_ns: int | None = 0) -> None:
    """A ping a ms on its way. behind_ns: its house time behind ours; None: it is unsure of it."""
    its_ns = UNSURE if behind_ns is None else at_ns - behind_ns - MS
    ping = Ping(f"node-{place}", 1, 1, 0, its_ns, "one", -1, "")
    followers.heard(place, ping, house_ns=at_ns, local_ns=at_ns)


def agreeing(nodes: int) -> Followers:
    followers = Followers(nodes)
    for place in range(1, nodes):
        heard(followers, place, 10 * S)
    return followers


@pytest.mark.parametrize(
    ("nodes", "leaving", "is_odd"), [(3, 1, False), (3, 2, True), (4, 1, False), (4, 3, True)]
)
def test_most_followers_outvote_their_leader(nodes: int, leaving: int, is_odd: bool) -> None:
    followers = agreeing(nodes)
    for place in range(1, 1 + leaving):
        heard(followers, place, 11 * S, behind_ns=7 * S)
    for place in range(1 + leaving, nodes):
        heard(followers, place, 11 * S)
    assert followers.odd_clock_ns(11 * S) == (7 * S if is_odd else 0)


def test_those_that_are_gone_are_not_waited_for() -> None:
    followers = agreeing(7)
    later_ns = 10 * S + GONE_AFTER_NS + 1
    for place in (1, 2, 3):
        heard(followers, place, later_ns - S // 2)  # the other three do not ask any more
        heard(followers, place, later_ns, behind_ns=7 * S)
    assert followers.present(later_ns) == 0b1110
    assert followers.odd_clock_ns(later_ns) == 7 * S


def test_who_knows_of_a_leap_of_its_own_has_no_vote() -> None:
    followers = agreeing(4)
    heard(followers, 1, 11 * S, behind_ns=None)
    heard(followers, 3, 11 * S, behind_ns=-7 * S)
    heard(followers, 2, 11 * S)
    assert followers.odd_clock_ns(11 * S) == 0
    heard(followers, 1, 11 * S, behind_ns=-7 * S)
    assert followers.odd_clock_ns(11 * S) == -7 * S
