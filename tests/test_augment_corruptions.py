"""Filtering, noise and cutout: nothing at zero, drawn as the paper says, and felt by gradients."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from training.learning.augment import PIPES, Augmentation
from training.learning.corruptions import (
    BAND_POWER,
    cut_out,
    draw_band_gains,
    draw_cutouts,
    draw_noise_std,
    filtered,
    frequency_bands,
    noisy,
)

pytestmark = pytest.mark.usefixtures("one_torch_thread")

DRAWS = 20_000


@pytest.fixture(autouse=True)
def same_draws() -> None:
    torch.manual_seed(0)


def pictures(n: int = 2, size: int = 16) -> Tensor:
    return torch.rand(n, 3, size, size) * 2 - 1


def test_the_bands_add_up_to_the_picture_and_hold_their_frequencies() -> None:
    bands = frequency_bands()
    assert bands.shape == (4, 43) and torch.equal(bands, bands.flip(1))
    whole = bands.sum(dim=0)
    delta = torch.zeros(43)
    delta[21] = 1
    assert torch.allclose(whole, delta, atol=1e-6)
    response = torch.fft.rfft(bands, 512, dim=1).abs()
    edges = [0, 32, 64, 128, 257]  # of 256: pi / 8, pi / 4, pi / 2, pi
    power = response.square()
    for band in range(4):
        own = power[band, edges[band] : edges[band + 1]].sum() / power[band].sum()
        assert float(own) > 0.75, f"band {band} has {float(own):.2f} of its power in its own range"
    assert response[0, 0] == pytest.approx(1, abs=1e-5)
    assert float(response[1:, 0].max()) < 1e-5, "the others have no part in the mean colour"


def test_gains_are_one_at_zero_and_keep_the_expected_power() -> None:
    assert torch.allclose(draw_band_gains(5, 0.0), torch.ones(5, 4))
    gains = draw_band_gains(DRAWS, 1.0)
    # the scale is common to the bands, so that between two of them it is gone
    ratio = (gains[:, 2] / gains[:, 3]).log2()
    assert float(ratio.std()) == pytest.approx(math.sqrt(2), rel=0.05)
    assert abs(float(ratio.mean())) < 0.05
    rare = draw_band_gains(DRAWS, 0.01)
    changed = rare[((rare - 1).abs() > 1e-5).any(dim=1)]
    energies = (torch.tensor(BAND_POWER) * changed.square()).sum(dim=1)
    assert float((energies - 1).abs().median()) < 1e-4
    assert len(changed) / DRAWS == pytest.approx(1 - 0.99**4, abs=0.005)


@pytest.mark.parametrize("size", [8, 16, 64])
def test_gains_of_one_leave_pictures_as_they_are(size: int) -> None:
    images = pictures(2, size)
    assert torch.allclose(filtered(images, torch.ones(2, 4)), images, atol=1e-5)


def test_each_picture_has_its_own_filter_along_both_axes() -> None:
    columns = torch.arange(64).float()
    fine = (columns * (0.8 * math.pi)).cos().expand(64, 64)  # of the fourth band
    images = torch.stack([fine, fine.T]).repeat(2, 1, 1)[:, None].expand(4, 3, 64, 64)
    gains = torch.ones(4, 4)
    gains[2:, 3] = 2.0
    made = filtered(images, gains)
    inner = (slice(None), slice(None), slice(22, -22), slice(22, -22))
    assert torch.allclose(made[:2], images[:2], atol=1e-5)
    larger = made[2:][inner].square().mean() / images[2:][inner].square().mean()
    assert 3.2 < float(larger) < 4.05, "nearly twice as high"
    level = torch.full((1, 3, 16, 16), 0.5)
    assert torch.allclose(filtered(level, torch.tensor([[1.0, 3, 3, 3]])), level, atol=1e-5)


def test_noise_is_half_normal_and_independent() -> None:
    std = draw_noise_std(DRAWS, 1.0)
    assert bool((std >= 0).all())
    assert float(std.mean()) == pytest.approx(0.1 * math.sqrt(2 / math.pi), rel=0.03)
    assert float((draw_noise_std(DRAWS, 0.3) > 0).float().mean()) == pytest.approx(0.3, abs=0.02)
    assert not draw_noise_std(9, 0.0).any()
    images = pictures(3, 64)
    difference = noisy(images, torch.tensor([0.0, 0.1, 0.4])) - images
    spread = difference.flatten(1).std(dim=1)
    assert spread.tolist() == pytest.approx([0, 0.1, 0.4], rel=0.05)
    assert abs(float((difference[2, 0] * difference[2, 1]).mean())) < 0.01


def test_a_quarter_is_cut_out_around_the_middle_that_was_drawn() -> None:
    images = torch.ones(3, 3, 16, 16)
    middles = torch.tensor([[0.5, 0.5], [0.0, 1.0], [math.inf, math.inf]])
    cut = cut_out(images, middles)
    assert not cut[0, :, 4:12, 4:12].any() and int(cut[0, 0].sum()) == 256 - 64
    assert not cut[1, :, 12:, :4].any() and int(cut[1, 0].sum()) == 256 - 16
    assert torch.equal(cut[2], images[2])
    drawn = draw_cutouts(DRAWS, 0.4)
    happens = drawn.isfinite().all(dim=1)
    assert float(happens.float().mean()) == pytest.approx(0.4, abs=0.02)
    assert torch.equal(drawn.isfinite().any(dim=1), happens)
    assert drawn[happens].mean(dim=0).tolist() == pytest.approx([0.5, 0.5], abs=0.02)
    assert drawn[happens].std(dim=0).tolist() == pytest.approx([12**-0.5] * 2, rel=0.05)


@pytest.mark.parametrize("pipe", PIPES)
def test_every_pipe_does_nothing_at_zero_and_something_at_one(pipe: str) -> None:
    images = pictures(8)
    assert torch.equal(Augmentation(0.0, pipe=pipe)(images), images)
    made = Augmentation(1.0, pipe=pipe)(images)
    assert made.shape == images.shape and made.dtype == images.dtype
    changed = (made - images).abs().amax(dim=(1, 2, 3)) > 1e-4
    # half of the flips and a quarter of the turns do nothing, a shift by no pixel neither
    assert int(changed.sum()) >= 6


def test_a_pipe_does_what_its_name_says_and_no_more() -> None:
    images = pictures(4, 32)
    cut = Augmentation(1.0, pipe="cutout")(images)
    assert bool(((cut == images) | (cut == 0)).all()) and not torch.equal(cut, images)
    blit = Augmentation(1.0, pipe="blit")(images)
    # whole pixels are moved, so each colour that is there was there before
    assert torch.allclose(blit.amax(dim=(2, 3)), images.amax(dim=(2, 3)), atol=0.1)
    coloured = Augmentation(1.0, pipe="color")(images.mean(dim=1, keepdim=True).expand_as(images))
    assert torch.allclose(coloured[:, 0], coloured[:, 1], atol=1e-4), "grey stays grey"


@pytest.mark.parametrize("pipe", ["filter", "noise", "cutout", "bgcfnc"])
def test_gradients_flow_to_every_picture(pipe: str) -> None:
    images = pictures(4).requires_grad_(True)
    Augmentation(0.9, pipe=pipe)(images).square().sum().backward()  # type: ignore[no-untyped-call]
    assert images.grad is not None and bool(images.grad.isfinite().all())
    assert bool((images.grad.abs().amax(dim=(1, 2, 3)) > 0).all())
    if pipe == "cutout":
        made = Augmentation(1.0, pipe=pipe)
        (gradient,) = torch.autograd.grad(made(images).sum(), images)
        assert 0.3 < float((gradient == 1).float().mean()) < 1, "none where it was cut out"
