"""Small JPEG pictures of what the screens showed, for a journal. The door to Pillow."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LONGEST_SIDE_PX = 320
QUALITY = 75


def jpeg_of(pixels: NDArray[np.uint8]) -> bytes:
    """A JPEG of at most 320 px on its longer side. pixels: [H, W, 3], sRGB, top row first.

    Raises ValueError for an array of another kind.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ValueError(f"a snapshot is [H, W, 3] of bytes, not {pixels.shape} of {pixels.dtype}")
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
