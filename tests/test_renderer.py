"""Geometry on paper, pixels on a headless wall."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from player.wall import light_curve, shaders
from player.wall.calibration import IDENTITY, ScreenCalibration
from player.wall.outputs import OutputError, Wall, open_wall
from player.wall.shots import MOST_LAYERS, Fit, Layer, Shot, cubic_kernel, fit_rectangle, place
from player.wall.streaming import MOST_BUFFERS

SIZE_PX = (96, 64)
SCREENS = 2


@pytest.mark.parametrize(
    ("fit", "picture", "output", "target", "source"),
    [
        ("cover", (64, 64), (128, 64), (0, 0, 128, 64), (0, 16, 64, 32)),
        ("cover", (64, 64), (64, 128), (0, 0, 64, 128), (16, 0, 32, 64)),
        ("contain", (64, 64), (128, 64), (32, 0, 64, 64), (0, 0, 64, 64)),
        ("contain", (64, 64), (64, 130), (0, 33, 64, 64), (0, 0, 64, 64)),
        ("contain", (1000, 1), (10, 10), (0, 4, 10, 1), (0, 0, 1000, 1)),
        ("stretch", (64, 64), (128, 30), (0, 0, 128, 30), (0, 0, 64, 64)),
        ("cover", (64, 64), (256, 256), (0, 0, 256, 256), (0, 0, 64, 64)),
    ],
)
def test_fit_rectangle(
    fit: Fit,
    picture: tuple[int, int],
    output: tuple[int, int],
    target: tuple[int, int, int, int],
    source: tuple[float, float, float, float],
) -> None:
    rectangles = fit_rectangle(fit, picture, output)
    assert rectangles.target == target
    assert rectangles.source == pytest.approx(source)


@pytest.mark.parametrize("fit", ["cover", "contain", "stretch"])
@pytest.mark.parametrize("output", [(320, 240), (1280, 720), (7, 1000), (1, 1), (213, 400)])
def test_the_target_lies_in_the_output_and_its_corners_are_the_sources(
    fit: Fit, output: tuple[int, int]
) -> None:
    rectangles, placement = fit_rectangle(fit, (64, 48), output), place(fit, (64, 48), output)
    x, y, width, height = rectangles.target
    assert min(x, y) >= 0 and x + width <= output[0] and y + height <= output[1]
    for axis, (first, length, limit) in enumerate(((x, width, 64), (y, height, 48))):
        texels_per_pixel = (limit >> placement.level) / limit
        low = placement.scale[axis] * first + placement.offset[axis]
        high = placement.scale[axis] * (first + length) + placement.offset[axis]
        source = rectangles.source
        assert low == pytest.approx(source[axis] * texels_per_pixel, abs=1e-9)
        assert high == pytest.approx((source[axis] + source[axis + 2]) * texels_per_pixel, abs=1e-9)


def test_mip_levels_follow_the_shrinking() -> None:
    levels = [place("stretch", (256, 256), (side, side)).level for side in (512, 256, 130, 64, 1)]
    assert levels == [0, 0, 1, 2, 8]


def test_the_kernel_leaves_pictures_of_the_outputs_size_alone() -> None:
    assert cubic_kernel(1.0) == (0.0, 0.5)
    assert cubic_kernel(4.0) == pytest.approx((1 / 3, 1 / 3))


@pytest.mark.parametrize(
    ("weights", "gain"),
    [((), 1.0), ((0.5,), 1.0), ((0.4, 0.4), 1.0), ((1.5, -0.5), 1.0), ((1,), 2)],
)
def test_impossible_shots_are_refused(weights: tuple[float, ...], gain: float) -> None:
    with pytest.raises(ValueError, match="shot"):
        Shot(tuple(Layer("live", 0, weight) for weight in weights), gain, "cover")


@pytest.fixture(scope="module")
def wall() -> Iterator[Wall]:
    wall = open_wall("headless", SCREENS, SIZE_PX)
    yield wall
    wall.close()


def flat(*colours: tuple[int, int, int], side: int = 16) -> NDArray[np.uint8]:
    pixels = np.full((len(colours), side, side, 4), 255, np.uint8)
    pixels[..., :3] = np.array(colours, np.uint8)[:, None, None]
    return pixels


def shown(wall: Wall, *layers: Layer, gain: float = 1.0, fit: Fit = "cover") -> NDArray[np.uint8]:
    """What screen 0 shows of these layers; the other screens show the first."""
    wall.draw(
        [Shot(layers, gain, fit), *[Shot((Layer("a", 0, 1.0),), 1.0, "cover")] * (SCREENS - 1)]
    )
    wall.present()
    return wall.read(0)


def test_every_screen_shows_its_own_picture_exactly(wall: Wall) -> None:
    colours = ((255, 0, 10), (3, 128, 254))
    wall.upload("a", flat(*colours))
    wall.draw([Shot((Layer("a", i, 1.0),), 1.0, "cover") for i in range(SCREENS)])
    wall.present()
    for i, colour in enumerate(colours):
        assert wall.size_of(i) == SIZE_PX
        assert wall.read(i).shape == (SIZE_PX[1], SIZE_PX[0], 3)
        assert (wall.read(i) == colour).all()


def test_top_left_stays_top_left(wall: Wall) -> None:
    pixels = flat((0, 0, 0))
    pixels[0, :8, :8, 0] = 255  # red above left
    pixels[0, :8, 8:, 1] = 255  # green above right
    wall.upload("a", pixels)
    picture = shown(wall, Layer("a", 0, 1.0), fit="stretch")
    height, width = picture.shape[:2]
    assert tuple(picture[4, 4]) == (255, 0, 0)
    assert tuple(picture[4, width - 5]) == (0, 255, 0)
    assert tuple(picture[height - 5, 4]) == (0, 0, 0)
    assert tuple(picture[height - 5, width - 5]) == (0, 0, 0)


def test_a_picture_of_the_screens_size_passes_unchanged(wall: Wall) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (1, SIZE_PX[1], SIZE_PX[0], 4), np.uint8)
    wall.upload("a", pixels)
    np.testing.assert_array_equal(shown(wall, Layer("a", 0, 1.0)), pixels[0, :, :, :3])


def cubic_matrix(texels: int, pixels: int) -> NDArray[np.float64]:
    """[pixels, texels]: Mitchell's kernel from its published equation, edges repeated."""
    matrix = np.zeros((pixels, texels))
    for row in range(pixels):
        at = (row + 0.5) * texels / pixels - 0.5
        for tap in range(math.floor(at) - 1, math.floor(at) + 3):
            x = abs(at - tap)
            weight = (
                (7 * x**3 - 12 * x**2 + 16 / 3) / 6
                if x < 1
                else (-7 / 3 * x**3 + 12 * x**2 - 20 * x + 32 / 3) / 6
            )
            matrix[row, min(max(tap, 0), texels - 1)] += weight
    return matrix


