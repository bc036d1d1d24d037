"""What a screen shows, tick by tick, for every way its sources can behave."""

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
    Offer,
    Policy,
    advanced,
)

LIVE = Policy("live", (FADE_TICKS, 0, 0))
FILM = Policy("film", (0, FADE_TICKS, 0))
SLATE = Policy("slate", (0, 0, FADE_TICKS))


def live(age: int | None, *, ready: bool = True) -> Offer:
    """There is no film."""
    return Offer(age, ready)


def both(
    age: int | None,
    film_age: int | None = 0,
    *,
    ready: bool = True,
    matches: bool = True,
    film_only: bool = False,
) -> Offer:
    return Offer(age, ready, film_age, matches, film_only)


def after(policy: Policy, *offers: Offer) -> Policy:
    for offer in offers:
        policy = advanced(policy, offer)
    return policy


DEAD = {"ready": False}


@pytest.mark.parametrize(
    ("what", "policy", "offers", "showing"),
    [
        # without films
        ("start", Policy.opening(), [], "slate"),
        ("start, live is there", Policy.opening(), [live(0)], "live"),
        ("start, nothing is there", Policy.opening(), [live(None, **DEAD)], "slate"),
        ("start, live a little later", Policy.opening(), [live(None, **DEAD), live(0)], "slate"),
        ("start, the engine has made nothing", Policy.opening(), [live(None)], "slate"),
        ("on time", LIVE, [live(0)] * 100, "live"),
        ("late as far as bearable", LIVE, [live(LATE_FRAMES)] * 100, "live"),
        ("too late", LIVE, [live(LATE_FRAMES + 1)], "slate"),
        ("dead, its last picture held", LIVE, [live(HOLD_FRAMES, **DEAD)], "live"),
        ("dead for longer", LIVE, [live(HOLD_FRAMES + 1, **DEAD)], "slate"),
        ("dead in a pause: its picture is the one", LIVE, [live(0, **DEAD)] * 100, "live"),
        ("nothing at all any more", LIVE, [live(None)], "slate"),
        ("returning, too soon", SLATE, [live(0)] * (RETURN_TICKS - 1), "slate"),
        ("returning", SLATE, [live(0)] * RETURN_TICKS, "live"),
        ("returning, a little slow", SLATE, [live(RETURN_FRAMES)] * RETURN_TICKS, "live"),
        ("never in time", SLATE, [live(RETURN_FRAMES + 1)] * 1000, "slate"),
        (
            "one bad tick begins the count anew",
            SLATE,
            [live(0)] * (RETURN_TICKS - 1) + [live(0, **DEAD)] + [live(0)] * (RETURN_TICKS - 1),
            "slate",
        ),
        ("still starting", SLATE, [live(0, **DEAD)] * 100, "slate"),
        # with films
        ("start, the film is there", Policy.opening(), [both(None, **DEAD)], "film"),
        ("start, both are there", Policy.opening(), [both(0)], "live"),
        ("start, the film comes later", Policy.opening(), [both(None, None), both(None)], "film"),
        ("start, the film is behind", Policy.opening(), [both(None, 2, **DEAD)], "slate"),
        ("one frame missed: the last good picture", LIVE, [both(1)], "live"),
        ("two frames missed: the film", LIVE, [both(1), both(2)], "film"),
        ("two frames missed, dead", LIVE, [both(1, **DEAD), both(2, **DEAD)], "film"),
        ("two missed, the film is behind as well", LIVE, [both(1), both(2, 2)], "live"),
        ("dead, the film is behind", LIVE, [both(2, 2, **DEAD)], "film"),
        ("dead, the film is gone", LIVE, [both(2, None, **DEAD)], "slate"),
        ("dead, the film fails later", FILM, [both(None, None, **DEAD)], "slate"),
        ("on film, the film fails, live is about", FILM, [both(0, None)], "live"),
        ("on film, live is back too briefly", FILM, [both(0)] * (RETURN_TICKS - 1), "film"),
        ("on film, live is back", FILM, [both(0)] * RETURN_TICKS, "live"),
        ("on film, a film that lags is still best", FILM, [both(9, LATE_FRAMES)], "film"),
        ("on film, it hangs", FILM, [both(None, LATE_FRAMES + 1, **DEAD)], "slate"),
        ("stills, then a film", SLATE, [both(None, **DEAD)], "film"),
        # the governor
        ("too slow for now", LIVE, [both(0, film_only=True)], "film"),
        ("too slow, but no film of this ballad", LIVE, [both(0, None, film_only=True)], "live"),
        ("too slow for ever", FILM, [both(0, film_only=True)] * 1000, "film"),
        (
            "fast enough again",
            FILM,
            [both(0, film_only=True)] * 50 + [both(0)] * RETURN_TICKS,
            "live",
        ),
    ],
)
def test_showing(what: str, policy: Policy, offers: list[Offer], showing: str) -> None:
    assert after(policy, *offers).showing == showing, what


