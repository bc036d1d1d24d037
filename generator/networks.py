"""Mapping and synthesis networks of StyleGAN2 with skip connections (arXiv 1912.04958, figure 7b).

Parameter and buffer names are those of published checkpoints (`mapping.fc0.weight`,
`synthesis.b8.conv0.noise_const`, ...), so that their tensors load without renaming.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn

from generator.operators import (
    LEAKY_GAIN,
    leaky_relu,
    modulated_conv2d,
    normalize_second_moment,
    resample_filter,
    upsample_2x,
)

NoiseMode = Literal["const", "none", "random"]
NOISE_MODES: tuple[NoiseMode, ...] = ("const", "none", "random")


@dataclass(frozen=True)
class GeneratorConfig:
    """The arguments that fix a generator's shape. Feature maps at resolution r:
    min(channel_base // r, channel_max)."""

    z_dim: int = 512
    c_dim: int = 0
    w_dim: int = 512
    img_resolution: int = 64
    img_channels: int = 3
    channel_base: int = 32768
    channel_max: int = 512
    num_mapping_layers: int = 8
    conv_clamp: float | None = None

    def __post_init__(self) -> None:
        size = self.img_resolution
        if size < 4 or size & (size - 1):
            raise ValueError(f"img_resolution must be a power of two of at least 4, not {size}")

    @property
    def num_ws(self) -> int:
        return 2 * int(math.log2(self.img_resolution)) - 2

    @property
    def resolutions(self) -> tuple[int, ...]:
        return tuple(2**k for k in range(2, int(math.log2(self.img_resolution)) + 1))

    def channels(self, resolution: int) -> int:
        return min(self.channel_base // resolution, self.channel_max)

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


class FullyConnected(nn.Module):
    """y = activation(x W^T + b) with the equalised learning rate of Progressive GAN: weights are
    stored with unit variance (over lr_multiplier) and scaled by lr_multiplier / sqrt(in)."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        activation: Literal["linear", "lrelu"] = "linear",
        lr_multiplier: float = 1.0,
        bias_init: float = 0.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / lr_multiplier)
        self.bias = nn.Parameter(torch.full((out_features,), bias_init / lr_multiplier))
        self.activation = activation
        gain = LEAKY_GAIN if activation == "lrelu" else 1.0
        self.weight_gain = gain * lr_multiplier / math.sqrt(in_features)
        self.bias_gain = gain * lr_multiplier

    def forward(self, x: Tensor) -> Tensor:
        x = torch.addmm(self.bias * self.bias_gain, x, (self.weight * self.weight_gain).t())
        return leaky_relu(x) if self.activation == "lrelu" else x


class MappingNetwork(nn.Module):
    """z [N, z_dim] (and label c [N, c_dim]) -> ws [N, num_ws, w_dim]."""

    w_avg: Tensor

    def __init__(self, config: GeneratorConfig, w_avg_beta: float = 0.995) -> None:
        super().__init__()
        self.z_dim, self.c_dim = config.z_dim, config.c_dim
        self.w_dim, self.num_ws = config.w_dim, config.num_ws
        self.num_layers = config.num_mapping_layers
        self.w_avg_beta = w_avg_beta
        width = config.z_dim if config.c_dim == 0 else config.z_dim + config.w_dim
        if config.c_dim > 0:
            self.embed = FullyConnected(config.c_dim, config.w_dim)
        for k in range(self.num_layers):
            layer = FullyConnected(width, config.w_dim, activation="lrelu", lr_multiplier=0.01)
            self.add_module(f"fc{k}", layer)
            width = config.w_dim
        self.register_buffer("w_avg", torch.zeros(config.w_dim))

    def forward(
        self,
        z: Tensor,
        c: Tensor | None = None,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
        update_w_avg: bool = False,
    ) -> Tensor:
        """Map latents and, with truncation_psi != 1, pull the first `truncation_cutoff` layers
        (all when None) towards w_avg: w' = w_avg + psi (w - w_avg) (StyleGAN, section 2 and
        appendix B of arXiv 1812.04948)."""
        _require(z.ndim == 2 and z.shape[1] == self.z_dim, f"z must be [N, {self.z_dim}]", z)
        x = normalize_second_moment(z.to(torch.float32))
        if self.c_dim > 0:
            if c is None:
                raise ValueError(
                    f"this generator is conditional: give c of shape [N, {self.c_dim}]"
                )
            _require(c.shape == (len(z), self.c_dim), f"c must be [{len(z)}, {self.c_dim}]", c)
            label = normalize_second_moment(self.embed(c.to(torch.float32)))
            x = torch.cat([x, label], dim=1)
        for k in range(self.num_layers):
            x = self.get_submodule(f"fc{k}")(x)
        if update_w_avg:
            self.w_avg.copy_(torch.lerp(x.detach().mean(dim=0), self.w_avg, self.w_avg_beta))
        ws = x[:, None, :].repeat(1, self.num_ws, 1)
        if truncation_psi != 1.0:
            pulled = torch.lerp(self.w_avg, ws, truncation_psi)
            layers = self.num_ws if truncation_cutoff is None else truncation_cutoff
            ws = torch.cat([pulled[:, :layers], ws[:, layers:]], dim=1)
        return ws


class SynthesisLayer(nn.Module):
    """Modulated 3x3 convolution, noise, bias, leaky ReLU."""

    noise_const: Tensor
    resample_filter: Tensor

    def __init__(
        self,
        config: GeneratorConfig,
        in_channels: int,
        out_channels: int,
        resolution: int,
        up: bool,
    ) -> None:
        super().__init__()
        self.resolution, self.up, self.clamp = resolution, up, config.conv_clamp
        self.affine = FullyConnected(config.w_dim, in_channels, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, 3, 3))
        self.noise_strength = nn.Parameter(torch.zeros([]))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.register_buffer("resample_filter", resample_filter())
        self.register_buffer("noise_const", torch.randn(resolution, resolution))

    def forward(self, x: Tensor, w: Tensor, noise_mode: NoiseMode) -> Tensor:
        offset = self.bias[:, None, None] * LEAKY_GAIN
        if noise_mode == "const":
            offset = offset + self.noise_const * (self.noise_strength * LEAKY_GAIN)
        x = modulated_conv2d(
            x,
            self.weight,
            self.affine(w),
            up_kernel=self.resample_filter if self.up else None,
            offset=offset,
            gain=LEAKY_GAIN,
        )
        if noise_mode == "random":
            noise = x.new_empty(len(x), 1, self.resolution, self.resolution).normal_()
            x = x + noise * (self.noise_strength * LEAKY_GAIN).to(x.dtype)
        return leaky_relu(x, clamp=self.clamp)


class ToRGBLayer(nn.Module):
    """Modulated 1x1 convolution to colour, without demodulation."""

    def __init__(self, config: GeneratorConfig, in_channels: int) -> None:
        super().__init__()
        self.clamp = config.conv_clamp
        self.affine = FullyConnected(config.w_dim, in_channels, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(config.img_channels, in_channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(config.img_channels))
        self.weight_gain = 1.0 / math.sqrt(in_channels)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        styles = self.affine(w) * self.weight_gain
        offset = self.bias[:, None, None]
        x = modulated_conv2d(x, self.weight, styles, demodulate=False, offset=offset)
        return x if self.clamp is None else x.clamp(-self.clamp, self.clamp)


class SynthesisBlock(nn.Module):
    """One resolution: conv0 (up-sampling; none at 4x4), conv1, and torgb into the running image."""

    resample_filter: Tensor

    def __init__(self, config: GeneratorConfig, resolution: int) -> None:
        super().__init__()
        channels = config.channels(resolution)
        self.resolution = resolution
        self.register_buffer("resample_filter", resample_filter())
        if resolution == 4:
            self.const = nn.Parameter(torch.randn(channels, 4, 4))
        else:
            below = config.channels(resolution // 2)
            self.conv0 = SynthesisLayer(config, below, channels, resolution, up=True)
        self.conv1 = SynthesisLayer(config, channels, channels, resolution, up=False)
        self.torgb = ToRGBLayer(config, channels)

    def forward(
        self, x: Tensor | None, image: Tensor | None, ws: Tensor, noise_mode: NoiseMode
    ) -> tuple[Tensor, Tensor]:
        """ws [N, 2 or 3, w_dim]: one w for each of conv0 (if any), conv1, torgb."""
        layer_ws = list(ws.unbind(dim=1))
        if x is None:
            x = self.const[None].expand(len(ws), -1, -1, -1)
        else:
            x = self.conv0(x, layer_ws.pop(0), noise_mode)
        x = self.conv1(x, layer_ws[0], noise_mode)
        rgb = self.torgb(x, layer_ws[1]).to(torch.float32)
        if image is not None:
            rgb = upsample_2x(image, self.resample_filter) + rgb
        assert isinstance(x, Tensor)
        return x, rgb


class SynthesisNetwork(nn.Module):
    """ws [N, num_ws, w_dim] -> image [N, C, R, R], about -1..1."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.num_ws = config.num_ws
        # for training: blocks from this resolution up compute in bfloat16; None: all in float32
        self.bfloat16_from: int | None = None
        for resolution in config.resolutions:
            self.add_module(f"b{resolution}", SynthesisBlock(config, resolution))

    def blocks(self) -> list[SynthesisBlock]:
        """The blocks, smallest resolution first."""
        return [cast(SynthesisBlock, block) for block in self.children()]

    def forward(
        self, ws: Tensor, noise_mode: NoiseMode = "const", resolution: int | None = None
    ) -> Tensor:
        """resolution: stop after that block and return its running image; None: the whole net.

        Each torgb shares its w with the next block's conv0. Raises ValueError for a wrong shape
        of ws, an unknown noise mode, or a resolution that has no block.
        """
        config = self.config
        _require(
            ws.ndim == 3 and tuple(ws.shape[1:]) == (config.num_ws, config.w_dim),
            f"ws must be [N, {config.num_ws}, {config.w_dim}]",
            ws,
        )
        if noise_mode not in NOISE_MODES:
            raise ValueError(
                f"noise_mode must be one of {', '.join(NOISE_MODES)}, not {noise_mode!r}"
            )
        last = config.img_resolution if resolution is None else resolution
        if last not in config.resolutions:
            raise ValueError(f"resolution must be one of {config.resolutions}, not {resolution}")
        ws = ws.to(torch.float32)
        x: Tensor | None = None
        image: Tensor | None = None
        first_w = 0
        for block in self.blocks():
            size = block.resolution
            convolutions = 1 if size == 4 else 2
            block_ws = ws[:, first_w : first_w + convolutions + 1]
            if x is not None and self.bfloat16_from is not None and size >= self.bfloat16_from:
                x = x.to(torch.bfloat16)
            x, image = block(x, image, block_ws, noise_mode)
            first_w += convolutions
            if size == last:
                break
        assert image is not None
        return image


class Generator(nn.Module):
    """Mapping and synthesis together, with the sizes a caller needs as attributes."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.z_dim, self.w_dim, self.c_dim = config.z_dim, config.w_dim, config.c_dim
        self.num_ws = config.num_ws
        self.img_resolution, self.img_channels = config.img_resolution, config.img_channels
        self.mapping = MappingNetwork(config)
        self.synthesis = SynthesisNetwork(config)

    def forward(
        self,
        z: Tensor,
        c: Tensor | None = None,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
        noise_mode: NoiseMode = "const",
    ) -> Tensor:
        """z [N, z_dim] -> image [N, C, R, R]."""
        ws = self.mapping(z, c, truncation_psi, truncation_cutoff)
        image = self.synthesis(ws, noise_mode=noise_mode)
        assert isinstance(image, Tensor)
        return image


def _require(condition: bool, sentence: str, value: Tensor) -> None:
    if not condition:
        raise ValueError(f"{sentence}; this one is {list(value.shape)}")
