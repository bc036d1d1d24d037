"""Pictures in rows with words over them, and short films."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from player.films.codecs import SUBSAMPLED_FROM_PX
from player.films.encoder import FilmEncoder, choose_codec
from shows.picture_file import srgb_tag

Pixels = NDArray[np.uint8]
GAP_PX, WORDS_PX = 8, 22
_QUANTISER = "25"
_PAPER, _INK = (24, 24, 28), (230, 228, 220)


def sheet(rows: Sequence[Sequence[tuple[str, Pixels]]]) -> Image.Image:
    """RGB pictures [H, W, 3] side by side, rows one below the other, words above each."""
    font = ImageFont.load_default(15)
    heights = [max(picture.shape[0] for _, picture in row) + WORDS_PX for row in rows]
    widths = [sum(picture.shape[1] + GAP_PX for _, picture in row) for row in rows]
    page = Image.new("RGB", (max(widths) + GAP_PX, sum(heights) + GAP_PX * (len(rows) + 1)), _PAPER)
    draw = ImageDraw.Draw(page)
    top = GAP_PX
    for row, height in zip(rows, heights, strict=True):
        left = GAP_PX
        for words, picture in row:
            draw.text((left, top + 1), words, fill=_INK, font=font)
            page.paste(Image.fromarray(picture), (left, top + WORDS_PX))
            left += picture.shape[1] + GAP_PX
        top += height + GAP_PX
    return page


def save(page: Image.Image, path: Path) -> None:
    """As PNG where the name says so, else as JPEG that shows no artefacts of its own."""
    page.save(path, quality=90, subsampling=0, optimize=True, pnginfo=srgb_tag())


def smaller(picture: Pixels, width_px: int) -> Pixels:
    """For a page: averaged, never enlarged."""
    height = round(picture.shape[0] * width_px / picture.shape[1])
    return np.asarray(Image.fromarray(picture).resize((width_px, height), Image.Resampling.BOX))


def enlarged(picture: Pixels, side_px: int, way: Literal["bicubic", "Lanczos"]) -> Pixels:
    """As other programs do it: the stored values of a square, weighted."""
    filters = {"bicubic": Image.Resampling.BICUBIC, "Lanczos": Image.Resampling.LANCZOS}
    small = Image.fromarray(picture[..., :3])
    return np.asarray(small.resize((side_px, side_px), filters[way]))


def beside(pictures: Sequence[Pixels], gap_px: int = GAP_PX) -> Pixels:
    """Of one height, on black, with sides of an even number of pixels as codecs want them."""
    height = pictures[0].shape[0] + pictures[0].shape[0] % 2
    width = sum(picture.shape[1] for picture in pictures) + gap_px * (len(pictures) - 1)
    row = np.zeros((height, width + width % 2, 3), np.uint8)
    left = 0
    for picture in pictures:
        row[: picture.shape[0], left : left + picture.shape[1]] = picture
        left += picture.shape[1] + gap_px
    return row


def below(rows: Sequence[Pixels], gap_px: int = GAP_PX) -> Pixels:
    """Rows of one width, likewise."""
    turned = [np.ascontiguousarray(row.transpose(1, 0, 2)) for row in rows]
    return np.ascontiguousarray(beside(turned, gap_px).transpose(1, 0, 2))


def film(path: Path, fps: Fraction, frames: Iterable[Pixels]) -> None:
    """A small MP4 of RGB frames [H, W, 3] with even sides, which browsers play: for a page, and
    not for a show. Raises FilmError, OSError."""
    codec = choose_codec("h264", (SUBSAMPLED_FROM_PX, SUBSAMPLED_FROM_PX), "libx264")
    options = tuple((k, _QUANTISER if k == "qp" else v) for k, v in codec.options)
    codec = replace(codec, options=options)
    encoder: FilmEncoder | None = None
    try:
        for picture in frames:
            height, width = picture.shape[:2]
            if encoder is None:
                encoder = FilmEncoder(path, codec, (width, height), fps, {"title": path.stem})
            rgba = np.dstack([picture, np.full((height, width), 255, np.uint8)])
            encoder.add(rgba[None])
        if encoder is not None:
            encoder.close()
    except BaseException:
        if encoder is not None:
            encoder.abandon()
        path.unlink(missing_ok=True)
        raise
