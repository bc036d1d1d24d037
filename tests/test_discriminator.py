"""The discriminator against reference numbers, its parts, and its kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from generator.discriminator import Architecture, Convolution, Discriminator, DiscriminatorConfig
from generator.operators import minibatch_std, resample_filter
from generator.resampling import downsample, resample
from tests.golden import Array, compares, golden_arrays, met
from tests.golden_networks import golden_discriminator

pytestmark = pytest.mark.usefixtures("one_torch_thread")

# of the largest absolute value. The README of the folder, section 8, allows 1e-4 for logits; who
# shares a group changes them by 7e-4 and more, and must be seen.
LOGIT_TOLERANCE = 2e-5
FEATURE_TOLERANCE = 5e-5
TINY = DiscriminatorConfig(img_resolution=16, channel_base=128, channel_max=12)
EVERY_REFERENCE = pytest.mark.parametrize(
    ("reference", "snapshot"),
    [
        ("discriminator.npz", "g_torch.pkl"),
        ("discriminator_cond.npz", "g_torch_cond.pkl"),
        ("discriminator_fp16.npz", "g_torch_fp16.pkl"),
        ("discriminator_tf.npz", "g_tf.pkl"),
    ],
)


def pictures(arrays: Mapping[str, Array]) -> Tensor:
    return torch.from_numpy(arrays["images_u8"]).float() / 127.5 - 1.0


def labels(arrays: Mapping[str, Array]) -> Tensor | None:
    return torch.from_numpy(arrays["c"]) if "c" in arrays else None


@EVERY_REFERENCE
@compares("{reference}", "logits_*")
@torch.no_grad()
def test_logits_of_the_reference_are_met(reference: str, snapshot: str) -> None:
    arrays, net = golden_arrays(reference), golden_discriminator(snapshot)
    images, c = pictures(arrays), labels(arrays)
    orders = {
        name: torch.arange(int(name.removeprefix("logits_n")))
        for name in arrays
        if name.startswith("logits_n") and name != "logits_n8_perm"
    }
    orders["logits_n8_perm"] = torch.from_numpy(arrays["perm"])
    for name, order in orders.items():
        logits = net(images[order], None if c is None else c[order])
        met(reference, name, logits, of_max=LOGIT_TOLERANCE)
    # the order decides who shares a group, by more than the tolerance, or this would prove nothing
    moved = torch.from_numpy(arrays["logits_n8"])[orders["logits_n8_perm"]]
    assert float((torch.from_numpy(arrays["logits_n8_perm"]) - moved).abs().max()) > 10 * (
        LOGIT_TOLERANCE * float(moved.abs().max())
    )


@EVERY_REFERENCE
@compares("{reference}", "x_after_*", "mbstd_*")
@torch.no_grad()
def test_features_and_the_spread_channel_of_the_reference_are_met(
    reference: str, snapshot: str
) -> None:
    arrays, net = golden_arrays(reference), golden_discriminator(snapshot)
    maps = dict(zip(net.config.resolutions, net.features(pictures(arrays)[:4]), strict=True))
    for resolution in (16, 8):
        name = f"x_after_b{resolution}"
        met(reference, name, maps[resolution][:1], of_max=FEATURE_TOLERANCE)
    met(reference, "mbstd_in", maps[8], of_max=FEATURE_TOLERANCE)
    met(reference, "mbstd_group_size", net.config.group_size(8))
    appended = minibatch_std(torch.from_numpy(arrays["mbstd_in"]), net.config.mbstd_group_size)
    assert appended.shape[1] == maps[8].shape[1] + 1
    met(reference, "mbstd_channel", appended[:, -1, 0, 0], of_max=FEATURE_TOLERANCE)


@compares("discriminator_cond.npz", "cmap")
@torch.no_grad()
def test_mapped_labels_of_the_reference_are_met() -> None:
    net = golden_discriminator("g_torch_cond.pkl")
    c = labels(golden_arrays("discriminator_cond.npz"))
    assert net.mapping is not None and c is not None
    met("discriminator_cond.npz", "cmap", net.mapping(c), of_max=FEATURE_TOLERANCE)


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
    filtered = resample(x, resample_filter(), padding=1 + size // 2)
    wanted = F.conv2d(filtered, layer.weight * layer.weight_gain, stride=2)
    assert wanted.shape == (2, 7, 6, 6) and torch.allclose(layer(x), wanted, atol=1e-5)


def test_a_clamp_limits_a_layer_and_follows_its_gain() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 5, 6, 6) * 10
    free, clamped = Convolution(5, 7, 3), Convolution(5, 7, 3, clamp=0.75)
    clamped.load_state_dict(free.state_dict())
    for gain in (1.0, 0.5):
        wanted = (free(x) * gain).clamp(-0.75 * gain, 0.75 * gain)
        assert torch.allclose(clamped(x, gain=gain), wanted, atol=1e-5)


@torch.no_grad()
def test_in_skip_the_picture_enters_at_every_size() -> None:
    torch.manual_seed(0)
    net = Discriminator(DiscriminatorConfig(8, 3, 64, 6, architecture="skip"))
    images = torch.rand(4, 3, 8, 8) * 2 - 1
    block = net.get_submodule("b8")
    x = block.conv1(block.conv0(block.fromrgb(images)))
    x = x + net.b4.fromrgb(downsample(images, resample_filter()))
    x = net.b4.fc(net.b4.conv(minibatch_std(x, 4)).flatten(1))
    assert torch.allclose(net(images), net.b4.out(x), atol=1e-6)


@torch.no_grad()
def test_a_label_changes_the_logit_of_a_picture_and_must_be_there() -> None:
    torch.manual_seed(0)
    net = Discriminator(DiscriminatorConfig(8, 3, 64, 6, c_dim=3, num_mapping_layers=2))
    images = torch.rand(1, 3, 8, 8).expand(3, -1, -1, -1)
    logits = net(images, torch.eye(3))
    assert logits.shape == (3, 1) and float((logits[0] - logits[1]).abs()) > 1e-3
    for c in (None, torch.zeros(3, 2)):
        with pytest.raises(ValueError, match=r"conditional: give c of shape \[3, 3\]"):
            net(images, c)


@pytest.mark.parametrize("architecture", ["resnet", "skip", "orig"])
def test_every_architecture_is_differentiable_twice(architecture: Architecture) -> None:
    torch.manual_seed(0)
    net = Discriminator(DiscriminatorConfig(8, 3, 64, 6, 2, architecture=architecture))
    images = (torch.rand(2, 3, 8, 8) * 2 - 1).requires_grad_(True)
    (slope,) = torch.autograd.grad(net(images).sum(), images, create_graph=True)
    slope.square().sum().backward()  # type: ignore[no-untyped-call]
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None or name.endswith("bias"), name
        assert parameter.grad is None or bool(parameter.grad.isfinite().all()), name


FAULTS: list[tuple[dict[str, Any], str]] = [
    *(({"img_resolution": size}, "power of two of at least 8") for size in (4, 6, 48)),
    ({"architecture": "unet"}, "architecture must be one of resnet, skip, orig"),
    ({"mbstd_num_channels": 3, "channel_max": 4}, "must divide the 4 feature maps"),
]


@pytest.mark.parametrize(("words", "reason"), FAULTS)
def test_a_configuration_that_cannot_be_is_refused(words: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        DiscriminatorConfig(**words)


def test_bfloat16_blocks_give_nearly_the_same_logits() -> None:
    torch.manual_seed(0)
    net = Discriminator(TINY)
    images = torch.rand(4, 3, 16, 16) * 2 - 1
    exact = net(images)
    net.bfloat16_from = 8
    reduced = net(images)
    assert reduced.dtype == torch.float32
    assert float((reduced - exact).detach().abs().max()) < 0.05 * float(exact.detach().abs().max())
