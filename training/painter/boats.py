"""Ships, boats and swans, each floating at (x, y)."""

from __future__ import annotations

import numpy as np

from training.painter.palette import Colour, mix
from training.painter.parts import faces_left, place, wake
from training.painter.stage import Stage


def ship(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    canvas, colours = stage.canvas, stage.palette
    flip = faces_left(stage, x)
    hull_tone = mix(np.array([96, 48, 30], np.float32), colours.dark, 0.45)
    sail = mix(colours.light, colour, 0.18 if not colours.night else 0.4)
    for mast, tall in ((-0.27, 0.78), (0.02, 1.0), (0.3, 0.74)):
        canvas.line(place([(mast, 0.1), (mast, tall)], x, y, h, flip), h * 0.016, colours.dark)
        for low, high, broad in ((0.2, 0.5, 0.15), (0.53, 0.76, 0.12), (0.79, 0.94, 0.08)):
            low, high = low * tall + 0.04, high * tall + 0.04
            curve = [(mast - broad, low), (mast - broad * 0.8, high), (mast + broad * 0.8, high)]
            belly = [(mast + broad * 1.25, (low + high) / 2), (mast + broad, low)]
            canvas.shape(
                place([*curve, *belly], x, y, h, flip), sail, angle=1.35, lit=0.7, jitter=8
            )
        pennant = [(mast, tall + 0.06), (mast, tall), (mast - 0.13, tall + 0.05)]
        canvas.shape(place(pennant, x, y, h, flip), colours.accents[0])
    jib = [(0.34, 0.62), (0.66, 0.22), (0.36, 0.24)]
    canvas.shape(place(jib, x, y, h, flip), mix(sail, colour, 0.25), angle=1.0)
    canvas.line(place([(0.4, 0.15), (0.7, 0.25)], x, y, h, flip), h * 0.016, colours.dark)
    hull = [(-0.5, 0.27), (-0.44, 0.04), (-0.32, -0.03), (0.34, -0.03), (0.52, 0.18)]
    canvas.shape(place([*hull, (0.3, 0.14), (-0.3, 0.14), (-0.36, 0.27)], x, y, h, flip), hull_tone)
    stripe = [(-0.44, 0.12), (-0.43, 0.09), (0.46, 0.12), (0.48, 0.15)]
    canvas.shape(place(stripe, x, y, h, flip), colour)
    wake(stage, x, y, h * 0.6, hull_tone)


def boat(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    canvas, colours = stage.canvas, stage.palette
    flip = faces_left(stage, x)
    canvas.line(place([(0, 0.1), (0, 1)], x, y, h, flip), h * 0.025, colours.dark)
    white = mix(colours.light, colours.low, 0.2)
    canvas.shape(
        place([(-0.04, 0.96), (-0.04, 0.24), (-0.46, 0.24)], x, y, h, flip),
        colour,
        angle=1.1,
        lit=0.5,
    )
    canvas.shape(place([(0.04, 0.86), (0.42, 0.24), (0.04, 0.24)], x, y, h, flip), white, angle=1.2)
    hull = [(-0.52, 0.2), (-0.38, 0.0), (0.36, 0.0), (0.56, 0.22)]
    hull_tone = mix(mix(colour, colours.accents[2], 0.35), colours.dark, 0.55)
    canvas.shape(place(hull, x, y, h, flip), hull_tone)
    wake(stage, x, y, h * 0.6, hull_tone)


def swan(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    canvas, flip = stage.canvas, faces_left(stage, x)
    white = mix(np.array([255, 255, 255], np.float32), stage.palette.low, 0.15)
    body = [
        (-0.75, 0.5),
        (-0.5, 0.1),
        (-0.1, 0.0),
        (0.35, 0.06),
        (0.5, 0.3),
        (0.2, 0.42),
        (-0.3, 0.55),
    ]
    canvas.shape(place(body, x, y, h, flip), white, lit=0.3)
    neck = [(0.42, 0.25), (0.56, 0.5), (0.4, 0.8), (0.5, 0.97), (0.62, 0.95)]
    canvas.line(place(neck, x, y, h, flip), h * 0.11, white)
    canvas.shape(
        place([(0.6, 1.0), (0.8, 0.86), (0.6, 0.9)], x, y, h, flip), np.array([240, 130, 40])
    )
    wake(stage, x, y, h * 0.7, white)
