"""Augmentations: exact on exact moves, drawn as often and as far as the paper says."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from generator.networks import GeneratorConfig
from tests.tiny_networks import striped_pictures
from training.learning.augment import (
    Augmentation,
    AugmentationController,
    _rotation_about_grey,
    colour_matrices,
    draw_colours,
    draw_geometry,
    geometric_maps,
    recoloured,
)
from training.learning.training_loop import Training, TrainingOptions
from training.learning.warp import rotation, scaling, supersampled_warp, translation, warp

pytestmark = pytest.mark.usefixtures("one_torch_thread")

DRAWS = 20_000
SIZE_PX = 64
BOTH_WARPS = pytest.mark.parametrize("supersampled", [False, True])


@pytest.fixture(autouse=True)
def same_draws() -> None:
    torch.manual_seed(0)


def pictures(n: int = 2, size: int = 16) -> Tensor:
    return torch.rand(n, 3, size, size) * 2 - 1


def one(value: float) -> Tensor:
    return torch.tensor([float(value)])


def drawn_maps(n: int, p: float) -> Tensor:
    return geometric_maps(draw_geometry(n, p), SIZE_PX, SIZE_PX)


def drawn_matrices(n: int, p: float) -> Tensor:
    return colour_matrices(draw_colours(n, p))


def share(condition: Tensor) -> float:
    return float(condition.float().mean())


def test_nothing_happens_at_zero() -> None:
    images = pictures()
    assert torch.equal(Augmentation(0.0)(images), images)
    assert torch.equal(drawn_maps(5, 0.0), torch.eye(3).repeat(5, 1, 1))
    assert torch.equal(drawn_matrices(5, 0.0), torch.eye(4).repeat(5, 1, 1))


@BOTH_WARPS
def test_every_picture_changes_at_one_and_each_in_its_own_way(supersampled: bool) -> None:
    images = pictures(1).repeat(8, 1, 1, 1)
    changed = Augmentation(1.0, supersampled=supersampled)(images)
    assert changed.shape == images.shape and changed.dtype == images.dtype
    assert all(not torch.allclose(image, images[0], atol=0.01) for image in changed)
    assert not torch.allclose(changed[0], changed[1], atol=0.01)


def test_training_takes_the_warp_that_it_is_told() -> None:
    config = GeneratorConfig(8, 0, 8, 16, 3, 64, 4, 2)
    for supersampled in (False, True):
        options = TrainingOptions(batch=4, supersampled_warp=supersampled)
        training = Training(striped_pictures(8), config, options)
        assert training.augment.supersampled is supersampled


def test_exact_moves_are_exact_on_a_picture() -> None:
    image = pictures(1)
    mirrored = warp(image, scaling(one(-1), one(1)))
    assert torch.allclose(mirrored, image.flip(3), atol=1e-5)
    for quarters in range(4):
        turned = warp(image, rotation(one(quarters * math.pi / 2)))
        assert torch.allclose(turned, torch.rot90(image, quarters, (2, 3)), atol=1e-4)
    # 3 pixels of 16 to the left, the border mirrored
    shifted = warp(image, translation(one(3), one(0)))
    wanted = torch.cat([image[..., 3:], image[..., 13:].flip(3)], dim=3)
    assert torch.allclose(shifted, wanted, atol=1e-5)


def test_whole_pixels_survive_the_supersampled_warp() -> None:
    """The low-pass is orthogonal: going up and down again gives the picture back."""
    image = pictures(1)
    assert torch.allclose(supersampled_warp(image, torch.eye(3)[None]), image, atol=1e-5)
    shifted = supersampled_warp(image, translation(one(3), one(-2)))
    assert torch.allclose(shifted[..., 2:, :-3], image[..., :-2, 3:], atol=1e-5)


def test_the_two_warps_agree_on_what_is_smooth() -> None:
    rows, columns = torch.meshgrid(
        torch.linspace(0, 3, 32), torch.linspace(0, 3, 32), indexing="ij"
    )
    image = torch.stack([rows.sin(), columns.cos(), (rows + columns).sin()])[None]
    maps = translation(one(1.3), one(-2.2)) @ rotation(one(0.4)) @ scaling(one(1.2), one(0.9))
    inner = (slice(None), slice(None), slice(8, -8), slice(8, -8))
    difference = supersampled_warp(image, maps)[inner] - warp(image, maps)[inner]
    assert float(difference.abs().max()) < 0.02


def test_what_becomes_too_fine_aliases_in_the_quick_warp_only() -> None:
    board = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(16, 16).expand(1, 1, 32, 32)
    maps = scaling(one(1.9), one(1.9))  # nearly half the size
    inner = (slice(None), slice(None), slice(8, -8), slice(8, -8))
    assert float(warp(board, maps)[inner].abs().mean()) > 0.2
    assert float(supersampled_warp(board, maps)[inner].abs().mean()) < 0.1


def test_a_picture_twice_as_large_shows_its_middle() -> None:
    ramp = torch.linspace(-1, 1, 16).repeat(1, 3, 16, 1)
    larger = warp(ramp, scaling(one(0.5), one(0.5)))
    assert torch.allclose(larger[0, 0, 4, 1:-1], ramp[0, 0, 4, 1:-1] / 2, atol=1e-5)


def test_as_many_pictures_stay_as_the_probabilities_say() -> None:
    p = 0.2
    still = (drawn_maps(DRAWS, p) == torch.eye(3)).all(dim=(1, 2))
    # half of the flips and a quarter of the turns do nothing; then translation, size, rotation
    # (its two together), stretch, translation
    assert share(still) == pytest.approx((1 - p / 2) * (1 - p * 3 / 4) * (1 - p) ** 5, abs=0.02)
    still = torch.isclose(drawn_matrices(DRAWS, p), torch.eye(4)).all(dim=2).all(dim=1)
    assert share(still) == pytest.approx((1 - p / 2) * (1 - p) ** 4, abs=0.02)


def test_size_stretch_and_mirroring_are_drawn_as_documented() -> None:
    linear = drawn_maps(DRAWS, 1.0)[:, :2, :2]
    determinant = torch.linalg.det(linear)
    assert share(determinant < 0) == pytest.approx(0.5, abs=0.02)
    size = determinant.abs().log2() / 2
    assert float(size.std()) == pytest.approx(0.2, rel=0.05) and abs(float(size.mean())) < 0.01
    values = torch.linalg.svdvals(linear)
    stretch = (values[:, 0] / values[:, 1]).log2() / 2
    # half of a normal distribution
    assert float(stretch.mean()) == pytest.approx(0.2 * math.sqrt(2 / math.pi), rel=0.05)


def test_whole_pixel_translations_are_whole_and_at_most_an_eighth() -> None:
    drawn = draw_geometry(2000, 1.0)
    zero, one_each = torch.zeros(2000), torch.ones(2000)
    only_shifted = replace(
        drawn, flipped=one_each, quarters=zero, size=one_each, turn=zero, stretch=one_each,
        second_turn=zero, slide_x=zero, slide_y=zero,
    )  # fmt: skip
    shift_px = geometric_maps(only_shifted, SIZE_PX, SIZE_PX // 2)[:, :2, 2]
    assert torch.equal(shift_px, shift_px.round())
    assert shift_px.abs().amax(dim=0).tolist() == [SIZE_PX / 8, SIZE_PX / 16]
    assert share(shift_px[:, 0] == shift_px[:, 1]) < 0.2


def test_a_slide_is_an_eighth_of_the_side_wide() -> None:
    drawn = draw_geometry(DRAWS, 1.0)
    assert float(drawn.slide_x.std()) == pytest.approx(0.125, rel=0.05)
    assert abs(float(torch.corrcoef(torch.stack([drawn.slide_x, drawn.slide_y]))[0, 1])) < 0.05


def test_colour_maps_keep_the_grey_axis() -> None:
    matrices = drawn_matrices(DRAWS, 1.0)
    grey = torch.ones(3)
    along = matrices[:, :3, :3] @ grey
    assert torch.allclose(along, along.mean(dim=1, keepdim=True).expand(-1, 3), atol=1e-4)
    offset = matrices[:, :3, 3]
    assert torch.allclose(offset, offset.mean(dim=1, keepdim=True).expand(-1, 3), atol=1e-4)
    assert torch.equal(matrices[:, 3], torch.tensor([0.0, 0.0, 0.0, 1.0]).repeat(DRAWS, 1))


def test_brightness_contrast_inversion_and_saturation_are_drawn_as_documented() -> None:
    matrices = drawn_matrices(DRAWS, 1.0)
    along = matrices[:, :3, :3].sum(dim=2).mean(dim=1)
    assert share(along < 0) == pytest.approx(0.5, abs=0.02)
    assert float(along.abs().log2().std()) == pytest.approx(0.5, rel=0.05)
    brightness = matrices[:, 0, 3] / along
    assert float(brightness.std()) == pytest.approx(0.2, rel=0.05)
    # away from grey: contrast times saturation, turned by the hue
    across = torch.linalg.det(matrices[:, :3, :3]).abs() / along.abs()
    saturation = (across.sqrt() / along.abs()).log2()
    assert float(saturation.std()) == pytest.approx(1.0, rel=0.05)
    assert abs(float(saturation.mean())) < 0.05


def test_a_third_of_a_hue_turn_moves_red_to_green() -> None:
    red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
    turned = recoloured(red, _rotation_about_grey(one(2 * math.pi / 3)))
    assert torch.allclose(turned.flatten(), torch.tensor([0.0, 1.0, 0.0]), atol=1e-6)


@BOTH_WARPS
def test_gradients_flow_to_every_picture(supersampled: bool) -> None:
    images = pictures(4).requires_grad_(True)
    Augmentation(0.8, supersampled=supersampled)(images).square().sum().backward()  # type: ignore[no-untyped-call]
    assert images.grad is not None and bool(images.grad.isfinite().all())
    assert bool((images.grad.abs().amax(dim=(1, 2, 3)) > 0).all())


def test_the_controller_moves_towards_its_target() -> None:
    controller = AugmentationController(target=0.6, kimg_to_one=100.0, p_max=0.85)
    assert controller.updated(0.2, 0.9, 1000) == pytest.approx(0.21)
    assert controller.updated(0.2, 0.1, 1000) == pytest.approx(0.19)
    assert controller.updated(0.2, -1.0, 1000) == pytest.approx(0.19)
    assert controller.updated(0.2, 0.6, 1000) == 0.2


def test_the_controller_stays_in_its_range() -> None:
    controller = AugmentationController(target=0.6, kimg_to_one=1.0, p_max=0.85)
    p = 0.0
    for signs_mean, end in ((1.0, 0.85), (-1.0, 0.0)):
        for _ in range(20):
            p = controller.updated(p, signs_mean, 100)
            assert 0.0 <= p <= 0.85
        assert p == end
