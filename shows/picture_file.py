"""Reading any picture file as upright 8-bit sRGB without alpha, and a painting as a square of it.

The one reader of pictures: the projector, the data sets and the player's stills see the same. It is
the only module of this package that needs Pillow, and nothing here imports it unasked.
"""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageColor, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from shows.plain_file import open_plain

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
    steps: what had to be done to it, in order, from "rotated", "reduced to 8 bits",
        "converted to sRGB", "profile unusable, taken as sRGB", "alpha flattened".
    """

    image: Image.Image
    steps: tuple[str, ...]


def parse_colour(name: str) -> Colour:
    """A colour as Pillow names it ("white", "#203040", "rgb(1,2,3)") as (r, g, b) in 0..255.

    Raises ValueError if there is no such colour.
    """
    red, green, blue = ImageColor.getrgb(name)[:3]
    return red, green, blue


def read_picture(path: Path, background: Colour = (255, 255, 255)) -> Picture:
    """Read a picture file: EXIF rotation, colour profile to sRGB, alpha flattened on `background`.

    Of an animation the first frame is taken. Raises PictureError if the file is broken, of a
    format or depth that is not supported, or larger than Pillow's bound (179 million pixels).
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns of damage that does not hinder it, and of a picture half its bound
            warnings.simplefilter("ignore")
            with open_plain(path) as file, Image.open(file) as opened:
                return _normalise(opened, background)
    except UnidentifiedImageError as fault:
        raise PictureError("not a picture in a known format") from fault
    except Image.DecompressionBombError as fault:
        raise PictureError(f"too large to open ({fault})") from fault
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as fault:
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


def _normalise(opened: Image.Image, background: Colour) -> Picture:
    steps: list[str] = []
    opened.load()
    profile = opened.info.get("icc_profile")
    image = ImageOps.exif_transpose(opened)
    if image.size != opened.size or opened.getexif().get(0x0112, 1) != 1:
        steps.append("rotated")
    image, reduced = _to_8_bits(image)
    if reduced:
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
    return Picture(colour, tuple(steps))


def _to_8_bits(image: Image.Image) -> tuple[Image.Image, bool]:
    """Scale 16-bit grey to 8 bits: Pillow's own conversion clips it to white instead."""
    if image.mode.startswith("I;16"):
        deep = np.asarray(image).astype(np.uint32)
    elif image.mode == "I":
        signed = np.asarray(image)
        if signed.min() < 0 or signed.max() > 65535:
            raise PictureError("32-bit integer pixels are not supported")
        deep = signed.astype(np.uint32)
    elif image.mode == "F":
        raise PictureError("floating-point pixels are not supported")
    else:
        return image, False
    return Image.fromarray(((deep + 128) // 257).astype(np.uint8), "L"), True


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
        return image.convert("RGB"), None
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
