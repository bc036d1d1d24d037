"""Small pictures of the ballads: the first painting of each, cut to a square."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping

from PIL import Image

from shows.picture_file import PictureError, read_square
from shows.show import Show


def thumbnails(show: Show, size_px: int) -> Mapping[str, bytes]:
    """PNG files of size_px squared by ballad id; a painting that cannot be read is left out."""
    found: dict[str, bytes] = {}
    for ballad in show.ballads:
        painting = ballad.paintings[0]
        try:
            pixels = read_square(
                show.painting_path(ballad.id, 0),
                size_px,
                crop=painting.crop,
                background=painting.background,
            )
        except PictureError:
            continue
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG", optimize=True)
        found[ballad.id] = file.getvalue()
    return found


def data_url(png: bytes) -> str:
    """To stand in a page or a layout."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
