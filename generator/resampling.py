"""Filters around a change of size: zeros between the pixels, a low-pass, every n-th pixel kept.

The usual up-sample, filter, down-sample chain of digital signal processing in plain torch,
differentiable as often as wanted, on any device. Sizes and paddings are in pixels.

Paddings are one number, (x, y) or (left, right, top, bottom), count in pixels after the
up-sampling, and crop where they are negative. Factors are one number or (x, y).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

LOW_PASS = (1.0, 3.0, 3.0, 1.0)
SEPARABLE_FROM_TAPS = 8

Factor = int | Sequence[int]
Padding = int | Sequence[int]
Sides = tuple[int, int, int, int]  # left, right, top, bottom


def resample_filter(
    taps: Tensor | Sequence[float] | float = LOW_PASS,
    *,
    normalize: bool = True,
    flip: bool = False,
    gain: float = 1.0,
    separable: bool | None = None,
) -> Tensor:
    """A kernel for the functions below, float32: [H, W], or [T] where it is applied along x and y.

    taps: [H, W], [T] or one number; a line of fewer than 8 taps becomes its outer product with
    itself, unless `separable` says otherwise. normalize: to sum 1. gain: of the whole filter.
    """
    kernel = torch.as_tensor(taps, dtype=torch.float32)
    if kernel.ndim == 0:
        kernel = kernel[None]
    if kernel.ndim == 1:
        if separable is None:
            separable = len(kernel) >= SEPARABLE_FROM_TAPS
        if not separable:
            kernel = torch.outer(kernel, kernel)
    if normalize:
        kernel = kernel / kernel.sum()
    if flip:
        kernel = kernel.flip(tuple(range(kernel.ndim)))
    return kernel * _gain_per_pass(kernel, gain)


def resample(
    x: Tensor,
    kernel: Tensor | None,
    *,
    up: Factor = 1,
    down: Factor = 1,
    padding: Padding = 0,
    flip: bool = False,
    gain: float = 1.0,
) -> Tensor:
    """x [N, C, H, W] with zeros put between (and after) its pixels, padded with zeros, filtered
    channel by channel, and every down-th pixel of that kept, from the first.

    kernel: of `resample_filter`; None: no filter. flip: correlation instead of true convolution.
    Returns [N, C, (H up + top + bottom - taps) // down + 1, the same of W].
    """
    down_x, down_y = _pair(down)
    x = _spread(x, _pair(up), _sides(padding))
    if kernel is None:
        return x[:, :, ::down_y, ::down_x] * gain
    kernel = (kernel * _gain_per_pass(kernel, gain)).to(x.dtype)
    if not flip:
        kernel = kernel.flip(tuple(range(kernel.ndim)))
    if kernel.ndim == 2:
        return _filter(x, kernel, (down_y, down_x))
    return _filter(_filter(x, kernel[None, :], (1, down_x)), kernel[:, None], (down_y, 1))


def smooth(
    x: Tensor, kernel: Tensor, *, padding: Padding = 0, flip: bool = False, gain: float = 1.0
) -> Tensor:
    """x [N, C, H, W] filtered, at its own size plus `padding`."""
    sides = _added(_sides(padding), _centring(kernel))
    return resample(x, kernel, padding=sides, flip=flip, gain=gain)


def upsample(
    x: Tensor,
    kernel: Tensor,
    up: Factor = 2,
    *,
    padding: Padding = 0,
    flip: bool = False,
    gain: float = 1.0,
) -> Tensor:
    """x [N, C, H, W] `up` times as large plus `padding`, as bright as before times `gain`."""
    up_x, up_y = _pair(up)
    sides = _added(_sides(padding), _centring(kernel, up=(up_x, up_y)))
    return resample(x, kernel, up=up, padding=sides, flip=flip, gain=gain * up_x * up_y)


def downsample(
    x: Tensor,
    kernel: Tensor,
    down: Factor = 2,
    *,
    padding: Padding = 0,
    flip: bool = False,
    gain: float = 1.0,
) -> Tensor:
    """x [N, C, H, W] plus `padding`, then a `down`-th as large."""
    sides = _added(_sides(padding), _centring(kernel, down=_pair(down)))
    return resample(x, kernel, down=down, padding=sides, flip=flip, gain=gain)


def resampled_conv2d(
    x: Tensor,
    weight: Tensor,
    kernel: Tensor | None = None,
    *,
    up: int = 1,
    down: int = 1,
    padding: Padding = 0,
    groups: int = 1,
    correlate: bool = True,
    flip: bool = False,
) -> Tensor:
    """x [N, Cin, H, W] up-sampled, convolved with weight [Cout, Cin / groups, k, k], down-sampled.

    padding is that of the convolution, at the up-sampled size. correlate: as torch's conv2d; False
    is a true convolution. flip is of the kernel, as in `resample`. The networks fold filter and
    convolution into one (`operators.upsampling_weight`, `downsampling_weight`), which is faster;
    this is the general form for any size, filter and factor.
    """
    sides = _sides(padding)
    if up > 1:
        sides = _added(sides, _centring(kernel, up=(up, up)))
    if down > 1:
        sides = _added(sides, _centring(kernel, down=(down, down)))
    if up > 1:
        x = resample(x, kernel, up=up, padding=sides, flip=flip, gain=up * up)
        sides = (0, 0, 0, 0)
    if down > 1:
        # filtered before the convolution, which then works at the kept pixels only
        x = resample(x, kernel, padding=sides, flip=flip)
        sides = (0, 0, 0, 0)
    weight = weight if correlate else weight.flip((2, 3))
    return F.conv2d(F.pad(x, sides), weight.to(x.dtype), stride=down, groups=groups)


def _spread(x: Tensor, up: tuple[int, int], sides: Sides) -> Tensor:
    """x with zeros between its pixels and around it, in one write that autograd follows."""
    left, right, top, bottom = (max(side, 0) for side in sides)
    n, channels, height, width = x.shape
    up_x, up_y = up
    size = (n, channels, top + height * up_y + bottom, left + width * up_x + right)
    if size != tuple(x.shape):
        # on a CPU a filter for each channel runs 2 to 10 times as fast over channels-last
        order = torch.channels_last if x.is_cpu else torch.contiguous_format
        spread = torch.empty(size, dtype=x.dtype, device=x.device, memory_format=order).zero_()
        rows = slice(top, top + height * up_y, up_y)
        columns = slice(left, left + width * up_x, up_x)
        spread[:, :, rows, columns] = x
        x = spread
    left, right, top, bottom = (max(-side, 0) for side in sides)
    return x[:, :, top : x.shape[2] - bottom, left : x.shape[3] - right]


def _filter(x: Tensor, kernel: Tensor, stride: tuple[int, int]) -> Tensor:
    """Correlation of every channel with kernel [H, W], where it lies inside."""
    weight = kernel[None, None].expand(x.shape[1], 1, -1, -1)
    return F.conv2d(x, weight, stride=stride, groups=x.shape[1])


def _centring(
    kernel: Tensor | None, *, up: tuple[int, int] = (1, 1), down: tuple[int, int] = (1, 1)
) -> Sides:
    """The padding with which the picture stays in its place: the middle of the filter over the
    middle of a kept (or stuffed) pixel's cell, half a pixel after it where halves are wanted."""
    height, width = (1, 1) if kernel is None else (kernel.shape[0], kernel.shape[-1])
    return (*_split(width, up[0], down[0]), *_split(height, up[1], down[1]))


def _split(taps: int, up: int, down: int) -> tuple[int, int]:
    before = (taps + up - down) // 2
    return before, taps - down - before


def _added(a: Sides, b: Sides) -> Sides:
    left, right, top, bottom = (p + q for p, q in zip(a, b, strict=True))
    return left, right, top, bottom


def _gain_per_pass(kernel: Tensor, gain: float) -> float:
    """A line is applied twice, so each time with the root of the gain."""
    return float(gain ** (kernel.ndim / 2))


def _pair(factor: Factor) -> tuple[int, int]:
    x, y = (factor, factor) if isinstance(factor, int) else factor
    return x, y


def _sides(padding: Padding) -> Sides:
    if isinstance(padding, int):
        return padding, padding, padding, padding
    if len(padding) == 2:
        x, y = padding
        return x, x, y, y
    left, right, top, bottom = padding
    return left, right, top, bottom
