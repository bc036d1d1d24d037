"""Calibrated screens on a headless wall, pixel for pixel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from player.wall.calibration import IDENTITY, ScreenCalibration
from player.wall.contract import OutputError
from player.wall.headless_wall import HeadlessWall
from player.wall.light_curve import decoded, encoded
from player.wall.shots import Fit, Layer, Overlay, Shot

SIZE_PX = (96, 64)
Pixels = NDArray[np.uint8]
A = (Layer("a", 0, 1.0),)


@pytest.fixture(scope="module")
def opened() -> Iterator[HeadlessWall]:
    wall = HeadlessWall(2, SIZE_PX)
    yield wall
    wall.close()


@pytest.fixture
def wall(opened: HeadlessWall) -> HeadlessWall:
    for screen in range(2):
        opened.set_calibration(screen, IDENTITY)
    return opened


def noise(height: int, width: int, seed: int = 1) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (1, height, width, 4), np.uint8)


def flat(*colour: int) -> Pixels:
    return np.full((1, 8, 8, 4), [*colour, 255], np.uint8)


def shown(
    wall: HeadlessWall,
    calibration: ScreenCalibration,
    layers: tuple[Layer, ...] = A,
    *,
    gain: float = 1.0,
    fit: Fit = "stretch",
    overlays: tuple[Overlay, ...] = (),
) -> Pixels:
    """What screen 1 shows, calibrated so; screen 0 is not calibrated and shows the same shot."""
    wall.set_calibration(1, calibration)
    wall.draw([Shot(layers, gain, fit, overlays)] * 2)
    wall.present()
    return wall.read(1)


def light(value: Any) -> Any:
    """Linear light of eight-bit sRGB, IEC 61966-2-1."""
    c = np.asarray(value, float) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def steps(linear: Any) -> Any:
    """The eight-bit sRGB of linear light, not rounded. The shader's curve is within 4 of it."""
    c = np.asarray(linear, float)
    return 255 * np.where(c <= 0.0031308, c * 12.92, 1.055 * c ** (1 / 2.4) - 0.055)


def test_an_uncalibrated_screen_is_as_it_was(wall: HeadlessWall) -> None:
    wall.upload("a", noise(64, 96))
    wall.upload("b", noise(20, 20))
    for layers in (A, (Layer("a", 0, 0.3), Layer("b", 0, 0.7))):
        before = shown(wall, IDENTITY, layers).copy()
        assert (shown(wall, ScreenCalibration(gamma=2.0), layers) != before).any()
        np.testing.assert_array_equal(wall.read(0), before)
        np.testing.assert_array_equal(shown(wall, IDENTITY, layers), before)


TURNED: list[tuple[dict[str, Any], Callable[[Pixels], Pixels]]] = [
    # monitor turned clockwise by 90: the picture is turned anticlockwise on it
    ({"rotation": 90}, lambda picture: np.rot90(picture, 1)),
    ({"rotation": 180}, lambda picture: np.rot90(picture, 2)),
    ({"rotation": 270}, lambda picture: np.rot90(picture, 3)),
    ({"flip": "horizontal"}, np.fliplr),
    ({"flip": "vertical"}, np.flipud),
    ({"flip": "both"}, lambda picture: np.rot90(picture, 2)),
    ({"rotation": 90, "flip": "horizontal"}, lambda picture: np.rot90(np.fliplr(picture))),
    # back to where it was, but through the calibrated program
    ({"rotation": 180, "flip": "both"}, lambda picture: picture),
]


@pytest.mark.parametrize(("values", "turn"), TURNED)
def test_a_picture_of_the_screens_size_is_turned_without_a_loss(
    wall: HeadlessWall, values: dict[str, Any], turn: Callable[[Pixels], Pixels]
) -> None:
    calibration = ScreenCalibration(**values)
    wall.set_calibration(1, calibration)
    width, height = wall.logical_size_of(1)
    pixels = noise(height, width)
    wall.upload("a", pixels)
    expected = turn(pixels[0, :, :, :3])
    np.testing.assert_array_equal(shown(wall, calibration), expected)
    halves = (Layer("a", 0, 0.5), Layer("a", 0, 0.5))
    np.testing.assert_array_equal(shown(wall, calibration, halves), expected)


