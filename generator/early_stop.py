"""Whether the smaller picture that a network has half-way looks like the whole one made smaller.

Nothing in training asks for it: the running image of the skip architecture may lack contrast or
colour that later blocks add. So it is measured, on the pictures of the very show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

PICTURES = 16  # compared before anything is said
MOST_COLOUR = 0.02  # of the picture's mean light: what the mean of a channel may be off
MOST_CONTRAST = 0.05  # what the ratio of the contrasts may be off 1
LEAST_PSNR_DB = 28.0
_DARK = 0.01  # mean light, 0..1, below which it counts as this


class Engine(Protocol):
    """What is needed of a `SynthesisEngine`."""

    height: int
    resolutions: tuple[int, ...]

    def render(self, ws: NDArray[np.float32], out: NDArray[np.uint8]) -> None:
        """Draw ws [N, num_ws, w_dim] into out [N, R, R, 4], R one of `resolutions`."""


@dataclass(frozen=True)
class Difference:
    """Of an early picture from the full one of half the side, averaged in linear light.

    colour: the largest difference of a channel's mean, in units of the mean light of all channels.
    contrast: ratio of the standard deviations of the channels' mean, early over full. psnr_db: as
    the eye takes it, in the levels that are shown.
    """

    colour: float
    contrast: float
    psnr_db: float

    @property
    def is_small(self) -> bool:
        """Whether one would take the early picture for a copy of the full one."""
        return (
            self.colour <= MOST_COLOUR
            and abs(self.contrast - 1.0) <= MOST_CONTRAST
            and self.psnr_db >= LEAST_PSNR_DB
        )


def difference(full: NDArray[np.uint8], early: NDArray[np.uint8]) -> Difference:
    """full: [2h, 2w, 4], early: [h, w, 4], sRGB levels. Raises ValueError for other shapes."""
    height, width = early.shape[:2]
    if full.shape != (2 * height, 2 * width, 4) or early.shape[2:] != (4,):
        raise ValueError(f"{full.shape} is not twice {early.shape}, RGBA")
    one = to_light(full[..., :3]).reshape(height, 2, width, 2, 3).mean(axis=(1, 3))
    other = to_light(early[..., :3])
    light = max(float(one.mean()), _DARK)
    colour = float(np.abs(other.mean(axis=(0, 1)) - one.mean(axis=(0, 1))).max()) / light
    contrasts = [float(picture.mean(axis=2).std()) for picture in (one, other)]
    contrast = (contrasts[1] + _DARK * light) / (contrasts[0] + _DARK * light)
    error = float(np.square(to_level(other) - to_level(one)).mean())
    return Difference(colour, contrast, float(-10 * np.log10(max(error, 1e-12))))


def to_light(levels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """sRGB levels 0..255 to linear light 0..1 (IEC 61966-2-1)."""
    level = np.arange(256) / 255
    table = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return table[levels]


def to_level(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse, 0..1 to 0..1."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


class EarlyStopTrial:
    """Compares one picture a step, so that a show can go on in between."""

    def __init__(self, engine: Engine) -> None:
        """Half the side alone is tried: a quarter would be seen as soft on any wall."""
        self._engine = engine
        self.side_px = engine.height // 2
        self.differences: list[Difference] = []

    def step(self, ws: NDArray[np.float32]) -> tuple[int, ...] | None:
        """One comparison, ws [num_ws, w_dim]; after PICTURES of them the sides in px that match.

        It is decided at the first picture that differs much: one that is wrong would be seen.
        """
        if self.side_px not in self._engine.resolutions:
            return ()
        full, early = (
            np.empty((1, side, side, 4), np.uint8) for side in (2 * self.side_px, self.side_px)
        )
        for out in (full, early):
            self._engine.render(ws[None], out)
        self.differences.append(difference(full[0], early[0]))
        if not self.differences[-1].is_small:
            return ()
        return (self.side_px,) if len(self.differences) >= PICTURES else None


def matching_sides(engine: Engine, ws: NDArray[np.float32]) -> tuple[int, ...]:
    """Sides in px below the full one whose pictures match it, for all of ws [N, num_ws, w_dim]."""
    trial = EarlyStopTrial(engine)
    answers: Sequence[tuple[int, ...] | None] = [trial.step(one) for one in ws]
    return (trial.side_px,) if all(answer != () for answer in answers) else ()
