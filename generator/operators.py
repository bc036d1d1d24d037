"""The numerical operators of StyleGAN2, in plain torch: differentiable twice, on any device.

Sources: StyleGAN2 (arXiv 1912.04958) section 2.2 and appendix B; its resampling follows the usual
up-sample, filter, down-sample chain of digital signal processing.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

LEAKY_SLOPE = 0.2
LEAKY_GAIN = math.sqrt(2.0)
DEMODULATION_EPS = 1e-8


def resample_filter(taps: tuple[float, ...] = (1.0, 3.0, 3.0, 1.0)) -> Tensor:
    """Outer product of a 1-D low-pass with itself, normalised to sum 1: float32 [T, T]."""
    line = torch.tensor(taps, dtype=torch.float32)
    square = torch.outer(line, line)
    return square / square.sum()


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


def fir_filter(
    x: Tensor, kernel: Tensor, padding: tuple[int, int, int, int], gain: float
) -> Tensor:
    """True convolution of every channel of x [N, C, H, W] with kernel [T, T], times gain.

    padding: (left, right, top, bottom) zeros, in pixels.
    """
    channels = x.shape[1]
    weight = (kernel * gain).flip(0, 1).to(x.dtype)
    weight = weight[None, None].expand(channels, 1, -1, -1)
    left, right, top, bottom = padding
    if left == right and top == bottom:
        return F.conv2d(x, weight, padding=(top, left), groups=channels)
    return F.conv2d(F.pad(x, (left, right, top, bottom)), weight, groups=channels)


def upsample_2x(x: Tensor, kernel: Tensor) -> Tensor:
    """[N, C, H, W] -> [N, C, 2H, 2W]: zeros between the pixels, then the low-pass with gain 4."""
    n, channels, height, width = x.shape
    # zeros at the odd places, by an interleaving write that autograd follows twice
    stuffed = torch.zeros_like(x)
    x = torch.stack([x, stuffed], dim=-1).reshape(n, channels, height, 2 * width)
    stuffed = torch.zeros_like(x)
    x = torch.stack([x, stuffed], dim=3).reshape(n, channels, 2 * height, 2 * width)
    return fir_filter(x, kernel, (2, 1, 2, 1), gain=4.0)


def upsampling_weight(weight: Tensor, kernel: Tensor) -> Tensor:
    """One 3x3 convolution at low resolution, before a pixel shuffle, that equals zeros between the
    pixels, the low-pass (gain 4) and a true 3x3 convolution.

    weight: [Cout, Cin, 3, 3]; kernel: [4, 4]; returns [4 Cout, Cin, 3, 3], the four output phases
    of each channel beside each other. Derivation: with K = weight * kernel (6 taps a side),
    y[2q + r] = sum_d K[2 + r - 2d] x[q + d] for d in -1, 0, 1.
    """
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
        return x if offset is None else x + offset.to(x.dtype)
    factor = scale[:, :, None, None].to(x.dtype)
    return x * factor if offset is None else torch.addcmul(offset.to(x.dtype), x, factor)