@pytest.mark.parametrize("fit", ["cover", "contain"])
def test_the_neutral_program_samples_as_the_plain_one(wall: HeadlessWall, fit: Fit) -> None:
    wall.upload("a", noise(20, 24))
    wall.upload("b", noise(300, 200, seed=2))
    neutral = ScreenCalibration(rotation=180, flip="both")
    for layers in (A, (Layer("b", 0, 1.0),), (Layer("a", 0, 0.4), Layer("b", 0, 0.6))):
        picture = shown(wall, neutral, layers, fit=fit)
        difference = picture.astype(int) - wall.read(0)
        assert np.abs(difference).max() <= 1 and np.abs(difference).mean() < 0.01


def test_the_fit_of_a_turned_screen_is_that_of_its_turned_size(wall: HeadlessWall) -> None:
    wall.upload("a", flat(255, 255, 255))
    wall.set_calibration(1, ScreenCalibration(rotation=90))
    assert wall.logical_size_of(1) == (64, 96) and wall.size_of(1) == SIZE_PX
    assert wall.logical_size_of(0) == SIZE_PX
    picture = shown(wall, ScreenCalibration(rotation=90), fit="contain")
    assert (picture[:, 16:80] == 255).all()
    assert (picture[:, :16] == 0).all() and (picture[:, 80:] == 0).all()


def test_the_screens_fit_overrules_the_shows(wall: HeadlessWall) -> None:
    wall.upload("a", flat(255, 255, 255))
    assert (shown(wall, ScreenCalibration(fit="contain"), fit="cover")[:, :16] == 0).all()
    assert (wall.read(0) == 255).all()


@pytest.mark.parametrize("turned", [{}, {"rotation": 180, "flip": "both"}])
def test_crop_cuts_shares_of_the_picture(wall: HeadlessWall, turned: dict[str, Any]) -> None:
    pixels = noise(128, 192)
    wall.upload("a", pixels)
    picture = shown(wall, ScreenCalibration(crop=(0.25, 0.125, 0.25, 0.375), **turned))
    np.testing.assert_array_equal(picture, pixels[0, 16:80, 48:144, :3])
    picture = shown(wall, ScreenCalibration(crop=(0.0, 0.0, 0.45, 0.0), **turned), fit="contain")
    # 192 x 0.55 by 128 on 96 x 64: as high as the screen, in the middle
    assert (picture[:, :21] == 0).all() and (picture[:, 74:] == 0).all()
    assert picture[:, 22:73].mean() > 100


def test_a_card_is_shown_whole(wall: HeadlessWall) -> None:
    pixels = noise(64, 96)
    wall.upload("a", pixels)
    wall.set_calibration(1, ScreenCalibration(crop=(0.2, 0.1, 0.0, 0.3), fit="cover"))
    wall.draw([Shot(A, 1.0, "stretch", whole=True)] * 2)
    wall.present()
    np.testing.assert_array_equal(wall.read(1), pixels[0, :, :, :3])


def test_corners_pin_the_picture_and_leave_black_around_it(wall: HeadlessWall) -> None:
    wall.upload("a", noise(32, 48))
    quarter = ((0.5, 0.5), (1.0, 0.5), (1.0, 1.0), (0.5, 1.0))
    picture = shown(wall, ScreenCalibration(corners=quarter))
    assert (picture[:32] == 0).all() and (picture[:, :48] == 0).all()
    exact = noise(32, 48)[0, :, :, :3].astype(int)
    assert np.abs(picture[32:, 48:] - exact).max() <= 1


