"""Generators that differ from the usual ones: architectures, widths, and arguments by old names.

The architectures are held against a second way of computing them, in float64: per-sample weights,
a transposed convolution for the up-sampling, and no shared code.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from generator.checkpoint import content_hash, load_safetensors, save_generator
from generator.discriminator import Discriminator, DiscriminatorConfig
from generator.errors import CheckpointError
from generator.generator_config import ARCHITECTURES, GeneratorConfig
from generator.legacy.generators import config_from_arguments, generator_of
from generator.legacy.reader import read_legacy_bytes
from generator.legacy.snapshot import LegacyNetwork, LegacySnapshot
from generator.networks import Generator
from generator.sizes_only import SizesOnly
from tests.legacy_files import module, parameter_of, snapshot, tensor_of
from tests.tensorflow_files import randomized

SMALL = GeneratorConfig(
    z_dim=6, w_dim=5, img_resolution=16, channel_base=96, channel_max=9, num_mapping_layers=2
)
PATH = Path("net.pkl")

# The second way.


def upsampled(x: Tensor, taps: Tensor, margin: int = 0) -> Tensor:
    """Zeros between the pixels and a low-pass of gain 4, as a transposed convolution; margin: of
    pixels around the picture, where the low-pass still reaches."""
    square = torch.outer(taps, taps) / taps.sum() ** 2 * 4
    weight = square.expand(x.shape[1], 1, -1, -1)
    y = F.conv_transpose2d(x, weight, stride=2, groups=x.shape[1])
    return y if margin == 1 else y[:, :, 1:-1, 1:-1]


def layer(
    x: Tensor, w: Tensor, net: dict[str, Tensor], name: str, taps: Tensor, clamp: float | None
) -> Tensor:
    weight = net[f"{name}.weight"]
    affine = net[f"{name}.affine.weight"]
    styles = w @ affine.T / math.sqrt(affine.shape[1]) + net[f"{name}.affine.bias"]
    is_torgb = name.endswith("torgb")
    if is_torgb:
        styles = styles / math.sqrt(weight.shape[1])
    up = name.endswith("conv0")
    rows = []
    for sample, style in zip(x, styles, strict=True):
        own = weight * style[None, :, None, None]
        if not is_torgb:
            own = own / (own.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
        inner = sample[None]
        if up:
            rows.append(F.conv2d(upsampled(inner, taps, margin=1), own.flip(2, 3)))
        else:
            rows.append(F.conv2d(inner, own, padding=own.shape[-1] // 2))
    y = torch.cat(rows)
    if not is_torgb:
        y = y + net[f"{name}.noise_const"] * net[f"{name}.noise_strength"]
    y = y + net[f"{name}.bias"][:, None, None]
    if not is_torgb:
        y = torch.where(y > 0, y, 0.2 * y) * math.sqrt(2)
    return y if clamp is None else y.clamp(-clamp, clamp)


def second_way(net: Generator, ws: Tensor, taps: Tensor) -> Tensor:
    config = net.config
    state = {name: tensor.double() for name, tensor in net.synthesis.state_dict().items()}
    w = list(ws.double().unbind(1))
    x = state["b4.const"].expand(len(ws), -1, -1, -1)
    image: Tensor | None = None
    position = 0
    for r in config.resolutions:
        before = x
        for name in ("conv1",) if r == 4 else ("conv0", "conv1"):
            x = layer(x, w[position], state, f"b{r}.{name}", taps, config.conv_clamp)
            position += 1
        if r > 4 and config.architecture == "resnet":
            skip = state[f"b{r}.skip.weight"]
            around = F.conv2d(before, skip / math.sqrt(skip.shape[1]))
            x = (x + upsampled(around, taps)) / math.sqrt(2)
        if r == config.img_resolution or config.architecture == "skip":
            rgb = layer(x, w[position], state, f"b{r}.torgb", taps, config.conv_clamp)
            image = rgb if image is None else upsampled(image, taps) + rgb
    assert image is not None and position == net.num_ws - 1
    return image


@pytest.mark.parametrize("clamp", [None, 0.4])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_pictures_are_those_of_the_second_way(architecture: Any, clamp: float | None) -> None:
    config = dataclasses.replace(SMALL, architecture=architecture, conv_clamp=clamp)
    net = randomized(Generator(config), spread=0.4)
    ws = torch.randn(3, net.num_ws, net.w_dim, generator=torch.Generator().manual_seed(4))
    ours = net.synthesis(ws)
    reference = second_way(net, ws, torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=torch.float64))
    assert ours.shape == (3, 3, 16, 16) and net.num_ws == 6
    torch.testing.assert_close(ours.double(), reference, rtol=0, atol=5e-6)
    assert ours.std() > 0.05


def test_another_filter_of_four_numbers_is_followed() -> None:
    net = randomized(Generator(dataclasses.replace(SMALL, architecture="resnet")), spread=0.4)
    taps = torch.tensor([1.0, 2.0, 5.0, 4.0], dtype=torch.float64)
    for name, buffer in net.named_buffers():
        if name.endswith("resample_filter"):
            buffer.copy_(torch.outer(taps, taps) / taps.sum() ** 2)
    ws = torch.randn(2, net.num_ws, net.w_dim, generator=torch.Generator().manual_seed(4))
    reference = second_way(net, ws, taps)
    torch.testing.assert_close(net.synthesis(ws).double(), reference, rtol=0, atol=5e-6)


def test_names_are_the_published_ones() -> None:
    def layers(architecture: Any) -> set[str]:
        net = Generator(dataclasses.replace(SMALL, architecture=architecture))
        return {name.removeprefix("synthesis.") for name in net.state_dict()}

    skips = {f"b{r}.skip.{name}" for r in (8, 16) for name in ("weight", "resample_filter")}
    colour = {name for name in layers("skip") if ".torgb." in name}
    assert layers("resnet") - layers("orig") == skips
    assert layers("skip") - layers("orig") == {n for n in colour if not n.startswith("b16.")}


@pytest.mark.parametrize("architecture", ["orig", "resnet"])
def test_without_a_running_image_there_is_no_early_stop(architecture: Any) -> None:
    net = randomized(Generator(dataclasses.replace(SMALL, architecture=architecture)))
    ws = torch.zeros(1, net.num_ws, net.w_dim)
    with pytest.raises(ValueError, match=f"'{architecture}' makes its picture in its last block"):
        net.synthesis(ws, resolution=8)
    assert torch.equal(net.synthesis(ws, resolution=16), net.synthesis(ws))


# The mapping.


def test_widths_of_the_mapping() -> None:
    config = dataclasses.replace(
        SMALL, c_dim=3, num_mapping_layers=3, layer_features=7, embed_features=2, lr_multiplier=0.1
    )
    net = randomized(Generator(config))
    shapes = {n: tuple(t.shape) for n, t in net.mapping.state_dict().items() if "weight" in n}
    assert shapes == {
        "embed.weight": (2, 3), "fc0.weight": (7, 8), "fc1.weight": (7, 7), "fc2.weight": (5, 7)
    }  # fmt: skip
    z, c = torch.randn(4, 6), torch.eye(3)[[0, 1, 2, 0]]
    state = {name: tensor.double() for name, tensor in net.mapping.state_dict().items()}
    label = c.double() @ state["embed.weight"].T / math.sqrt(3) + state["embed.bias"]
    parts = [x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt() for x in (z.double(), label)]
    x = torch.cat(parts, dim=1)
    for k in range(3):
        weight = state[f"fc{k}.weight"]
        x = x @ weight.T * 0.1 / math.sqrt(weight.shape[1]) + state[f"fc{k}.bias"] * 0.1
        x = torch.where(x > 0, x, 0.2 * x) * math.sqrt(2)
    torch.testing.assert_close(net.mapping(z, c)[:, 0].double(), x, rtol=1e-5, atol=1e-7)


def test_w_avg_moves_at_its_own_pace() -> None:
    net = randomized(Generator(dataclasses.replace(SMALL, w_avg_beta=0.75)))
    before = net.mapping.w_avg.clone()
    w = net.mapping(torch.ones(1, 6), update_w_avg=True)[:, 0].mean(0)
    torch.testing.assert_close(net.mapping.w_avg, w + 0.75 * (before - w))


def test_the_largest_published_networks_have_their_published_number_of_parameters() -> None:
    with SizesOnly():
        pair = (
            Generator(GeneratorConfig(img_resolution=1024)),
            Discriminator(DiscriminatorConfig(img_resolution=1024)),
        )
    counts = [sum(parameter.numel() for parameter in net.parameters()) for net in pair]
    assert counts == [30_370_060, 29_012_513]


# Files.

OLDER = {
    "z_dim": 6, "c_dim": 0, "w_dim": 5, "img_resolution": 16, "img_channels": 3,
    "channel_base": 96, "channel_max": 9, "num_mapping_layers": 2, "conv_clamp": None,
}  # fmt: skip


def test_the_usual_configuration_is_written_as_it_always_was() -> None:
    assert SMALL.to_dict() == OLDER
    assert content_hash(SMALL.to_dict(), {}) == content_hash(OLDER, {})
    unusual = dataclasses.replace(SMALL, architecture="orig", lr_multiplier=0.02)
    assert unusual.to_dict() == {**OLDER, "architecture": "orig", "lr_multiplier": 0.02}


@pytest.mark.parametrize(
    "words",
    [
        {"architecture": "resnet"},
        {"architecture": "orig", "conv_clamp": 2.0},
        {"c_dim": 2, "embed_features": 3, "layer_features": 4, "lr_multiplier": 0.1},
        {"w_avg_beta": 0.5, "num_mapping_layers": 1, "img_channels": 1},
    ],
)
def test_every_variant_goes_to_a_file_and_back(words: dict[str, Any], tmp_path: Path) -> None:
    net = randomized(Generator(dataclasses.replace(SMALL, **words)))
    save_generator(net, tmp_path / "g.safetensors", torch.float32)
    back = load_safetensors(tmp_path / "g.safetensors")
    assert back.config == net.config
    state = back.state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in net.state_dict().items())


@pytest.mark.parametrize(("name", "value"), [("architecture", "unet"), ("img_resolution", 24)])
def test_a_configuration_that_there_is_not(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{name} must be"):
        dataclasses.replace(SMALL, **{name: value})


# Arguments of snapshots.

SIZES = {"z_dim": 6, "c_dim": 0, "w_dim": 5, "img_resolution": 16, "img_channels": 3}
CHANNELS = {"channel_base": 96, "channel_max": 9}


@pytest.mark.parametrize(
    "arguments",
    [
        # as the first release of the PyTorch implementation stores them
        {
            **SIZES,
            "mapping_kwargs": {"num_layers": 2},
            "synthesis_kwargs": {**CHANNELS, "num_fp16_res": 4, "conv_clamp": None},
        },
        # as its converter from TensorFlow writes them
        {
            **SIZES,
            "mapping_kwargs": {
                "num_layers": 2, "embed_features": None, "layer_features": 5,
                "activation": "lrelu", "lr_multiplier": 0.01, "w_avg_beta": 0.995,
            },
            "synthesis_kwargs": {
                **CHANNELS, "num_fp16_res": 0, "conv_clamp": None, "architecture": "skip",
                "resample_filter": [1, 3, 3, 1], "use_noise": True, "activation": "lrelu",
            },
        },
        # as the later release does, without synthesis_kwargs
        {
            **SIZES,
            **CHANNELS,
            "mapping_kwargs": {"num_layers": 2},
            "num_fp16_res": 0,
            "fused_modconv_default": "inference_only",
            "conv_clamp": None,
        },
    ],
)  # fmt: skip
def test_arguments_of_every_release(arguments: dict[str, Any]) -> None:
    assert config_from_arguments(arguments, PATH) == SMALL


def test_every_argument_reaches_the_configuration() -> None:
    arguments = {
        **SIZES,
        "c_dim": 4,
        "mapping_kwargs": {
            "num_layers": 3, "embed_features": 11, "layer_features": 12, "lr_multiplier": 0.1,
            "w_avg_beta": None,
        },
        "synthesis_kwargs": {**CHANNELS, "conv_clamp": 256, "architecture": "resnet"},
    }  # fmt: skip
    assert config_from_arguments(arguments, PATH) == GeneratorConfig(
        **{**OLDER, "c_dim": 4, "num_mapping_layers": 3, "conv_clamp": 256.0},  # type: ignore[arg-type]
        architecture="resnet",
        embed_features=11,
        layer_features=12,
        lr_multiplier=0.1,
        w_avg_beta=1.0,
    )


def stored_snapshot(net: Generator, arguments: dict[str, Any], **layer_words: object) -> bytes:
    """A PyTorch snapshot of the net; layer_words are attributes of every synthesis layer."""

    def stored(part: torch.nn.Module) -> object:
        kinds = {"UpsamplingSkip": "Conv2dLayer", "FullyConnected": "FullyConnectedLayer"}
        kind = kinds.get(type(part).__name__, type(part).__name__)
        words = layer_words if kind in ("SynthesisLayer", "ToRGBLayer") else {}
        state = {
            "_parameters": {n: parameter_of(p.numpy()) for n, p in part._parameters.items()},
            "_buffers": {n: tensor_of(b.numpy()) for n, b in part._buffers.items()},
            "_modules": {n: stored(m) for n, m in part._modules.items()},
            "_init_args": (),
            "_init_kwargs": arguments,
            **words,
        }
        return module(kind, state=state)

    return snapshot(stored(net))


def opened(data: bytes) -> Generator:
    return generator_of(read_legacy_bytes(data, "net.pkl"), PATH)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_snapshots_of_every_architecture_are_read(architecture: Any) -> None:
    net = randomized(Generator(dataclasses.replace(SMALL, architecture=architecture)))
    synthesis = {**CHANNELS, "architecture": architecture}
    data = stored_snapshot(
        net, {**SIZES, "mapping_kwargs": {"num_layers": 2}, "synthesis_kwargs": synthesis}
    )
    back = opened(data)
    ws = torch.randn(2, net.num_ws, net.w_dim)
    assert back.config == net.config
    assert torch.equal(back.synthesis(ws), net.synthesis(ws))


def test_a_clamp_that_no_argument_names_is_seen_in_the_layers() -> None:
    net = randomized(Generator(SMALL))
    arguments = {**SIZES, **CHANNELS, "mapping_kwargs": {"num_layers": 2}}
    assert opened(stored_snapshot(net, arguments)).config.conv_clamp is None
    clamped = stored_snapshot(net, arguments, conv_clamp=256)
    assert opened(clamped).config.conv_clamp == 256.0
    named = stored_snapshot(net, {**arguments, "conv_clamp": None}, conv_clamp=None)
    assert opened(named).config.conv_clamp is None


def test_a_snapshot_without_noise_cannot_ask_for_memory() -> None:
    stored = LegacyNetwork(
        "Generator", {"img_resolution": 1 << 14, "synthesis_kwargs": {"use_noise": False}}, {}
    )
    with pytest.raises(CheckpointError, match="ask for more than its tensors"):
        generator_of(LegacySnapshot({"G_ema": stored}, "test"), PATH)
