"""What the things in a picture are put together from."""

from __future__ import annotations

import numpy as np

from training.painter.brushwork import Points
from training.painter.palette import Colour, mix
from training.painter.stage import Stage

UPRIGHT = np.pi / 2


def box(x: float, y: float, half: float, height: float) -> Points:
    """An upright rectangle standing on (x, y)."""
    return [(x - half, y - height), (x + half, y - height), (x + half, y), (x - half, y)]


def place(points: Points, x: float, y: float, h: float, flip: bool = False) -> Points:
    """Unit points (height 1, y upwards, foot at the origin) onto the canvas."""
    side = -1 if flip else 1
    return [(x + side * px * h, y - py * h) for px, py in points]


def faces_left(stage: Stage, x: float) -> bool:
    """Things look towards the middle of the picture."""
    return x > 0.5


def lit_wall(stage: Stage, colour: Colour) -> Colour:
    """The colour of a wall in the light of this picture."""
    night = stage.palette.night
    return mix(colour, stage.palette.near if night else stage.palette.light, 0.3 if night else 0.15)


def glow_of(stage: Stage) -> Colour:
    """Lamplight."""
    return mix(stage.palette.accents[1], np.array([255, 226, 120], np.float32), 0.6)


def window(stage: Stage, x: float, y: float, w: float, h: float) -> None:
    """A window with its sill at (x, y), lit at night."""
    lamp = glow_of(stage) if stage.palette.night else mix(glow_of(stage), stage.palette.dark, 0.35)
    stage.canvas.shape(box(x, y, w / 2, h), lamp, jitter=6)


def wake(stage: Stage, x: float, y: float, half: float, tone: Colour) -> None:
    """Broken reflection and foam around a hull of half-width `half`."""
    rng, colours = stage.rng, stage.palette
    count = 34
    spread = rng.uniform(-1, 1, count)
    down = rng.uniform(0, 0.5, count) * half
    dark = mix(tone, colours.water, 0.4)
    stage.canvas.strokes(x + spread * half * 0.7, y + down, 0.0, half * 0.35, half * 0.04, dark)
    foam = mix(colours.light, colours.water, 0.2)
    stage.canvas.strokes(
        x + spread[:14] * half, y + down[:14] * 0.2, 0.0, half * 0.3, half * 0.035, foam
    )
