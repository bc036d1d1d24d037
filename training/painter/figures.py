"""People, beasts and birds, and what people leave on a moor; each standing on (x, y)."""

from __future__ import annotations

import numpy as np

from training.painter.palette import Colour, mix
from training.painter.parts import UPRIGHT, box, faces_left, glow_of, place
from training.painter.stage import Stage


def birds(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    rng = stage.rng
    for _ in range(int(rng.integers(4, 8))):
        bx, by = x + rng.normal(0, h * 1.1), y + rng.normal(0, h * 0.55)
        span, lift = h * rng.uniform(0.3, 0.55), rng.uniform(0.3, 0.7)
        for side in (-1, 1):
            wing = [(bx, by), (bx + side * span * 0.55, by - span * lift)]
            wing += [
                (bx + side * span, by - span * 0.12),
                (bx + side * span * 0.5, by - span * lift * 0.55),
            ]
            stage.canvas.shape(wing, mix(colour, stage.palette.dark, 0.55), jitter=4)


def raven(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    canvas, flip = stage.canvas, faces_left(stage, x)
    black = mix(stage.palette.dark, colour, 0.12)
    body = [(-0.75, 0.02), (-0.5, 0.3), (-0.2, 0.62), (0.1, 0.74), (0.16, 0.95), (0.34, 1.0)]
    body += [(0.48, 0.9), (0.76, 0.8), (0.46, 0.76), (0.4, 0.5), (0.2, 0.22), (-0.1, 0.12)]
    canvas.shape(place(body, x, y, h, flip), black, angle=0.7, jitter=12)
    wing = [(-0.62, 0.1), (-0.3, 0.5), (0.1, 0.62), (0.16, 0.34), (-0.12, 0.18)]
    canvas.shape(
        place(wing, x, y, h, flip),
        mix(black, stage.palette.middle, 0.28),
        angle=0.6 if flip else -0.6,
        jitter=16,
    )
    for leg in (-0.02, 0.12):
        canvas.line(
            place([(leg, 0.2), (leg + 0.03, 0)], x, y, h, flip), h * 0.03, stage.palette.dark
        )
    eye = place([(0.35, 0.9)], x, y, h, flip)[0]
    canvas.dab(*eye, h * 0.025, h * 0.025, stage.palette.light)


def person(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    canvas, colours = stage.canvas, stage.palette
    flip = faces_left(stage, x)
    skin = mix(np.array([242, 196, 160], np.float32), colours.middle, 0.3)
    robe = [
        (-0.25, 0.0),
        (-0.15, 0.4),
        (-0.13, 0.76),
        (0.0, 0.84),
        (0.13, 0.76),
        (0.13, 0.42),
        (0.23, 0.0),
    ]
    canvas.shape(place(robe, x, y, h, flip), colour, angle=UPRIGHT, lit=0.9)
    cloak = [(-0.34, 0.02), (-0.2, 0.5), (-0.13, 0.84), (0.02, 0.86), (-0.08, 0.5), (-0.14, 0.0)]
    canvas.shape(place(cloak, x, y, h, flip), mix(colour, colours.dark, 0.5), angle=1.3)
    arm = place([(0.08, 0.74), (0.26, 0.52), (0.36, 0.6)], x, y, h, flip)
    canvas.line(arm, h * 0.06, mix(colour, colours.dark, 0.2))
    hx, hy = place([(0.01, 0.92)], x, y, h, flip)[0]
    hair = mix(colours.dark, colours.accents[1], 0.25)
    canvas.dab(hx - (-1 if flip else 1) * h * 0.025, hy + h * 0.01, h * 0.085, h * 0.09, hair)
    canvas.dab(hx + (-1 if flip else 1) * h * 0.01, hy, h * 0.06, h * 0.07, skin)


def couple(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    person(stage, x - h * 0.2, y, h, mix(stage.palette.accents[2], stage.palette.dark, 0.25))
    person(stage, x + h * 0.2, y + 0.004, h * 0.93, colour)


def rider(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    canvas, colours, flip = stage.canvas, stage.palette, faces_left(stage, x)
    white = mix(colours.light, colours.middle, 0.18)
    coat = white if sum(colour) < 360 else mix(colours.dark, colours.near, 0.25)
    legs = (
        ((-0.3, 0.36), (-0.36, 0.18), (-0.3, 0.0)),
        ((-0.22, 0.34), (-0.14, 0.18), (-0.2, 0.0)),
        ((0.2, 0.34), (0.36, 0.22), (0.34, 0.04)),
        ((0.14, 0.34), (0.14, 0.16), (0.06, 0.0)),
    )
    for leg in legs:
        canvas.line(place(leg, x, y, h, flip), h * 0.052, mix(coat, colours.dark, 0.25))
    body = [(-0.38, 0.4), (-0.34, 0.54), (0.1, 0.52), (0.26, 0.62), (0.38, 0.8), (0.44, 0.86)]
    body += [(0.6, 0.68), (0.55, 0.63), (0.42, 0.68), (0.32, 0.44), (0.18, 0.32), (-0.3, 0.32)]
    canvas.shape(place(body, x, y, h, flip), coat, lit=0.4)
    tail = [(-0.36, 0.5), (-0.52, 0.38), (-0.5, 0.12), (-0.42, 0.34), (-0.35, 0.42)]
    canvas.shape(place(tail, x, y, h, flip), mix(coat, colours.dark, 0.3), angle=1.3)
    mane = [(0.36, 0.84), (0.2, 0.66), (0.12, 0.52), (0.26, 0.62)]
    canvas.shape(place(mane, x, y, h, flip), mix(coat, colours.dark, 0.4), angle=1.0)
    figure = [
        (-0.12, 0.5),
        (-0.1, 0.84),
        (0.02, 0.88),
        (0.1, 0.8),
        (0.1, 0.52),
        (0.16, 0.26),
        (0.06, 0.26),
    ]
    canvas.shape(place(figure, x, y, h, flip), colour, angle=UPRIGHT, lit=0.7)
    cloak = [(-0.02, 0.88), (-0.14, 0.84), (-0.52, 0.62), (-0.4, 0.5), (-0.06, 0.54)]
    canvas.shape(place(cloak, x, y, h, flip), mix(colour, colours.dark, 0.3), angle=0.5)
    hx, hy = place([(0.02, 0.95)], x, y, h, flip)[0]
    canvas.dab(hx, hy, h * 0.06, h * 0.068, mix(colours.dark, colours.accents[1], 0.35))
    canvas.dab(
        hx + (-1 if flip else 1) * h * 0.022, hy, h * 0.042, h * 0.055, np.array([240, 196, 162])
    )


def deer(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    canvas, colours, flip = stage.canvas, stage.palette, faces_left(stage, x)
    coat = mix(np.array([176, 92, 44], np.float32), colours.dark, 0.35)
    for leg, knee in ((-0.3, -0.34), (-0.2, -0.22), (0.16, 0.17), (0.24, 0.28)):
        path = [(leg, 0.46), (knee, 0.22), (leg, 0)]
        canvas.line(place(path, x, y, h, flip), h * 0.048, mix(coat, colours.dark, 0.25))
    body = [(-0.38, 0.42), (-0.36, 0.54), (-0.28, 0.58), (0.12, 0.55), (0.2, 0.66), (0.24, 0.79)]
    body += [(0.34, 0.82), (0.52, 0.71), (0.49, 0.66), (0.37, 0.68), (0.33, 0.52), (0.26, 0.38)]
    body += [(0.0, 0.4), (-0.22, 0.36)]
    canvas.shape(place(body, x, y, h, flip), coat, lit=0.6)
    for horn in (
        ((0.26, 0.74), (0.16, 0.9), (0.22, 1.0)),
        ((0.28, 0.74), (0.38, 0.88), (0.36, 1.0)),
        ((0.18, 0.86), (0.08, 0.94)),
    ):
        canvas.line(place(horn, x, y, h, flip), h * 0.022, colours.dark)


def bonfire(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    canvas, rng = stage.canvas, stage.rng
    level = np.sort(rng.uniform(0, 1, 120))[::-1]
    px = rng.normal(0, 0.2, 120) * (1.05 - level)
    hot = np.array([255, 236, 130], np.float32)
    red = mix(colour, np.array([240, 80, 30], np.float32), 0.6)
    tone = hot + (red - hot) * np.clip(level[:, None] * 1.2 + np.abs(px[:, None]), 0, 1)
    for log in (-0.2, 0.0, 0.2):
        canvas.line([(x + log * h, y), (x - log * h, y - h * 0.14)], h * 0.06, stage.palette.dark)
    canvas.strokes(
        x + px * h, y - level * h * 0.95, -1.57 + px, h * 0.22, h * 0.07, tone, jitter=12
    )


def knight(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    canvas, colours = stage.canvas, stage.palette
    steel = mix(colours.light, colours.far, 0.5)
    canvas.line(
        [(x - h * 1.1, y - h * 0.1), (x + h * 0.9, y - h * 0.12)],
        h * 0.2,
        mix(steel, colours.dark, 0.3),
    )
    canvas.dab(
        x + h * 1.05, y - h * 0.14, h * 0.14, h * 0.13, mix(colours.dark, colours.accents[1], 0.4)
    )
    shield = [(-0.4, 0.62), (0.0, 0.7), (0.4, 0.62), (0.32, 0.2), (0.0, -0.08), (-0.32, 0.2)]
    canvas.shape(place(shield, x - h * 0.1, y, h), colour, angle=1.5, lit=0.8)
    band = [(-0.07, 0.69), (0.07, 0.69), (0.07, 0.0), (-0.07, 0.0)]
    canvas.shape(place(band, x - h * 0.1, y, h), colours.light)
    canvas.line([(x + h * 0.62, y), (x + h * 0.62, y - h)], h * 0.06, steel)
    canvas.line(
        [(x + h * 0.44, y - h * 0.74), (x + h * 0.8, y - h * 0.74)], h * 0.06, colours.accents[1]
    )


def lantern(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    canvas, colours, rng = stage.canvas, stage.palette, stage.rng
    turn, reach = rng.uniform(0, 6.3, 60), rng.uniform(0.1, 0.5, 60)
    cy = y - h * 0.8
    near = mix(glow_of(stage), colours.middle, 0.55)
    canvas.strokes(
        x + np.cos(turn) * reach * h * 0.7,
        cy + np.sin(turn) * reach * h * 0.7,
        turn + 1.57,
        h * 0.14,
        h * 0.035,
        near,
    )
    canvas.line([(x, y), (x, cy)], h * 0.035, colours.dark)
    canvas.shape(box(x, cy + h * 0.1, h * 0.1, h * 0.24), colours.dark)
    canvas.shape(box(x, cy + h * 0.08, h * 0.07, h * 0.19), glow_of(stage), jitter=5)
