"""The brush: a canvas that lays colour fields down and covers them with oriented strokes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw

Floats = NDArray[np.floating[Any]]
Points = Sequence[tuple[float, float]]


def smooth_noise(
    rng: np.random.Generator, size: int, cells: tuple[int, int], octaves: int
) -> Floats:
    """[size, size] float32 fractal noise, about -1..1; `cells` along (x, y) at first."""
    total = np.zeros((size, size), np.float32)
    amount, norm = 1.0, 0.0
    for octave in range(octaves):
        across, down = cells[0] << octave, cells[1] << octave
        grid = rng.uniform(-1, 1, (down + 1, across + 1)).astype(np.float32)
        layer = Image.fromarray(grid).resize((size, size), Image.Resampling.BICUBIC)
        total += np.asarray(layer) * np.float32(amount)
        norm += amount
        amount *= 0.5
    return total / np.float32(norm * 0.7)


class Canvas:
    """A square canvas of `size_px`; coordinates of every method are 0..1, y downwards."""

    def __init__(self, size_px: int, rng: np.random.Generator) -> None:
        self.size_px = size_px
        self.rng = rng
        self.image = Image.new("RGB", (size_px, size_px))
        self.draw = ImageDraw.Draw(self.image)

    def lay(self, colours: Floats, mask: Image.Image | None = None) -> None:
        """Cover the canvas, where `mask` (L, any size) is set, with colours [h, w, 3]."""
        field = Image.fromarray(np.clip(colours, 0, 255).astype(np.uint8))
        whole = (self.size_px, self.size_px)
        field = field.resize(whole, Image.Resampling.BILINEAR)
        if mask is None:
            self.image.paste(field)
        else:
            self.image.paste(field, mask=mask.resize(whole, Image.Resampling.BILINEAR))

    def strokes(
        self,
        x: ArrayLike,
        y: ArrayLike,
        angle: ArrayLike,
        length: ArrayLike,
        width: ArrayLike,
        colours: ArrayLike,
        *,
        bend: float = 0.2,
        jitter: float = 9.0,
    ) -> None:
        """Tapered, slightly bent strokes, drawn in order.

        x, y, angle (radians), length, width: [n] or scalars; colours [n, 3] or [3], 0..255.
        `jitter`: standard deviation of the lightness (half of it in each component), 0..255.
        """
        x, y = np.atleast_1d(np.asarray(x)), np.atleast_1d(np.asarray(y))
        count = len(x)
        if count == 0:
            return
        rng, size = self.rng, self.size_px
        angle = np.broadcast_to(np.asarray(angle), count)
        half = np.broadcast_to(np.asarray(length), count) * (size / 2)
        wide = np.maximum(np.broadcast_to(np.asarray(width), count) * (size / 2), 0.5)
        cos, sin = np.cos(angle), np.sin(angle)
        bow = rng.normal(0, bend, count) * half
        end = rng.uniform(0.2, 0.75, (2, count)) * wide
        cx, cy = x * size, y * size
        nx, ny = -sin, cos
        outline = np.stack(
            [
                cx - half * cos + end[0] * nx,
                cy - half * sin + end[0] * ny,
                cx + (bow + wide) * nx,
                cy + (bow + wide) * ny,
                cx + half * cos + end[1] * nx,
                cy + half * sin + end[1] * ny,
                cx + half * cos - end[1] * nx,
                cy + half * sin - end[1] * ny,
                cx + (bow - wide) * nx,
                cy + (bow - wide) * ny,
                cx - half * cos - end[0] * nx,
                cy - half * sin - end[0] * ny,
            ],
            axis=1,
        )
        shade = rng.normal(0, jitter, (count, 1)) + rng.normal(0, jitter / 2, (count, 3))
        tones = np.clip(np.asarray(colours) + shade, 0, 255).astype(np.uint8)
        polygon = self.draw.polygon
        for points, tone in zip(outline.tolist(), tones.tolist(), strict=True):
            polygon(points, fill=(tone[0], tone[1], tone[2]))

    def cover(
        self,
        field: Floats,
        angles: Floats,
        keep: NDArray[np.bool_],
        passes: Sequence[tuple[int, float, float]],
        *,
        bend: float = 0.2,
        jitter: float = 9.0,
    ) -> None:
        """Paint over `field` [s, s, 3] where `keep` [s, s] with strokes along `angles` [s, s].

        `passes`: (strokes per whole canvas, length, width), coarse first.
        """
        side = field.shape[0]
        inside = np.flatnonzero(keep)
        if inside.size == 0:
            return
        share = inside.size / keep.size
        for count, length, width in passes:
            n = int(count * share) + 1
            cell = self.rng.choice(inside, n)
            x = (cell % side + self.rng.uniform(0, 1, n)) / side
            y = (cell // side + self.rng.uniform(0, 1, n)) / side
            vary = self.rng.uniform(0.6, 1.3, n)
            along = angles.reshape(-1)[cell] + self.rng.normal(0, 0.12, n)
            tone = field.reshape(-1, 3)[cell]
            self.strokes(x, y, along, length * vary, width * vary, tone, bend=bend, jitter=jitter)

    def shape(
        self,
        points: Points,
        colour: ArrayLike,
        *,
        angle: float = 0.0,
        jitter: float = 10.0,
        lit: float = 0.0,
    ) -> None:
        """A filled polygon with its own strokes along `angle`; `lit` > 0 lightens its left side."""
        size = self.size_px
        base = np.clip(np.asarray(colour, np.float32), 0, 255)
        r, g, b = (int(v) for v in base)
        self.draw.polygon([(px * size, py * size) for px, py in points], fill=(r, g, b))
        outline = np.array(points)
        low, high = outline.min(0), outline.max(0)
        extent = high - low
        count = int(min(260, 5 + 9000 * extent[0] * extent[1]))
        spot = self.rng.uniform(low, high, (count, 2))
        spot = spot[_inside(spot, outline)]
        length = float(min(0.05, 0.35 * extent.max()))
        reach = length * 0.4 * np.array([np.cos(angle), np.sin(angle)])
        spot = spot[_inside(spot + reach, outline) & _inside(spot - reach, outline)]
        light = lit * (0.5 - (spot[:, :1] - low[0]) / max(float(extent[0]), 1e-6)) * 90
        self.strokes(
            spot[:, 0],
            spot[:, 1],
            angle + self.rng.normal(0, 0.08, len(spot)),
            length,
            float(min(0.012, 0.16 * extent.min() + 0.001)),
            base + light,
            bend=0.08,
            jitter=jitter,
        )

    def dab(self, x: float, y: float, radius_x: float, radius_y: float, colour: ArrayLike) -> None:
        """A plain ellipse."""
        size = self.size_px
        r, g, b = (int(v) for v in np.clip(np.asarray(colour), 0, 255))
        box = (x - radius_x) * size, (y - radius_y) * size, (x + radius_x) * size
        self.draw.ellipse((*box, (y + radius_y) * size), fill=(r, g, b))

    def line(self, points: Points, width: float, colour: ArrayLike) -> None:
        """A plain line through the points."""
        size = self.size_px
        r, g, b = (int(v) for v in np.clip(np.asarray(colour), 0, 255))
        path = [(px * size, py * size) for px, py in points]
        self.draw.line(path, fill=(r, g, b), width=max(1, round(width * size)), joint="curve")


def _inside(spot: NDArray[np.float64], outline: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Even-odd rule: spot [n, 2], outline [m, 2] -> [n]."""
    x, y = spot[:, :1], spot[:, 1:]
    ax, ay = outline[:, 0], outline[:, 1]
    bx, by = np.roll(ax, -1), np.roll(ay, -1)
    rise = np.where(by == ay, 1e-12, by - ay)
    crosses = ((ay > y) != (by > y)) & (x < (bx - ax) * (y - ay) / rise + ax)
    result: NDArray[np.bool_] = crosses.sum(1) % 2 == 1
    return result