def test_enlarging_is_the_published_bicubic(wall: Wall) -> None:
    pixels = np.random.default_rng(2).integers(40, 216, (1, 16, 24, 4), np.uint8)
    wall.upload("a", pixels)
    picture = shown(wall, Layer("a", 0, 1.0)).astype(float)
    rows, columns = cubic_matrix(16, SIZE_PX[1]), cubic_matrix(24, SIZE_PX[0])
    light = decoded(pixels[0, :, :, :3].astype(float))
    expected = encoded(np.einsum("ai,ijc,bj->abc", rows, light, columns).clip(0, 1))
    assert np.abs(picture - expected).max() < 1.01  # the dither's one step
    assert abs((picture - expected).mean()) < 0.03


def test_shrinking_takes_the_mean(wall: Wall) -> None:
    checks = np.indices((SIZE_PX[1] * 4, SIZE_PX[0] * 4)).sum(0) % 2 * 200
    pixels = np.repeat(checks[None, :, :, None], 4, 3).astype(np.uint8)
    wall.upload("a", pixels)
    # of the light: half of what 200 gives, and not half of the number
    wanted = encoded(decoded(np.float64(200)) / 2)
    assert wanted > 140
    assert np.abs(shown(wall, Layer("a", 0, 1.0)).astype(float) - wanted).max() <= 1
    pixels[:] = 30  # the levels follow a new upload
    for _ in range(2):
        wall.upload("a", pixels)
        assert (shown(wall, Layer("a", 0, 1.0)) == 30).all()


def test_the_dither_keeps_the_mean_of_a_quarter_of_a_step(wall: Wall) -> None:
    wall.upload("a", flat((100, 100, 100)))
    wall.upload("b", flat((101, 101, 101)))
    picture = shown(wall, Layer("a", 0, 0.75), Layer("b", 0, 0.25)).astype(float)
    assert set(np.unique(picture)) == {100.0, 101.0}
    for channel in range(3):
        assert picture[..., channel].mean() == pytest.approx(100.25, abs=0.03)
    assert not (picture[..., 0] == picture[..., 1]).all()


