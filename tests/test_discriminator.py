"""The discriminator against reference numbers, its parts, and its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from generator.operators import fir_filter, resample_filter
from tests.golden import golden_arrays
from tests.golden_networks import golden_discriminator
from training.discriminator import (
    Convolution,
    Discriminator,
    DiscriminatorConfig,
    minibatch_std,
)
from training.discriminator_file import load_discriminator, save_discriminator
from training.errors import TrainingError

pytestmark = pytest.mark.usefixtures("one_torch_thread")

LOGIT_TOLERANCE = 1e-4  # of the largest absolute value; the folder's README, section 8
FEATURE_TOLERANCE = 5e-5
TINY = DiscriminatorConfig(img_resolution=16, channel_base=128, channel_max=12)


def pictures(count: int) -> torch.Tensor:
    images = golden_arrays("discriminator.npz")["images_u8"][:count]
    return torch.from_numpy(images).float() / 127.5 - 1.0


def relative_error(got: torch.Tensor, wanted: NDArray[np.float32]) -> float:
    assert tuple(got.shape) == wanted.shape
    return float(np.abs(got.numpy() - wanted).max() / np.abs(wanted).max())


@pytest.mark.parametrize("count", [1, 2, 3, 4, 8])
@torch.no_grad()
def test_logits_of_the_reference_are_met(count: int) -> None:
    reference = golden_arrays("discriminator.npz")
    logits = golden_discriminator()(pictures(count))
    assert relative_error(logits, reference[f"logits_n{count}"]) <= LOGIT_TOLERANCE


@torch.no_grad()
def test_who_shares_a_group_follows_from_the_order_of_the_batch() -> None:
    reference = golden_arrays("discriminator.npz")
    permutation = torch.from_numpy(reference["perm"])
    logits = golden_discriminator()(pictures(8)[permutation])
    assert relative_error(logits, reference["logits_n8_perm"]) <= LOGIT_TOLERANCE
    # and the order matters by more than the tolerance, or this would prove nothing
    in_order = torch.from_numpy(reference["logits_n8"])[permutation]
    assert float((logits - in_order).abs().max()) > 10 * LOGIT_TOLERANCE


@torch.no_grad()
def test_features_and_the_spread_channel_of_the_reference_are_met() -> None:
    reference = golden_arrays("discriminator.npz")
    net = golden_discriminator()
    maps = dict(zip(net.config.resolutions, net.features(pictures(4)), strict=True))
    assert relative_error(maps[16][:1], reference["x_after_b16"]) <= FEATURE_TOLERANCE
    assert relative_error(maps[8][:1], reference["x_after_b8"]) <= FEATURE_TOLERANCE
    assert relative_error(maps[8], reference["mbstd_in"]) <= FEATURE_TOLERANCE
    appended = minibatch_std(torch.from_numpy(reference["mbstd_in"]), 4)
    assert appended.shape == (4, 65, 4, 4)
    assert relative_error(appended[:, -1, 0, 0], reference["mbstd_channel"]) <= FEATURE_TOLERANCE


def test_groups_are_interleaved() -> None:
    # groups of two in a batch of four: pictures 0 and 2, 1 and 3
    x = torch.tensor([0.0, 5.0, 2.0, 5.0]).reshape(4, 1, 1, 1).expand(4, 3, 2, 2)
    channel = minibatch_std(x, 2)[:, 3]
    assert torch.allclose(channel[0], torch.ones(2, 2)) and torch.equal(channel[0], channel[2])
    assert torch.allclose(channel[1], torch.full((2, 2), 1e-4)) and channel.shape == (4, 2, 2)


def test_a_batch_that_no_group_divides_is_refused() -> None:
    with pytest.raises(ValueError, match="a batch of 6 cannot be split into groups of 4"):
        minibatch_std(torch.zeros(6, 1, 4, 4), 4)


@pytest.mark.parametrize("size", [1, 3])
def test_the_folded_down_sampling_equals_filter_then_stride(size: int) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 5, 12, 12)
    layer = Convolution(5, 7, size, activate=False, down=True)
    margin = 1 + size // 2
    filtered = fir_filter(x, resample_filter(), (margin,) * 4, gain=1.0)
    wanted = F.conv2d(filtered, layer.weight * layer.weight_gain, stride=2)
    assert wanted.shape == (2, 7, 6, 6) and torch.allclose(layer(x), wanted, atol=1e-5)


@pytest.mark.parametrize("resolution", [4, 6, 48])
def test_a_size_without_blocks_is_refused(resolution: int) -> None:
    with pytest.raises(ValueError, match="power of two of at least 8"):
        DiscriminatorConfig(img_resolution=resolution)


def test_bfloat16_blocks_give_nearly_the_same_logits() -> None:
    torch.manual_seed(0)
    net = Discriminator(TINY)
    images = torch.rand(4, 3, 16, 16) * 2 - 1
    exact = net(images)
    net.bfloat16_from = 8
    reduced = net(images)
    assert reduced.dtype == torch.float32
    assert float((reduced - exact).detach().abs().max()) < 0.05 * float(exact.detach().abs().max())


@torch.no_grad()
def test_a_saved_discriminator_is_read_back(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = Discriminator(TINY)
    digest = save_discriminator(net, tmp_path / "d.safetensors", torch.float32)
    read, read_digest = load_discriminator(tmp_path / "d.safetensors")
    images = torch.rand(4, 3, 16, 16)
    assert torch.equal(read(images), net(images)) and digest == read_digest
    assert not read.training and not any(p.requires_grad for p in read.parameters())


def test_faults_of_a_discriminator_file_are_sentences(tmp_path: Path) -> None:
    path = tmp_path / "d.safetensors"
    with pytest.raises(TrainingError, match="there is no such file"):
        load_discriminator(path)
    save_discriminator(Discriminator(TINY), path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-2] + b"\x55\x55")
    with pytest.raises(TrainingError, match="damaged"):
        load_discriminator(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TrainingError, match="not a readable safetensors file"):
        load_discriminator(path)
