"""The discriminators of StyleGAN2 (arXiv 1912.04958, figure 7); published names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generator.layers import FullyConnected
from generator.operators import (
    LEAKY_GAIN,
    downsampling_weight,
    leaky_relu,
    minibatch_std,
    normalize_second_moment,
    resample_filter,
)
from generator.resampling import downsample

Architecture = Literal["resnet", "skip", "orig"]
RESIDUAL_GAIN = math.sqrt(0.5)  # of each branch, so that their sum keeps its variance


@dataclass(frozen=True)
class DiscriminatorConfig:
    """The arguments that fix a discriminator's shape. Feature maps at resolution r:
    min(channel_base // r, channel_max).

    c_dim: of the labels it is told; 0: none. cmap_dim: of the mapped label; None: the feature maps
    at 4 pixels. layer_features: width of the label mapping's inner layers, embed_features: of the
    embedded label; None: cmap_dim. lr_multiplier: of the mapping's layers. mbstd_group_size:
    pictures whose spread is taken together; None: the whole batch.
    Raises ValueError for a resolution or architecture that there is not, and for a spread in
    channels that do not divide the feature maps.
    """

    img_resolution: int = 64
    img_channels: int = 3
    channel_base: int = 32768
    channel_max: int = 512
    mbstd_group_size: int | None = 4
    mbstd_num_channels: int = 1
    architecture: Architecture = "resnet"
    conv_clamp: float | None = None
    c_dim: int = 0
    cmap_dim: int | None = None
    num_mapping_layers: int = 8
    layer_features: int | None = None
    embed_features: int | None = None
    lr_multiplier: float = 0.01

    def __post_init__(self) -> None:
        size = self.img_resolution
        if size < 8 or size & (size - 1):
            raise ValueError(f"img_resolution must be a power of two of at least 8, not {size}")
        if self.architecture not in get_args(Architecture):
            raise ValueError(
                f"architecture must be one of {', '.join(get_args(Architecture))}, "
                f"not {self.architecture!r}"
            )
        if self.mbstd_num_channels > 0 and self.channels(4) % self.mbstd_num_channels:
            raise ValueError(
                f"mbstd_num_channels must divide the {self.channels(4)} feature maps, "
                f"not be {self.mbstd_num_channels}"
            )

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Those with a block, largest first; 4 is the epilogue's."""
        return tuple(2**k for k in range(int(math.log2(self.img_resolution)), 2, -1))

    @property
    def label_width(self) -> int:
        """Of the mapped label; 0 without labels."""
        if self.c_dim == 0:
            return 0
        return self.channels(4) if self.cmap_dim is None else self.cmap_dim

    def channels(self, resolution: int) -> int:
        return min(self.channel_base // resolution, self.channel_max)

    def has_fromrgb(self, resolution: int) -> bool:
        """Whether the picture enters at this resolution."""
        return self.architecture == "skip" or resolution == self.img_resolution

    def group_size(self, n: int) -> int:
        """How many of n pictures share a group."""
        return n if self.mbstd_group_size is None else min(self.mbstd_group_size, n)

    def to_dict(self) -> dict[str, object]:
        """As JSON. What is as in most discriminators is left out, so that the content hashes of
        files written before there was a choice stay as they are."""
        plain = DiscriminatorConfig()
        return {
            name: value
            for name, value in asdict(self).items()
            if name in _ALWAYS_WRITTEN or value != getattr(plain, name)
        }


_ALWAYS_WRITTEN = (
    "img_resolution", "img_channels", "channel_base", "channel_max", "mbstd_group_size"
)  # fmt: skip


class Convolution(nn.Module):
    """Convolution with the equalised learning rate (scale 1/sqrt(Cin k k)), bias, leaky ReLU;
    `down` filters first, then takes every second pixel."""

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
        clamp: float | None = None,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, size, size))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.register_buffer("resample_filter", resample_filter())
        self.size, self.activate, self.down, self.clamp = size, activate, down, clamp
        self.weight_gain = 1.0 / math.sqrt(in_channels * size * size)

    def forward(self, x: Tensor, gain: float = 1.0) -> Tensor:
        """gain scales the result, and the clamp with it."""
        clamp = None if self.clamp is None else self.clamp * gain
        gain = gain * LEAKY_GAIN if self.activate else gain
        weight = (self.weight * (self.weight_gain * gain)).to(x.dtype)
        bias = None if self.bias is None else (self.bias * gain).to(x.dtype)
        if self.down:
            weight = downsampling_weight(weight, self.resample_filter)
        padding = (weight.shape[-1] - 1) // 2
        x = F.conv2d(x, weight, bias, stride=2 if self.down else 1, padding=padding)
        return leaky_relu(x, clamp) if self.activate else x


