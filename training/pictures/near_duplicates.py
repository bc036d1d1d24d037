"""Which pictures look alike: a perceptual hash each, and a search that 100,000 of them can bear.

The hash is ImageHash's `phash`: the signs of the 64 lowest frequencies of the grey picture against
their median. It changes little under another size, compression or brightness.
"""

from __future__ import annotations

from collections.abc import Sequence

import imagehash
import numpy as np
from PIL import Image

LOOK_BITS = 64
LEAST_CONTRAST = 2.0  # levels of grey, standard deviation; below it the hash is of noise


def look_of(image: Image.Image) -> int | None:
    """The perceptual hash as a whole number of 64 bits; None for a picture of one tone."""
    small = image.convert("L").resize((32, 32), Image.Resampling.LANCZOS)
    if np.asarray(small, np.float32).std() < LEAST_CONTRAST:
        return None
    return int(str(imagehash.phash(small)), 16)


def resembling(looks: Sequence[int | None], most_bits: int) -> list[int | None]:
    """For each picture the index of the earlier one that makes it superfluous, or None if it stays.

    Goes through `looks` in order; one goes if it differs from one that stays in at most `most_bits`
    bits, and the nearest of those (of equals the earliest) is named. So no two that stay are alike,
    and none goes for the sake of one that went. None resembles nothing.
    """
    staying = np.empty(len(looks), np.uint64)
    indices: list[int] = []
    found: list[int | None] = []
    for index, look in enumerate(looks):
        found.append(None)
        if look is None:
            continue
        bits = np.bitwise_count(staying[: len(indices)] ^ np.uint64(look))
        nearest = int(bits.argmin()) if len(indices) else 0
        if len(indices) and bits[nearest] <= most_bits:
            found[index] = indices[nearest]
        else:
            staying[len(indices)] = look
            indices.append(index)
    return found
