"""Screens with a frame strip, as a screenshot or a camera would give them."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from player.cards.frame_strip import strip_picture, strip_rectangle

Pixels = NDArray[np.uint8]
RESAMPLING = {"nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR}


def strip_of(frame: int) -> Pixels:
    """The strip itself, [40, 64, 3]."""
    return strip_picture(frame)[..., :3]


def screen_with(
    strip: Pixels, size_px: tuple[int, int], *, enlarged: int = 1, seed: int = 0
) -> Pixels:
    """A screen of soft coloured noise with the strip drawn as the renderer does, [H, W, 3]."""
    width, height = size_px
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (max(2, height // 40), max(2, width // 40), 3), dtype=np.uint8)
    screen = Image.fromarray(noise).resize(size_px, Image.Resampling.BICUBIC)
    x, y, strip_width, strip_height = strip_rectangle(size_px, enlarged)
    drawn = Image.fromarray(strip).resize((strip_width, strip_height), RESAMPLING["nearest"])
    screen.paste(drawn, (x, y))
    return np.asarray(screen, np.uint8)


def scaled(pixels: Pixels, factor: float, resampling: str) -> Pixels:
    """The picture scaled by a factor."""
    height, width = pixels.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(Image.fromarray(pixels).resize(size, RESAMPLING[resampling]), np.uint8)


def blurred(pixels: Pixels, radius_px: float) -> Pixels:
    """Gaussian blur of a standard deviation in pixels."""
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius_px)), np.uint8)


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    """Through a JPEG file of a quality, 1 to 95."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"), np.uint8)


def graded(pixels: Pixels, *, gamma: float = 1.0, black: float = 0.0, white: float = 1.0) -> Pixels:
    """Black and white moved to shares of full light, after an exponent."""
    light = black + (white - black) * (pixels / 255) ** gamma
    return np.clip(light * 255 + 0.5, 0, 255).astype(np.uint8)
