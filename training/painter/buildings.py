"""Houses, castles, churches, bridges, stones and graves, each standing on (x, y)."""

from __future__ import annotations

import numpy as np

from training.painter.palette import Colour, mix
from training.painter.parts import UPRIGHT, box, glow_of, lit_wall, place, window
from training.painter.stage import Stage


def cottage(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    canvas, colours = stage.canvas, stage.palette
    wall = lit_wall(stage, mix(np.array([250, 240, 225], np.float32), colours.low, 0.3))
    if colours.night:
        wall = mix(wall, colours.middle, 0.35)
    w = h * 0.72
    canvas.shape(box(x + w * 0.5, y - h * 0.72, h * 0.06, h * 0.3), mix(colour, colours.dark, 0.4))
    canvas.shape(box(x, y, w, h * 0.58), wall, lit=0.5)
    roof = [(x - w * 1.14, y - h * 0.54), (x - w * 0.72, y - h), (x + w * 0.72, y - h)]
    canvas.shape([*roof, (x + w * 1.14, y - h * 0.54)], colour, angle=1.2, lit=0.6, jitter=14)
    canvas.shape(box(x, y, h * 0.1, h * 0.36), mix(colour, colours.dark, 0.55), angle=UPRIGHT)
    for side in (-0.55, 0.55):
        window(stage, x + w * side, y - h * 0.2, h * 0.2, h * 0.2)
    puff = np.linspace(0, 1, 9)
    smoke = mix(colours.light, colours.middle, 0.35)
    canvas.strokes(
        x + w * 0.5 + 0.12 * h * np.sin(puff * 5) + 0.25 * h * puff,
        y - h * 1.08 - h * 0.55 * puff,
        0.4,
        h * (0.12 + 0.12 * puff),
        h * (0.06 + 0.06 * puff),
        smoke,
    )


def tower(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    canvas, colours = stage.canvas, stage.palette
    stone = lit_wall(stage, mix(colours.far, colours.dark, 0.35))
    w = h * 0.17
    canvas.shape(box(x, y, w, h * 0.78), stone, lit=0.7)
    canvas.shape(box(x, y - h * 0.72, w * 1.25, h * 0.1), mix(stone, colours.dark, 0.25), lit=0.6)
    roof = [(x - w * 1.4, y - h * 0.8), (x, y - h * 1.05), (x + w * 1.4, y - h * 0.8)]
    canvas.shape(roof, colour, angle=1.1, lit=0.7, jitter=14)
    for level in (0.3, 0.55):
        window(stage, x, y - h * level, w * 0.5, h * 0.1)


def castle(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    canvas, colours = stage.canvas, stage.palette
    stone = lit_wall(stage, mix(colours.far, colours.dark, 0.3))
    rock = [(x - h * 0.95, y + h * 0.02), (x - h * 0.7, y - h * 0.16), (x + h * 0.62, y - h * 0.2)]
    canvas.shape([*rock, (x + h, y + h * 0.02)], mix(colours.near, colours.dark, 0.4), angle=0.5)
    canvas.shape(box(x, y - h * 0.1, h * 0.5, h * 0.36), stone, lit=0.6)
    for notch in np.linspace(-0.45, 0.45, 7):
        canvas.shape(box(x + h * float(notch), y - h * 0.44, h * 0.04, h * 0.07), stone)
    tower(stage, x - h * 0.46, y - h * 0.12, h * 0.66, colour)
    tower(stage, x + h * 0.48, y - h * 0.14, h * 0.56, colour)
    tower(stage, x + h * 0.06, y - h * 0.12, h * 0.85, colour)
    canvas.shape(box(x + h * 0.27, y - h * 0.1, h * 0.06, h * 0.16), glow_of(stage))
    pole = y - h * 1.0
    canvas.line([(x + h * 0.06, pole), (x + h * 0.06, pole - h * 0.17)], h * 0.012, colours.dark)
    flag = [(x + h * 0.06, pole - h * 0.17), (x + h * 0.25, pole - h * 0.12)]
    canvas.shape([*flag, (x + h * 0.06, pole - h * 0.06)], colours.accents[0])


def church(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    canvas, colours = stage.canvas, stage.palette
    wall = lit_wall(stage, mix(colours.low, colours.far, 0.5))
    canvas.shape(box(x + h * 0.28, y, h * 0.34, h * 0.32), wall, lit=0.5)
    roof = [(x - h * 0.1, y - h * 0.3), (x + h * 0.05, y - h * 0.52), (x + h * 0.55, y - h * 0.52)]
    canvas.shape([*roof, (x + h * 0.68, y - h * 0.3)], colour, angle=1.2, lit=0.5)
    canvas.shape(box(x - h * 0.12, y, h * 0.12, h * 0.58), mix(wall, colours.dark, 0.12), lit=0.5)
    spire = [(x - h * 0.26, y - h * 0.57), (x - h * 0.12, y - h), (x + h * 0.02, y - h * 0.57)]
    canvas.shape(spire, mix(colour, colours.dark, 0.2), angle=1.4, lit=0.8)
    for step in (0.12, 0.3, 0.48):
        window(stage, x + h * step, y - h * 0.08, h * 0.07, h * 0.16)
    window(stage, x - h * 0.12, y - h * 0.36, h * 0.07, h * 0.13)


def bridge(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    canvas, colours = stage.canvas, stage.palette
    stone = mix(mix(colours.low, colours.far, 0.5), colours.dark, 0.25)
    arc = np.linspace(0, np.pi, 16)
    outer = [(-1.5 * np.cos(a), 0.35 + 0.6 * np.sin(a)) for a in arc]
    inner = [(0.95 * np.cos(a), 0.62 * np.sin(a)) for a in arc]
    left = [(-1.5, 0.0), *outer, (1.5, 0.0)]
    canvas.shape(place([*left, *inner], x, y, h), stone, angle=0.1, lit=0.5)
    rail = [(x - 1.5 * np.cos(a) * h, y - (0.37 + 0.6 * np.sin(a)) * h) for a in arc]
    canvas.line(rail, h * 0.05, mix(stone, colours.light, 0.4))


def stones(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    rng, colours = stage.rng, stage.palette
    grey = mix(mix(colours.far, colours.dark, 0.4), colour, 0.12)
    for step, tall in ((-0.85, 0.62), (-0.4, 0.9), (0.1, 1.0), (0.6, 0.78), (1.0, 0.55)):
        lean = rng.normal(0, 0.05)
        slab = [(-0.15, 0), (-0.13 + lean, 0.85), (0.02 + lean, 1), (0.13 + lean, 0.9), (0.16, 0)]
        stage.canvas.shape(
            place(slab, x + step * h, y + rng.uniform(0, 0.02), h * tall), grey, angle=1.3, lit=1.0
        )


def graves(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    canvas, colours = stage.canvas, stage.palette
    stone = mix(colours.low, colours.dark, 0.45)
    for step, tall in ((-0.75, 0.75), (0.0, 1.0), (0.75, 0.68)):
        px, ph = x + step * h, h * tall
        canvas.shape(box(px, y, ph * 0.09, ph), stone, angle=1.5, lit=0.8)
        canvas.shape(box(px, y - ph * 0.62, ph * 0.28, ph * 0.17), stone, lit=0.8)
        tone = mix(colours.ground, colours.dark, 0.2)
        canvas.strokes(
            px + np.linspace(-0.25, 0.25, 12) * ph, y - 0.01, -1.4, ph * 0.2, ph * 0.04, tone
        )
