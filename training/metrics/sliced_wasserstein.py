"""Multi-scale sliced Wasserstein distance between two sets of pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PATCH = 7
PATCHES_PER_PICTURE = 64
PROJECTIONS = 512


def sliced_wasserstein(
    first: NDArray[np.uint8], second: NDArray[np.uint8], seed: int = 0
) -> dict[str, float]:
    """Distance per pyramid level and their mean, times 1000 (arXiv 1710.10196, section 5).

    first, second: [N, 3, R, R] of the same N. Laplacian pyramid down to 16 pixels; 7x7 patches,
    normalised per channel over the set; random unit projections, sorted, mean absolute difference.
    """
    if first.shape != second.shape:
        raise ValueError(f"the sets differ in shape: {first.shape} and {second.shape}")
    result: dict[str, float] = {}
    for level_a, level_b in zip(_pyramid(first), _pyramid(second), strict=True):
        size = level_a.shape[-1]
        # the same places and directions for both sets: only the pictures differ
        a = _patches(level_a, np.random.default_rng([seed, size]))
        b = _patches(level_b, np.random.default_rng([seed, size]))
        rng = np.random.default_rng([seed, size, 1])
        directions = rng.standard_normal((a.shape[1], PROJECTIONS)).astype(np.float32)
        directions /= np.linalg.norm(directions, axis=0)
        pa, pb = np.sort(a @ directions, axis=0), np.sort(b @ directions, axis=0)
        result[str(size)] = float(np.abs(pa - pb).mean() * 1000)
    result["mean"] = float(np.mean(list(result.values())))
    return result


def _pyramid(pictures: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    current = pictures.astype(np.float32)
    levels = []
    while current.shape[-1] > 16:
        n, c, h, w = current.shape
        half = current.reshape(n, c, h // 2, 2, w // 2, 2).mean(axis=(3, 5), dtype=np.float32)
        levels.append(current - half.repeat(2, axis=2).repeat(2, axis=3))
        current = half
    levels.append(current)
    return levels


def _patches(level: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    n, channels, size, _ = level.shape
    windows = np.lib.stride_tricks.sliding_window_view(level, (PATCH, PATCH), axis=(2, 3))
    picture = np.arange(n).repeat(PATCHES_PER_PICTURE)
    y = rng.integers(0, size - PATCH + 1, len(picture))
    x = rng.integers(0, size - PATCH + 1, len(picture))
    patches = windows[picture, :, y, x]
    flat = patches.reshape(len(picture), channels, PATCH * PATCH)
    flat = flat - flat.mean(axis=(0, 2), keepdims=True)
    flat = flat / (flat.std(axis=(0, 2), keepdims=True) + 1e-8)
    patches_of_set: NDArray[np.float32] = flat.reshape(len(picture), channels * PATCH * PATCH)
    return patches_of_set
