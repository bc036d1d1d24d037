"""Who leads: pure functions of what beacons say."""

from __future__ import annotations

from dataclasses import dataclass

CLAIM_AFTER_NS = 1_000_000_000
CLAIM_STEP_NS = 200_000_000


@dataclass(frozen=True)
class Claim:
    """One who says that it leads. place: in the list of nodes; followers: a bit for each place."""

    epoch: int
    place: int
    followers: int = 0


def outranks(one: Claim, other: Claim) -> bool:
    """Whether `one` leads on where two leaders meet; the other becomes a follower.

    Who leads somebody (the two themselves apart) before who leads nobody: a node whose cable was
    out for a while has claimed a higher epoch alone, and must not bring back its old state. Then
    the higher epoch, then the earlier place in the list.
    """
    both = 1 << one.place | 1 << other.place

    def key(claim: Claim) -> tuple[bool, int, int]:
        return bool(claim.followers & ~both), claim.epoch, -claim.place

    return key(one) > key(other)


def claim_delay_ns(place: int, *, nodes: int, leader: Claim | None, is_ready: bool) -> int:
    """How long a node lets its leader be silent before it claims: 1 s + 200 ms x rank.

    rank counts, from 0, the nodes before it in the list that followed the leader as its last
    beacon said; with no leader yet, all before it. is_ready: a node that heard a leader and has no
    house time to go by, not yet or not after a leap of its own clock, lets all others go first.
    """
    if leader is None:
        return CLAIM_AFTER_NS + CLAIM_STEP_NS * place
    rank = bin(leader.followers & ((1 << place) - 1) & ~(1 << leader.place)).count("1")
    if not is_ready:
        rank += nodes
    return CLAIM_AFTER_NS + CLAIM_STEP_NS * rank
