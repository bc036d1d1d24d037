"""The numerical operators of StyleGAN2, in plain torch: differentiable twice, on any device.

Sources: StyleGAN2 (arXiv 1912.04958) section 2.2 and appendix B; Progressive GAN (arXiv 1710.10196)
sections 3 and 4.1 for the minibatch's standard deviation and the equalised learning rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from generator.resampling import resample_filter as resample_filter
from generator.resampling import upsample

LEAKY_SLOPE = 0.2
LEAKY_GAIN = math.sqrt(2.0)
DEMODULATION_EPS = 1e-8
SPREAD_EPS = 1e-8


@dataclass(frozen=True)
class Activation:
    """of(x, slope); gain: what keeps the variance of a normal distribution about as it was;
    scales: whether of(g x) = g of(x) for g > 0, so that a gain may come before it."""

    of: Callable[[Tensor, float], Tensor]
    gain: float = 1.0
    scales: bool = False


ACTIVATIONS: dict[str, Activation] = {
    "linear": Activation(lambda x, _: x, scales=True),
    "relu": Activation(lambda x, _: F.relu(x), LEAKY_GAIN, scales=True),
    "lrelu": Activation(F.leaky_relu, LEAKY_GAIN, scales=True),
    "tanh": Activation(lambda x, _: x.tanh()),
    "sigmoid": Activation(lambda x, _: x.sigmoid()),
    "elu": Activation(lambda x, _: F.elu(x)),
    "selu": Activation(lambda x, _: F.selu(x)),
    "softplus": Activation(lambda x, _: F.softplus(x)),
    "swish": Activation(lambda x, _: F.silu(x), LEAKY_GAIN),
}


def bias_act(
    x: Tensor,
    bias: Tensor | None = None,
    *,
    dim: int = 1,
    activation: str = "linear",
    slope: float = LEAKY_SLOPE,
    gain: float | None = None,
    clamp: float | None = None,
) -> Tensor:
    """clamp(gain * activation(x + bias)).

    bias: one number for each place along `dim` of x. slope: of lrelu below 0. gain: None is the
    activation's own. The networks fold bias and gain into their convolutions (`leaky_relu`).
    """
    if bias is not None:
        x = x + bias.to(x.dtype).reshape([-1 if axis == dim else 1 for axis in range(x.ndim)])
    chosen = ACTIVATIONS[activation]
    x = chosen.of(x, slope) * (chosen.gain if gain is None else gain)
    return x if clamp is None else x.clamp(-clamp, clamp)


def fully_connected(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    activation: str = "linear",
    lr_multiplier: float = 1.0,
) -> Tensor:
    """x [N, Cin] -> [N, Cout] by weight [Cout, Cin] and bias [Cout], stored for the equalised
    learning rate: the weight counts lr_multiplier / sqrt(Cin) times, the bias lr_multiplier times.
    """
    chosen = ACTIVATIONS[activation]
    folded = chosen.gain if chosen.scales else 1.0
    weight = weight * (folded * lr_multiplier / math.sqrt(weight.shape[1]))
    if bias is None:
        x = x @ weight.t()
    else:
        x = torch.addmm(bias * (folded * lr_multiplier), x, weight.t())
    x = chosen.of(x, LEAKY_SLOPE)
    return x if chosen.scales else x * chosen.gain


def minibatch_std(x: Tensor, group_size: int | None, num_channels: int = 1) -> Tensor:
    """x [N, C, H, W] with `num_channels` channels appended: the standard deviation over groups of
    the batch, averaged over pixels and an equal part of the channels each (section 3).

    Groups are interleaved (sample i with i + N/g, ...); group_size None: the whole batch.
    Raises ValueError for a batch that the groups do not divide.
    """
    n, c, h, w = x.shape
    group = n if group_size is None else min(group_size, n)
    if n % group:
        raise ValueError(f"a batch of {n} cannot be split into groups of {group}")
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    y = wide.reshape(group, n // group, num_channels, c // num_channels, h, w)
    spread = (y.var(dim=0, correction=0) + SPREAD_EPS).sqrt().mean(dim=(2, 3, 4))
    channels = spread.reshape(-1, num_channels, 1, 1).repeat(group, 1, h, w)
    return torch.cat([x, channels.to(x.dtype)], dim=1)


def normalize_second_moment(x: Tensor) -> Tensor:
    """Scale each row of [N, C] to a mean square of one."""
    return x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


def leaky_relu(x: Tensor, clamp: float | None = None) -> Tensor:
    """Leaky ReLU (slope 0.2); with `clamp`, limited to +-clamp.

    Gains belong before it (gain * lrelu(x) = lrelu(gain * x) for a positive gain), where they
    cost nothing on weights and biases.
    """
    x = F.leaky_relu(x, LEAKY_SLOPE)
    return x if clamp is None else x.clamp(-clamp, clamp)


def upsample_2x(x: Tensor, kernel: Tensor) -> Tensor:
    """[N, C, H, W] -> [N, C, 2H, 2W]: zeros between the pixels, then the low-pass with gain 4."""
    return upsample(x, kernel, 2)


def upsampling_weight(weight: Tensor, kernel: Tensor) -> Tensor:
    """One 3x3 convolution at low resolution, before a pixel shuffle, that equals zeros between the
    pixels, the low-pass (gain 4) and a true 3x3 (or 1x1) convolution.

    weight: [Cout, Cin, 3, 3]; kernel: [4, 4]; returns [4 Cout, Cin, 3, 3], the four output phases
    of each channel beside each other. Derivation: with K = weight * kernel (6 taps a side),
    y[2q + r] = sum_d K[2 + r - 2d] x[q + d] for d in -1, 0, 1.
    """
    if weight.shape[-1] == 1:
        weight = F.pad(weight, (1, 1, 1, 1))
    taps = _convolved(weight, kernel * 4.0).flip(2, 3)
    c_out, c_in = weight.shape[:2]
    phases = taps.reshape(c_out, c_in, 3, 2, 3, 2).flip(3, 5)
    return phases.permute(0, 3, 5, 1, 2, 4).reshape(4 * c_out, c_in, 3, 3)


def downsampling_weight(weight: Tensor, kernel: Tensor) -> Tensor:
    """The kernel of one stride-2 correlation that equals the low-pass [4, 4], then a correlation
    with `weight` [Cout, Cin, k, k] and stride 2: [Cout, Cin, k + 3, k + 3]."""
    return _convolved(weight, kernel).contiguous(memory_format=torch.channels_last)


def _convolved(weight: Tensor, kernel: Tensor) -> Tensor:
    """Full true convolution of every k x k kernel with [4, 4]: [Cout, Cin, k + 3, k + 3]."""
    c_out, c_in, height, width = weight.shape
    flat = weight.reshape(c_out * c_in, 1, height, width)
    taps = F.conv2d(flat, kernel.flip(0, 1)[None, None].to(flat.dtype), padding=3)
    return taps.reshape(c_out, c_in, *taps.shape[2:])


def demodulation(weight: Tensor, styles: Tensor) -> Tensor:
    """The factor that returns each output feature map to unit variance: [N, Cout].

    weight: [Cout, Cin, k, k]; styles: [N, Cin]. StyleGAN2, equation 3, with the sum over the
    kernel taken once for all samples.
    """
    energy = weight.square().sum(dim=(2, 3))
    return (styles.square() @ energy.t() + DEMODULATION_EPS).rsqrt()


def modulated_conv2d(
    x: Tensor,
    weight: Tensor,
    styles: Tensor,
    *,
    demodulate: bool = True,
    up_kernel: Tensor | None = None,
    offset: Tensor | None = None,
    gain: float = 1.0,
) -> Tensor:
    """Convolution whose input channels are scaled per sample, then demodulated.

    x: [N, Cin, H, W]; weight: [Cout, Cin, k, k]; styles: [N, Cin]; returns [N, Cout, H', W'] times
    `gain`, plus `offset` (anything that broadcasts to it). With `up_kernel` [4, 4] the result is
    at twice the size. Scaling inputs and outputs around one dense convolution equals the
    per-sample weights of StyleGAN2 section 2.2 (equations 1 and 3) and keeps the convolution
    shared; gain and offset ride on the output scaling, which saves passes over memory.
    """
    x = x * styles[:, :, None, None].to(x.dtype)
    scale = demodulation(weight, styles) * gain if demodulate else None
    if up_kernel is not None:
        weight = upsampling_weight(weight, up_kernel)
    x = F.conv2d(x, weight.to(x.dtype), padding=weight.shape[-1] // 2)
    if up_kernel is not None:
        x = F.pixel_shuffle(x, 2)
    if scale is None:
        x = x if gain == 1.0 else x * gain
        return x if offset is None else x + offset.to(x.dtype)
    factor = scale[:, :, None, None].to(x.dtype)
    return x * factor if offset is None else torch.addcmul(offset.to(x.dtype), x, factor)
