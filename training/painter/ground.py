"""Hills, fields and the near bank of a picture, painted back to front."""

from __future__ import annotations

import numpy as np
from PIL import Image

from training.painter.brushwork import Floats, smooth_noise
from training.painter.palette import Colour, mix
from training.painter.stage import FIELD, Stage, blend


def ridge_line(rng: np.random.Generator, base: float, height: float, land: str) -> Floats:
    """[FIELD] heights (y, 0..1) of a skyline standing `height` above `base`."""
    x = np.linspace(0, 1, FIELD)
    total = np.zeros(FIELD)
    octaves = {"rolling": 3, "peaks": 5, "cliffs": 4, "flat": 2}[land]
    fall = {"rolling": 0.3, "peaks": 0.5, "cliffs": 0.4, "flat": 0.3}[land]
    offset = rng.uniform(0, 1)
    for octave in range(octaves):
        cells = (2 if land != "peaks" else 3) * 2**octave
        knots = rng.uniform(-1, 1, cells + 2)
        at = (x * cells + offset) % (cells + 1)
        index = at.astype(int)
        t = at - index
        t = t if land == "peaks" and octave < 3 else t * t * (3 - 2 * t)
        total += fall**octave * (knots[index] * (1 - t) + knots[(index + 1) % (cells + 2)] * t)
    total = (total - total.min()) / max(float(np.ptp(total)), 1e-6)
    if land == "cliffs":
        total = 0.12 * total + 0.88 / (1 + np.exp(-16 * (total - rng.uniform(0.45, 0.65))))
    low = {"rolling": 0.3, "peaks": 0.1, "cliffs": 0.0, "flat": 0.75}[land]
    skyline: Floats = (base - height * (low + (1 - low) * total)).astype(np.float32)
    return skyline


def paint_hills(stage: Stage) -> None:
    """Layers of hills, paler and bluer with distance, lit from the side of the sun."""
    scene, colours, rng = stage.scene, stage.palette, stage.rng
    for layer in range(scene.hills):
        depth = (layer + 1) / scene.hills
        height = scene.hill_height * (1.1 - 0.62 * depth) * rng.uniform(0.85, 1.15)
        top = ridge_line(rng, scene.horizon + 0.012, height, scene.land)
        tone = mix(colours.far, colours.near, depth if scene.hills > 1 else 0.6)
        tone = mix(tone, colours.low, (1 - depth) * 0.2 + scene.sky.mist * 0.25)
        paint_ground(stage, top, scene.horizon + 0.03, tone, haze=0.25 + 0.4 * scene.sky.mist)


def paint_ground(
    stage: Stage,
    top: Floats,
    bottom: float,
    tone: Colour,
    *,
    haze: float = 0.0,
    upright: float = 0.0,
) -> None:
    """Land below the skyline `top` [FIELD] down to `bottom`; `upright` turns strokes to grass."""
    colours, rng, canvas = stage.palette, stage.rng, stage.canvas
    depth = stage.y - top[None, :]
    keep = (depth > 0) & (stage.y < bottom)
    slope = np.gradient(top, 1 / FIELD)
    toward = np.sign(stage.scene.sky.x - stage.x) * slope[None, :]
    patches = smooth_noise(rng, FIELD, (4, 8), 3)
    field = np.broadcast_to(tone, (FIELD, FIELD, 3)).astype(np.float32)
    lit = np.clip(0.24 + 0.35 * toward + 0.45 * patches, 0, 0.75)
    field = blend(
        field, mix(tone, colours.light, 0.55), (lit * np.exp(-depth * 6)).astype(np.float32)
    )
    field = blend(field, mix(tone, colours.accents[2], 0.5), np.clip(patches, 0, 1) * 0.45)
    field = blend(field, mix(tone, colours.dark, 0.6), np.clip(-patches - 0.1, 0, 1) * 0.7)
    if haze > 0:
        field = blend(field, colours.low, np.clip(depth / 0.25, 0, 1) * haze)
    mask = Image.fromarray(
        (np.clip(depth * FIELD + 0.5, 0, 1) * (stage.y < bottom) * 255).astype(np.uint8)
    )
    canvas.lay(field, mask)
    angles = np.arctan(slope)[None, :] + 0.5 * patches + np.zeros_like(depth)
    angles = angles * (1 - upright) + (-np.pi / 2 + 0.5 * patches) * upright
    inner = keep & (depth > 0.008)
    passes = ((700, 0.075, 0.017), (2600, 0.045, 0.009), (3200, 0.026, 0.005))
    canvas.cover(field, angles.astype(np.float32), inner, passes, jitter=9)


