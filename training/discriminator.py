"""The residual discriminator of StyleGAN2 (arXiv 1912.04958, figure 7c); published names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generator.networks import FullyConnected
from generator.operators import (
    LEAKY_GAIN,
    downsampling_weight,
    leaky_relu,
    resample_filter,
)


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Feature maps at resolution r: min(channel_base // r, channel_max)."""

    img_resolution: int = 64
    img_channels: int = 3
    channel_base: int = 32768
    channel_max: int = 512
    mbstd_group_size: int = 4

    def __post_init__(self) -> None:
        size = self.img_resolution
        if size < 8 or size & (size - 1):
            raise ValueError(f"img_resolution must be a power of two of at least 8, not {size}")

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Those with a block, largest first; 4 is the epilogue's."""
        return tuple(2**k for k in range(int(math.log2(self.img_resolution)), 2, -1))

    def channels(self, resolution: int) -> int:
        return min(self.channel_base // resolution, self.channel_max)

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


class Convolution(nn.Module):
    """Convolution with the equalised learning rate (scale 1/sqrt(Cin k k)); `down` filters first,
    then takes every second pixel."""

    resample_filter: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: int,
        *,
        bias: bool = True,
        activate: bool = True,
        down: bool = False,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, size, size))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.register_buffer("resample_filter", resample_filter())
        self.size, self.activate, self.down = size, activate, down
        self.weight_gain = 1.0 / math.sqrt(in_channels * size * size)

    def forward(self, x: Tensor, gain: float = 1.0) -> Tensor:
        gain = gain * LEAKY_GAIN if self.activate else gain
        weight = (self.weight * (self.weight_gain * gain)).to(x.dtype)
        bias = None if self.bias is None else (self.bias * gain).to(x.dtype)
        if self.down:
            weight = downsampling_weight(weight, self.resample_filter)
        padding = (weight.shape[-1] - 1) // 2
        x = F.conv2d(x, weight, bias, stride=2 if self.down else 1, padding=padding)
        return leaky_relu(x) if self.activate else x


class ResidualBlock(nn.Module):
    """Halves the size. Each branch is scaled by sqrt(1/2), so that their sum keeps its variance."""

    def __init__(self, config: DiscriminatorConfig, resolution: int) -> None:
        super().__init__()
        here, below = config.channels(resolution), config.channels(resolution // 2)
        if resolution == config.img_resolution:
            self.fromrgb: nn.Module | None = Convolution(config.img_channels, here, 1)
        else:
            self.fromrgb = None
        self.conv0 = Convolution(here, here, 3)
        self.conv1 = Convolution(here, below, 3, down=True)
        self.skip = Convolution(here, below, 1, bias=False, activate=False, down=True)

    def forward(self, x: Tensor) -> Tensor:
        if self.fromrgb is not None:
            x = self.fromrgb(x)
        skipped = self.skip(x, gain=math.sqrt(0.5))
        x = self.conv1(self.conv0(x), gain=math.sqrt(0.5))
        total: Tensor = skipped + x
        return total


def minibatch_std(x: Tensor, group_size: int) -> Tensor:
    """Append to x [N, C, H, W] one channel: the standard deviation over interleaved groups of the
    batch (sample i with i + N/g, ...), averaged over channels and pixels (Progressive GAN,
    arXiv 1710.10196, section 3)."""
    n, c, h, w = x.shape
    group = min(group_size, n)
    if n % group:
        raise ValueError(f"a batch of {n} cannot be split into groups of {group}")
    y = x.float().reshape(group, n // group, c, h, w)
    spread = (y.var(dim=0, correction=0) + 1e-8).sqrt().mean(dim=(1, 2, 3))
    channel = spread.reshape(-1, 1, 1, 1).repeat(group, 1, h, w)
    return torch.cat([x, channel.to(x.dtype)], dim=1)


class Epilogue(nn.Module):
    """4x4 features to one logit."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        channels = config.channels(4)
        self.group_size = config.mbstd_group_size
        self.conv = Convolution(channels + 1, channels, 3)
        self.fc = FullyConnected(channels * 16, channels, activation="lrelu")
        self.out = FullyConnected(channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(minibatch_std(x, self.group_size))
        x = self.fc(x.flatten(1))
        logits: Tensor = self.out(x)
        return logits


class Discriminator(nn.Module):
    """images [N, C, R, R] in about -1..1 -> logits [N, 1]; high means real."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        # blocks from this resolution up compute in bfloat16; None: all in float32
        self.bfloat16_from: int | None = None
        for resolution in config.resolutions:
            self.add_module(f"b{resolution}", ResidualBlock(config, resolution))
        self.b4 = Epilogue(config)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.b4(self.features(images)[-1].float())
        return logits

    def features(self, images: Tensor) -> Sequence[Tensor]:
        """The output of every residual block, largest first: [N, C_k, R_k, R_k] each."""
        x = images
        maps = []
        for resolution in self.config.resolutions:
            reduced = self.bfloat16_from is not None and resolution >= self.bfloat16_from
            x = x.to(torch.bfloat16 if reduced else torch.float32)
            x = self.get_submodule(f"b{resolution}")(x)
            maps.append(x)
        return maps