def test_a_projective_warp_is_the_map_on_paper(wall: HeadlessWall) -> None:
    """A chessboard seen aslant: each field's middle where the homography puts it."""
    from player.wall.calibration import prepared
    from player.wall.homography import mapped

    corners = ((0.1, 0.05), (0.85, 0.15), (1.0, 1.0), (0.0, 0.9))
    board = np.indices((4, 6)).sum(0) % 2 * 255
    pixels = np.repeat(np.kron(board, np.ones((40, 40)))[None, :, :, None], 4, 3)
    wall.upload("a", pixels.astype(np.uint8))
    calibration = ScreenCalibration(corners=corners)
    picture = shown(wall, calibration)
    map_back = prepared(calibration, SIZE_PX).from_logical
    for row in range(4):
        for column in range(6):
            ((x, y),) = mapped(map_back, [(16 * column + 8, 16 * row + 8)])
            value = picture[int(y), int(x), 0]
            assert abs(int(value) - board[row, column]) < 40


def test_edges_are_smooth_and_right_in_sum(wall: HeadlessWall) -> None:
    wall.upload("a", flat(255, 255, 255))
    corners = ((0.2, 0.1), (0.9, 0.3), (0.8, 0.95), (0.05, 0.7))
    picture = shown(wall, ScreenCalibration(corners=corners))
    xy = [(x * 96, y * 64) for x, y in corners]
    turns = [xy[i][0] * xy[i - 3][1] - xy[i - 3][0] * xy[i][1] for i in range(4)]
    assert light(picture[..., 0]).sum() == pytest.approx(sum(turns) / 2, rel=2e-3)
    assert len(np.unique(picture)) > 20
    shifted = ((0.125 / 96, 0.0), (1.0, 0.0), (1.0, 1.0), (0.125 / 96, 1.0))
    column = light(shown(wall, ScreenCalibration(corners=shifted))[:, 0, 0])
    assert column.mean() == pytest.approx(0.875, abs=0.01)


@pytest.mark.parametrize("share", [0.25, 0.5])
@pytest.mark.parametrize("level", [255, 128])
def test_two_overlapping_neighbours_sum_to_constant_light(
    wall: HeadlessWall, share: float, level: int
) -> None:
    wall.upload("a", flat(level, level, level))
    right = light(shown(wall, ScreenCalibration(blend=(0, 0, share, 0))))
    left = light(shown(wall, ScreenCalibration(blend=(share, 0, 0, 0))))
    overlap = int(96 * share)
    total = right[:, 96 - overlap :] + left[:, :overlap]
    np.testing.assert_allclose(total.mean((0, 2)), light(level), rtol=0.012)
    assert (right[:, : 96 - overlap] == light(level)).all()
    assert (np.diff(right[:, 96 - overlap :].mean((0, 2))) < 0).all()
    above = light(shown(wall, ScreenCalibration(blend=(0, share, 0, 0))))
    below = light(shown(wall, ScreenCalibration(blend=(0, 0, 0, share))))
    overlap = int(64 * share)
    total = below[64 - overlap :] + above[:overlap]
    np.testing.assert_allclose(total.mean((1, 2)), light(level), rtol=0.012)


def test_a_blend_follows_the_turned_screen(wall: HeadlessWall) -> None:
    wall.upload("a", flat(255, 255, 255))
    picture = shown(wall, ScreenCalibration(rotation=90, blend=(0.5, 0, 0, 0)))
    # the viewer's left is the monitor's own bottom
    assert picture[-1].max() < 30 and (picture[:32] == 255).all()


@pytest.mark.parametrize("brightness", [0.0, 0.25, 0.5, 1.0])
def test_brightness_is_linear_light(wall: HeadlessWall, brightness: float) -> None:
    wall.upload("a", flat(200, 120, 60))
    picture = shown(wall, ScreenCalibration(brightness=brightness))
    expected = steps(light([200, 120, 60]) * brightness)
    np.testing.assert_allclose(picture.mean((0, 1)), expected, atol=4)


def test_brightness_above_one_cuts_off_at_white(wall: HeadlessWall) -> None:
    wall.upload("a", flat(250, 120, 0))
    picture = shown(wall, ScreenCalibration(brightness=2.0))
    assert (picture[..., 0] == 255).all() and (picture[..., 2] == 0).all()
    assert light(picture[..., 1]).mean() == pytest.approx(2 * light(120), rel=0.02)


