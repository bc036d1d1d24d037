"""The sliced Wasserstein distance between sets of pictures."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.tiny_networks import striped_pictures
from training.metrics.sliced_wasserstein import sliced_wasserstein

Pictures = NDArray[np.uint8]


def noisy(pictures: Pictures, levels: float) -> Pictures:
    noise = np.random.default_rng(5).standard_normal(pictures.shape) * levels
    return np.clip(pictures + noise, 0, 255).round().astype(np.uint8)


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    return striped_pictures(16, 32)


def test_a_set_is_no_distance_from_itself(pictures: Pictures) -> None:
    assert sliced_wasserstein(pictures, pictures) == {"32": 0.0, "16": 0.0, "mean": 0.0}


def test_there_is_a_level_for_each_size_down_to_16() -> None:
    first, second = striped_pictures(4, 64), striped_pictures(4, 64, seed=1)
    distance = sliced_wasserstein(first, second)
    assert set(distance) == {"64", "32", "16", "mean"}
    assert distance["mean"] == pytest.approx(np.mean([distance[key] for key in ("64", "32", "16")]))


def test_the_order_of_the_pictures_hardly_matters(pictures: Pictures) -> None:
    shuffled = pictures[np.random.default_rng(0).permutation(len(pictures))]
    distance = sliced_wasserstein(pictures, shuffled)["mean"]
    assert distance < sliced_wasserstein(pictures, noisy(pictures, 40))["mean"] / 3


def test_the_distance_grows_with_noise(pictures: Pictures) -> None:
    distances = [
        sliced_wasserstein(pictures, noisy(pictures, levels))["mean"] for levels in (0, 5, 20, 80)
    ]
    assert distances == sorted(distances) and distances[0] == 0.0
    assert distances[1] > 0.0 and distances[3] > 2 * distances[1]


def test_the_distance_is_symmetric_and_repeatable(pictures: Pictures) -> None:
    other = noisy(pictures, 30)
    there, back = sliced_wasserstein(pictures, other), sliced_wasserstein(other, pictures)
    assert there == pytest.approx(back)
    assert there == sliced_wasserstein(pictures, other)
    assert there != sliced_wasserstein(pictures, other, seed=1)
    assert there["mean"] == pytest.approx(
        sliced_wasserstein(pictures, other, seed=1)["mean"], rel=0.3
    )


def test_sets_of_one_colour_are_compared_without_dividing_by_zero() -> None:
    flat = np.full((3, 3, 16, 16), 80, np.uint8)
    assert sliced_wasserstein(flat, flat)["mean"] == 0.0
    assert np.isfinite(sliced_wasserstein(flat, striped_pictures(3, 16))["mean"])


@pytest.mark.parametrize("shape", [(3, 3, 32, 32), (4, 3, 16, 16), (4, 1, 32, 32)])
def test_sets_of_different_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="the sets differ in shape"):
        sliced_wasserstein(np.zeros((4, 3, 32, 32), np.uint8), np.zeros(shape, np.uint8))
