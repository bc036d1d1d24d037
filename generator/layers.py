"""The layers of a StyleGAN2 generator (arXiv 1912.04958, figures 2 and 7).

Parameter and buffer names are those of published checkpoints.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generator.generator_config import GeneratorConfig
from generator.operators import (
    LEAKY_GAIN,
    fully_connected,
    leaky_relu,
    modulated_conv2d,
    resample_filter,
    upsample_2x,
)

NoiseMode = Literal["const", "none", "random"]
NOISE_MODES: tuple[NoiseMode, ...] = ("const", "none", "random")


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
        self.activation, self.lr_multiplier = activation, lr_multiplier
        # what the stored numbers count, the gain of the activation included
        gain = LEAKY_GAIN if activation == "lrelu" else 1.0
        self.weight_gain = gain * lr_multiplier / math.sqrt(in_features)
        self.bias_gain = gain * lr_multiplier

    def forward(self, x: Tensor) -> Tensor:
        return fully_connected(
            x,
            self.weight,
            self.bias,
            activation=self.activation,
            lr_multiplier=self.lr_multiplier,
        )


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


class UpsamplingSkip(nn.Module):
    """The way around a residual block: a plain 1x1 convolution, then up-sampling to twice the size.

    No bias, no activation, no clamp; weights with the equalised learning rate, 1 / sqrt(in).
    """

    resample_filter: Tensor

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, 1, 1))
        self.register_buffer("resample_filter", resample_filter())
        self.weight_gain = 1.0 / math.sqrt(in_channels)

    def forward(self, x: Tensor, gain: float = 1.0) -> Tensor:
        x = F.conv2d(x, (self.weight * (self.weight_gain * gain)).to(x.dtype))
        return upsample_2x(x, self.resample_filter)
