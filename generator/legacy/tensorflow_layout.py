"""How the TensorFlow implementation names and lays out the numbers of a network.

One table per network serves reading and writing alike. Layouts against those of PyTorch: dense
weights are [in, out], convolutions [kh, kw, in, out], up-sampling 3x3 convolutions are flipped in
both axes besides, biases of styles lack the 1 that they start from, the constant has one leading
axis and noise two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from generator.legacy.torch_numbers import Array

Layout = Literal[
    "same", "dense", "convolution", "flipped convolution", "style bias", "constant", "noise"
]
_AXES: dict[Layout, int] = {  # of the TensorFlow array, where only one number can be right
    "dense": 2,
    "convolution": 4,
    "flipped convolution": 4,
    "constant": 4,
    "noise": 4,
}


@dataclass(frozen=True)
class Place:
    """One array: its TensorFlow name (component/variable), its PyTorch name, and the layout."""

    tensorflow: str
    pytorch: str
    layout: Layout = "same"


def to_pytorch(array: Array, layout: Layout) -> Array:
    """Float32, in PyTorch's layout, as a copy. Raises ValueError for a wrong number of axes."""
    # beyond float32 is infinity, and a signalling NaN a NaN, without a warning: what is not
    # finite is refused when the network is built
    with np.errstate(over="ignore", invalid="ignore"):
        array = array.astype(np.float32)
    if array.ndim != _AXES.get(layout, array.ndim):
        raise ValueError(f"has the shape {list(array.shape)}")
    match layout:
        case "dense":
            array = array.T
        case "convolution":
            array = array.transpose(3, 2, 0, 1)
        case "flipped convolution":
            array = array[::-1, ::-1].transpose(3, 2, 0, 1)
        case "style bias":
            with np.errstate(invalid="ignore"):
                array = array + np.float32(1)
        case "constant":
            array = array[0]
        case "noise":
            array = array[0, 0]
    return np.ascontiguousarray(array).reshape(array.shape)


def to_tensorflow(array: Array, layout: Layout) -> Array:
    """The inverse of `to_pytorch`: exact but for a style bias that PyTorch moved nearer to 0 than
    float32 can tell 1 apart from, where it rounds (at most 6e-8)."""
    match layout:
        case "dense":
            array = array.T
        case "convolution":
            array = array.transpose(2, 3, 1, 0)
        case "flipped convolution":
            array = array.transpose(2, 3, 1, 0)[::-1, ::-1]
        case "style bias":
            array = array - np.float32(1)
        case "constant":
            array = array[None]
        case "noise":
            array = array[None, None]
    return np.ascontiguousarray(array).reshape(array.shape)


def generator_places(
    resolutions: Sequence[int],
    *,
    architecture: str,
    num_mapping_layers: int,
    conditional: bool,
    use_noise: bool = True,
) -> Iterator[Place]:
    """resolutions: of the blocks, 4 first."""
    yield Place("dlatent_avg", "mapping.w_avg")
    if conditional:
        yield Place("mapping/LabelEmbed/weight", "mapping.embed.weight", "dense")
        yield Place("mapping/LabelEmbed/bias", "mapping.embed.bias")
    for k in range(num_mapping_layers):
        yield Place(f"mapping/Dense{k}/weight", f"mapping.fc{k}.weight", "dense")
        yield Place(f"mapping/Dense{k}/bias", f"mapping.fc{k}.bias")
    yield Place("synthesis/4x4/Const/const", "synthesis.b4.const", "constant")
    noise = 0
    for r in resolutions:
        ours, theirs = f"synthesis.b{r}", f"synthesis/{r}x{r}"
        if r > 4 and architecture == "resnet":
            yield Place(f"{theirs}/Skip/weight", f"{ours}.skip.weight", "convolution")
        names = {"Conv": "conv1"} if r == 4 else {"Conv0_up": "conv0", "Conv1": "conv1"}
        for tensorflow, pytorch in names.items():
            yield from _modulated(f"{theirs}/{tensorflow}", f"{ours}.{pytorch}")
            if use_noise:
                strength = f"{theirs}/{tensorflow}/noise_strength"
                yield Place(strength, f"{ours}.{pytorch}.noise_strength")
                yield Place(f"synthesis/noise{noise}", f"{ours}.{pytorch}.noise_const", "noise")
            noise += 1
        if architecture == "skip" or r == resolutions[-1]:
            yield from _modulated(f"{theirs}/ToRGB", f"{ours}.torgb")


def _modulated(theirs: str, ours: str) -> Iterator[Place]:
    flipped = theirs.endswith("Conv0_up")
    yield Place(
        f"{theirs}/weight", f"{ours}.weight", "flipped convolution" if flipped else "convolution"
    )
    yield Place(f"{theirs}/mod_weight", f"{ours}.affine.weight", "dense")
    yield Place(f"{theirs}/mod_bias", f"{ours}.affine.bias", "style bias")
    yield Place(f"{theirs}/bias", f"{ours}.bias")


def discriminator_places(
    resolutions: Sequence[int],
    *,
    architecture: str,
    num_mapping_layers: int,
    conditional: bool,
) -> Iterator[Place]:
    """resolutions: of the blocks, largest first, without the epilogue's 4."""
    if conditional:
        yield Place("LabelEmbed/weight", "mapping.embed.weight", "dense")
        yield Place("LabelEmbed/bias", "mapping.embed.bias")
        for k in range(num_mapping_layers):
            yield Place(f"Mapping{k}/weight", f"mapping.fc{k}.weight", "dense")
            yield Place(f"Mapping{k}/bias", f"mapping.fc{k}.bias")
    for r in resolutions:
        if architecture == "skip" or r == resolutions[0]:
            yield from _plain(f"{r}x{r}/FromRGB", f"b{r}.fromrgb")
        yield from _plain(f"{r}x{r}/Conv0", f"b{r}.conv0")
        yield from _plain(f"{r}x{r}/Conv1_down", f"b{r}.conv1")
        if architecture == "resnet":
            yield Place(f"{r}x{r}/Skip/weight", f"b{r}.skip.weight", "convolution")
    if architecture == "skip":
        yield from _plain("4x4/FromRGB", "b4.fromrgb")
    yield from _plain("4x4/Conv", "b4.conv")
    for tensorflow, pytorch in (("4x4/Dense0", "b4.fc"), ("Output", "b4.out")):
        yield Place(f"{tensorflow}/weight", f"{pytorch}.weight", "dense")
        yield Place(f"{tensorflow}/bias", f"{pytorch}.bias")


def _plain(theirs: str, ours: str) -> Iterator[Place]:
    yield Place(f"{theirs}/weight", f"{ours}.weight", "convolution")
    yield Place(f"{theirs}/bias", f"{ours}.bias")
