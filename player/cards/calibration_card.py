"""The card by which a technician sets a screen straight, sharp and alike. Pure; no Pillow.

From the outside in: a white line on the outermost pixels of the screen and a black one beside it; a
grid that is mirror-symmetrical about the middle; a circle in each corner that touches the edges and
holds the corner's number (as in `/screen/<n>/corner/<1-4>`); a large circle. In the middle, from
above: colour bars; a grey ramp; the same in eleven steps; after the centre cross patches near black
and near white, labelled with their 8-bit value; lines of one and two pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from player.cards.frame_strip import digit_dots

Canvas = NDArray[np.uint8]

BACKGROUND, GRID, CROSS = 44, 104, 220
# 75 % bars in SMPTE's order (falling luminance), and black
BARS = (
    (191, 191, 191),
    (191, 191, 0),
    (0, 191, 191),
    (0, 191, 0),
    (191, 0, 191),
    (191, 0, 0),
    (0, 0, 191),
    (0, 0, 0),
)
RAMP_STEPS = 11
NEAR_BLACK = (0, 2, 4, 6, 8, 12, 16, 24)
NEAR_WHITE = (255, 253, 251, 249, 247, 243, 239, 231)
# corners in the order of a corner-pin: top left, top right, bottom right, bottom left
CORNERS = (1, 2, 3, 4)

# shares of the shorter side: radius of the large circle and of those in the corners (small enough
# not to meet it on a square screen), and the square in the middle (its corners inside the circle)
LARGE_CIRCLE, CORNER_CIRCLE, MIDDLE = 0.46, 0.1, 0.58
_SQUARES_PER_SIDE = 12
_SMALLEST_WITH_DETAILS_PX = 96
_LARGEST_PX = 16384


def calibration_card(size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """The card for a screen of (width, height) in pixels, uint8 [H, W, 4], top row first.

    Below 96 pixels it is the lines without the middle. Raises ValueError for a size under 1 or
    over 16384 pixels.
    """
    width, height = size_px
    if not (1 <= width <= _LARGEST_PX and 1 <= height <= _LARGEST_PX):
        raise ValueError(
            f"A card has 1 to {_LARGEST_PX} pixels a side, not {width}x{height}. Which size does "
            "the system tell for this screen?"
        )
    rgba = np.full((height, width, 4), 255, np.uint8)
    canvas = rgba[..., :3]
    canvas[...] = BACKGROUND
    side = min(size_px)
    line = max(1, side // 720)
    _grid(canvas, max(8, 2 * round(side / _SQUARES_PER_SIDE / 2)), line)
    if side >= _SMALLEST_WITH_DETAILS_PX:
        _circles(canvas, line)
        _middle(canvas, line)
    _border(canvas)
    return rgba


def _grid(canvas: Canvas, pitch: int, line: int) -> None:
    """Lines every `pitch` pixels to both sides of a centre cross; symmetrical to the pixel."""
    height, width = canvas.shape[:2]
    for along, length in ((canvas, height), (canvas.swapaxes(0, 1), width)):
        # an even length has its middle between two pixels, an odd one on a pixel
        left, right = (length - 1) // 2, length // 2
        for away in range(pitch, left + 1, pitch):
            along[max(0, left - away - line + 1) : left - away + 1] = GRID
            along[right + away : right + away + line] = GRID
    for along, length in ((canvas, height), (canvas.swapaxes(0, 1), width)):
        along[max(0, (length - 1) // 2 - line + 1) : length // 2 + line] = CROSS


def _border(canvas: Canvas) -> None:
    for inset, level in ((1, 0), (0, 255)):
        for along in (canvas, canvas.swapaxes(0, 1)):
            length, across = along.shape[:2]
            if length > 2 * inset and across > 2 * inset:
                along[inset, inset : across - inset] = level
                along[length - 1 - inset, inset : across - inset] = level


def _circles(canvas: Canvas, line: int) -> None:
    height, width = canvas.shape[:2]
    side = min(width, height)
    _circle(canvas, (width / 2, height / 2), side * LARGE_CIRCLE, 2.0 * line, 255)
    radius = round(side * CORNER_CIRCLE)
    centres = (
        (radius, radius),
        (width - radius, radius),
        (width - radius, height - radius),
        (radius, height - radius),
    )
    for number, (x, y) in zip(CORNERS, centres, strict=True):
        _disc(canvas, (x, y), radius, 0)
        _circle(canvas, (x, y), radius, 2.0 * line, 255)
        _number(canvas, number, (x, y), max(1, radius // 8), 255)


def _around(
    canvas: Canvas, centre: tuple[float, float], radius: float
) -> tuple[Canvas, NDArray[np.float32]]:
    """The part of the canvas around a circle, and its pixels' squared distance from the centre."""
    height, width = canvas.shape[:2]
    x, y = centre
    left, right = max(0, int(x - radius) - 2), min(width, int(x + radius) + 3)
    top, below = max(0, int(y - radius) - 2), min(height, int(y + radius) + 3)
    dx = np.arange(left, right, dtype=np.float32) + np.float32(0.5 - x)
    dy = np.arange(top, below, dtype=np.float32) + np.float32(0.5 - y)
    return canvas[top:below, left:right], (dx**2)[None, :] + (dy**2)[:, None]


