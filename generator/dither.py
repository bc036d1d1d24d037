"""The blue-noise tile that 8-bit pictures are dithered with, and the algorithm that made it.

    python -m generator.dither      # makes blue_noise_64.npy again

Void and cluster (Ulichney 1993, "The void-and-cluster method for dither array generation"): every
threshold lies as far as possible from those near it in value, so that no structure is seen.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FILE = Path(__file__).parent / "blue_noise_64.npy"
SIDE = 64
SIGMA_PX = 1.5  # Ulichney's recommendation
CHANNEL_SHIFT = 23  # px between the tiles of red, green and blue, so that they do not add up


def dither(height: int, width: int) -> Tensor:
    """Thresholds in 0..1 with mean 1/2, for rounding down after adding: float32 [H, W, 3]."""
    ranks = np.load(FILE, allow_pickle=False)
    tile = (ranks.astype(np.float32) + 0.5) / ranks.size
    channels = [np.roll(tile, k * CHANNEL_SHIFT, axis=(0, 1)) for k in range(3)]
    three = np.stack(channels, axis=-1)
    repeats = (-(-height // SIDE), -(-width // SIDE), 1)
    return torch.from_numpy(np.ascontiguousarray(np.tile(three, repeats)[:height, :width]))


def void_and_cluster(side: int, seed: int = 0) -> NDArray[np.uint16]:
    """Ranks 0..side^2 - 1 on a torus: uint16 [side, side]."""
    distance = np.minimum(np.arange(side), side - np.arange(side)).astype(np.float64)
    squared = distance[:, None] ** 2 + distance[None, :] ** 2
    bump = np.exp(-squared / (2 * SIGMA_PX**2))

    def bump_at(place: tuple[int, int]) -> NDArray[np.float64]:
        return np.roll(bump, place, axis=(0, 1))

    def tightest(field: NDArray[np.float64], ones: NDArray[np.bool_]) -> tuple[int, int]:
        row, column = np.unravel_index(np.argmax(np.where(ones, field, -np.inf)), ones.shape)
        return int(row), int(column)

    def largest_void(field: NDArray[np.float64], ones: NDArray[np.bool_]) -> tuple[int, int]:
        row, column = np.unravel_index(np.argmin(np.where(ones, np.inf, field)), ones.shape)
        return int(row), int(column)

    rng = np.random.Generator(np.random.Philox(seed))
    ones = np.zeros((side, side), bool)
    ones.flat[rng.permutation(side * side)[: side * side // 10]] = True
    field = sum((bump_at((int(r), int(c))) for r, c in np.argwhere(ones)), np.zeros((side, side)))
    while True:  # the first pattern is evened out until a move changes nothing
        tight = tightest(field, ones)
        ones[tight] = False
        field -= bump_at(tight)
        void = largest_void(field, ones)
        ones[void] = True
        field += bump_at(void)
        if void == tight:
            break
    ranks = np.zeros((side, side), np.uint16)
    first, count = ones.copy(), int(ones.sum())
    rest, left = field.copy(), first.copy()
    for rank in range(count - 1, -1, -1):
        tight = tightest(rest, left)
        ranks[tight] = rank
        left[tight] = False
        rest -= bump_at(tight)
    for rank in range(count, side * side):
        void = largest_void(field, ones)
        ranks[void] = rank
        ones[void] = True
        field += bump_at(void)
    return ranks


if __name__ == "__main__":
    np.save(FILE, void_and_cluster(SIDE))
