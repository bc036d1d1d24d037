"""The cards that a screen can show instead of its picture: who it is, and how to set it up."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from player.cards.calibration_card import calibration_card
from player.cards.frame_strip import strip_rectangle
from player.cards.strip_code import StripError

__all__ = ["STRIP_ENLARGED", "calibration_card", "identify_card", "screen_colour"]

Colour = tuple[int, int, int]

# How much larger than in the live picture the frame strip is drawn on an identify card, in the
# bottom left corner, which the card leaves free: strip_rectangle(size_px, STRIP_ENLARGED).
STRIP_ENLARGED = 2

# Told apart at night and by most of the colour-blind: they alternate in lightness too.
_COLOURS: tuple[Colour, ...] = (
    (0, 84, 166),
    (255, 205, 0),
    (176, 0, 62),
    (96, 205, 255),
    (0, 98, 65),
    (255, 142, 42),
    (93, 45, 145),
)
_LARGEST_PX = 16384
_LONGEST_TEXT = 200
# Of a line's box, what the letters with their ascenders and descenders may fill.
_FILL = 0.86
# Letters of a text, as a share of the screen's shorter side and in pixels, that it is not shrunk
# below; what does not fit then is cut.
_SMALLEST_SHARE, _SMALLEST_PX = 0.045, 9
_ELLIPSIS = "..."
_REFERENCE_PX = 200
# what Pillow's own font lacks and decomposition does not give
_SPELT = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
    | {"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i", "×": "x"}
    | {"–": "-", "—": "-", "−": "-", "•": "·", "‘": "'", "’": "'", "“": '"', "”": '"', "…": "..."}
)


@dataclass(frozen=True)
class _Line:
    """A text and the box it has to stay in: (x, y, width, height) in pixels from the top left."""

    text: str
    box: tuple[int, int, int, int]
    centred: bool


def screen_colour(number: int) -> Colour:
    """The ground of a screen's identify card, sRGB; neighbours differ, after seven they repeat."""
    return _COLOURS[(number - 1) % len(_COLOURS)]


