"""Image-space filtering, noise and cutout (arXiv 2006.06676, appendix B): what an augmentation does
to pictures besides moving and recolouring them. Pictures are [N, C, H, W] in about -1..1."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

# The low-pass of the symlet of two vanishing moments (Daubechies 1992, "Ten lectures on wavelets",
# section 8.1.1), of unit energy.
SYMLET_2 = (-0.12940952255092145, 0.22414386804185735, 0.836516303737469, 0.48296291314469025)
BANDS = 4  # of frequencies: 0 to pi/8, to pi/4, to pi/2, to pi
BAND_POWER = (10 / 13, 1 / 13, 1 / 13, 1 / 13)  # as a picture has it, falling with 1/f
NOISE_STD = 0.1
CUTOUT_SIZE = 0.5  # of width and height


def frequency_bands() -> Tensor:
    """Filters that split a line of pixels into the four bands and add up to it: float32 [4, 43].

    They are the power responses of the wavelet's cascade, symmetric about their middle: with
    L(z) = H(z) H(1/z) / 2 of the low-pass H, the bands are L(z) L(z^2) L(z^4), then
    L(z) L(z^2) (1 - L(z^4)), L(z) (1 - L(z^2)) and 1 - L(z).
    """
    taps = np.array(SYMLET_2)
    low = np.convolve(taps, taps[::-1]) / 2
    passed = np.ones(1)
    bands: list[NDArray[np.float64]] = []
    for level in range(BANDS - 1):
        here = np.convolve(passed, _spread(low, 2**level))
        bands.append(_centred(passed, len(here)) - here)
        passed = here
    bands.append(passed)
    longest = len(passed)
    return torch.tensor(np.stack([_centred(band, longest) for band in reversed(bands)])).float()


def draw_band_gains(n: int, p: float) -> Tensor:
    """Amplification of each band of n pictures: [n, 4]; ones where nothing happens.

    Each band in turn is amplified with probability p by 2^N(0, 1), and all are then scaled so that
    a picture with the power of BAND_POWER keeps it.
    """
    power = torch.tensor(BAND_POWER)
    gains = torch.ones(n, BANDS)
    for band in range(BANDS):
        factor = torch.where(torch.rand(n) < p, torch.exp2(torch.randn(n)), torch.ones(n))
        step = torch.ones(n, BANDS)
        step[:, band] = factor
        gains = gains * step / (power * step.square()).sum(dim=1, keepdim=True).sqrt()
    return gains


def filtered(images: Tensor, gains: Tensor) -> Tensor:
    """images with the bands along x, then along y, amplified by gains [N, 4]; the rim mirrored."""
    n, channels, height, width = images.shape
    kernels = (gains @ frequency_bands()).to(images.device, images.dtype)
    kernels = kernels.repeat_interleave(channels, dim=0)[:, None]
    reach = kernels.shape[-1] // 2
    columns, rows = (_mirrored(size, reach).to(images.device) for size in (width, height))
    flat = images.index_select(3, columns).index_select(2, rows)
    flat = flat.reshape(1, n * channels, *flat.shape[2:])
    flat = F.conv2d(flat, kernels[:, :, None, :], groups=n * channels)
    flat = F.conv2d(flat, kernels[:, :, :, None], groups=n * channels)
    return flat.reshape(n, channels, height, width)


def draw_noise_std(n: int, p: float) -> Tensor:
    """The standard deviation of the noise of n pictures: [n], |N(0, 0.1)| or 0."""
    return torch.where(torch.rand(n) < p, torch.randn(n).abs() * NOISE_STD, torch.zeros(n))


def noisy(images: Tensor, std: Tensor) -> Tensor:
    """images with independent Gaussian noise of std [N] in every number."""
    return images + torch.randn_like(images) * std.to(images.device)[:, None, None, None]


def draw_cutouts(n: int, p: float) -> Tensor:
    """Middles of the squares to cut out of n pictures, in parts of width and height: [n, 2];
    infinitely far where nothing is cut."""
    chosen = torch.rand(n, 1) < p
    return torch.where(chosen, torch.rand(n, 2), torch.full((n, 2), math.inf))


def cut_out(images: Tensor, middles: Tensor) -> Tensor:
    """images with a square of half their size, which may reach out of them, set to zero."""
    height, width = images.shape[2:]
    middles = middles.to(images.device)
    x = (torch.arange(width, device=images.device) + 0.5) / width
    y = (torch.arange(height, device=images.device) + 0.5) / height
    inside_x = (x - middles[:, :1]).abs() < CUTOUT_SIZE / 2
    inside_y = (y - middles[:, 1:]).abs() < CUTOUT_SIZE / 2
    return images.masked_fill((inside_y[:, :, None] & inside_x[:, None, :])[:, None], 0.0)


def _spread(taps: NDArray[np.float64], factor: int) -> NDArray[np.float64]:
    """L(z) -> L(z^factor)."""
    spread = np.zeros((len(taps) - 1) * factor + 1)
    spread[::factor] = taps
    return spread


def _centred(taps: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    return np.pad(taps, (length - len(taps)) // 2)


def _mirrored(size: int, reach: int) -> Tensor:
    """Indices of a line of `size` pixels with `reach` more on either side, mirrored as often as
    it takes; torch's own padding mirrors once, too little for small pictures."""
    period = max(2 * (size - 1), 1)
    place = torch.arange(-reach, size + reach).remainder(period)
    return torch.minimum(place, period - place)
