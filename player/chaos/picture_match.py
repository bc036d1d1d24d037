"""Which frame of a film a picture is, told by a thousand of its pixels. Pure.

A screen is read at 32 x 32 places, the middles of equal blocks. The reference holds what the wall
would show there for every frame of a film. Live picture and film differ by coding noise, which has
nothing to do with the motion, so the nearest reference is the frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from player.wall.light_curve import decoded, encoded
from player.wall.shots import place

_LIGHT = decoded(np.arange(256, dtype=np.float32) / 255)
PLACES = 32
VALUES = PLACES * PLACES * 3

Sample = NDArray[np.uint8]
"""What is read of one screen: uint8 [32, 32, 3], or flat."""


@dataclass(frozen=True)
class Match:
    """frames_on: the nearest reference is so many frames after the due one (negative: before).
    distance: root mean square difference from it, in eight-bit steps."""

    frames_on: int
    distance: float


class Reference:
    """What one film looks like at the places, frame by frame. Frames count modulo its length."""

    def __init__(self, samples: NDArray[np.uint8]) -> None:
        """samples: [frames, VALUES]. Raises ValueError for another shape, or no frame."""
        if samples.ndim != 2 or samples.shape[1] != VALUES or not len(samples):
            raise ValueError(f"a reference is [frames, {VALUES}], not {samples.shape}")
        # about their middle, so that the sums of squares below keep their digits in float32
        self._samples = _centred(samples)
        self._means = samples.mean(axis=1, dtype=np.float64)
        self._squares = np.array([float(_squares(frame)) for frame in self._samples])

    @property
    def frames(self) -> int:
        return len(self._samples)

    def mean(self, frame: int) -> float:
        """Mean value of a frame, 0 to 255."""
        return float(self._means[frame % self.frames])

    def nearest(self, sample: Sample, due: int, before: int = 20, after: int = 3) -> Match:
        """Which of the frames from `before` before the due one to `after` after it this is; of
        equally near ones that which is nearest in time."""
        frames = [(due + offset) % self.frames for offset in range(-before, after + 1)]
        wraps = frames[-1] - frames[0] != len(frames) - 1
        errors = self._errors(sample, frames if wraps else slice(frames[0], frames[-1] + 1))
        least = errors.min()
        near = np.flatnonzero(errors <= least + 1e-6) - before
        return Match(int(min(near, key=abs)), float(np.sqrt(least)))

    def located(self, sample: Sample) -> Match:
        """The same among all frames; frames_on is the frame."""
        errors = [
            self._errors(sample, slice(first, min(first + 256, self.frames)))
            for first in range(0, self.frames, 256)
        ]
        whole = np.concatenate(errors)
        return Match(int(np.argmin(whole)), float(np.sqrt(whole.min())))

    def _errors(self, sample: Sample, frames: list[int] | slice) -> NDArray[np.float64]:
        """Mean squared differences: |r - x|^2 = |r|^2 - 2 r x + |x|^2."""
        here = _centred(sample.reshape(-1)).astype(np.float32)
        alike = self._samples[frames].astype(np.float32) @ here
        squares: NDArray[np.float64] = self._squares[frames] - 2.0 * alike + float(_squares(here))
        return np.maximum(squares, 0.0) / VALUES


def _centred(values: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Less 128."""
    return (values ^ np.uint8(128)).view(np.int8)


def _squares(values: NDArray[Any]) -> np.float64:
    whole = values.astype(np.float64)
    squares: np.float64 = np.dot(whole, whole)
    return squares


def places_px(side_px: int) -> NDArray[np.int64]:
    """The pixels of a line of `side_px`, a multiple of PLACES, that are read: [PLACES]."""
    every_px = every(side_px)
    return np.arange(PLACES) * every_px + every_px // 2


def every(side_px: int) -> int:
    """One pixel of so many is read. Raises ValueError if the side is no multiple of PLACES."""
    if side_px % PLACES or side_px < PLACES:
        raise ValueError(f"a screen to be judged has a multiple of {PLACES} pixels, not {side_px}")
    return side_px // PLACES


class Scaler:
    """A square picture as a square screen shows it at the places: the wall's own cubic of light."""

    def __init__(self, picture_px: int, screen_px: int) -> None:
        """Raises ValueError, see `every`."""
        where = place("cover", (picture_px, picture_px), (screen_px, screen_px))
        self._halvings = where.level
        texels = picture_px >> where.level
        at = (places_px(screen_px) + 0.5) * where.scale[0] + where.offset[0] - 0.5
        self._weights = np.zeros((PLACES, texels), np.float32)
        for tap in range(-1, 3):  # the four texels around each place
            texel = np.floor(at) + tap
            weight = _cubic(np.abs(at - texel), *where.kernel)
            held = np.clip(texel, 0, texels - 1).astype(int)
            np.add.at(self._weights, (np.arange(PLACES), held), weight)

    def shown(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """picture: uint8 [H, W, 3 or 4], top row first -> uint8 [VALUES]."""
        small: NDArray[np.floating[Any]] = _LIGHT[picture[..., :3]]
        for _ in range(self._halvings):
            small = (small[::2, ::2] + small[1::2, ::2] + small[::2, 1::2] + small[1::2, 1::2]) / 4
        down = np.tensordot(self._weights, small, (1, 0))
        both = np.tensordot(self._weights, down, (1, 1)).transpose(1, 0, 2)
        values: NDArray[np.uint8] = np.rint(255 * encoded(both.clip(0, 1))).astype(np.uint8)
        return values.reshape(VALUES)


def _cubic(distance: NDArray[np.float64], b: float, c: float) -> NDArray[np.float64]:
    """Mitchell and Netravali 1988, equation 8, at distances 0 to 2."""
    near = ((12 - 9 * b - 6 * c) * distance + (-18 + 12 * b + 6 * c)) * distance**2 + (6 - 2 * b)
    far = ((-b - 6 * c) * distance + (6 * b + 30 * c)) * distance + (-12 * b - 48 * c)
    far = far * distance + (8 * b + 24 * c)
    return np.where(distance < 1, near, far) / 6