def identify_card(
    size_px: tuple[int, int],
    number: int,
    screen_name: str,
    output_text: str,
    refresh_text: str,
    ballad_title: str,
    colour: Colour,
) -> NDArray[np.uint8]:
    """The card that tells which screen this is, uint8 [H, W, 4], top row first.

    size_px: (width, height), as told on the card too; number: from 1; output_text: such as
    "DP-3"; refresh_text: such as "59.94 Hz"; empty texts are left out. Long texts are shrunk, then
    cut. Letters that the font lacks are spelt without their accents, or shown as "?". The bottom
    left corner stays free for the frame strip. Raises ValueError for a size under 1 or over 16384
    pixels.
    """
    width, height = size_px
    if not (1 <= width <= _LARGEST_PX and 1 <= height <= _LARGEST_PX):
        raise ValueError(
            f"A card has 1 to {_LARGEST_PX} pixels a side, not {width}x{height}. Which size does "
            "the system tell for this screen?"
        )
    image = Image.new("RGBA", size_px, (*colour, 255))
    draw = ImageDraw.Draw(image)
    ink = _ink_on(colour)
    side = min(size_px)
    edge = max(1, side // 120)
    draw.rectangle((0, 0, width - 1, height - 1), outline=ink, width=edge)
    layout = _layout(
        size_px,
        _printable(str(number)),
        [_printable(text) for text in (screen_name, ballad_title)],
        [f"{width} x {height}", _printable(output_text), _printable(refresh_text)],
    )
    smallest = max(_SMALLEST_PX, round(side * _SMALLEST_SHARE))
    _draw_number(draw, layout[0], ink)
    for line in layout[1:]:
        _draw_line(draw, line, smallest, ink)
    return np.array(image, np.uint8)


def _layout(
    size_px: tuple[int, int], number: str, titles: list[str], facts: list[str]
) -> list[_Line]:
    """The number first, then the titles, then the facts beside the strip.

    The number stands above the titles, or to the right of everything where the screen is much wider
    than high: so it is as large as can be.
    """
    width, height = size_px
    pad = max(2, min(size_px) // 30)
    strip_width, strip_height = _strip_room(size_px)
    foot = max(strip_height, min(size_px) // 6)
    beside = 2 * width > 3 * height
    if beside:
        number_width = min(round(width * 0.42), height)
        right = width - number_width - pad
        number_box = (right, pad, number_width, height - 2 * pad)
        titles_box = (pad, pad, right - pad, height - foot - 2 * pad)
    else:
        right = width - pad
        number_height = (height - foot - 2 * pad) * 6 // 10
        number_box = (pad, pad, width - 2 * pad, number_height)
        y = 2 * pad + number_height
        titles_box = (pad, y, width - 2 * pad, height - foot - pad - y)
    x = strip_width + pad
    facts_box = (x, height - foot, right - x, foot - pad)
    return [
        _Line(number, number_box, True),
        *_stacked(titles, titles_box, not beside),
        *_stacked(facts, facts_box, False),
    ]


def _strip_room(size_px: tuple[int, int]) -> tuple[int, int]:
    try:
        return strip_rectangle(size_px, STRIP_ENLARGED)[2:]
    except StripError:
        return 0, 0


def _stacked(texts: list[str], box: tuple[int, int, int, int], centred: bool) -> list[_Line]:
    """The texts that are not empty, one below the other in equal parts of the box."""
    texts = [text for text in texts if text]
    x, y, width, height = box
    each = height // max(1, len(texts))
    return [_Line(text, (x, y + n * each, width, each), centred) for n, text in enumerate(texts)]


def _draw_number(draw: ImageDraw.ImageDraw, line: _Line, ink: Colour) -> None:
    """As large as its box allows, by the digits' own outline, and heavier than the font."""
    x, y, width, height = line.box
    if min(width, height) < 1:
        return
    left, top, right, bottom = _font(_REFERENCE_PX).getbbox(line.text)
    scale = min(width / (right - left), height / (bottom - top)) * 0.9
    font = _font(max(1, int(_REFERENCE_PX * scale)))
    heavier = int(_REFERENCE_PX * scale) // 40
    left, top, right, bottom = font.getbbox(line.text)
    at = (x + (width - right - left) / 2, y + (height - bottom - top) / 2)
    draw.text(at, line.text, ink, font, stroke_width=heavier)


def _draw_line(draw: ImageDraw.ImageDraw, line: _Line, smallest_px: int, ink: Colour) -> None:
    x, y, width, height = line.box
    text, size = _fitted(line.text, width, height, smallest_px)
    if not text:
        return
    font = _font(size)
    left, _, right, _ = font.getbbox(text)
    # by the font's own height and not the letters', so that lines of one size stand evenly
    _, top, _, bottom = font.getbbox("Ag")
    across = (width - right - left) / 2 if line.centred else -left
    draw.text((x + across, y + (height - bottom - top) / 2), text, ink, font)


def _fitted(text: str, width: int, height: int, smallest_px: int) -> tuple[str, int]:
    """The text and the letters' size for a box: shrunk down to the smallest size, then cut."""
    reference = _font(_REFERENCE_PX)
    _, top, _, bottom = reference.getbbox("Ag")
    tallest = int(height * _FILL * _REFERENCE_PX / (bottom - top))
    widest = int(width * _REFERENCE_PX / max(1.0, reference.getlength(text)) * 0.98)
    if tallest < 1 or width < 1:
        return "", 1
    size = min(tallest, max(widest, smallest_px))
    font = _font(size)
    if _width(font, text) <= width:
        return text, size
    # the longest beginning that fits, by halving
    fits, too_long = -1, len(text)
    while too_long - fits > 1:
        length = (fits + too_long) // 2
        if _width(font, text[:length].rstrip() + _ELLIPSIS) <= width:
            fits = length
        else:
            too_long = length
    return (text[:fits].rstrip() + _ELLIPSIS if fits >= 0 else ""), size


def _width(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, text: str) -> float:
    left, _, right, _ = font.getbbox(text)
    return max(right, font.getlength(text)) - min(0.0, left)


def _ink_on(colour: Colour) -> Colour:
    """Black or white, whichever stands out more against an sRGB colour (WCAG 2, contrast ratio)."""
    linear = [(c / 255 / 12.92) if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return (0, 0, 0) if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else (255, 255, 255)


def _printable(text: str) -> str:
    """One line of letters that the font has: at most 200 characters, spaces merged."""
    plain = unicodedata.normalize("NFKD", text[:_LONGEST_TEXT].translate(_SPELT))
    letters = [
        letter if _drawable(letter) else " " if letter.isspace() else "?"
        for letter in plain.translate(_SPELT)
        if not unicodedata.combining(letter)
    ]
    return " ".join("".join(letters).split())


def _drawable(letter: str) -> bool:
    return " " <= letter <= "~" or letter in "·°©"


@lru_cache(maxsize=64)
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font: no font file of the system's, so that cards look alike everywhere."""
    return ImageFont.load_default(size=size_px)
