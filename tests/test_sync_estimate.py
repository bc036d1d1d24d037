"""The arithmetic of clock sync on given timestamps."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.sync.estimate import (
    LARGEST_RATE,
    OPENING_EXCHANGES,
    Estimate,
    Exchange,
    moved_to_new_leader,
    opening_estimate,
    taken_in,
)
from player.sync.house_time import LARGEST_SLEW, HouseTime, steered, stepped

MS = 1_000_000
S = 1_000_000_000


def exchange(
    at_ns: int,
    *,
    offset_ns: int = 0,
    ppm: float = 0.0,
    there_ms: float = 0.2,
    back_ms: float = 0.2,
    answering_ms: float = 0.1,
) -> Exchange:
    """A question sent at a local time to a house clock that is ahead, and faster by `ppm`."""

    def house(local_ns: int) -> int:
        return local_ns + offset_ns + round(local_ns * ppm * 1e-6)

    received = at_ns + round(there_ms * MS)
    answered = received + round(answering_ms * MS)
    return Exchange(at_ns, house(received), house(answered), answered + round(back_ms * MS))


def learnt(exchanges: list[Exchange], start: Estimate | None = None) -> Estimate:
    estimate = opening_estimate() if start is None else start
    for one in exchanges:
        estimate = taken_in(estimate, one)
    return estimate


def lan(rng: random.Random, seconds: int, *, ppm: float, every_ns: int = S // 2) -> list[Exchange]:
    """Exchanges over a network of 0.2 ms plus an exponential 1 ms each way, 1 % spikes of 20 ms."""

    def way() -> float:
        return 0.2 + rng.expovariate(1) + (20 if rng.random() < 0.01 else 0)

    return [
        exchange(n * every_ns, offset_ns=-5 * S, ppm=ppm, there_ms=way(), back_ms=way())
        for n in range(seconds * S // every_ns)
    ]


def test_the_four_stamps_give_round_trip_and_offset() -> None:
    one = Exchange(sent_ns=1000, received_ns=6500, answered_ns=6700, returned_ns=2200)
    assert one.round_trip_ns == 1000
    assert one.local_ns == 1600
    assert one.offset_ns == 5000


def test_nothing_is_believed_before_eight_exchanges() -> None:
    exchanges = [exchange(n * 50 * MS, offset_ns=7 * S) for n in range(OPENING_EXCHANGES)]
    assert not learnt(exchanges[:-1]).is_settled
    estimate = learnt(exchanges)
    assert estimate.is_settled
    assert abs(estimate.house_ns(S) - 8 * S) < 0.1 * MS


@pytest.mark.parametrize("ppm", [-200.0, -31.0, 0.0, 90.0, 200.0])
def test_offset_and_rate_are_found_through_jitter(ppm: float) -> None:
    estimate = learnt(lan(random.Random(3), 600, ppm=ppm))
    assert abs(estimate.rate * 1e6 - ppm) < 0.5
    now_ns = 600 * S
    assert abs(estimate.house_ns(now_ns) - (now_ns - 5 * S + round(now_ns * ppm * 1e-6))) < 0.1 * MS
    # held over for an hour, it is off by less than half a frame
    later_ns = now_ns + 3600 * S
    true_ns = later_ns - 5 * S + round(later_ns * ppm * 1e-6)
    assert abs(estimate.house_ns(later_ns) - true_ns) < 8 * MS


def test_a_spike_changes_nothing() -> None:
    estimate = learnt([exchange(n * S) for n in range(20)])
    after = taken_in(estimate, exchange(20 * S, back_ms=20.2))
    assert after.exchanges == estimate.exchanges
    assert abs(after.house_ns(21 * S) - 21 * S) < 0.01 * MS


@given(
    there=st.floats(0.2, 15),
    back=st.floats(0.2, 15),
    answering=st.floats(0, 5),
)
def test_an_offset_is_wrong_by_half_its_waiting_at_most(
    there: float, back: float, answering: float
) -> None:
    one = exchange(S, offset_ns=3 * S, there_ms=there, back_ms=back, answering_ms=answering)
    assert abs(one.offset_ns - 3 * S) <= one.round_trip_ns / 2 + 2


@pytest.mark.parametrize(
    "odd",
    [
        Exchange(10 * S, 10 * S, 11 * S, 10 * S + MS),  # answered for longer than it took
        Exchange(10 * S, 10 * S, 10 * S, 13 * S),  # three seconds on the way
        Exchange(10 * S, 2**62, -(2**62), 10 * S + MS),
    ],
)
def test_what_cannot_be_true_is_left_out(odd: Exchange) -> None:
    estimate = learnt([exchange(n * S) for n in range(10)])
    assert taken_in(estimate, odd) == estimate


@pytest.mark.parametrize("jump_ms", [-31_000.0, -70.0, 3.0, 60.0, 9_000.0])
def test_a_clock_that_jumped_is_believed_after_a_second_and_five_exchanges(jump_ms: float) -> None:
    jump_ns = round(jump_ms * MS)
    before = learnt(lan(random.Random(1), 60, ppm=20))
    rng = random.Random(2)
    estimate, told_ns = before, None
    for n in range(40):
        at_ns = 60 * S + n * 50 * MS
        there, back = 0.2 + rng.expovariate(1), 0.2 + rng.expovariate(1)
        ways = {"there_ms": there, "back_ms": back}
        one = exchange(at_ns, offset_ns=-5 * S + jump_ns, ppm=20, **ways)
        estimate = taken_in(estimate, one)
        gained_ns = estimate.house_ns(at_ns) - before.house_ns(at_ns)
        if told_ns is None and abs(gained_ns - jump_ns) < 1.5 * MS:
            told_ns = at_ns
    assert told_ns is not None and told_ns >= 61 * S
    assert abs(estimate.rate - before.rate) < 5e-6


def test_a_single_odd_answer_is_not_a_jump() -> None:
    estimate = learnt([exchange(n * S) for n in range(30)])
    after = learnt([exchange(30 * S, offset_ns=S), exchange(31 * S), exchange(32 * S)], estimate)
    assert after.suspects == ()
    assert abs(after.house_ns(40 * S) - 40 * S) < 0.05 * MS


def test_a_new_leader_is_judged_by_its_own_round_trips() -> None:
    estimate = moved_to_new_leader(learnt([exchange(n * S, ppm=30) for n in range(60)]))
    assert estimate.is_settled and estimate.round_trips_ns == ()
    slower = [exchange((60 + n) * S, ppm=30, there_ms=2, back_ms=2) for n in range(20)]
    after = learnt(slower, estimate)
    assert abs(after.house_ns(80 * S) - 80 * S - 2.4 * MS) < 0.1 * MS


@given(st.lists(st.tuples(st.integers(0, 3 * S), st.integers(-(2**60), 2**60)), max_size=40))
def test_no_answers_whatever_break_the_estimate(answers: list[tuple[int, int]]) -> None:
    estimate, at_ns = opening_estimate(), 0
    for took_ns, house_ns in answers:
        at_ns += S // 2
        estimate = taken_in(estimate, Exchange(at_ns, house_ns, house_ns, at_ns + took_ns))
    assert abs(estimate.rate) <= LARGEST_RATE
    assert estimate.unsure_ns >= 0
    assert isinstance(estimate.house_ns(at_ns), int)


# -- house time --------------------------------------------------------------------------------


@given(
    error_ms=st.floats(-50, 50),
    rate=st.floats(-200e-6, 200e-6),
    moments=st.lists(st.integers(0, 10**13), min_size=2, max_size=20),
)
def test_slewing_never_turns_back_and_never_hurries(
    error_ms: float, rate: float, moments: list[int]
) -> None:
    h = HouseTime(S, 50 * S, rate)
    h = steered(h, local_ns=2 * S, target_ns=h.house_at(2 * S) + round(error_ms * MS), rate=rate)
    moments = sorted(2 * S + moment for moment in moments)
    for one, next_one in pairwise(moments):
        gained = h.house_at(next_one) - h.house_at(one) - (next_one - one)
        assert gained <= (LARGEST_SLEW + abs(rate)) * (next_one - one) + 2
        assert h.house_at(next_one) >= h.house_at(one)


def test_an_error_is_slewed_away_and_then_no_more() -> None:
    h = steered(HouseTime(0, 0), local_ns=0, target_ns=10 * MS, rate=0.0)
    assert h.house_at(0) == 0
    assert h.house_at(10 * S) == 10 * S + 5 * MS
    assert h.house_at(20 * S) == 20 * S + 10 * MS
    assert h.house_at(100 * S) == 100 * S + 10 * MS


@pytest.mark.parametrize("error_ms", [-60.0, 51.0])
def test_beyond_50_ms_it_steps(error_ms: float) -> None:
    target_ns = S + round(error_ms * MS)
    h = steered(HouseTime(0, 0), local_ns=S, target_ns=target_ns, rate=0.0)
    assert h.house_at(S) == target_ns
    assert stepped(h, local_ns=2 * S, by_ns=-7).house_at(2 * S) == target_ns + S - 7


@given(
    error_ms=st.floats(-50, 50),
    rate=st.floats(-200e-6, 200e-6),
    local_ns=st.integers(-S, 10**14),
)
def test_local_time_of_house_time_is_the_way_back(
    error_ms: float, rate: float, local_ns: int
) -> None:
    target_ns = 5 * S + round(error_ms * MS)
    h = steered(HouseTime(0, 5 * S, rate), local_ns=0, target_ns=target_ns, rate=rate)
    assert abs(h.local_at(h.house_at(local_ns)) - local_ns) <= 2
