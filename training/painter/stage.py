"""What every part of the painter shares: the canvas, the scene, the colours, a sample grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.painter.brushwork import Canvas, Floats
from training.painter.palette import Colour, Palette
from training.painter.scene import Scene

FIELD = 256  # side of the colour and direction fields, samples


@dataclass(frozen=True)
class Stage:
    """What the painting functions share. Coordinates 0..1; `x`, `y`: [FIELD, FIELD] of samples."""

    canvas: Canvas
    scene: Scene
    palette: Palette
    rng: np.random.Generator
    x: Floats
    y: Floats


def make_stage(canvas: Canvas, scene: Scene, palette: Palette, rng: np.random.Generator) -> Stage:
    """A stage with its sample grid."""
    ticks = (np.arange(FIELD, dtype=np.float32) + 0.5) / FIELD
    x, y = np.meshgrid(ticks, ticks)
    return Stage(canvas, scene, palette, rng, x, y)


def blend(field: Floats, colour: Colour, amount: Floats) -> Floats:
    """Colours [h, w, 3] along evenly spaced stops, at t [h, w] in 0..1."""
    """field [h, w, 3] towards the colour by amount [h, w], clipped to 0..1."""
    result: Floats = field + (colour - field) * np.clip(amount, 0, 1)[..., None]
    return result


def smoothstep(low: float, high: float, value: Floats) -> Floats:
    """0 below `low`, 1 above `high`, 3t^2 - 2t^3 between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    result: Floats = (t * t * (3 - 2 * t)).astype(np.float32)
    return result


def ramp(stops: tuple[Colour, ...], t: Floats) -> Floats:
    """Colours [h, w, 3] along evenly spaced stops, at t [h, w] in 0..1."""
    knots = np.linspace(0, 1, len(stops))
    parts = [np.interp(t, knots, [s[c] for s in stops]) for c in range(3)]
    return np.stack(parts, -1).astype(np.float32)
