"""A frame is told by its pixels: through noise, blur and coding, and never mistaken for another."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from player.chaos.picture_match import PLACES, VALUES, Reference, Scaler, every, places_px
from player.wall.headless_wall import HeadlessWall
from player.wall.shots import Layer, Shot

FRAMES = 240


def moving_pictures(seed: int = 1, side_px: int = 32) -> NDArray[np.uint8]:
    """Smooth coloured noise that drifts a little from frame to frame: uint8 [FRAMES, s, s, 3]."""
    random = np.random.default_rng(seed)
    points = random.normal(size=(FRAMES // 30 + 1, 6, 6, 3))
    grow = np.repeat(np.repeat(points, side_px // 4, 1), side_px // 4, 2)[:, :side_px, :side_px]
    for axis in (1, 2):
        for _ in range(4):
            grow = (np.roll(grow, 1, axis) + 2 * grow + np.roll(grow, -1, axis)) / 4
    pictures = []
    for frame in range(FRAMES):
        stop, past = divmod(frame, 30)
        here = grow[stop] * (1 - past / 30) + grow[stop + 1] * past / 30
        pictures.append(np.clip(120 + 45 * here, 0, 255).astype(np.uint8))
    return np.stack(pictures)


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(moving_pictures().reshape(FRAMES, VALUES))


def noisy(picture: NDArray[np.uint8], seed: int, deviation: float) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).normal(0, deviation, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def blurred(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    soft = picture.astype(float)
    for axis in (0, 1):
        soft = (np.roll(soft, 1, axis) + 2 * soft + np.roll(soft, -1, axis)) / 4
    return np.rint(soft).astype(np.uint8)


@settings(deadline=None, max_examples=60)
@given(
    frame=st.integers(0, FRAMES - 1),
    late=st.integers(-3, 20),
    soft=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_through_40_db_of_noise_the_frame_is_told(
    reference: Reference, frame: int, late: int, soft: bool, seed: int
) -> None:
    picture = moving_pictures()[frame]
    shown = noisy(blurred(picture) if soft else picture, seed, 2.55)  # 40 dB of 255
    match = reference.nearest(shown, frame + late)
    assert abs(match.frames_on + late) <= 1
    assert match.distance < 8


def test_another_picture_is_unlike_all_frames(reference: Reference) -> None:
    other = moving_pictures(seed=2)[10]
    assert reference.nearest(other, 10).distance > 20
    assert reference.nearest(np.zeros((PLACES, PLACES, 3), np.uint8), 10).distance > 60


def test_a_frame_is_located_among_all(reference: Reference) -> None:
    shown = noisy(moving_pictures()[177], 5, 2.0)
    found = reference.located(shown)
    assert abs(found.frames_on - 177) <= 1 and found.distance < 4


def test_frames_count_modulo_the_film(reference: Reference) -> None:
    first = moving_pictures()[0]
    assert reference.nearest(first, FRAMES * 7 + 2).frames_on == -2
    assert reference.mean(FRAMES * 3) == pytest.approx(first.mean())


def test_a_picture_that_never_changes_counts_as_the_due_one() -> None:
    still = Reference(np.full((9, VALUES), 90, np.uint8))
    assert still.nearest(np.full((PLACES, PLACES, 3), 90, np.uint8), 4).frames_on == 0


@pytest.mark.parametrize("shape", [(0, VALUES), (3, VALUES - 1), (3, 4, 4)])
def test_other_shapes_are_no_reference(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a reference is"):
        Reference(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("side_px", [0, 16, 250])
def test_a_screen_that_cannot_be_read_evenly_is_refused(side_px: int) -> None:
    with pytest.raises(ValueError, match="multiple of 32"):
        every(side_px)


@pytest.mark.parametrize(("picture_px", "screen_px"), [(64, 256), (16, 96), (256, 256), (512, 128)])
def test_the_scaler_sees_what_the_wall_shows(
    picture_px: int, screen_px: int, wall_of: Callable[[int], HeadlessWall]
) -> None:
    random = np.random.default_rng(3)
    picture = random.integers(0, 256, (1, picture_px, picture_px, 4), np.uint8)
    for _ in range(2):
        picture = (picture // 2 + np.roll(picture, 1, 1) // 2).astype(np.uint8)
    picture[..., 3] = 255
    wall = wall_of(screen_px)
    wall.upload("live", picture)
    wall.draw([Shot((Layer("live", 0, 1.0),), 1.0, "cover")])
    wall.present()
    at = places_px(screen_px)
    shown = wall.read(0)[np.ix_(at, at)].astype(int)
    expected = Scaler(picture_px, screen_px).shown(picture[0]).reshape(PLACES, PLACES, 3)
    assert np.abs(shown - expected).max() <= 2  # dither, and the driver's mip levels


@pytest.fixture
def wall_of() -> Callable[[int], HeadlessWall]:
    return lambda side_px: HeadlessWall(1, (side_px, side_px))
