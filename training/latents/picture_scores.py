"""How colourful and textured pictures are, and which one `--auto` takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Numbers = NDArray[np.float64]
SMALLEST_LEVEL_PX = 4


@dataclass(frozen=True)
class Scores:
    """Of n pictures [n]: colourfulness and texture (more is more), drift from the painting."""

    colourfulness: Numbers
    texture: Numbers
    drift: Numbers

    def of(self, number: int) -> dict[str, float]:
        """The three of one picture, rounded for the record."""
        return {
            "colourfulness": round(float(self.colourfulness[number]), 2),
            "texture": round(float(self.texture[number]), 2),
            "drift": round(float(self.drift[number]), 4),
        }


def measure(pictures: Pixels, painting: Pixels) -> Scores:
    """pictures: uint8 [n, R, R, 3]; painting: uint8 [R, R, 3]."""
    return Scores(colourfulness(pictures), texture(pictures), drift(pictures, painting))


def colourfulness(pictures: Pixels) -> Numbers:
    """M3 of Hasler and Suesstrunk, Measuring colourfulness in natural images (2003), section 5:
    [n], 0 for grey, about 100 for the most colourful."""
    red, green, blue = np.moveaxis(pictures.astype(np.float64), -1, 0)
    red_green, yellow_blue = red - green, 0.5 * (red + green) - blue
    axes = (1, 2)
    spread = np.hypot(red_green.std(axis=axes), yellow_blue.std(axis=axes))
    offset = np.hypot(red_green.mean(axis=axes), yellow_blue.mean(axis=axes))
    result: Numbers = spread + 0.3 * offset
    return result


def texture(pictures: Pixels) -> Numbers:
    """Mean length of the luma gradient (Rec. 601 weights), in levels a pixel: [n]."""
    luma = pictures.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    down = np.diff(luma, axis=1)[:, :, :-1]
    across = np.diff(luma, axis=2)[:, :-1, :]
    result: Numbers = np.hypot(down, across).mean(axis=(1, 2))
    return result


def drift(pictures: Pixels, painting: Pixels) -> Numbers:
    """Distance to the painting on a scale of 0..4: mean squared difference (of -1..1) at full size
    and every halving down to 4 pixels, averaged over these levels: [n]."""
    difference = (pictures.astype(np.float64) - painting.astype(np.float64)) / 127.5
    levels = [difference]
    while levels[-1].shape[1] > SMALLEST_LEVEL_PX:
        n, height, width, channels = levels[-1].shape
        quarters = levels[-1].reshape(n, height // 2, 2, width // 2, 2, channels)
        levels.append(quarters.mean(axis=(2, 4)))
    result: Numbers = np.mean([(level**2).mean(axis=(1, 2, 3)) for level in levels], axis=0)
    return result


def choose(scores: Scores) -> int:
    """The most colourful and textured one among the half that drifts least from the painting.

    Colourfulness and texture are standardised over all n pictures and added; the half keeps
    --auto from rewarding a neighbour for having become another picture.
    """
    total = _standardised(scores.colourfulness) + _standardised(scores.texture)
    near = scores.drift <= np.median(scores.drift)
    return int(np.argmax(np.where(near, total, -np.inf)))


def _standardised(values: Numbers) -> Numbers:
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)