def test_colour_acts_on_each_channel(wall: HeadlessWall) -> None:
    wall.upload("a", flat(200, 200, 200))
    picture = light(shown(wall, ScreenCalibration(colour=(1.0, 0.5, 0.0)))).mean((0, 1))
    np.testing.assert_allclose(picture, light(200) * np.array([1, 0.5, 0]), rtol=0.03)


def test_black_is_lifted_but_not_where_a_neighbour_adds_its_own(wall: HeadlessWall) -> None:
    wall.upload("a", flat(0, 0, 0))
    picture = shown(wall, ScreenCalibration(black=0.02))
    assert picture.mean() == pytest.approx(steps(0.02), abs=3)
    picture = shown(wall, ScreenCalibration(black=0.02, blend=(0.25, 0, 0, 0)))
    assert (picture[:, :24] == 0).all() and picture[:, 24:].min() > 20
    quarter = ((0.5, 0.5), (1.0, 0.5), (1.0, 1.0), (0.5, 1.0))
    picture = shown(wall, ScreenCalibration(black=0.02, corners=quarter))
    assert (picture[:32] == 0).all() and picture[32:, 48:].min() > 20
    wall.upload("a", flat(255, 255, 255))
    assert (shown(wall, ScreenCalibration(black=0.2)) == 255).all()
    contained = shown(wall, ScreenCalibration(black=0.02), fit="contain")
    assert contained[:, :16].min() > 20  # the bars are the screen's black too


def test_black_stays_below_a_blackout(wall: HeadlessWall) -> None:
    wall.upload("a", flat(0, 0, 0))
    calibration = ScreenCalibration(black=0.1, gamma=1.5)
    assert (shown(wall, calibration, gain=0.0) == 0).all()
    dark, full = shown(wall, calibration, gain=0.01), shown(wall, calibration)
    assert dark.mean() == pytest.approx(full.mean() * 0.01 ** (1 / 2.2), rel=0.05)


@pytest.mark.parametrize("gamma", [0.2, 0.5, 1.5, 5.0])
def test_gamma_bends_the_middle_and_keeps_the_ends(wall: HeadlessWall, gamma: float) -> None:
    pixels = flat(0, 128, 255)
    wall.upload("a", pixels)
    for layers in (A, (Layer("a", 0, 0.5), Layer("a", 0, 0.5))):
        picture = shown(wall, ScreenCalibration(gamma=gamma), layers)
        assert (picture[..., 0] == 0).all() and (picture[..., 2] == 255).all()
        # next to black the shader's curve is steeper
        tolerance = 7 if gamma == 0.2 else 3
        expected = steps(light(128) ** (1 / gamma))
        assert picture[..., 1].mean() == pytest.approx(expected, abs=tolerance)


def test_the_grade_comes_in_its_order(wall: HeadlessWall) -> None:
    wall.upload("a", flat(180, 180, 180))
    calibration = ScreenCalibration(brightness=0.6, colour=(0.5, 1.0, 1.0), black=0.1, gamma=1.4)
    red = light(shown(wall, calibration)[..., 0]).mean()
    expected = (0.1 + 0.9 * light(180) * 0.6 * 0.5) ** (1 / 1.4)
    assert red == pytest.approx(expected, rel=0.02)


def test_a_pinned_screen_reads_the_mip_level_of_its_size(wall: HeadlessWall) -> None:
    checks = np.indices((64, 96)).sum(0) % 2 * 200
    wall.upload("a", np.repeat(checks[None, :, :, None], 4, 3).astype(np.uint8))
    half = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))
    picture = shown(wall, ScreenCalibration(corners=half))
    half_the_light = 255 * encoded(decoded(np.array(200 / 255)) / 2)
    assert np.abs(picture[20:44, 28:68] - half_the_light).max() <= 1


