"""What the screens show, tick by tick, for every way an engine can behave."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.source_policy import (
    FADE_TICKS,
    HOLD_FRAMES,
    LATE_FRAMES,
    RETURN_FRAMES,
    RETURN_TICKS,
    Policy,
    advanced,
)

LIVE = Policy("live", FADE_TICKS)
SLATE = Policy("slate", 0)
Tick = tuple[int | None, bool]  # live's age in frames, and whether its engine works


def after(policy: Policy, *ticks: Tick) -> Policy:
    for age, ready in ticks:
        policy = advanced(policy, live_age=age, live_ready=ready)
    return policy


@pytest.mark.parametrize(
    ("what", "policy", "ticks", "showing"),
    [
        ("start", Policy.opening(), [], "slate"),
        ("start, live is there", Policy.opening(), [(0, True)], "live"),
        ("start, live is not there", Policy.opening(), [(None, False)], "slate"),
        ("start, live comes later", Policy.opening(), [(None, False), (0, True)], "slate"),
        (
            "start, the engine works and has made nothing",
            Policy.opening(),
            [(None, True)],
            "slate",
        ),
        ("on time", LIVE, [(0, True)] * 100, "live"),
        ("late as far as bearable", LIVE, [(LATE_FRAMES, True)] * 100, "live"),
        ("too late", LIVE, [(LATE_FRAMES + 1, True)], "slate"),
        ("dead, its last picture held", LIVE, [(HOLD_FRAMES, False)], "live"),
        ("dead for longer", LIVE, [(HOLD_FRAMES, False), (HOLD_FRAMES + 1, False)], "slate"),
        ("dead in a pause: its picture is still the one", LIVE, [(0, False)] * 100, "live"),
        ("nothing at all any more", LIVE, [(None, False)], "slate"),
        ("returning, too soon", SLATE, [(0, True)] * (RETURN_TICKS - 1), "slate"),
        ("returning", SLATE, [(0, True)] * RETURN_TICKS, "live"),
        ("returning, a little slow", SLATE, [(RETURN_FRAMES, True)] * RETURN_TICKS, "live"),
        ("never in time", SLATE, [(RETURN_FRAMES + 1, True)] * 1000, "slate"),
        (
            "one bad tick begins the count anew",
            SLATE,
            [(0, True)] * (RETURN_TICKS - 1) + [(0, False)] + [(0, True)] * (RETURN_TICKS - 1),
            "slate",
        ),
        ("still starting", SLATE, [(0, False)] * 100, "slate"),
    ],
)
def test_showing(what: str, policy: Policy, ticks: list[Tick], showing: str) -> None:
    assert after(policy, *ticks).showing == showing, what


def test_a_change_is_a_cross_fade_of_ten_ticks_each_way() -> None:
    policy, weights = Policy.opening(), []
    for _ in range(FADE_TICKS + 2):
        policy = after(policy, (0, True))
        weights.append(policy.live_weight)
    assert weights == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.0, 1.0])
    weights.clear()
    for age in range(1, HOLD_FRAMES + FADE_TICKS + 2):
        policy = after(policy, (age, False))
        weights.append(policy.live_weight)
    assert weights[:HOLD_FRAMES] == [1.0] * HOLD_FRAMES
    assert weights[HOLD_FRAMES:] == pytest.approx(
        [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0, 0.0]
    )


def test_without_any_picture_there_is_nothing_to_fade_from() -> None:
    assert after(LIVE, (None, True)).live_weight == 0.0


ticks = st.lists(
    st.tuples(st.none() | st.integers(0, LATE_FRAMES + 3), st.booleans()), max_size=200
)


@given(ticks)
def test_the_weight_moves_towards_what_is_shown_by_one_step(given_ticks: list[Tick]) -> None:
    policy = Policy.opening()
    for age, ready in given_ticks:
        before = policy
        policy = advanced(policy, live_age=age, live_ready=ready)
        assert 0.0 <= policy.live_weight <= 1.0
        if age is None:
            assert (policy.showing, policy.fade) == ("slate", 0)
        elif policy.showing == "live":
            assert policy.fade == min(before.fade + 1, FADE_TICKS)
        else:
            assert policy.fade == max(before.fade - 1, 0)


@given(ticks)
def test_the_stills_never_give_way_before_live_was_steady(given_ticks: list[Tick]) -> None:
    policy, seen = SLATE, []
    for age, ready in given_ticks:
        before, policy = policy.showing, advanced(policy, live_age=age, live_ready=ready)
        seen.append(ready and age is not None and age <= RETURN_FRAMES)
        if (before, policy.showing) == ("slate", "live"):
            assert len(seen) >= RETURN_TICKS and all(seen[-RETURN_TICKS:])
