"""Reading any picture file as upright 8-bit sRGB without alpha, and a painting as a square of it.

The one reader of pictures: the projector, the data sets and the player's stills see the same. It is
the only module of this package that needs Pillow, and nothing here imports it unasked.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageColor, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from shows.plain_file import open_plain

ORIENTATION = 0x0112  # the EXIF tag
TIFF_PHOTOMETRIC, TIFF_WHITE_IS_ZERO = 262, 0  # Pillow inverts up to 8 bits only
# what Pillow raises over damaged files
DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    TypeError,
    struct.error,
    zlib.error,
)
PERCEPTUAL = ImageCms.Intent.PERCEPTUAL

Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]


class PictureError(Exception):
    """A picture file that cannot be used; the text says why, without the file's name."""


class CropError(PictureError):
    """A crop that does not lie within its picture."""


@dataclass(frozen=True)
class Picture:
    """One picture as read.

    image: mode RGB, sRGB, upright, alpha flattened.
    steps: what had to be done to it, in order, from "first of several frames", "rotated",
        "reduced to 8 bits", "converted to sRGB", "profile unusable, taken as sRGB",
        "CMYK without a profile", "alpha flattened".
    size_px: width and height of the upright picture in its file; `image` may be smaller.
    """

    image: Image.Image
    steps: tuple[str, ...]
    size_px: tuple[int, int]


def parse_colour(name: str) -> Colour:
    """A colour as Pillow names it ("white", "#203040", "rgb(1,2,3)") as (r, g, b) in 0..255.

    Raises ValueError if there is no such colour.
    """
    red, green, blue = ImageColor.getrgb(name)[:3]
    return red, green, blue


