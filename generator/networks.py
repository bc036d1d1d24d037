"""Mapping and synthesis networks of StyleGAN2 (arXiv 1912.04958, figure 7).

Parameter and buffer names are those of published checkpoints (`mapping.fc0.weight`,
`synthesis.b8.conv0.noise_const`, ...), so that their tensors load without renaming.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn

from generator.generator_config import GeneratorConfig
from generator.layers import (
    NOISE_MODES,
    FullyConnected,
    NoiseMode,
    SynthesisLayer,
    ToRGBLayer,
    UpsamplingSkip,
)
from generator.operators import normalize_second_moment, resample_filter, upsample_2x

__all__ = [
    "NOISE_MODES",
    "FullyConnected",
    "Generator",
    "GeneratorConfig",
    "MappingNetwork",
    "NoiseMode",
    "SynthesisBlock",
    "SynthesisLayer",
    "SynthesisNetwork",
    "ToRGBLayer",
    "UpsamplingSkip",
]

RESIDUAL_GAIN = math.sqrt(0.5)  # of each branch, so that their sum keeps its variance


class MappingNetwork(nn.Module):
    """z [N, z_dim] (and label c [N, c_dim]) -> ws [N, num_ws, w_dim]."""

    w_avg: Tensor

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.z_dim, self.c_dim = config.z_dim, config.c_dim
        self.w_dim, self.num_ws = config.w_dim, config.num_ws
        self.num_layers = config.num_mapping_layers
        self.w_avg_beta = config.w_avg_beta
        width = config.z_dim
        if config.c_dim > 0:
            label_width = config.embed_features or config.w_dim
            self.embed = FullyConnected(config.c_dim, label_width)
            width += label_width
        for k in range(self.num_layers):
            last = k == self.num_layers - 1
            wider = config.w_dim if last else config.layer_features or config.w_dim
            rate = config.lr_multiplier
            layer = FullyConnected(width, wider, activation="lrelu", lr_multiplier=rate)
            self.add_module(f"fc{k}", layer)
            width = wider
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


class SynthesisBlock(nn.Module):
    """One resolution: conv0 (up-sampling; none at 4x4), conv1, and torgb into the running image.

    torgb is None where the block makes no picture, skip where no convolution goes around the two.
    """

    resample_filter: Tensor
    torgb: ToRGBLayer | None
    skip: UpsamplingSkip | None

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
        self.torgb = ToRGBLayer(config, channels) if config.has_torgb(resolution) else None
        self.skip = UpsamplingSkip(below, channels) if config.has_skip(resolution) else None

    def forward(
        self, x: Tensor | None, image: Tensor | None, ws: Tensor, noise_mode: NoiseMode
    ) -> tuple[Tensor, Tensor | None]:
        """ws [N, 2 or 3, w_dim]: one w for each of conv0 (if any), conv1, torgb."""
        layer_ws = list(ws.unbind(dim=1))
        if x is None:
            x = self.const[None].expand(len(ws), -1, -1, -1)
            x = self.conv1(x, layer_ws[0], noise_mode)
        else:
            around = None if self.skip is None else self.skip(x, gain=RESIDUAL_GAIN)
            x = self.conv1(self.conv0(x, layer_ws.pop(0), noise_mode), layer_ws[0], noise_mode)
            x = x if around is None else torch.add(around, x, alpha=RESIDUAL_GAIN)
        assert isinstance(x, Tensor)
        if self.torgb is None:
            return x, image
        rgb = self.torgb(x, layer_ws[1]).to(torch.float32)
        if image is not None:
            rgb = upsample_2x(image, self.resample_filter) + rgb
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
        of ws, an unknown noise mode, or a resolution whose block is not there or makes no picture.
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
        if not config.has_torgb(last):
            raise ValueError(
                f"a generator of the architecture '{config.architecture}' makes its picture in its "
                f"last block only, so it cannot stop at {last}"
            )
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
