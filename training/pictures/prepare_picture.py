"""From one picture file to a square PNG of the data set, or the reason why it is dropped."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import astuple, dataclass
from pathlib import Path

import PIL
from PIL import Image

from shows.picture_file import DAMAGE, Colour, PictureError, read_picture
from shows.plain_file import open_plain
from training.pictures.near_duplicates import look_of

# a JPEG is decoded smaller while so many times the final side remain: what Lanczos makes of it then
# differs from the whole by no more than the rounding to 8 bits
DRAFT_SIDES = 2
# level 6 takes seven times as long to make a grainy picture 15 % smaller
PNG_LEVEL = 1
# the most that reading takes, measured: in general, and with alpha or of a decoder that keeps two
PIXEL_BYTES, HEAVY_PIXEL_BYTES = 9, 17
HEAVY_FORMATS = frozenset({"WEBP", "AVIF"})
HEAVY_MODES = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})
MOST_BYTES = 1_600_000_000
VERSION = 1  # of what is done to a picture; another number and no finished picture is taken over


@dataclass(frozen=True)
class Recipe:
    """What is done to every picture; sizes in pixels, background as (r, g, b) in 0..255."""

    size_px: int
    min_size_px: int
    background: Colour

    def key(self) -> str:
        """Differs for every recipe, and for every Pillow, whose decoders may differ."""
        text = repr((VERSION, PIL.__version__, astuple(self)))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Finding:
    """What the bytes of one file came to.

    dropped: "too small", "too large" or "broken" if there is no square, else None; `detail` says
        more.
    size_px: width and height of the upright picture, or None if it could not be read.
    steps: what was done to it, in words.
    look: its perceptual hash; None where there is none.
    """

    dropped: str | None
    detail: str
    size_px: tuple[int, int] | None
    steps: tuple[str, ...]
    look: int | None


@dataclass(frozen=True)
class Header:
    """What a file says before it is decoded: width and height as stored, and the memory to read."""

    size_px: tuple[int, int]
    bytes_to_read: int


def read_header(path: Path) -> Header | None:
    """None if it cannot be read; `convert` says why."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with open_plain(path) as file, Image.open(file) as opened:
                is_heavy = (
                    opened.format in HEAVY_FORMATS
                    or opened.mode in HEAVY_MODES
                    or "transparency" in opened.info
                )
                width, height = opened.size
    except (*DAMAGE, Image.DecompressionBombError):
        return None
    pixel_bytes = HEAVY_PIXEL_BYTES if is_heavy else PIXEL_BYTES
    return Header((width, height), width * height * pixel_bytes)


def refusal(header: Header, recipe: Recipe) -> Finding | None:
    """The finding of a picture that need not be decoded to be dropped."""
    width, height = header.size_px
    detail = f"{width}x{height} pixels"
    if min(width, height) < recipe.min_size_px:
        return Finding("too small", detail, header.size_px, (), None)
    if header.bytes_to_read > MOST_BYTES:
        gigabytes = header.bytes_to_read / 1e9
        detail += f", which would take {gigabytes:.1f} GB of memory; make it smaller"
        return Finding("too large", detail, header.size_px, (), None)
    return None


def convert(path: Path, recipe: Recipe) -> tuple[Finding, bytes]:
    """Make one file a square of the recipe's size, as PNG; no bytes if it is dropped."""
    try:
        picture = read_picture(path, recipe.background, enough_px=DRAFT_SIDES * recipe.size_px)
    except PictureError as fault:
        return Finding("broken", str(fault), None, (), None), b""
    steps, size_px = picture.steps, picture.size_px
    square = _centre_square(picture.image)
    del picture  # the whole of it need not be in memory beside what follows
    square = square.resize((recipe.size_px, recipe.size_px), Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    square.save(encoded, "PNG", compress_level=PNG_LEVEL)
    return Finding(None, "", size_px, steps, look_of(square)), encoded.getvalue()


def _centre_square(image: Image.Image) -> Image.Image:
    side = min(image.size)
    if image.width == image.height:
        return image
    left, top = (image.width - side) // 2, (image.height - side) // 2
    # cropped before it is resized: resize's own `box` lets the filter read pixels from outside it
    return image.crop((left, top, left + side, top + side))
