"""How a house clock is learnt from four-timestamp exchanges: pure functions of timestamps.

The clocks of two machines differ in offset and in rate (two crystals: up to 200 ppm), so both are
estimated together, by a Bayesian linear regression in its recursive form (R. E. Kalman, "A New
Approach to Linear Filtering and Prediction Problems", 1960): the state is offset and rate, and the
rate is a slow random walk, which forgets old exchanges after about two minutes.

An exchange is worth what its round trip says. Whatever it took longer than the quickest one, it
waited in queues, on either way: its offset is wrong by at most half of that, evenly spread if
waiting times are exponential (variance: the square over twelve).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import median_low

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
# Exchanges before the first estimate: fewer would not show which round trip is a short one.
OPENING_EXCHANGES = 8
# A round trip above twice the median of the last nine is left out.
MEDIAN_OF = 9
SHORTEST_OF = 120
LONGEST_ROUND_TRIP_NS = 2 * NS_PER_S
# Unsureness of the rate before anything is known, as a share: two crystals within 100 ppm.
UNKNOWN_RATE = 100e-6
LARGEST_RATE = 300e-6
# What an exchange without any waiting may be wrong by (ns): the stamps are taken by a program.
STAMP_NOISE_NS = 30_000
# The rate wanders by 0.01 ppm in a second, 0.1 ppm in 100 seconds: variance per ns.
RATE_WANDER_PER_NS = 1e-16 / NS_PER_S
# An exchange that disagrees by more than this and four deviations together is suspected; when so
# many in a row and for so long do, a clock has jumped.
SUSPECT_NS = NS_PER_MS // 4
SUSPECT_DEVIATIONS = 4.0
JUMP_EXCHANGES = 5
JUMP_NS = NS_PER_S
LARGEST_RATE_CHANGE = 2e-6  # unsureness of the rate after a jump


@dataclass(frozen=True)
class Exchange:
    """One question and answer. sent, returned: local ns; received, answered: house ns."""

    sent_ns: int
    received_ns: int
    answered_ns: int
    returned_ns: int

    @property
    def round_trip_ns(self) -> int:
        """Time on the way, there and back, without the answerer's own (RFC 5905, section 8)."""
        return (self.returned_ns - self.sent_ns) - (self.answered_ns - self.received_ns)

    @property
    def local_ns(self) -> int:
        """The local time in the middle of the exchange."""
        return (self.sent_ns + self.returned_ns) // 2

    @property
    def offset_ns(self) -> int:
        """House time less local time; wrong by at most half of the round trip."""
        return (self.received_ns + self.answered_ns) // 2 - self.local_ns