def shares(policy: Policy, offers: list[Offer], source: int) -> list[float]:
    told = []
    for offer in offers:
        policy = advanced(policy, offer)
        told.append(policy.weights[source])
    return told


RISE = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.0, 1.0]


def test_live_fades_in_over_ten_ticks() -> None:
    assert shares(Policy.opening(), [live(0)] * 12, 0) == pytest.approx(RISE)
    # the return: the film stays until live has been steady, then it is a fade
    returning = shares(FILM, [both(0)] * (RETURN_TICKS + 11), 0)
    assert returning == pytest.approx([0.0] * (RETURN_TICKS - 1) + RISE)


def test_a_film_of_the_same_picture_takes_over_at_once() -> None:
    taken = shares(LIVE, [both(age, ready=False) for age in range(1, 6)], 1)
    assert taken == [0.0, 1.0, 1.0, 1.0, 1.0]


def test_a_film_of_another_picture_fades_in() -> None:
    offers = [both(age, ready=False, matches=False) for age in range(1, 14)]
    assert shares(LIVE, offers, 1) == pytest.approx([0.0, *RISE])


def test_the_governors_film_fades_in_because_live_still_moves() -> None:
    offers = [both(0, film_only=True)] * 12
    assert shares(LIVE, offers, 1) == pytest.approx(RISE)


def test_the_first_picture_of_all_may_be_a_film_without_a_fade() -> None:
    assert advanced(Policy.opening(), both(None, ready=False)).weights == (0.0, 1.0, 0.0)


def test_stills_fade_in_from_the_last_picture_of_a_dead_engine() -> None:
    offers = [live(age, ready=False) for age in range(1, 14)]
    assert shares(LIVE, offers, 2) == pytest.approx([0.0, *RISE])


def test_what_has_no_picture_left_is_not_shown() -> None:
    assert after(LIVE, live(None)).weights == (0.0, 0.0, 1.0)
    assert after(FILM, both(0, None)).weights == (1.0, 0.0, 0.0)


def test_a_film_that_dies_in_the_fade_back_leaves_the_rest_to_live() -> None:
    halfway = after(FILM, *[both(0)] * (RETURN_TICKS + 4))
    assert halfway.weights == pytest.approx((0.5, 0.5, 0.0))
    assert after(halfway, both(0, None)).weights == (1.0, 0.0, 0.0)


ages = st.none() | st.integers(0, LATE_FRAMES + 3)
offers = st.lists(
    st.builds(Offer, ages, st.booleans(), ages, st.booleans(), st.booleans()), max_size=200
)


@given(offers)
def test_the_light_is_whole_and_only_where_there_is_a_picture(given_offers: list[Offer]) -> None:
    policy = Policy.opening()
    for offer in given_offers:
        policy = advanced(policy, offer)
        assert sum(policy.parts) == FADE_TICKS and min(policy.parts) >= 0
        assert offer.live_age is not None or policy.weights[0] == 0
        assert offer.film_age is not None or policy.weights[1] == 0
        assert policy.weights[("live", "film", "slate").index(policy.showing)] > 0


@given(offers)
def test_a_change_is_a_step_unless_a_picture_is_gone_or_old(given_offers: list[Offer]) -> None:
    policy = advanced(Policy.opening(), Offer(None, False))
    for offer in given_offers:
        before, policy = policy, advanced(policy, offer)
        moved = max(abs(new - old) for new, old in zip(policy.parts, before.parts, strict=True))
        all_fresh = offer.live_age == 0 and offer.film_age == 0
        assert moved <= 1 or not all_fresh
        if not offer.film_matches and offer.live_age is not None and offer.film_age is not None:
            assert moved <= 1


@given(offers)
def test_nothing_gives_way_to_live_before_it_was_steady(given_offers: list[Offer]) -> None:
    policy, good = SLATE, 0
    for offer in given_offers:
        before, policy = policy.showing, advanced(policy, offer)
        is_good = (
            offer.live_ready
            and not offer.film_only
            and offer.live_age is not None
            and offer.live_age <= RETURN_FRAMES
        )
        good = good + 1 if is_good else 0
        film_is_there = offer.film_age is not None and offer.film_age <= LATE_FRAMES
        if policy.showing == "live" and (before == "slate" or (before == "film" and film_is_there)):
            assert good >= RETURN_TICKS
