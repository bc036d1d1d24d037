"""Loch, sea and river: a mirror broken by ripples."""

from __future__ import annotations

import numpy as np
from PIL import Image

from training.painter.brushwork import Floats, smooth_noise
from training.painter.palette import mix
from training.painter.stage import FIELD, Stage, blend


def water_mask(stage: Stage) -> Floats:
    """[FIELD, FIELD] 0..1: where water lies."""
    scene, rng = stage.scene, stage.rng
    depth = (stage.y - scene.horizon) / (1 - scene.horizon)
    if scene.water == "river":
        turn = rng.uniform(0, 6.3)
        centre = 0.5 + (0.3 - 0.1 * depth) * np.sin(turn + 3.2 * (1 - depth) ** 1.5)
        half = 0.015 + 0.2 * np.clip(depth, 0, 1) ** 1.4
        inside: Floats = np.clip((half - np.abs(stage.x - centre)) * 60, 0, 1) * (depth > 0.01)
        return inside
    return (depth > 0).astype(np.float32)


def paint_water(stage: Stage, mask: Floats) -> None:
    """What stands above the horizon, mirrored, broken by ripples, with the path of the light."""
    scene, colours, rng = stage.scene, stage.palette, stage.rng
    small = stage.canvas.image.resize((FIELD, FIELD), Image.Resampling.BOX, reducing_gap=1.5)
    above = np.asarray(small, np.float32)
    depth = stage.y - scene.horizon
    calm = 0.35 if scene.water == "sea" else 1.0
    ripple = smooth_noise(rng, FIELD, (3, 40), 2)
    squeeze = min(1.0, scene.horizon / (1 - scene.horizon))
    row = np.clip((scene.horizon - depth * squeeze * 0.97 + 0.012 * ripple) * FIELD, 0, FIELD - 1)
    column = np.clip((stage.x + 0.012 * ripple * (1 + 8 * depth)) * FIELD, 0, FIELD - 1)
    mirrored = above[row.astype(int), column.astype(int)]
    own = 0.32 + (1 - calm) * 0.35
    field = mirrored + (colours.water - mirrored) * np.clip(own + depth * 0.5, 0, 0.85)[..., None]
    field = blend(
        field,
        mix(colours.water, colours.dark, 0.5),
        np.clip(ripple - 0.1, 0, 1) * 0.5 * (0.4 + depth),
    )
    field = blend(field, colours.low, np.clip(-ripple - 0.15, 0, 1) * 0.6)
    if scene.sky.body != "none":
        spread = 0.02 + scene.sky.size * 0.35 + 0.18 * np.clip(depth, 0, 1)
        path = np.exp(-(((stage.x - scene.sky.x) / spread) ** 2)) * np.clip(
            0.35 + 1.3 * ripple, 0, 1
        )
        field = blend(field, colours.light, path * 0.9)
    edge = Image.fromarray((mask * 255).astype(np.uint8))
    stage.canvas.lay(field, edge)
    angles = 0.12 * ripple if scene.water != "sea" else 0.35 * smooth_noise(rng, FIELD, (5, 14), 2)
    passes = ((500, 0.1, 0.014), (1900, 0.06, 0.0085), (2600, 0.035, 0.005))
    stage.canvas.cover(field, angles.astype(np.float32), mask > 0.5, passes, bend=0.08, jitter=8)
    if scene.water == "sea":
        _crests(stage)


def _crests(stage: Stage) -> None:
    horizon, rng, colours = stage.scene.horizon, stage.rng, stage.palette
    count = 90
    depth = rng.uniform(0.02, 1, count) ** 1.2
    y = horizon + depth * (1 - horizon)
    crest = mix(colours.light, colours.low, 0.3)
    x = rng.uniform(0, 1, count)
    length = 0.015 + 0.07 * depth
    tilt = rng.normal(0, 0.12, count)
    stage.canvas.strokes(x, y, tilt, length, 0.002 + 0.005 * depth, crest, bend=0.06)
    trough = mix(colours.water, colours.dark, 0.3)
    below = y + 0.012 * depth + 0.004
    stage.canvas.strokes(x, below, tilt, length, 0.003 + 0.006 * depth, trough, bend=0.06)
