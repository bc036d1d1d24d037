"""One ballad's way through w: noise loops and morphs, on straight lines or on a smooth curve. Pure.

Additions and multiplications of float64 and divisions of whole numbers: the same bits everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from shows.latent_set import LatentSet
from shows.schema import Easing, Path

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Motion:
    """How a ballad moves. Lengths in frames; loop_strengths: one for each painting, in units of w's
    standard deviation a stop."""

    stops: int
    frames_per_stop: int
    morph_frames: int
    noise_cycles: int
    path: Path
    easing: Easing
    loop_strengths: tuple[float, ...]

    @property
    def segment_frames(self) -> int:
        """Frames from one painting to the next."""
        return self.stops * self.frames_per_stop + self.morph_frames


@dataclass(frozen=True)
class Place:
    """Where a ballad stands at its own frame. painting_index: the one it left last."""

    cycle: int
    cycle_frame: float
    painting_index: int
    segment_frame: float


def place_at(motion: Motion, local_frame: float) -> Place:
    """local_frame: the ballad's own count, 0 on its first painting."""
    paintings = len(motion.loop_strengths)
    cycle, cycle_frame = divmod(local_frame, paintings * motion.segment_frames)
    painting_index, segment_frame = divmod(cycle_frame, motion.segment_frames)
    return Place(int(cycle), cycle_frame, int(painting_index), segment_frame)


def ballad_w(latents: LatentSet, motion: Motion, local_frame: float) -> Float64:
    """One ballad at its own frame: [L, w_dim]. Every painting and every stop is met exactly."""
    place = place_at(motion, local_frame)
    stop = int(min(place.segment_frame // motion.frames_per_stop, motion.stops))
    frames_past = place.segment_frame - stop * motion.frames_per_stop
    at = (place.cycle * len(motion.loop_strengths) + place.painting_index) * (
        motion.stops + 1
    ) + stop
    if motion.path == "smooth":
        return _on_curve(latents, motion, at, frames_past)
    t = frames_past / _duration(motion, at)
    if stop == motion.stops:
        t = eased(t, motion.easing)
    return lerp(_point(latents, motion, at), _point(latents, motion, at + 1), t)


def eased(t: float, easing: Easing) -> float:
    """t, 0 to 1, or 3 t^2 - 2 t^3, which starts and ends at rest."""
    return t * t * (3.0 - 2.0 * t) if easing == "smoothstep" else t


def lerp(a: Float64, b: Float64, t: float) -> Float64:
    return a * (1.0 - t) + b * t


def _on_curve(latents: LatentSet, motion: Motion, at: int, frames_past: float) -> Float64:
    """Cubic Hermite spline through the points; the velocity at a point is that of the parabola
    through it and its two neighbours (Bessel tangents), so a corner at a point is a curve instead
    and nothing ever stands still there. A segment of no length is a cut: none is bent by it.
    """
    before, span, after = (_duration(motion, at + step) for step in (-1, 0, 1))
    points = [_point(latents, motion, at + step) for step in (-1, 0, 1, 2)]
    chord = points[2] - points[1]
    leaving = arriving = chord
    if before:
        leaving = (points[1] - points[0]) * (span * span / (before * (before + span))) + chord * (
            before / (before + span)
        )
    if after:
        arriving = chord * (after / (span + after)) + (points[3] - points[2]) * (
            span * span / (after * (span + after))
        )
    t = frames_past / span
    u = 1.0 - t
    return (
        points[1] * (u * u * (1.0 + 2.0 * t))
        + points[2] * (t * t * (3.0 - 2.0 * t))
        + leaving * (t * u * u)
        - arriving * (t * t * u)
    )


def _duration(motion: Motion, at: int) -> int:
    """Frames from a point to the next: a stop's, or the morph's after the last one."""
    is_last = at % (motion.stops + 1) == motion.stops
    return motion.morph_frames if is_last else motion.frames_per_stop


def _point(latents: LatentSet, motion: Motion, at: int) -> Float64:
    """Points are counted over all paintings and cycles: a painting, then its stops."""
    segment, stop = divmod(at, motion.stops + 1)
    cycle, painting = divmod(segment, len(motion.loop_strengths))
    strength = motion.loop_strengths[painting]
    points: Float64 = _stop_points(
        latents, strength, motion.stops, painting, cycle % motion.noise_cycles
    )
    point: Float64 = points[stop]
    return point


@lru_cache(maxsize=256)  # a function of values that cannot change: LatentSet is read-only
def _stop_points(
    latents: LatentSet, loop_strength: float, stops: int, painting_index: int, noise_cycle: int
) -> Float64:
    """A painting's w and the stops of its noise loop: [stops + 1, L, w_dim].

    Stop k is w + loop_strength (noise_1 + ... + noise_k).
    """
    noise = latents.loop_noise[noise_cycle, painting_index].astype(np.float64)
    w = latents.ws[painting_index].astype(np.float64)
    points = np.empty((stops + 1, *w.shape), np.float64)
    points[0] = w
    total = np.zeros(w.shape[1], np.float64)
    for stop in range(stops):
        total = total + noise[stop]
        points[stop + 1] = w + loop_strength * total
    points.setflags(write=False)
    return points