def paint_fields(stage: Stage) -> None:
    """Dry land from the horizon to the lower edge: bands that roll towards the viewer."""
    scene, colours, rng = stage.scene, stage.palette, stage.rng
    depth = 1 - scene.horizon
    count = 4
    for band in range(count):
        near = band / (count - 1)
        base = scene.horizon + depth * (0.0 + 0.72 * near**1.5)
        top = ridge_line(rng, base + 0.02, 0.02 + 0.07 * near, "rolling")
        tint = mix(colours.near, colours.ground, 0.35 + 0.65 * near)
        tint = mix(tint, colours.accents[int(rng.integers(3))], float(rng.uniform(0.0, 0.3)))
        paint_ground(stage, top, 1.1, tint, haze=0.1 * (1 - near), upright=0.5 * near)


def paint_bank(stage: Stage) -> None:
    """The near ground at the lower edge, with grass, shingle, flowers or snow."""
    scene, colours, rng, canvas = stage.scene, stage.palette, stage.rng, stage.canvas
    if scene.bank == "none":
        return
    height = rng.uniform(0.1, 0.16)
    top = ridge_line(rng, 1.0, height * 1.3, "rolling")
    tone = {
        "grass": colours.ground,
        "flowers": mix(colours.ground, colours.near, 0.25),
        "shore": mix(colours.ground, colours.low, 0.45),
        "snow": mix(np.array([240, 246, 255], np.float32), colours.low, 0.18),
    }[scene.bank]
    if scene.bank != "snow":
        tone = mix(tone, colours.dark, 0.18)
    grassy = scene.bank in ("grass", "flowers")
    paint_ground(stage, top, 1.1, tone, upright=0.95 if grassy else 0.1)
    if not grassy:
        return
    count = 260
    x = rng.uniform(0, 1, count)
    edge = top[np.clip((x * FIELD).astype(int), 0, FIELD - 1)]
    blade = rng.choice(np.array([0.25, -0.3, 0.55]), count)[:, None]
    tip = np.where(blade > 0, colours.light, colours.dark)
    hues = tone + (tip - tone) * np.abs(blade)
    tall = rng.uniform(0.015, 0.05, count)
    canvas.strokes(
        x, edge + rng.uniform(0, 0.1, count), -1.57 + rng.normal(0, 0.3, count), tall, 0.004, hues
    )
    if scene.bank == "flowers":
        paint_blossoms(stage, top, 150)


def paint_blossoms(stage: Stage, top: Floats, count: int) -> None:
    """Dabs of accent colours below the line `top` [FIELD], larger towards the lower edge."""
    rng, colours = stage.rng, stage.palette
    x = rng.uniform(0, 1, count)
    edge = top[np.clip((x * FIELD).astype(int), 0, FIELD - 1)]
    y = edge + (1.02 - edge) * rng.uniform(0, 1, count)
    size = 0.007 + 0.016 * np.clip(y - edge.min(), 0, 1) / 0.2
    hues = np.stack(colours.accents)[rng.choice(3, count, p=[0.55, 0.3, 0.15])]
    for turn in (0.0, 1.05, 2.1):
        stage.canvas.strokes(x, y, turn, size * 1.1, size * 0.5, hues, jitter=14)
    stage.canvas.strokes(x, y, 0.0, size * 0.35, size * 0.35, colours.light, jitter=6)
