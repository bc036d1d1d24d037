"""The curve between stored values and light that the programs draw by, for numpy. Pure.

(c (1 - A + A c))^2 instead of IEC 61966-2-1; why: `player/wall/shaders.py`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

A = 0.14
# luminance to the sRGB-encoded factor that gives it on a display of gamma 2.2; exact at 0 and 1
GAIN_EXPONENT = 1 / 2.2


def decoded(stored: NDArray[np.floating]) -> NDArray[np.floating]:
    """Stored values, 0 to 1, to linear light."""
    root = stored * (1 - A + A * stored)
    return root * root


def encoded(light: NDArray[np.floating]) -> NDArray[np.floating]:
    """Linear light, 0 to 1, to stored values: the exact inverse."""
    root = np.sqrt((1 - A) ** 2 + 4 * A * np.sqrt(light))
    stored: NDArray[np.floating] = (root - (1 - A)) / (2 * A)
    return stored


def light_of_bytes(stored: NDArray[np.uint8]) -> NDArray[np.float32]:
    """`decoded` of bytes; as few arrays as can be, which on the way of a frame is what costs."""
    value = stored.astype(np.float32)
    light = value * np.float32(A / 255**2)
    light += (1 - A) / 255
    light *= value
    light *= light
    return light


def bytes_of_light(light: NDArray[np.float32]) -> NDArray[np.uint8]:
    """`encoded`, rounded to bytes. The light is used up."""
    np.sqrt(light, out=light)
    light *= 4 * A
    light += (1 - A) ** 2
    np.sqrt(light, out=light)
    light *= 255 / (2 * A)
    light += 0.5 - 255 * (1 - A) / (2 * A)
    return light.astype(np.uint8)
