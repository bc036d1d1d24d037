"""The cards: nothing runs over an edge, the strip's corner stays free, lines are in place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from player.cards.calibration_card import (
    BACKGROUND,
    BARS,
    CORNER_CIRCLE,
    LARGE_CIRCLE,
    MIDDLE,
    NEAR_BLACK,
    NEAR_WHITE,
)
from player.cards.frame_strip import strip_rectangle
from player.cards.identify_card import (
    STRIP_ENLARGED,
    calibration_card,
    identify_card,
    screen_colour,
)

SIZES = ((256, 256), (1080, 1920), (1920, 1080), (320, 240), (1024, 200))
LONG = "The Wife of Usher's Well, sung in the long version of all forty stanzas " * 3


def card(size: tuple[int, int], *texts: str, number: int = 3) -> np.ndarray:
    name, output, refresh, title = texts
    return identify_card(size, number, name, output, refresh, title, (176, 0, 62))


def ink(picture: np.ndarray, colour: tuple[int, int, int] = (176, 0, 62)) -> np.ndarray:
    """Where something is drawn on the ground, bool [H, W]."""
    return (picture[..., :3] != colour).any(axis=2)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("number", [3, 16])
def test_identify_fills_the_screen_and_keeps_off_its_rim_and_the_strip(
    size: tuple[int, int], number: int
) -> None:
    width, height = size
    for texts in (("window-3", "DP-3", "59.94 Hz", "Tam Lin"), (LONG,) * 4, ("W" * 500,) * 4):
        picture = card(size, *texts, number=number)
        assert picture.shape == (height, width, 4) and picture.dtype == np.uint8
        assert (picture[..., 3] == 255).all()
        drawn = ink(picture)
        rim = max(1, min(size) // 120)
        assert drawn[:rim].all() and drawn[:, -rim:].all()
        inside = drawn[rim:-rim, rim:-rim]
        clear = max(1, min(size) // 120)
        assert not inside[:clear].any() and not inside[-clear:].any()
        assert not inside[:, :clear].any() and not inside[:, -clear:].any()
        x, y, across, down = strip_rectangle(size, STRIP_ENLARGED)
        assert not drawn[y : y + down - rim, x + rim : x + across].any()


def test_the_number_is_huge() -> None:
    for size, share in (((256, 256), 0.3), ((1080, 1920), 0.4), ((1920, 1080), 0.75)):
        only_number = ink(card(size, "", "", "", ""))
        rows = np.flatnonzero(only_number[20 : size[1] * 2 // 3, 30:-30].any(axis=1))
        if size[0] > size[1]:
            rows = np.flatnonzero(only_number[20:-20, size[0] * 6 // 10 : -30].any(axis=1))
        assert len(rows) >= share * size[1]


def test_every_text_and_the_number_are_on_the_card() -> None:
    texts = ["window-3", "DP-3", "59.94 Hz", "Tam Lin"]
    whole = card((640, 480), *texts)
    for n in range(4):
        without = texts.copy()
        without[n] = "other"
        assert (card((640, 480), *without) != whole).any()
    assert (card((640, 480), *texts, number=4) != whole).any()
    assert (card((640, 480), *texts) == whole).all()


def test_long_names_shrink_before_they_are_cut() -> None:
    from player.cards.identify_card import _fitted

    text, size = _fitted("window-3", 300, 60, 10)
    assert text == "window-3" and size > 30
    text, smaller = _fitted("a name that is rather longer", 300, 60, 10)
    assert text == "a name that is rather longer" and 10 <= smaller < size
    text, smallest = _fitted("a name that goes on for ever, " * 6, 300, 60, 20)
    assert text.startswith("a name") and text.endswith("...") and smallest == 20
    assert _fitted("window-3", 300, 0, 10) == ("", 1)
    assert _fitted("window-3", 1, 60, 10)[0] == ""


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.text(max_size=60), st.integers(-9, 10**12))
def test_no_size_and_no_text_is_too_odd(width: int, height: int, text: str, number: int) -> None:
    picture = identify_card((width, height), number, text, text, text, text, (0, 84, 166))
    assert picture.shape == (height, width, 4)


def test_letters_that_the_font_lacks_are_spelt() -> None:
    from player.cards.identify_card import _printable

    assert _printable("Bänkelsang für Kjærlighet – çà") == "Bankelsang fur Kjaerlighet - ca"
    assert _printable("a\n\tb\x00c  d") == "a b?c d"
    assert _printable("Баллада") == "???????"
    assert len(_printable("x" * 10**6)) == 200


def test_ink_stands_out_on_every_screen_colour() -> None:
    assert len({screen_colour(n) for n in range(1, 8)}) == 7
    assert screen_colour(8) == screen_colour(1)
    for n in range(1, 8):
        ground = screen_colour(n)
        picture = identify_card((256, 256), n, "a", "b", "c", "d", ground)
        inks = {tuple(p) for p in picture[0, :, :3].tolist()}
        assert inks in ({(255, 255, 255)}, {(0, 0, 0)})
        light = [sum(w * c for w, c in zip((2, 7, 1), one, strict=True)) for one in (*inks, ground)]
        assert abs(light[0] - light[1]) > 800


@pytest.mark.parametrize("size", [(0, 10), (10, -1), (20000, 100)])
def test_impossible_sizes_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="16384"):
        calibration_card(size)
    with pytest.raises(ValueError, match="16384"):
        card(size, "", "", "", "")


@pytest.mark.parametrize("size", [*SIZES, (257, 251)])
def test_the_border_is_on_the_outermost_pixels(size: tuple[int, int]) -> None:
    picture = calibration_card(size)
    assert picture.shape == (size[1], size[0], 4) and (picture[..., 3] == 255).all()
    grey = picture[..., :3]
    for edge in (grey[0], grey[-1], grey[:, 0], grey[:, -1]):
        assert (edge == 255).all()
    for beside in (grey[1, 1:-1], grey[-2, 1:-1], grey[1:-1, 1], grey[1:-1, -2]):
        assert not beside.any()


@pytest.mark.parametrize("size", [(256, 256), (257, 301), (1080, 1920), (641, 480)])
def test_the_grid_and_the_large_circle_are_symmetrical(size: tuple[int, int]) -> None:
    width, height = size
    picture = calibration_card(size)[..., 0].astype(int)
    # outside the middle and the corners, where numbers and bars are not symmetrical
    half = round(min(size) * MIDDLE) // 2 + 1
    corner = 2 * round(min(size) * CORNER_CIRCLE) + 2
    mask = np.ones((height, width), bool)
    mask[height // 2 - half : height // 2 + half + 1, width // 2 - half : width // 2 + half + 1] = 0
    for rows in (slice(None, corner), slice(-corner, None)):
        for across in (slice(None, corner), slice(-corner, None)):
            mask[rows, across] = False
    mask &= mask[::-1] & mask[:, ::-1]
    for mirrored in (picture[:, ::-1], picture[::-1]):
        assert (np.abs(picture - mirrored)[mask] <= 1).all()
    assert (picture[mask] != BACKGROUND).any()


def test_the_circles_are_round_and_touch_the_edges() -> None:
    for size in ((1080, 1920), (1280, 720), (256, 256)):
        width, height = size
        picture = calibration_card(size)[..., 0]
        radius = min(size) * LARGE_CIRCLE
        for angle in np.linspace(0.1, 6.2, 60):
            x, y = (radius - 1) * np.cos(angle), (radius - 1) * np.sin(angle)
            around = picture[int(height / 2 + y), int(width / 2 + x)]
            assert around >= 100
        # a quarter of a radius off its outermost point a circle is 3 % of the radius further in
        corner = round(min(size) * CORNER_CIRCLE)
        off, inside = corner + corner // 4, round(corner * 0.0318)
        for x, y in ((off, off), (width - 1 - off, off), (off, height - 1 - off)):
            beside = slice(inside, inside + 4) if x == off else slice(-inside - 4, -inside)
            above = slice(inside, inside + 4) if y == off else slice(-inside - 4, -inside)
            assert picture[y, beside].max() >= 150 and picture[above, x].max() >= 150


def test_ramps_bars_and_patches_hold_their_values() -> None:
    picture = calibration_card((1080, 1920))
    grey = picture[..., 0]
    rows = [row.tolist() for row in picture[..., :3].reshape(1920, 1080 * 3)]
    middle = picture[600:960]
    for bar in BARS:
        assert (middle[..., :3] == bar).all(axis=2).sum() > 5000
    ramp = max(range(1920), key=lambda y: len(set(rows[y])))
    values = grey[ramp, 227:853].astype(int)
    assert set(values.tolist()) == set(range(256)) and (np.diff(values) >= 0).all()
    below = grey[960:1400]
    for level in (*NEAR_BLACK, *NEAR_WHITE):
        assert (below == level).sum() > 1500, level


def test_single_pixel_lines_alternate() -> None:
    grey = calibration_card((640, 480))[..., 0].astype(int)
    steps = np.abs(np.diff(grey, axis=1)) == 255
    run = np.ones(20, int)
    longest = max(int(np.convolve(row, run, "valid").max()) for row in steps.astype(int))
    assert longest == 20
    down = np.abs(np.diff(grey, axis=0)) == 255
    assert max(int(np.convolve(c, run, "valid").max()) for c in down.T.astype(int)) == 20


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400))
def test_a_calibration_card_of_any_size_has_its_border(width: int, height: int) -> None:
    picture = calibration_card((width, height))
    assert picture.shape == (height, width, 4)
    if min(width, height) > 1:
        assert (picture[0] == 255).all() and (picture[:, -1] == 255).all()