def test_extreme_corners_draw_no_light_outside(wall: HeadlessWall) -> None:
    """Far outside of the screen a projective map turns round and shows the picture again."""
    wall.upload("a", flat(255, 255, 255))
    corners = ((0.45, 0.0), (0.55, 0.0), (1.0, 0.25), (0.0, 0.25))
    picture = shown(wall, ScreenCalibration(corners=corners))
    assert (picture[17:] == 0).all() and (picture[:, 48, 0] > 0).sum() == 16
    assert light(picture[..., 0]).sum() == pytest.approx(96 * 64 * 0.55 * 0.25, rel=0.01)


def test_an_overlay_is_drawn_as_it_is(wall: HeadlessWall) -> None:
    wall.upload("a", flat(255, 255, 255))
    blocks = np.zeros((2, 2, 3, 4), np.uint8)
    blocks[1, :, :, :3] = np.arange(18).reshape(2, 3, 3) * 14
    wall.upload("strip", blocks)
    overlay = Overlay("strip", 1, (6, 4, 30, 20))
    expected = np.kron(blocks[1, :, :, :3], np.ones((10, 10, 1), np.uint8))
    for calibration, gain in (
        (IDENTITY, 1.0),
        (IDENTITY, 0.0),
        (ScreenCalibration(corners=((0.3, 0.3), (0.9, 0.2), (0.8, 0.9), (0.2, 0.8))), 0.5),
        (ScreenCalibration(gamma=2.0, blend=(0.5, 0.5, 0, 0), brightness=0.1, black=0.2), 1.0),
        (ScreenCalibration(crop=(0.4, 0.4, 0, 0), fit="contain"), 1.0),
    ):
        picture = shown(wall, calibration, gain=gain, overlays=(overlay,))
        np.testing.assert_array_equal(picture[4:24, 6:36], expected)
        assert gain > 0 or picture.sum() == expected.sum()


@pytest.mark.parametrize(("values", "turn"), TURNED)
def test_an_overlay_is_turned_with_the_screen(
    wall: HeadlessWall, values: dict[str, Any], turn: Callable[[Pixels], Pixels]
) -> None:
    calibration = ScreenCalibration(**values)
    wall.set_calibration(1, calibration)
    width, height = wall.logical_size_of(1)
    card = noise(height, width, seed=3)
    wall.upload("a", flat(9, 9, 9))
    wall.upload("card", card)
    overlay = Overlay("card", 0, (0, 0, width, height))
    picture = shown(wall, calibration, overlays=(overlay,))
    np.testing.assert_array_equal(picture, turn(card[0, :, :, :3]))


def test_overlays_lie_in_order_and_are_cut_at_the_screen(wall: HeadlessWall) -> None:
    wall.upload("a", flat(0, 0, 0))
    wall.upload("red", flat(255, 0, 0))
    wall.upload("blue", flat(0, 0, 255))
    overlays = (
        Overlay("red", 0, (-10, -10, 200, 40)),
        Overlay("blue", 0, (80, 20, 400, 400)),
        Overlay("red", 0, (96, 0, 10, 10)),
    )
    picture = shown(wall, IDENTITY, overlays=overlays)
    assert tuple(picture[0, 0]) == (255, 0, 0) and tuple(picture[29, 79]) == (255, 0, 0)
    assert tuple(picture[20, 80]) == (0, 0, 255) and tuple(picture[63, 95]) == (0, 0, 255)
    assert tuple(picture[30, 79]) == (0, 0, 0)


def test_faults_are_told(wall: HeadlessWall) -> None:
    wall.upload("a", flat(1, 2, 3))
    with pytest.raises(ValueError, match="there is no screen 2"):
        wall.set_calibration(2, IDENTITY)
    with pytest.raises(ValueError, match="width and a height"):
        Overlay("a", 0, (0, 0, 0, 5))
    with pytest.raises(OutputError, match="'nothing', but nothing"):
        shown(wall, IDENTITY, overlays=(Overlay("nothing", 0, (0, 0, 4, 4)),))
