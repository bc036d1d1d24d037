"""A node's house time: asking its leader, judging the answers, steering; or giving it itself."""

from __future__ import annotations

import random

from player.sync import estimate
from player.sync.estimate import Exchange
from player.sync.house_time import STEP_BEYOND_NS, HouseTime, steered, stepped

PING_EVERY_NS = 500_000_000
HURRIED_PING_EVERY_NS = 50_000_000
JOINING_PINGS = 16
# How sure a leader that yields is of its rate against the new leader's, as a share.
YIELDING_RATE = 5e-6


class Discipline:
    """When to ask, and what the answers make of house time. Times are local ns.

    house_time: a frozen value, replaced as a whole; any thread may read it. is_locked: it is the
    leader's, or ours to give; once so, always so: without answers it runs on at the last rate.
    is_doubted: the local clock has leapt, or stood still, and no answer has agreed with it since.
    steps: how often it was put right by more than 50 ms.
    """

    def __init__(self, rng: random.Random, local_ns: int) -> None:
        self.house_time = HouseTime(local_ns, 0)
        self.is_locked = False
        self.is_doubted = False
        self.steps = 0
        self._rng = rng
        self._estimate = estimate.opening_estimate()
        self._number = 0
        self._hurried = 0
        self._due_ns = local_ns

    @property
    def next_ping_ns(self) -> int:
        """When to ask next."""
        return self._due_ns

    @property
    def unsure_ns(self) -> float:
        """One standard deviation of the latest estimate, in ns."""
        return self._estimate.unsure_ns

    def error_ns(self, local_ns: int) -> int | None:
        """How far our house time is from where the leader's answers have it; None before any, and
        while it is doubted."""
        if not (self.is_locked and self._estimate.is_settled) or self.is_doubted:
            return None
        return abs(self._estimate.house_ns(local_ns) - self.house_time.house_at(local_ns))

    def give(self, local_ns: int) -> None:
        """This node leads: its house time goes on as it runs, or begins as it is."""
        if not self.is_locked:
            self.house_time = HouseTime(local_ns, self.house_time.house_at(local_ns))
            self.is_locked = True
        self.is_doubted = False

    def follow(self, local_ns: int, *, was_leading: bool) -> None:
        """Another leads from now on: ask it, quickly at first."""
        if was_leading:
            rate = self.house_time.rate
            self._estimate = estimate.opening_estimate(rate, YIELDING_RATE)
        elif self.is_locked:
            self._estimate = estimate.moved_to_new_leader(self._estimate)
        else:
            self._estimate = estimate.opening_estimate()
        self._due_ns = local_ns
        self._hurried = JOINING_PINGS

    def hurry(self, local_ns: int) -> None:
        """Something is odd: ask at 20 Hz for the next two times."""
        self._hurried = max(self._hurried, 2)
        self._due_ns = min(self._due_ns, local_ns + HURRIED_PING_EVERY_NS)

    def check(self, house_ns: int, local_ns: int) -> None:
        """House time as a beacon told it: ask in a hurry if ours is far from it."""
        if self.is_locked and abs(house_ns - self.house_time.house_at(local_ns)) > STEP_BEYOND_NS:
            self.hurry(local_ns)

    def ping_number(self, local_ns: int) -> int | None:
        """The number of the question due now, or None."""
        if local_ns < self._due_ns:
            return None
        self._number += 1
        every_ns = HURRIED_PING_EVERY_NS if self._hurried > 0 else PING_EVERY_NS
        self._hurried = max(0, self._hurried - 1)
        # nodes that started together must not ask together for ever
        self._due_ns = local_ns + round(every_ns * self._rng.uniform(0.9, 1.1))
        return self._number

    def answered(self, number: int, exchange: Exchange, local_ns: int) -> None:
        """Take in an answer, and steer by it."""
        if not 0 < number <= self._number:
            return
        before = self._estimate
        after = self._estimate = estimate.taken_in(before, exchange)
        if after.suspects:
            self.hurry(local_ns)
        has_jumped = bool(before.suspects) and not after.suspects
        if after.exchanges != before.exchanges or has_jumped:
            self._steer(local_ns)
            self.is_doubted = self.is_doubted and bool(after.suspects)

    def put_right(self, by_ns: int, local_ns: int) -> None:
        """Step our own house time: this machine's clock has jumped while it led."""
        self.house_time = stepped(self.house_time, local_ns=local_ns, by_ns=by_ns)
        self.steps += 1

    def rebase(self, local_ns: int) -> None:
        """The local clock has jumped to here."""
        self._due_ns = local_ns
        self.is_doubted = True

    def _steer(self, local_ns: int) -> None:
        target_ns, rate = self._estimate.house_ns(local_ns), self._estimate.rate
        if not self.is_locked:
            self.house_time = HouseTime(local_ns, target_ns, rate)
            self.is_locked = True
            return
        if abs(target_ns - self.house_time.house_at(local_ns)) > STEP_BEYOND_NS:
            self.steps += 1
        self.house_time = steered(
            self.house_time, local_ns=local_ns, target_ns=target_ns, rate=rate
        )