@dataclass(frozen=True)
class Estimate:
    """What is known of the house clock: its time is `local + offset_ns` at `local_ns`.

    rate: how much faster it runs, as a share (1e-6 is 1 ppm). var_*: variances and covariance in
    ns^2, ns and 1. exchanges: how many were taken in. opening: collected, not yet taken in.
    round_trips_ns: the latest, oldest first. suspects: the latest in a row that disagreed.
    """

    local_ns: int = 0
    offset_ns: float = 0.0
    rate: float = 0.0
    var_offset: float = 0.0
    cov: float = 0.0
    var_rate: float = UNKNOWN_RATE**2
    exchanges: int = 0
    opening: tuple[Exchange, ...] = ()
    round_trips_ns: tuple[int, ...] = ()
    suspects: tuple[Exchange, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether enough exchanges were taken in to follow it."""
        return self.exchanges > 0

    @property
    def unsure_ns(self) -> float:
        """One standard deviation of the offset, in ns, when last taken in."""
        return math.sqrt(max(self.var_offset, 0.0))

    def house_ns(self, local_ns: int) -> int:
        """The house time at a local time."""
        passed_ns = local_ns - self.local_ns
        return local_ns + round(self.offset_ns + passed_ns * self.rate)


def opening_estimate(rate: float = 0.0, unsure_rate: float = UNKNOWN_RATE) -> Estimate:
    """Nothing known but, perhaps, a rate and how sure it is."""
    return Estimate(rate=rate, var_rate=unsure_rate**2)


def moved_to_new_leader(e: Estimate) -> Estimate:
    """The same knowledge, a little less sure, for another machine's answers on another way."""
    return replace(
        e,
        var_offset=e.var_offset + (0.3 * NS_PER_MS) ** 2,
        var_rate=e.var_rate + 0.5e-6**2,
        opening=(),
        round_trips_ns=(),
        suspects=(),
    )


def taken_in(e: Estimate, exchange: Exchange) -> Estimate:
    """What is known after one more exchange; one that cannot be true changes nothing.

    The first eight are collected before any is judged; after that a round trip above twice the
    median of the last nine is left out, and five or more that disagree with what is known, over a
    second or more, mean that a clock has jumped: then the offset is learnt anew from them.
    """
    if not 0 <= exchange.round_trip_ns <= LONGEST_ROUND_TRIP_NS:
        return e
    earlier = e.round_trips_ns
    round_trips = (*earlier[-(SHORTEST_OF - 1) :], exchange.round_trip_ns)
    e = replace(e, round_trips_ns=round_trips)
    if len(round_trips) < OPENING_EXCHANGES:
        return replace(e, opening=(*e.opening, exchange))
    waiting, e = (*e.opening, exchange), replace(e, opening=())
    for one in waiting:
        e = _judged(e, one, round_trips)
    return e


def _judged(e: Estimate, x: Exchange, round_trips_ns: tuple[int, ...]) -> Estimate:
    if x.round_trip_ns > 2 * median_low(round_trips_ns[-MEDIAN_OF:]):
        return e
    # the shortest of a few has waited too: about this long, if waiting times are exponential
    shortest_ns = min(round_trips_ns)
    surplus_ns = (median_low(round_trips_ns) - shortest_ns) / math.sqrt(len(round_trips_ns))
    waited_ns = x.round_trip_ns - shortest_ns + surplus_ns
    noise = STAMP_NOISE_NS**2 + waited_ns**2 / 12
    if not e.exchanges:
        return replace(
            e, local_ns=x.local_ns, offset_ns=float(x.offset_ns), var_offset=noise, exchanges=1
        )
    e = _predicted(e, x.local_ns)
    # an exchange older than the latest one is brought forward to it
    offset_ns = x.offset_ns + (e.local_ns - x.local_ns) * e.rate
    surprise_ns = offset_ns - e.offset_ns
    variance = e.var_offset + noise
    if abs(surprise_ns) > SUSPECT_NS + SUSPECT_DEVIATIONS * math.sqrt(variance):
        return _suspected(e, x)
    # one that waited longer than all the suspects could not have told whether they are right
    is_weak = bool(e.suspects) and x.round_trip_ns > max(s.round_trip_ns for s in e.suspects)
    gain_offset, gain_rate = e.var_offset / variance, e.cov / variance
    rate = e.rate + gain_rate * surprise_ns
    return replace(
        e,
        offset_ns=e.offset_ns + gain_offset * surprise_ns,
        rate=min(max(rate, -LARGEST_RATE), LARGEST_RATE),
        var_offset=e.var_offset * (1 - gain_offset),
        cov=e.cov * (1 - gain_offset),
        var_rate=e.var_rate - gain_rate * e.cov,
        exchanges=e.exchanges + 1,
        suspects=e.suspects if is_weak else (),
    )


def _predicted(e: Estimate, local_ns: int) -> Estimate:
    """The estimate carried on to a later local time, less sure by the rate's wandering."""
    passed_ns = local_ns - e.local_ns
    if passed_ns <= 0:
        return e
    wander = RATE_WANDER_PER_NS
    return replace(
        e,
        local_ns=local_ns,
        offset_ns=e.offset_ns + passed_ns * e.rate,
        var_offset=e.var_offset
        + passed_ns * (2 * e.cov + passed_ns * (e.var_rate + wander * passed_ns / 3)),
        cov=e.cov + passed_ns * (e.var_rate + wander * passed_ns / 2),
        var_rate=e.var_rate + wander * passed_ns,
    )


def _suspected(e: Estimate, x: Exchange) -> Estimate:
    suspects = (*e.suspects[-39:], x)
    lasting_ns = abs(x.local_ns - suspects[0].local_ns)
    if len(suspects) < JUMP_EXCHANGES or lasting_ns < JUMP_NS:
        return replace(e, suspects=suspects)
    recent = [one for one in suspects if abs(x.local_ns - one.local_ns) <= 2 * JUMP_NS]
    best = min(recent, key=lambda one: one.round_trip_ns)
    return replace(
        e,
        local_ns=best.local_ns,
        offset_ns=float(best.offset_ns),
        var_offset=float(STAMP_NOISE_NS + best.round_trip_ns) ** 2 / 12,
        cov=0.0,
        var_rate=max(e.var_rate, LARGEST_RATE_CHANGE**2),
        suspects=(),
    )
