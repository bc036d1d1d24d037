"""Which screen stands where, from monitors given by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.wall.edid import Edid
from player.wall.monitors import Area
from player.wall.placing import (
    Anywhere,
    AtIndex,
    InRectangle,
    Monitor,
    OnOutput,
    Place,
    Seat,
    WithEdid,
    bound_to,
    default_places,
    describe_rate,
    seated,
    told_apart,
    without_mirrors,
)


def monitor(name: str, x: int, *, width: int = 100, edid: str = "") -> Monitor:
    told = Edid("DEL", 1, 0, "", edid) if edid else None
    return Monitor(name, Area(x, 0, width, 80), Area(x, 10, width, 70), Fraction(60), told)


SEVEN = tuple(monitor(f"DP-{n}", 100 * n, edid=f"SN{n}") for n in range(7))


def names(seats: tuple[Seat | None, ...]) -> list[str | None]:
    return [seat.monitor.name if seat else None for seat in seats]


def after(
    before: tuple[Monitor, ...], then: tuple[Monitor, ...], places: tuple[Place, ...]
) -> list[str | None]:
    """Seats on `then`, for screens that have first been seated on `before`."""
    bound: tuple[str | None, ...] = (None,) * len(places)
    bound = bound_to(seated(before, places, bound), bound)
    return names(seated(then, places, bound))


def without(name: str) -> tuple[Monitor, ...]:
    return tuple(m for m in SEVEN if m.name != name)


def moved_left_without(name: str) -> tuple[Monitor, ...]:
    """As xrandr leaves it when the leftmost goes: the others have moved."""
    return tuple(replace(m, area=replace(m.area, x=100 * n)) for n, m in enumerate(without(name)))


def test_names_that_occur_twice_are_told_apart_from_the_left() -> None:
    generic = [monitor("Generic", x) for x in (200, 0, 100)]
    assert [(m.name, m.area.x) for m in told_apart(generic)] == [
        ("Generic", 0),
        ("Generic (2)", 100),
        ("Generic (3)", 200),
    ]


def test_mirrored_monitors_count_once() -> None:
    order = without_mirrors([monitor("B", 0), monitor("C", -100), monitor("A", 0)])
    assert [m.name for m in order] == ["C", "A"]


def test_by_default_from_the_left_each_followed_by_its_name() -> None:
    shuffled = (SEVEN[4], *SEVEN[:4], *SEVEN[5:])
    places = default_places(shuffled, 7)
    assert names(seated(shuffled, places, (None,) * 7)) == [m.name for m in SEVEN]
    assert names(seated(without("DP-3"), places, (None,) * 7))[3] is None
    back = moved_left_without("DP-0")
    seats = seated(back, places, (None,) * 7)
    assert names(seats) == [None, *(m.name for m in SEVEN[1:])]
    assert seats[1] == Seat(Area(0, 0, 100, 80), back[0])


def test_too_few_monitors_are_tiled_on_their_work_areas() -> None:
    places = default_places(SEVEN[:2], 3)
    assert places == (OnOutput("DP-0"), OnOutput("DP-1", 0, 2), OnOutput("DP-1", 1, 2))
    seats = seated(SEVEN[:2], places, (None,) * 3)
    assert [seat.area for seat in seats if seat] == [
        Area(0, 0, 100, 80),
        Area(100, 10, 50, 70),
        Area(150, 10, 50, 70),
    ]


def test_names_are_the_same_in_capitals_or_not() -> None:
    assert names(seated(SEVEN, (OnOutput("dp-5"), OnOutput("DP-9")), (None, None))) == [
        "DP-5",
        None,
    ]


def test_an_index_is_taken_once_and_then_followed_by_name() -> None:
    places = (AtIndex(4), AtIndex(5), AtIndex(9))
    assert names(seated(SEVEN, places, (None,) * 3)) == ["DP-3", "DP-4", None]
    assert after(SEVEN, without("DP-3"), places) == [None, "DP-4", None]
    assert after(SEVEN, (*without("DP-3"), SEVEN[3]), places) == ["DP-3", "DP-4", None]


def test_an_edid_is_followed_to_another_output() -> None:
    places = (WithEdid("sn2"), WithEdid("SN5"), WithEdid("SN9"))
    assert names(seated(SEVEN, places, (None,) * 3)) == ["DP-2", "DP-5", None]
    swapped = (
        *SEVEN[:2],
        replace(SEVEN[2], edid=SEVEN[5].edid),
        *SEVEN[3:5],
        replace(SEVEN[5], edid=SEVEN[2].edid),
    )
    assert after(SEVEN, swapped, places) == ["DP-5", "DP-2", None]


def test_monitors_alike_are_kept_apart_by_where_they_stood() -> None:
    twins = tuple(monitor(f"DP-{n}", 100 * n, edid="TWIN") for n in range(3))
    places = (WithEdid("TWIN"), WithEdid("TWIN"))
    assert names(seated(twins, places, (None, None))) == ["DP-0", "DP-1"]
    assert after(twins[:2], twins[1:2], places) == [None, "DP-1"]
    assert after(twins, twins[1:], places) == ["DP-2", "DP-1"], "a third stands in"


def test_a_monitor_without_an_edid_matches_none() -> None:
    assert seated([monitor("DP-0", 0)], (WithEdid("DEL"),), (None,)) == (None,)


def test_a_rectangle_is_there_while_a_monitor_shows_any_of_it() -> None:
    area = Area(190, 20, 40, 40)
    (seat,) = seated(SEVEN, (InRectangle(area),), (None,))
    assert seat == Seat(area, SEVEN[2]), "most of it is on DP-2"
    assert names(seated(without("DP-2"), (InRectangle(area),), (None,))) == ["DP-1"]
    assert names(seated(SEVEN[3:], (InRectangle(area),), (None,))) == [None]


def test_who_is_not_placed_takes_what_is_left_from_the_left() -> None:
    places = (
        Anywhere(),
        OnOutput("DP-0"),
        Anywhere(),
        AtIndex(2),
        InRectangle(Area(190, 0, 20, 20)),
        WithEdid("SN3"),
    )
    assert names(seated(SEVEN, places, (None,) * 6)) == [
        "DP-4",
        "DP-0",
        "DP-5",
        None,  # the rectangle lies on it, and was asked for by its very place
        "DP-1",
        "DP-3",
    ]


def test_who_was_placed_anywhere_stays_there() -> None:
    places = (Anywhere(), Anywhere())
    assert after(SEVEN[:3], SEVEN[1:3], places) == [None, "DP-1"]
    assert after(SEVEN[:3], SEVEN[:3][::-1], places) == ["DP-0", "DP-1"]
    assert after(SEVEN[:1], SEVEN[:3], places) == ["DP-0", "DP-1"], "the second had none yet"


def test_without_monitors_nobody_has_a_seat() -> None:
    places = (OnOutput("A"), WithEdid("B"), AtIndex(1), InRectangle(SEVEN[0].area), Anywhere())
    assert seated((), places, ("A", "B", None, None, "C")) == (None,) * 5


PLACES = st.one_of(
    st.integers(1, 9).map(AtIndex),
    st.sampled_from(["SN0", "SN3", "SN", "X"]).map(WithEdid),
    st.just(Anywhere()),
)


@given(st.lists(PLACES, max_size=9), st.lists(st.sets(st.integers(0, 6)), max_size=6))
def test_no_monitor_has_two_screens_and_nobody_wanders(
    places: list[Place], history: list[set[int]]
) -> None:
    bound: tuple[str | None, ...] = (None,) * len(places)
    for present in history:
        monitors = [SEVEN[n] for n in present]
        seats = seated(monitors, places, bound)
        found = [name for name in names(seats) if name]
        assert len(found) == len(set(found))
        for place, name, before in zip(places, names(seats), bound, strict=True):
            if before is not None and not isinstance(place, WithEdid):
                assert name in (before, None)
        bound = bound_to(seats, bound)


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (Fraction(60), "60 Hz"),
        (Fraction(148_352_000, 2200 * 1125), "59.94 Hz"),
        (Fraction(120_005, 1000), "120.005 Hz"),
        (None, "refresh rate not told"),
    ],
)
def test_rates_in_words(rate: Fraction | None, words: str) -> None:
    assert describe_rate(rate) == words
