"""The sky of a picture: gradient, sun or moon, clouds, stars, northern lights."""

from __future__ import annotations

import numpy as np

from training.painter.brushwork import Floats, smooth_noise
from training.painter.palette import mix
from training.painter.stage import FIELD, Stage, blend, ramp, smoothstep


def paint_sky(stage: Stage) -> None:
    """Gradient, sun or moon with its glow, clouds, stars, northern lights; strokes swirl."""
    scene, colours, rng, x, y = stage.scene, stage.palette, stage.rng, stage.x, stage.y
    sky = scene.sky
    drift = smooth_noise(rng, FIELD, (2, 3), 3)
    t = np.clip(y / (scene.horizon + 0.02) + 0.07 * drift, 0, 1)
    field = ramp(
        (colours.top, mix(colours.top, colours.middle, 0.6), colours.middle, colours.low), t
    )

    away = np.hypot(x - sky.x, y - sky.y)
    radius = sky.size / 2
    shining = sky.body != "none"
    if shining:
        reach = 0.9 if colours.night else 1.3
        glow = np.exp(-away / (radius * 2.0 + 0.1)) * reach * 0.75
        field = blend(field, mix(colours.low, colours.light, 0.5), glow)
    if sky.aurora > 0:
        field = _aurora(stage, field)

    cloud = smooth_noise(rng, FIELD, (2, 6), 4) + 0.15
    low = 0.5 - 0.7 * sky.clouds
    amount = smoothstep(low, low + 0.32, cloud)
    amount = amount * (0.25 + 0.75 * smoothstep(0.0, 0.12, y)) * min(1.0, 2.2 * sky.clouds)
    body_light = np.exp(-away * 2.2) if shining else 0.35 * np.ones_like(x)
    shadow = mix(colours.middle, colours.far, 0.55)
    bright = mix(colours.light, colours.low, 0.2 if not colours.night else 0.8)
    bright = mix(bright, colours.accents[0], 0.16)
    relief = np.roll(cloud, -7, axis=0) - cloud
    lit = np.clip(0.3 + 0.5 * body_light - 1.5 * relief, 0, 1)
    tone = shadow + (bright - shadow) * lit[..., None]
    field = field + (tone - field) * (amount * 0.92)[..., None]

    if sky.mist > 0:
        haze = np.exp(-np.abs(y - scene.horizon) * 9) * sky.mist * 0.8
        field = blend(field, mix(colours.low, colours.light, 0.3), haze)

    angles = smooth_noise(rng, FIELD, (2, 2), 2) * (0.25 + 1.5 * sky.swirl)
    if shining:
        around = np.arctan2(y - sky.y, x - sky.x) + np.pi / 2
        pull = np.exp(-((away / (0.16 + 0.3 * sky.swirl)) ** 2))
        around = (around + np.pi / 2) % np.pi - np.pi / 2
        angles = angles * (1 - pull) + around.astype(np.float32) * pull
    if sky.rain > 0:
        angles = angles * (1 - sky.rain) + 1.2 * sky.rain
    canvas = stage.canvas
    canvas.lay(field)
    keep = y < scene.horizon + 0.05
    passes = ((650, 0.13, 0.026), (1500, 0.075, 0.014), (2600, 0.045, 0.007))
    canvas.cover(field, angles.astype(np.float32), keep, passes, jitter=8.0)
    if shining:
        _body(stage, radius)
    _stars(stage)


def _aurora(stage: Stage, field: Floats) -> Floats:
    rng, x, y, horizon = stage.rng, stage.x, stage.y, stage.scene.horizon
    for band in range(3):
        waves = rng.uniform(0, 6.3, 3)
        spine = horizon * rng.uniform(0.35, 0.8) + 0.07 * np.sin(5 * x + waves[0])
        spine = spine + 0.04 * np.sin(11 * x + waves[1])
        above = spine - y
        curtain = np.where(above > 0, np.exp(-above * 5.5), np.exp(above * 26))
        rays = 0.65 + 0.35 * np.sin(40 * x + 6 * np.sin(7 * x + waves[2]))
        colour = mix(stage.palette.accents[0], stage.palette.accents[1], 0.75 * (band == 1))
        field = blend(
            field, colour, (curtain * rays * stage.scene.sky.aurora * 0.85).astype(np.float32)
        )
    return field


def _body(stage: Stage, radius: float) -> None:
    sky, colours, canvas, rng = stage.scene.sky, stage.palette, stage.canvas, stage.rng
    for ring, amount in ((1.55, 0.45), (1.25, 0.7)):
        turn = rng.uniform(0, 2 * np.pi, 110)
        reach = radius * ring * rng.uniform(0.85, 1.1, 110)
        canvas.strokes(
            sky.x + np.cos(turn) * reach,
            sky.y + np.sin(turn) * reach,
            turn + np.pi / 2,
            radius * 0.7,
            radius * 0.17,
            mix(mix(colours.low, colours.middle, 0.25), colours.light, amount),
        )
    disc = mix(colours.light, np.array([255, 255, 255], np.float32), 0.25)
    if sky.body == "crescent":
        turn = np.linspace(-1.9, 1.9, 24) + 0.35
        outer = [(sky.x + np.cos(a) * radius, sky.y + np.sin(a) * radius) for a in turn]
        inner = [
            (sky.x - radius * 0.38 + np.cos(a) * radius * 0.88, sky.y + np.sin(a) * radius * 0.94)
            for a in turn[::-1] * 0.93
        ]
        canvas.shape(outer + inner, disc, angle=1.5, jitter=5)
        return
    canvas.dab(sky.x, sky.y, radius, radius, disc)
    turn = rng.uniform(0, 2 * np.pi, 60)
    reach = radius * 0.9 * np.sqrt(rng.uniform(0, 1, 60))
    canvas.strokes(
        sky.x + np.cos(turn) * reach,
        sky.y + np.sin(turn) * reach,
        turn + np.pi / 2,
        radius * 0.5,
        radius * 0.14,
        mix(disc, colours.low, 0.12),
        jitter=5,
    )


def _stars(stage: Stage) -> None:
    sky, rng = stage.scene.sky, stage.rng
    count = int(90 * sky.stars)
    if count == 0:
        return
    x, y = rng.uniform(0, 1, count), rng.uniform(0, 1, count) ** 1.3 * stage.scene.horizon * 0.85
    big = rng.uniform(0.002, 0.0065, count) * (1 + (rng.uniform(0, 1, count) > 0.9))
    for angle in (0.0, np.pi / 2):
        stage.canvas.strokes(x, y, angle + 0.3, big * 2.6, big, stage.palette.light, jitter=6)