def read_picture(
    path: Path, background: Colour = (255, 255, 255), *, enough_px: int | None = None
) -> Picture:
    """Read a picture file: EXIF rotation, colour profile to sRGB, alpha flattened on `background`.

    Of an animation or of several pages the first is taken. enough_px: a JPEG may be decoded at a
    half, a quarter or an eighth of its size as long as both sides keep this many pixels. Raises
    PictureError if the file is broken, of a format or depth that is not supported, or larger than
    Pillow's bound (179 million pixels).
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns of damage that does not hinder it, and of a picture half its bound
            warnings.simplefilter("ignore")
            with open_plain(path) as file, Image.open(file) as opened:
                return _normalise(opened, background, enough_px)
    except UnidentifiedImageError as fault:
        raise PictureError("not a picture in a known format") from fault
    except Image.DecompressionBombError as fault:
        raise PictureError(f"too large to open ({fault})") from fault
    except DAMAGE as fault:
        raise PictureError(f"broken file ({fault})") from fault


def read_square(
    path: Path, size_px: int, *, crop: Box | None, background: str | None
) -> NDArray[np.uint8]:
    """A painting as uint8 [size_px, size_px, 3]: read as above, cut to the middle square of its
    crop (x, y, width, height; all of it if None), resized (Lanczos, with area support).

    background: the colour that alpha is flattened on, white if None. Raises PictureError, of which
    CropError is one.
    """
    image = read_picture(path, parse_colour(background or "#ffffff")).image
    # cut before resizing: a box given to resize lets its filter read beyond the edge
    square = image.crop(square_box(image.size, crop))
    return np.asarray(square.resize((size_px, size_px), Image.Resampling.LANCZOS), np.uint8)


def square_box(size_px: tuple[int, int], crop: Box | None) -> Box:
    """The middle square, as (left, top, right, bottom), of a crop (x, y, width, height).

    Raises CropError if the crop reaches beyond the picture: what is missing there would otherwise
    be cut away unasked.
    """
    width, height = size_px
    x, y, crop_width, crop_height = crop or (0, 0, width, height)
    if x + crop_width > width or y + crop_height > height:
        raise CropError(
            f"{list(crop or ())} is [x, y, width, height] in pixels and reaches beyond the "
            f"picture, which is {width} x {height} once it stands upright"
        )
    side = min(crop_width, crop_height)
    left, top = x + (crop_width - side) // 2, y + (crop_height - side) // 2
    return left, top, left + side, top + side


def _normalise(opened: Image.Image, background: Colour, enough_px: int | None) -> Picture:
    steps: list[str] = []
    if getattr(opened, "is_animated", False) and opened.format != "MPO":
        # the further pictures of an MPO are the camera's own: a preview, a map of brightness
        steps.append("first of several frames")
    width, height = opened.size
    is_deep = any(";16" in str(tile.args) for tile in getattr(opened, "tile", ()))
    if enough_px is not None:
        opened.draft(None, (enough_px, enough_px))
    orientation = _orientation(opened)
    opened.load()
    profile = opened.info.get("icc_profile")
    if orientation in range(2, 9):
        # in place: a copy of a large picture would be as large
        ImageOps.exif_transpose(opened, in_place=True)
        steps.append("rotated")
    if orientation in range(5, 9) and opened.format != "TIFF":
        # of a TIFF, Pillow gives the upright size from the beginning
        width, height = height, width
    image, reduced = _to_8_bits(opened)
    if reduced or is_deep:
        steps.append("reduced to 8 bits")
    colour, alpha = _split_alpha(image)
    colour, note = _to_srgb(colour, profile if isinstance(profile, bytes) else None)
    if note:
        steps.append(note)
    if alpha is not None and alpha.getextrema() != (255, 255):
        canvas = Image.new("RGB", colour.size, background)
        canvas.paste(colour, mask=alpha)
        colour = canvas
        steps.append("alpha flattened")
    return Picture(colour, tuple(steps), (width, height))


def _orientation(opened: Image.Image) -> object:
    """The EXIF value, 1 to 8; 1 for EXIF data that cannot be read, which does not hinder."""
    try:
        return opened.getexif().get(ORIENTATION, 1)
    except (SyntaxError, ValueError, EOFError, struct.error):
        return 1


def _to_8_bits(image: Image.Image) -> tuple[Image.Image, bool]:
    """Scale 16-bit grey to 8 bits: Pillow's own conversion clips it to white instead."""
    if image.mode == "F":
        raise PictureError("floating-point pixels are not supported")
    if image.mode != "I" and not image.mode.startswith("I;16"):
        return image, False
    deep = np.asarray(image)
    if deep.min() < 0 or deep.max() > 65535:
        raise PictureError("32-bit integer pixels are not supported")
    shallow = np.empty(deep.shape, np.uint8)
    for row, line in enumerate(deep):  # a row at a time: the whole as 32 bits would be large
        shallow[row] = (line.astype(np.uint32) + 128) // 257
    if getattr(image, "tag_v2", {}).get(TIFF_PHOTOMETRIC) == TIFF_WHITE_IS_ZERO:
        np.subtract(255, shallow, out=shallow)
    grey = Image.fromarray(shallow, "L")
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        grey.putalpha(Image.fromarray(np.where(deep == clear, 0, 255).astype(np.uint8), "L"))
    return grey, True


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The colour part in a mode of 8 bits a channel (L, RGB, CMYK, LAB), and alpha as mode L."""
    if image.mode == "La":
        image = image.convert("LA")
    elif image.mode == "RGBa":
        image = image.convert("RGBA")
    elif image.mode in ("P", "PA", "1") or "transparency" in image.info:
        has_alpha = image.mode == "PA" or "transparency" in image.info
        image = image.convert("RGBA" if has_alpha else "L" if image.mode == "1" else "RGB")
    if image.mode in ("RGBA", "LA"):
        alpha = image.getchannel("A")
        return image.convert("RGB" if image.mode == "RGBA" else "L"), alpha
    if image.mode in ("L", "RGB", "CMYK", "LAB"):
        return image, None
    return image.convert("RGB"), None


def _to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, str | None]:
    if profile is None and image.mode != "LAB":
        note = "CMYK without a profile" if image.mode == "CMYK" else None
        return (image if image.mode == "RGB" else image.convert("RGB")), note
    srgb = ImageCms.createProfile("sRGB")
    try:
        source = (
            ImageCms.createProfile("LAB")
            if profile is None
            else ImageCms.ImageCmsProfile(io.BytesIO(profile))
        )
        converted = ImageCms.profileToProfile(
            image, source, srgb, renderingIntent=PERCEPTUAL, outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        if image.mode == "LAB":
            raise PictureError("Lab colours with an unusable profile") from None
        return image.convert("RGB"), "profile unusable, taken as sRGB"
    assert converted is not None
    return converted, "converted to sRGB"


def srgb_tag() -> PngInfo:
    """For `Image.save(..., pnginfo=)`: the file says that it is sRGB, as all of our pictures are
    (PNG 3rd edition, section 11.3.2.5; rendering intent perceptual)."""
    info = PngInfo()
    info.add(b"sRGB", b"\x00")
    return info