def srgb_mean(a: float, b: float, weight_b: float) -> float:
    """The eight-bit value of a blend in linear light, IEC 61966-2-1."""

    def decode(value: float) -> float:
        c = value / 255
        return c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4

    light = (1 - weight_b) * decode(a) + weight_b * decode(b)
    return 255 * (light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("weight_b", [0.001, 0.25, 0.5, 0.999])
@pytest.mark.parametrize(("a", "b"), [(50, 200), (0, 255), (120, 130)])
def test_two_layers_meet_in_linear_light(wall: Wall, a: int, b: int, weight_b: float) -> None:
    wall.upload("a", flat((a, a, a)))
    wall.upload("b", flat((b, b, b), side=20))
    picture = shown(wall, Layer("a", 0, 1 - weight_b), Layer("b", 0, weight_b))
    tolerance = 7.0 if weight_b == 0.001 else 2.0  # the shader's curve is steeper next to black
    assert picture.mean() == pytest.approx(srgb_mean(a, b, weight_b), abs=tolerance)


def test_a_layer_without_weight_is_not_drawn(wall: Wall) -> None:
    wall.upload("a", flat((77, 78, 79)))
    picture = shown(wall, Layer("a", 0, 1.0), Layer("a", 0, 0.0))
    assert (picture == (77, 78, 79)).all()


def test_contain_surrounds_with_black_in_fades_too(wall: Wall) -> None:
    wall.upload("a", flat((255, 255, 255)))
    wall.upload("b", np.full((1, 8, 64, 4), 255, np.uint8))
    shown(wall, Layer("a", 0, 1.0))
    picture = shown(wall, Layer("a", 0, 1.0), fit="contain")
    assert (picture[:, :16] == 0).all() and (picture[:, 80:] == 0).all()
    assert (picture[:, 16:80] == 255).all()
    picture = shown(wall, Layer("a", 0, 0.5), Layer("b", 0, 0.5), fit="contain")
    assert (picture[26:38, 16:80] == 255).all()
    assert (picture[:20, :10] == 0).all()
    assert picture[10, 48, 0] == pytest.approx(188, abs=2)  # a alone
    assert picture[32, 5, 0] == pytest.approx(188, abs=2)  # b alone


def test_gain(wall: Wall) -> None:
    wall.upload("a", flat((255, 128, 1)))
    assert (shown(wall, Layer("a", 0, 1.0), gain=0.0) == 0).all()
    half = shown(wall, Layer("a", 0, 1.0), gain=0.5)
    assert half[..., 0].mean() == pytest.approx(188, abs=3)  # half the light
    assert shown(wall, Layer("a", 0, 1.0), gain=1e-6).max() <= 1
    assert (shown(wall, Layer("a", 0, 1.0), gain=1.0) == (255, 128, 1)).all()


def test_the_number_and_size_of_pictures_may_change(wall: Wall) -> None:
    for count, side in ((1, 16), (2, 16), (1, 16), (2, 32), (1, 7)):
        colours = [(10 * count + i, side, 5) for i in range(count)]
        wall.upload("a", flat(*colours, side=side))
        assert (shown(wall, Layer("a", count - 1, 1.0)) == colours[-1]).all()
    with pytest.raises(OutputError, match=r"picture 1 .*'a', but 1 pictures"):
        shown(wall, Layer("a", 1, 1.0))


def test_faults_are_told(wall: Wall) -> None:
    wall.upload("a", flat((1, 2, 3)))
    with pytest.raises(OutputError, match="'nobody', but nothing"):
        shown(wall, Layer("nobody", 0, 1.0))
    with pytest.raises(ValueError, match="2 screens need as many shots"):
        wall.draw([])
    with pytest.raises(ValueError, match=r"uint8 \[P, H, W, 4\]"):
        wall.upload("a", np.zeros((1, 4, 4, 3), np.uint8))


def decoded(level: NDArray[np.float64]) -> NDArray[np.float64]:
    return light_curve.decoded(level / 255)


def encoded(light: NDArray[np.float64]) -> NDArray[np.float64]:
    return 255 * light_curve.encoded(light)


@given(
    st.lists(
        st.tuples(st.integers(0, 255), st.integers(0, 6)), min_size=1, max_size=MOST_LAYERS
    ).filter(lambda parts: sum(part for _, part in parts) > 0)
)
@settings(max_examples=40, deadline=None)
def test_up_to_six_layers_are_a_weighted_sum_of_light(
    wall: Wall, parts: list[tuple[int, int]]
) -> None:
    whole = sum(part for _, part in parts)
    for name, (level, _) in zip("abcdef", parts, strict=False):
        wall.upload(name, flat((level, level, level), side=4))
    wall.upload("a", flat(*[(parts[0][0],) * 3] * 2, side=4))
    layers = [
        Layer(name, 0, part / whole) for name, (_, part) in zip("abcdef", parts, strict=False)
    ]
    picture = shown(wall, *layers).astype(float)
    light = sum(
        decoded(np.float64(level)) * layer.weight
        for (level, _), layer in zip(parts, layers, strict=True)
    )
    assert np.abs(decoded(picture.mean()) - light) < 0.004
    assert picture.max() - picture.min() <= 1, "dither alone"


@pytest.mark.parametrize("count", [3, 6])
def test_layers_that_are_alike_give_the_picture_itself(wall: Wall, count: int) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (1, 16, 24, 4), np.uint8)
    for name in "abcdef":
        wall.upload(name, pixels)
    once = shown(wall, Layer("a", 0, 1.0)).astype(int)
    mixed = shown(wall, *(Layer(name, 0, 1 / count) for name in "abcdef"[:count])).astype(int)
    assert np.abs(mixed - once).max() <= 1


