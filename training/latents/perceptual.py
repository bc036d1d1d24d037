"""How far two pictures are apart to the eye, without any download.

Features of the trained discriminator, compared as LPIPS compares a classifier's (arXiv 1801.03924,
section 3: unit length over the channels at every pixel, squared difference, mean over pixels and
levels; here with equal weights), together with a multi-scale pixel distance, which alone knows
about plain colour. VGG16 stands in for the discriminator where the user has its weights.

Every feature is scaled so that the distance is the plain sum of squared differences; distances
then add up by laying their features side by side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from training.errors import TrainingError
from training.latents.vgg16 import SMALLEST_PX, load_vgg16
from training.learning.discriminator_file import load_discriminator

SMALLEST_LEVEL_PX = 4
# of the features and of the pixels in the built-in distance
FEATURE_WEIGHT = 1.0
PIXEL_WEIGHT = 1.0

Features = tuple[Tensor, ...]


class Distance(Protocol):
    """A differentiable distance by way of features, so that a target's are made once."""

    @property
    def description(self) -> str:
        """What it is made of, for the provenance."""
        ...

    def features(self, images: Tensor) -> Features:
        """images [N, 3, R, R] in -1..1 -> levels [N, C_k, R_k, R_k]."""
        ...

    def distance(self, target: Features, other: Features) -> Tensor:
        """[N], not below 0, and 0 between equal features."""
        ...


def sum_of_squares(target: Features, other: Features) -> Tensor:
    """[N]: squared differences, summed over everything but the batch."""
    sums = [(a - b).square().sum(dim=(1, 2, 3)) for a, b in zip(target, other, strict=True)]
    return torch.stack(sums).sum(dim=0)


class PixelDistance:
    """Mean squared difference at full size and at every halving (2x2 means) down to 4 pixels,
    averaged over these levels. Levels are equal in weight: layout and colour count as much as
    detail, whose exact place a projection cannot hit."""

    description = "pixels at several scales"

    def features(self, images: Tensor) -> Features:
        levels = [images]
        while levels[-1].shape[-1] > SMALLEST_LEVEL_PX:
            levels.append(F.avg_pool2d(levels[-1], 2))
        return tuple(level / math.sqrt(len(levels) * level[0].numel()) for level in levels)

    def distance(self, target: Features, other: Features) -> Tensor:
        return sum_of_squares(target, other)


class FeatureNetwork(Protocol):
    """What makes feature maps [N, C_k, R_k, R_k], at any number of levels, of images."""

    def features(self, images: Tensor) -> Sequence[Tensor]: ...


class FeatureDistance:
    """Squared difference of a network's channel-normalised features, summed over channels, averaged
    over pixels and levels: 0 to 4."""

    def __init__(self, network: FeatureNetwork, description: str) -> None:
        self._network = network
        self.description = description

    def features(self, images: Tensor) -> Features:
        levels = [normalize_channels(level) for level in self._network.features(images)]
        return tuple(
            level / math.sqrt(len(levels) * level.shape[2] * level.shape[3]) for level in levels
        )

    def distance(self, target: Features, other: Features) -> Tensor:
        return sum_of_squares(target, other)


class WeightedSum:
    """Several distances, each that is a sum of squares of its features, with their weights."""

    def __init__(self, parts: Sequence[tuple[float, PixelDistance | FeatureDistance]]) -> None:
        self._parts = tuple(parts)
        self.description = " + ".join(f"{weight:g} x {part.description}" for weight, part in parts)

    def features(self, images: Tensor) -> Features:
        return tuple(
            level * math.sqrt(weight)
            for weight, part in self._parts
            for level in part.features(images)
        )

    def distance(self, target: Features, other: Features) -> Tensor:
        return sum_of_squares(target, other)


def normalize_channels(maps: Tensor) -> Tensor:
    """Unit length over the channels at every pixel of [N, C, H, W] (LPIPS, section 3)."""
    maps = maps.float()
    return maps * (maps.square().sum(dim=1, keepdim=True) + 1e-10).rsqrt()


def open_distance(
    resolution: int, discriminator: Path | None, vgg: Path | None, device: str = "cpu"
) -> Distance:
    """The distance for pictures of `resolution` pixels: features of every network whose file is
    given, in equal parts, and the pixels. Raises TrainingError."""
    networks: list[FeatureDistance] = []
    if discriminator is not None:
        network, digest = load_discriminator(discriminator, device)
        if network.config.img_resolution != resolution or network.config.img_channels != 3:
            raise TrainingError(
                f"{discriminator} looks at {network.config.img_resolution} pixels, and the "
                f"generator paints {resolution}; take the one that was trained with it."
            )
        networks.append(FeatureDistance(network, f"discriminator {digest[:12]}"))
    if vgg is not None:
        if resolution < SMALLEST_PX:
            raise TrainingError(f"--vgg needs pictures of {SMALLEST_PX} pixels, not {resolution}.")
        networks.append(FeatureDistance(load_vgg16(vgg, device), "VGG16"))
    return built_in_distance(networks)


def built_in_distance(networks: Sequence[FeatureDistance]) -> WeightedSum:
    """Features and pixels in their usual proportion; pixels alone where there is no network."""
    share = FEATURE_WEIGHT / max(len(networks), 1)
    return WeightedSum(
        [*((share, network) for network in networks), (PIXEL_WEIGHT, PixelDistance())]
    )