def _circle(
    canvas: Canvas, centre: tuple[float, float], radius: float, line: float, level: int
) -> None:
    """A line of `line` pixels just inside the radius, with smooth edges."""
    part, squared = _around(canvas, centre, radius)
    touched = (squared > max(0, radius - line - 1) ** 2) & (squared < (radius + 1) ** 2)
    away = np.sqrt(squared[touched])
    cover = np.clip(np.minimum(radius - away, away - (radius - line)) + 0.5, 0, 1)[:, None]
    part[touched] = (part[touched] * (1 - cover) + level * cover + 0.5).astype(np.uint8)


def _disc(canvas: Canvas, centre: tuple[float, float], radius: float, level: int) -> None:
    part, squared = _around(canvas, centre, radius)
    part[squared <= (radius - 1) ** 2] = level


def _middle(canvas: Canvas, line: int) -> None:
    """The square of bars, ramps and patches, in six rows with the centre cross between them."""
    height, width = canvas.shape[:2]
    side = round(min(width, height) * MIDDLE)
    half = side // 2
    left, centre_y = (width - side) // 2, height // 2
    gap = max(4, side // 24)
    apart = max(2, side // 80)
    above = canvas[centre_y - half : centre_y - gap, left : left + side]
    below = canvas[centre_y + gap : centre_y + half, left : left + side]
    for part in (above, below):
        part[...] = BACKGROUND
    bars, ramp, steps = _rows(above, (0.44, 0.28, 0.28), apart)
    _patches(bars, BARS)
    ramp[...] = np.linspace(0, 255, side).round().astype(np.uint8)[None, :, None]
    _patches(steps, [(grey,) * 3 for grey in np.linspace(0, 255, RAMP_STEPS).round().astype(int)])
    dark, bright, lines = _rows(below, (0.33, 0.33, 0.34), apart)
    _labelled(dark, NEAR_BLACK, 0, 112)
    _labelled(bright, NEAR_WHITE, 255, 128)
    _line_patches(lines, apart)
    _circle(canvas, (width / 2, height / 2), gap - 1, 1.0 * line, 255)


def _rows(part: Canvas, shares: Sequence[float], apart: int) -> list[Canvas]:
    """The part cut into rows of these shares of its height, with `apart` pixels between."""
    free = part.shape[0] - apart * (len(shares) - 1)
    edges = [round(free * sum(shares[:n])) for n in range(len(shares) + 1)]
    return [
        part[start + n * apart : end + n * apart] for n, (start, end) in enumerate(pairwise(edges))
    ]


def _patches(row: Canvas, colours: Sequence[tuple[int, ...]]) -> None:
    """Equally wide patches side by side without gaps."""
    for patch, colour in zip(_cells(row, len(colours)), colours, strict=True):
        patch[...] = colour


def _cells(row: Canvas, count: int) -> list[Canvas]:
    edges = [row.shape[1] * n // count for n in range(count + 1)]
    return [row[:, start:end] for start, end in pairwise(edges)]


def _labelled(row: Canvas, levels: Sequence[int], ground: int, ink: int) -> None:
    """Patches on an even ground, each with its level beneath: what cannot be told from the ground
    is lost on this screen."""
    row[...] = ground
    cells = _cells(row, len(levels))
    height, width = cells[0].shape[:2]
    dot = max(1, min(width // 20, height // 20))
    widest = dot * (6 * max(len(str(level)) for level in levels) + 4)
    # where they would run into each other, every second or fourth stands
    every = next((n for n in (1, 2, 4) if n * width >= widest), len(levels))
    label_height, margin = 9 * dot, max(1, width // 10)
    label_y = height - label_height / 2
    for place, level in enumerate(levels):
        cells[place][margin : height - label_height, margin : width - margin] = level
        if place % every == 0:
            _number(row, level, ((place + 0.5) * row.shape[1] / len(levels), label_y), dot, ink)


def _line_patches(row: Canvas, apart: int) -> None:
    """Upright, level and chequered lines of one pixel, then of two: any scaling turns them grey."""
    cells = _cells(row, 6)
    for number, cell in enumerate(cells):
        part = cell[:, : cell.shape[1] - (apart if number + 1 < len(cells) else 0)]
        rows, columns = np.indices(part.shape[:2])
        wide = 1 + number // 3
        lit = (columns // wide, rows // wide, rows // wide + columns // wide)[number % 3] % 2 == 0
        part[...] = np.where(lit, 255, 0)[..., None]


def _number(
    canvas: Canvas, number: int, centre: tuple[float, float], dot_px: int, level: int
) -> None:
    """A number in the strip's digits, each dot `dot_px` large; centred, but inside the canvas."""
    glyphs = digit_dots()
    gap = np.zeros((glyphs.shape[1], 1), bool)
    parts = [part for digit in str(number) for part in (glyphs[int(digit)] > 0, gap)][:-1]
    lit = np.concatenate(parts, axis=1).repeat(dot_px, axis=0).repeat(dot_px, axis=1)
    height, width = canvas.shape[:2]
    x = max(0, min(round(centre[0] - lit.shape[1] / 2), width - lit.shape[1]))
    y = max(0, min(round(centre[1] - lit.shape[0] / 2), height - lit.shape[0]))
    part = canvas[y : y + lit.shape[0], x : x + lit.shape[1]]
    part[lit[: part.shape[0], : part.shape[1]]] = level
