"""The frame strip: how it looks, where it stands, and what is read from pictures of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from player.cards.frame_strip import (
    ACROSS_BLOCKS,
    DOWN_BLOCKS,
    block_px,
    code_frame,
    digit_dots,
    strip_picture,
    strip_rectangle,
)
from player.cards.strip_code import FRAMES
from player.cards.strip_reader import Reading, StripError, decode, decode_wall
from player.wall.monitors import Area, columns
from tests.strip_pictures import blurred, graded, jpeg, scaled, screen_with, strip_of

SIZES = ((256, 256), (320, 240), (1280, 720), (1080, 1920), (479, 640))
FRAME = st.integers(0, FRAMES - 1)


def test_the_picture_is_black_and_white_and_opaque() -> None:
    picture = strip_picture(1234567890)
    assert picture.shape == (40, 64, 4) and picture.dtype == np.uint8
    assert set(np.unique(picture)) == {0, 255}
    assert (picture[..., 3] == 255).all()
    assert (picture[..., 0] == picture[..., 1]).all() and (picture[..., 0] == picture[..., 2]).all()
    # the rim of the code, and of the digits, is black
    assert not picture[0, :, 0].any() and not picture[-4:, :, 0].any()
    assert not picture[8:12, :, 0].any()
    assert not picture[:, :2, 0].any() and not picture[:, -2:, 0].any()


def test_the_next_picture_leaves_the_last_one_alone() -> None:
    first = strip_picture(1)
    kept = first.copy()
    strip_picture(2)
    assert (first == kept).all()


def test_digits_are_ten_different_ones_and_stand_in_the_picture() -> None:
    dots = digit_dots()
    assert dots.shape == (10, 7, 5) and len({glyph.tobytes() for glyph in dots}) == 10
    picture = strip_picture(407)[..., 0]
    for place, digit in enumerate((4, 0, 7)):
        left = 3 + 6 * place
        assert (picture[1:8, left : left + 5] == dots[digit]).all()
    assert not picture[1:8, 21:].any()


def test_the_longest_number_fits() -> None:
    picture = strip_picture(FRAMES - 1)[..., 0]
    assert (picture[1:8, 57:62] == digit_dots()[5]).all()  # ...295
    assert strip_picture(-1).tobytes() == strip_picture(FRAMES - 1).tobytes()


def test_the_frame_of_the_code_has_two_lines_and_turns() -> None:
    inner = code_frame()[1:-1, 1:-1]
    assert (inner[:, 0] == 1).all() and (inner[-1] == 1).all()
    assert inner[0].tolist() == [1, 0] * 7
    assert inner[:, -1].tolist() == [0, 1] * 3
    assert (inner[1:-1, 1:-1] == -1).all() and (code_frame() == -1).sum() == 48


@pytest.mark.parametrize(
    ("size", "block", "rectangle"),
    [
        ((256, 256), 4, (0, 216, 64, 40)),
        ((320, 240), 4, (0, 200, 64, 40)),
        ((1080, 1920), 16, (0, 1760, 256, 160)),
        ((3840, 2160), 36, (0, 1800, 576, 360)),
        ((182, 400), 2, (0, 380, 32, 20)),
        ((32, 20), 2, (0, 0, 32, 20)),
    ],
)
def test_where_the_strip_stands(
    size: tuple[int, int], block: int, rectangle: tuple[int, int, int, int]
) -> None:
    assert block_px(size) == block
    assert strip_rectangle(size) == rectangle


@given(st.integers(64, 20000), st.integers(64, 20000), st.sampled_from([1, 2]))
def test_the_rectangle_is_whole_blocks_in_the_corner(
    width: int, height: int, enlarged: int
) -> None:
    x, y, across, down = strip_rectangle((width, height), enlarged)
    block = block_px((width, height)) * enlarged
    assert (across, down) == (ACROSS_BLOCKS * block, DOWN_BLOCKS * block)
    assert x == 0 and y >= 0 and y + down == height and across <= width


@pytest.mark.parametrize("size", [(31, 200), (200, 19), (1, 1)])
def test_a_screen_without_room_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(StripError, match="no room"):
        strip_rectangle(size)


@settings(max_examples=60, deadline=None)
@given(FRAME, st.sampled_from(SIZES), st.integers(0, 5))
def test_what_is_drawn_is_read(frame: int, size: tuple[int, int], seed: int) -> None:
    assert decode(screen_with(strip_of(frame), size, seed=seed)) == frame


@settings(max_examples=60, deadline=None)
@given(
    FRAME,
    st.sampled_from([(256, 256), (320, 240), (479, 640)]),
    st.floats(0.5, 3),
    st.sampled_from(["nearest", "bilinear"]),
    st.sampled_from([0.45, 1.0, 2.2]),
)
def test_it_is_read_at_half_to_three_times_the_size(
    frame: int, size: tuple[int, int], factor: float, resampling: str, gamma: float
) -> None:
    picture = scaled(screen_with(strip_of(frame), size), factor, resampling)
    assert decode(graded(picture, gamma=gamma)) == frame


@pytest.mark.parametrize("frame", [0, 1, 108000, FRAMES - 1])
def test_it_is_read_blurred_compressed_dim_and_tinted(frame: int) -> None:
    picture = screen_with(strip_of(frame), (640, 480))
    assert decode(blurred(picture, 2.5)) == frame
    assert decode(jpeg(picture, 25)) == frame
    assert decode(graded(picture, black=0.15, white=0.4, gamma=2.4)) == frame
    assert decode((picture * [1.0, 0.6, 0.3]).astype(np.uint8)) == frame
    assert decode(jpeg(blurred(scaled(picture, 0.7, "bilinear"), 1.0), 50)) == frame
    alpha = np.full((480, 640, 1), 255, np.uint8)
    assert decode(np.concatenate([picture, alpha], axis=2)) == frame


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_it_is_read_turned_and_mirrored(quarters: int, mirrored: bool) -> None:
    picture = screen_with(strip_of(54321), (360, 640))
    turned = np.rot90(picture[:, ::-1] if mirrored else picture, quarters)
    assert decode(turned) == 54321


@pytest.mark.parametrize(("left", "top", "right", "below"), [(3, 0, 0, 6), (-9, 5, 0, -7)])
def test_an_area_cut_beside_the_edge_is_read(left: int, top: int, right: int, below: int) -> None:
    framed = np.full((520, 680, 3), 90, np.uint8)
    framed[20:500, 20:660] = screen_with(strip_of(777), (640, 480))
    assert decode(framed[20 + top : 500 - below, 20 + left : 660 - right]) == 777


def test_the_enlarged_strip_is_read() -> None:
    for size in ((256, 256), (1080, 1920)):
        assert decode(screen_with(strip_of(31), size, enlarged=2)) == 31


@pytest.mark.parametrize("size", [(64, 64), (182, 400), (200, 128)])
def test_small_screens_are_read_at_their_own_size_and_above(size: tuple[int, int]) -> None:
    picture = screen_with(strip_of(99), size)
    for factor in (1.0, 2.0, 3.0):
        assert decode(scaled(picture, factor, "nearest")) == 99


def block_flipped(picture: np.ndarray, row: int, column: int) -> np.ndarray:
    """The strip with a block of its code (8 rows of 16) the other way round."""
    changed = picture.copy()
    top, left = 8 + 4 * row, 4 * column
    changed[top : top + 4, left : left + 4] ^= 255
    return changed


def test_no_flipped_block_gives_another_number() -> None:
    frame = 2_000_003
    strip = strip_of(frame)
    for row in range(1, 7):
        for column in range(1, 15):
            if code_frame()[row, column] < 0:
                changed = block_flipped(strip, row, column)
                assert read_or_none(screen_with(changed, (256, 256))) is None
    for row, column in ((1, 1), (1, 4), (4, 1), (6, 9), (5, 14), (3, 14)):
        changed = block_flipped(strip, row, column)
        assert read_or_none(screen_with(changed, (256, 256))) in (frame, None)


@settings(max_examples=40, deadline=None)
@given(FRAME, st.lists(st.tuples(st.integers(2, 5), st.integers(2, 13)), min_size=2, max_size=5))
def test_no_five_flipped_blocks_give_another_number(
    frame: int, flips: list[tuple[int, int]]
) -> None:
    changed = strip_of(frame)
    for row, column in set(flips):
        changed = block_flipped(changed, row, column)
    assert read_or_none(screen_with(changed, (256, 256))) is None


@settings(max_examples=60, deadline=None)
@given(FRAME, st.integers(0, 40), st.booleans(), st.sampled_from([(256, 256), (640, 480)]))
def test_half_a_strip_of_the_next_frame_is_detected(
    frame: int, edge: int, upright: bool, size: tuple[int, int]
) -> None:
    old, new = strip_of(frame), strip_of(frame + 1)
    mixed = old.copy()
    if upright:
        mixed[:, edge:] = new[:, edge:]
    else:
        mixed[edge:] = new[edge:]
    seen = read_or_none(screen_with(mixed, size))
    assert seen in (frame, (frame + 1) % FRAMES, None)


@settings(max_examples=40, deadline=None)
@given(FRAME, st.floats(0, 1))
def test_two_frames_over_each_other_are_never_a_third(frame: int, share: float) -> None:
    both = strip_of(frame) * (1 - share) + strip_of(frame + 1) * share
    seen = read_or_none(screen_with(both.astype(np.uint8), (256, 256)))
    assert seen in (frame, (frame + 1) % FRAMES, None)


def read_or_none(picture: np.ndarray) -> int | None:
    try:
        return decode(picture)
    except StripError:
        return None


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_no_strip(seed: int) -> None:
    rng = np.random.default_rng(seed)
    with pytest.raises(StripError, match="no frame strip"):
        decode(rng.integers(0, 256, (240, 320, 3), dtype=np.uint8))


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (20, 20)])
def test_tiny_and_even_pictures_have_no_strip(size: tuple[int, int]) -> None:
    with pytest.raises(StripError, match="no frame strip"):
        decode(np.full((size[1], size[0], 3), 200, np.uint8))


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 2), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 10, 3), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(picture: np.ndarray) -> None:
    with pytest.raises(StripError, match="uint8"):
        decode(picture)


def test_a_wall_is_read_screen_by_screen() -> None:
    screens = [screen_with(strip_of(500), (320, 240), seed=n) for n in range(7)]
    screens[3] = np.zeros((240, 320, 3), np.uint8)
    screens[5] = screen_with(strip_of(501), (320, 240))
    wall = np.concatenate(screens, axis=1)
    readings = decode_wall(wall, columns(Area(0, 0, 7 * 320, 240), 7))
    assert [one.frame for one in readings] == [500, 500, 500, None, 500, 501, 500]
    assert "no frame strip" in readings[3].fault
    assert readings[0] == Reading(500)


def test_an_area_outside_is_a_fault_and_no_end() -> None:
    picture = screen_with(strip_of(5), (320, 240))
    areas = (Area(0, 0, 320, 240), Area(10, 0, 320, 240), Area(-1, 0, 320, 240))
    readings = decode_wall(picture, areas)
    assert [one.frame for one in readings] == [5, None, None]
    assert "beyond the screenshot, which is 320x240" in readings[1].fault
