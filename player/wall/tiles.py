"""The tiles that programs read: thresholds of the dither, and what a picture seems to lie on. Pure.

Made by numpy once a start, a few milliseconds each. All of them repeat without a seam.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from player.wall.shaders import SURFACE_PX, THRESHOLDS_PX
from shows.schema import Surface

# The one that the engine rounds with, made by `python -m generator.dither`: data, no import.
_BLUE_NOISE = Path(__file__).resolve().parents[2] / "generator" / "blue_noise_64.npy"
_CHANNEL_SHIFT_PX = (0, 23, 46, 0)  # so that red, green and blue do not round up together
_THREAD_PX = 8  # of the canvas, from thread to thread
_RELIEF_SPREADS, _GRAIN_SPREADS = 2.5, 3.0  # standard deviations to the whole share
_MASK = (1 << 64) - 1


def dither_thresholds() -> NDArray[np.uint8]:
    """uint8 [64, 64, 4], 1..254 of 255 and of mean 1/2: what is added before rounding down.

    Bytes and not floats: a 254th of a step is fine enough, and software GL reads them faster.
    """
    ranks = np.load(_BLUE_NOISE, allow_pickle=False)
    assert ranks.shape == (THRESHOLDS_PX, THRESHOLDS_PX)
    tile = (1 + ranks.astype(np.int64) * 254 // ranks.size).astype(np.uint8)
    return np.stack([np.roll(tile, shift, axis=(0, 1)) for shift in _CHANNEL_SHIFT_PX], axis=-1)


def surface_tile(surface: Surface) -> NDArray[np.uint8]:
    """uint8 [256, 256, 2]: relief as lit from the top left, and grain; 127.5 is neutral."""
    chance = np.random.Generator(np.random.Philox(20))
    grain = _blurred(chance.standard_normal((SURFACE_PX, SURFACE_PX)), 0.7)
    relief = np.zeros_like(grain)
    if surface == "canvas":
        relief = _lit(_canvas(chance))
    elif surface == "paper":
        relief = _lit(_paper(chance))
    levels = [_spread(relief, _RELIEF_SPREADS), _spread(grain, _GRAIN_SPREADS)]
    return np.rint(127.5 + 127.5 * np.stack(levels, axis=-1)).astype(np.uint8)


def grain_place(frame: int) -> tuple[int, int]:
    """Where the grain's tile begins in this frame: the same on all machines, and unlike the frame
    before (the finaliser of SplitMix64, Steele, Lea and Flood 2014)."""
    mixed = (frame + 1) * 0x9E3779B97F4A7C15 & _MASK
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _MASK
    mixed ^= mixed >> 31
    return mixed % SURFACE_PX, (mixed >> 32) % SURFACE_PX


def _canvas(chance: np.random.Generator) -> NDArray[np.float64]:
    """The height of a plain weave: each thread over its neighbours in turn, none quite straight or
    quite as thick as the next."""
    at = np.arange(SURFACE_PX) / _THREAD_PX
    wander = 0.9 * _blurred(chance.standard_normal((SURFACE_PX, SURFACE_PX)), 9.0)
    across = at[None, :] + wander
    down = at[:, None] + wander.T
    threads = SURFACE_PX // _THREAD_PX
    thick_x, thick_y = (0.75 + 0.25 * chance.random(threads) for _ in range(2))
    column, row = np.floor(across).astype(int), np.floor(down).astype(int)
    # along a thread it rises where it is on top, and sinks where it is under
    over = np.cos(np.pi * (across - 0.5)) * np.cos(np.pi * (down - 0.5))
    warp = np.abs(np.sin(np.pi * across)) * (0.6 + 0.4 * over) * thick_x[column % threads]
    weft = np.abs(np.sin(np.pi * down)) * (0.6 - 0.4 * over) * thick_y[row % threads]
    fibres = 0.08 * _blurred(chance.standard_normal((SURFACE_PX, SURFACE_PX)), 0.6)
    height: NDArray[np.float64] = np.maximum(warp, weft) + fibres
    return height


def _paper(chance: np.random.Generator) -> NDArray[np.float64]:
    """The height of a rough water-colour paper: hollows of some ten pixels, and a tooth."""
    shape = (SURFACE_PX, SURFACE_PX)
    height: NDArray[np.float64] = (
        _unit(_blurred(chance.standard_normal(shape), 4.0)) * 1.6
        + _unit(_blurred(chance.standard_normal(shape), 1.6)) * 0.7
        + _unit(_blurred(chance.standard_normal(shape), 0.7)) * 0.18
    )
    return height


def _lit(height: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slopes that face the top left are light. Rows count downwards."""
    slopes = 2 * height - np.roll(height, 1, axis=0) - np.roll(height, 1, axis=1)
    lit: NDArray[np.float64] = slopes + 0.35 * (height - height.mean())
    return lit


def _blurred(noise: NDArray[np.float64], sigma_px: float) -> NDArray[np.float64]:
    """By a Gaussian, around the tile's edges; of mean 0."""
    frequency = np.fft.fftfreq(noise.shape[0])
    squared = frequency[:, None] ** 2 + frequency[None, :] ** 2
    spectrum = np.fft.fft2(noise) * np.exp(-2 * (np.pi * sigma_px) ** 2 * squared)
    spectrum[0, 0] = 0
    blurred: NDArray[np.float64] = np.real(np.fft.ifft2(spectrum))
    return blurred


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = values / values.std()
    return unit


def _spread(values: NDArray[np.float64], spreads: float) -> NDArray[np.float64]:
    """Of mean 0, within -1..1: `spreads` standard deviations reach that far."""
    if not values.any():
        return values
    centred = values - values.mean()
    spread: NDArray[np.float64] = np.clip(centred / (spreads * centred.std()), -1, 1)
    return spread
