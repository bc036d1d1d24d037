"""Trees and flowers, each standing on (x, y)."""

from __future__ import annotations

import numpy as np

from training.painter.palette import Colour, mix
from training.painter.parts import UPRIGHT, box, glow_of, place
from training.painter.stage import Stage


def tree(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    canvas, colours, rng = stage.canvas, stage.palette, stage.rng
    bark = mix(np.array([92, 54, 40], np.float32), colours.dark, 0.5)
    trunk = [(-0.06, 0), (-0.03, 0.5), (0.03, 0.5), (0.06, 0)]
    canvas.shape(place(trunk, x, y, h), bark, angle=UPRIGHT)
    for end in ((-0.2, 0.68), (0.18, 0.7), (0.0, 0.78)):
        canvas.line(place([(0, 0.38), end], x, y, h), h * 0.028, bark)
    clumps = np.column_stack([rng.normal(0, 0.17, 7), 0.68 + rng.normal(0, 0.1, 7)])
    count = 330
    own = clumps[rng.integers(0, 7, count)]
    turn, reach = rng.uniform(0, 6.3, count), np.sqrt(rng.uniform(0, 1, count)) * 0.19
    px, py = own[:, 0] + np.cos(turn) * reach, own[:, 1] + np.sin(turn) * reach * 0.85
    order = np.argsort(rng.uniform(0, 1, count) + py * 0.7)
    px, py, turn = px[order], py[order], turn[order]
    side = 1.0 if stage.scene.sky.x > x else -1.0
    light = np.clip(0.5 + 1.3 * side * px + 1.7 * (py - 0.68), 0, 1)[:, None]
    shadow, sunny = mix(colour, colours.dark, 0.62), mix(colour, colours.light, 0.4)
    hues = np.where(
        light < 0.5,
        shadow + (colour - shadow) * light * 2,
        colour + (sunny - colour) * (light * 2 - 1),
    )
    canvas.strokes(x + px * h, y - py * h, turn, h * 0.085, h * 0.04, hues, jitter=13)


def pine(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    canvas, colours, rng = stage.canvas, stage.palette, stage.rng
    canvas.shape(box(x, y, h * 0.02, h * 0.2), mix(colours.dark, colours.near, 0.2))
    level = np.sort(rng.uniform(0, 1, 150))
    half = 0.02 + 0.2 * (1 - level) * (0.6 + 0.4 * ((level * 7) % 1 < 0.6))
    px = rng.uniform(-1, 1, 150) * half
    dark = mix(mix(colour, colours.near, 0.45), colours.dark, 0.5)
    lit = mix(colour, colours.light, 0.25)
    amount = np.clip(0.4 + (1 if stage.scene.sky.x > x else -1) * px / 0.2, 0, 1)[:, None]
    slant = np.sign(px) * (0.55 + 0.2 * level)
    canvas.strokes(
        x + px * h,
        y - (0.1 + 0.88 * level) * h,
        slant,
        h * 0.11,
        h * 0.026,
        dark + (lit - dark) * amount * 0.7,
    )


def bare_tree(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    canvas, rng = stage.canvas, stage.rng
    bark = mix(colour, stage.palette.dark, 0.85)
    tips: list[tuple[float, float, float, float, float]] = [(x, y, -UPRIGHT, h * 0.29, h * 0.085)]
    for _ in range(7):
        grown: list[tuple[float, float, float, float, float]] = []
        for px, py, angle, length, width in tips:
            ex, ey = px + np.cos(angle) * length, py + np.sin(angle) * length
            side = np.array([-np.sin(angle), np.cos(angle)]) * width / 2
            thin = side * 0.62
            outline = [(px - side[0], py - side[1]), (ex - thin[0], ey - thin[1])]
            outline += [(ex + thin[0], ey + thin[1]), (px + side[0], py + side[1])]
            size = canvas.size_px
            r, g, b = (int(v) for v in np.clip(bark + rng.normal(0, 7), 0, 255))
            canvas.draw.polygon([(a * size, c * size) for a, c in outline], fill=(r, g, b))
            for turn in (-0.45, 0.38, 0.0)[: 3 if rng.uniform() < 0.15 else 2]:
                bend = turn + rng.normal(0, 0.18)
                grown.append((ex, ey, angle + bend, length * rng.uniform(0.6, 0.9), width * 0.62))
        tips = grown


def flowers(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    canvas, colours, rng = stage.canvas, stage.palette, stage.rng
    stem = mix(mix(colours.ground, np.array([40, 130, 60], np.float32), 0.5), colours.dark, 0.3)
    for index in range(9):
        top_x, top_y = x + rng.normal(0, h * 0.45), y - h * rng.uniform(0.45, 1.0)
        foot = x + (top_x - x) * 0.6
        canvas.line(
            [(foot, y), ((foot + top_x) / 2 + h * 0.03, (y + top_y) / 2), (top_x, top_y)],
            h * 0.025,
            stem,
        )
        canvas.strokes([foot + h * 0.05], [y - h * 0.22], -0.8, h * 0.22, h * 0.06, stem)
        hue = colour if index % 3 else colours.accents[int(rng.integers(3))]
        turn = np.arange(7) * 0.9 + rng.uniform(0, 1)
        reach = h * 0.075
        canvas.strokes(
            top_x + np.cos(turn) * reach,
            top_y + np.sin(turn) * reach,
            turn,
            h * 0.14,
            h * 0.08,
            hue,
            jitter=14,
        )
        canvas.dab(top_x, top_y, h * 0.035, h * 0.035, glow_of(stage))


def rose(stage: Stage, x: float, y: float, h: float, colour: Colour) -> None:
    canvas, colours, rng = stage.canvas, stage.palette, stage.rng
    stem = mix(np.array([40, 120, 60], np.float32), colours.dark, 0.35)
    canvas.line([(x, y), (x + h * 0.05, y - h * 0.4), (x, y - h * 0.72)], h * 0.035, stem)
    for side, level in ((1, 0.3), (-1, 0.42), (1, 0.55)):
        leaf = [
            (0, level),
            (side * 0.16, level + 0.12),
            (side * 0.3, level + 0.1),
            (side * 0.16, level - 0.01),
        ]
        canvas.shape(
            place(leaf, x + h * 0.03, y, h), mix(stem, colours.light, 0.15), angle=-0.5 * side
        )
    cy = y - h * 0.8
    canvas.dab(x, cy, h * 0.2, h * 0.18, mix(colour, colours.dark, 0.35))
    for ring in (1.0, 0.75, 0.5, 0.25):
        turn = rng.uniform(0, 6.3, 16)
        tone = mix(mix(colour, colours.dark, 0.3), mix(colour, colours.light, 0.4), 1.1 - ring)
        px, py = x + np.cos(turn) * h * 0.18 * ring, cy + np.sin(turn) * h * 0.16 * ring
        canvas.strokes(px, py, turn + np.pi / 2, h * 0.15, h * 0.05, tone, bend=0.5, jitter=14)
