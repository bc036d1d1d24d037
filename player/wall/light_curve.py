"""The curve between stored values and light that the programs draw by, for numpy. Pure.

(c (1 - A + A c))^2 instead of IEC 61966-2-1; why: `player/wall/shaders.py`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

A = 0.14


def decoded(stored: NDArray[np.floating]) -> NDArray[np.floating]:
    """Stored values, 0 to 1, to linear light."""
    root = stored * (1 - A + A * stored)
    return root * root


def encoded(light: NDArray[np.floating]) -> NDArray[np.floating]:
    """Linear light, 0 to 1, to stored values: the exact inverse."""
    root = np.sqrt((1 - A) ** 2 + 4 * A * np.sqrt(light))
    stored: NDArray[np.floating] = (root - (1 - A)) / (2 * A)
    return stored