def test_layers_of_three_sizes_lie_each_on_its_own_place(wall: Wall) -> None:
    """contain: a wide, a square and a high picture; outside of each it adds no light."""
    for name, (height, width) in {"a": (16, 64), "b": (16, 16), "c": (64, 16)}.items():
        wall.upload(name, np.full((1, height, width, 4), 255, np.uint8))
    layers = [Layer("a", 0, 0.5), Layer("b", 0, 0.25), Layer("c", 0, 0.25)]
    light = decoded(shown(wall, *layers, fit="contain").astype(float))[..., 0]
    assert light[32, 48] == pytest.approx(1.0)  # on all three
    assert light[32, 2] == pytest.approx(0.5, abs=0.01)  # on the wide one alone
    assert light[2, 48] == pytest.approx(0.5, abs=0.01)  # the square and the high one
    assert light[2, 20] == pytest.approx(0.25, abs=0.01)  # the square one
    assert light[2, 2] == 0


def test_layers_of_no_weight_are_not_drawn(wall: Wall) -> None:
    pixels = np.random.default_rng(4).integers(0, 256, (1, 16, 24, 4), np.uint8)
    wall.upload("a", pixels)
    wall.upload("b", flat((255, 255, 255)))
    once = shown(wall, Layer("a", 0, 1.0))
    nothing = [Layer("b", 0, 0.0)] * (MOST_LAYERS - 1)
    np.testing.assert_array_equal(shown(wall, *nothing, Layer("a", 0, 1.0)), once)


def test_seven_layers_are_refused() -> None:
    with pytest.raises(ValueError, match="1 to 6 layers, not 7"):
        Shot(tuple(Layer("a", 0, 1 / 7) for _ in range(7)), 1.0, "cover")
    with pytest.raises(ValueError, match="sum to 1"):
        Shot((Layer("a", 0, math.nan),), 1.0, "cover")
    with pytest.raises(ValueError, match="1 to 6 layers, not 7"):
        shaders.fragment(7)


def test_programs_are_made_ready_one_by_one_and_then_no_more(wall: Wall) -> None:
    wall.upload("a", flat((10, 200, 30)))
    before = shown(wall, Layer("a", 0, 1.0))
    assert sum(wall.warm_up_next() for _ in range(20)) <= 2, "mip levels, and three layers"
    assert not wall.warm_up_next()
    assert sum(wall.warm_up_next(MOST_LAYERS) for _ in range(20)) <= MOST_LAYERS - 3
    assert not wall.warm_up_next(99)
    np.testing.assert_array_equal(wall.read(0), before)
    wall.set_calibration(1, ScreenCalibration(corners=((0, 0), (1, 0.1), (0.9, 1), (0, 1))))
    assert sum(wall.warm_up_next() for _ in range(20)) == 3, "of one, two and three layers"
    wall.set_calibration(1, IDENTITY)
    assert not wall.warm_up_next()


def test_a_source_that_changes_its_size_keeps_the_memory_bounded(wall: Wall) -> None:
    store = wall._store  # type: ignore[attr-defined]
    for side in [*range(4, 40), 16, 17, 16]:
        for source in ("live 0", "live 1", "film"):
            wall.upload(source, flat((1, 2, 3), (4, 5, 6), side=side))
    for source in ("live 0", "live 1", "film"):
        pool = store._pools[source]
        assert pool.size_px == (16, 16) and sum(map(len, pool.sides)) <= 4


def test_pictures_of_many_sizes_leave_few_buffers(wall: Wall) -> None:
    streaming = wall._store.streaming  # type: ignore[attr-defined]
    for side in range(130, 150):
        streaming._ways[side * side * 4] = "buffered"
        wall.upload("film", flat((1, 2, 3), side=side))
        assert len(streaming._buffers) <= MOST_BUFFERS
    assert (shown(wall, Layer("film", 0, 1.0)) == (1, 2, 3)).all()