class Block(nn.Module):
    """One resolution: fromrgb where the picture enters, conv0, conv1 to half the size, and in
    `resnet` skip, a linear 1x1 convolution around the two."""

    resample_filter: Tensor

    def __init__(self, config: DiscriminatorConfig, resolution: int) -> None:
        super().__init__()
        here, below = config.channels(resolution), config.channels(resolution // 2)
        clamp = config.conv_clamp
        self.architecture = config.architecture
        self.fromrgb = self.skip = None
        if config.has_fromrgb(resolution):
            self.fromrgb = Convolution(config.img_channels, here, 1, clamp=clamp)
        self.conv0 = Convolution(here, here, 3, clamp=clamp)
        self.conv1 = Convolution(here, below, 3, down=True, clamp=clamp)
        if config.architecture == "resnet":
            self.skip = Convolution(here, below, 1, bias=False, activate=False, down=True)
        if config.architecture == "skip":
            self.register_buffer("resample_filter", resample_filter())

    def forward(
        self, x: Tensor | None, images: Tensor | None, dtype: torch.dtype
    ) -> tuple[Tensor, Tensor | None]:
        """x [N, C, r, r] (None in the first block) and images of that size, if they still enter;
        both of the next block: x [N, C', r/2, r/2]."""
        if self.fromrgb is not None:
            assert images is not None
            coloured = self.fromrgb(images.to(dtype))
            x = coloured if x is None else x.to(dtype) + coloured
        assert x is not None
        x = x.to(dtype)
        if self.skip is None:
            x = self.conv1(self.conv0(x))
        else:
            around = self.skip(x, gain=RESIDUAL_GAIN)
            x = around + self.conv1(self.conv0(x), gain=RESIDUAL_GAIN)
        assert isinstance(x, Tensor)
        if self.architecture != "skip":
            return x, None
        assert images is not None
        return x, downsample(images, self.resample_filter)


class LabelMapping(nn.Module):
    """Labels c [N, c_dim] -> [N, label_width]."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.c_dim, self.num_layers = config.c_dim, config.num_mapping_layers
        width = config.embed_features or config.label_width
        self.embed = FullyConnected(config.c_dim, width)
        for k in range(self.num_layers):
            inner = k < self.num_layers - 1 and config.layer_features
            wider = inner or config.label_width
            rate = config.lr_multiplier
            layer = FullyConnected(width, wider, activation="lrelu", lr_multiplier=rate)
            self.add_module(f"fc{k}", layer)
            width = wider

    def forward(self, c: Tensor) -> Tensor:
        x = normalize_second_moment(self.embed(c.to(torch.float32)))
        for k in range(self.num_layers):
            x = self.get_submodule(f"fc{k}")(x)
        return x


class Epilogue(nn.Module):
    """4x4 features to one logit; with labels, the projection of the last features on the mapped
    label (Miyato and Koyama 2018, arXiv 1802.05637), over the root of its width."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        channels, clamp = config.channels(4), config.conv_clamp
        self.group_size, self.spread_channels = config.mbstd_group_size, config.mbstd_num_channels
        self.fromrgb = None
        if config.has_fromrgb(4):
            self.fromrgb = Convolution(config.img_channels, channels, 1, clamp=clamp)
        self.conv = Convolution(channels + self.spread_channels, channels, 3, clamp=clamp)
        self.fc = FullyConnected(channels * 16, channels, activation="lrelu")
        self.out = FullyConnected(channels, config.label_width or 1)

    def forward(self, x: Tensor, images: Tensor | None, label: Tensor | None) -> Tensor:
        """x [N, C, 4, 4], images of that size if they enter here, label [N, label_width] ->
        logits [N, 1]."""
        if self.fromrgb is not None:
            assert images is not None
            x = x + self.fromrgb(images.to(x.dtype))
        if self.spread_channels > 0:
            x = minibatch_std(x, self.group_size, self.spread_channels)
        x = self.fc(self.conv(x).flatten(1))
        logits: Tensor = self.out(x)
        if label is None:
            return logits
        return (logits * label).sum(dim=1, keepdim=True) / math.sqrt(label.shape[1])


class Discriminator(nn.Module):
    """images [N, C, R, R] in about -1..1, labels c [N, c_dim] -> logits [N, 1]; high means real."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        # blocks from this resolution up compute in bfloat16; None: all in float32
        self.bfloat16_from: int | None = None
        for resolution in config.resolutions:
            self.add_module(f"b{resolution}", Block(config, resolution))
        self.mapping = LabelMapping(config) if config.c_dim > 0 else None
        self.b4 = Epilogue(config)

    def forward(self, images: Tensor, c: Tensor | None = None) -> Tensor:
        """Raises ValueError when the labels are missing or of another shape, or when the batch
        cannot be split into groups."""
        c_dim = self.config.c_dim
        label = None
        if self.mapping is not None:
            if c is None or c.shape != (len(images), c_dim):
                raise ValueError(
                    f"this discriminator is conditional: give c of shape [{len(images)}, {c_dim}]"
                )
            label = self.mapping(c)
        maps, smallest = self._blocks(images)
        logits: Tensor = self.b4(maps[-1].float(), smallest, label)
        return logits

    def features(self, images: Tensor) -> Sequence[Tensor]:
        """The output of every block, largest first: [N, C_k, R_k, R_k] each."""
        return self._blocks(images)[0]

    def _blocks(self, images: Tensor) -> tuple[list[Tensor], Tensor | None]:
        """Every block's output, and the images at 4 pixels if they enter there too."""
        remaining: Tensor | None = images
        x: Tensor | None = None
        maps: list[Tensor] = []
        for resolution in self.config.resolutions:
            reduced = self.bfloat16_from is not None and resolution >= self.bfloat16_from
            dtype = torch.bfloat16 if reduced else torch.float32
            x, remaining = self.get_submodule(f"b{resolution}")(x, remaining, dtype)
            assert x is not None
            maps.append(x)
        return maps, remaining
