"""A procedural painter of dreamy landscapes, of a scene or of one drawn from a seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image, ImageChops, ImageEnhance, ImageFilter

from training.painter.brushwork import Canvas
from training.painter.draw import draw_scene
from training.painter.elements import ELEMENTS
from training.painter.ground import paint_bank, paint_fields, paint_hills
from training.painter.palette import Colour, colour_of, mix, palette
from training.painter.scene import Element, Scene
from training.painter.sky import paint_sky
from training.painter.stage import Stage, make_stage
from training.painter.water import paint_water, water_mask

AFLOAT = ("ship", "boat", "swan")
ALOFT = ("birds",)
SMALLEST_PX = 16
COLOUR_DRIFT = 0.03  # of the full range: how far a picture's colours stray from its family


def paint_landscape(seed: int, size_px: int) -> Image.Image:
    """A square RGB picture of `size_px`; the same seed gives the same picture."""
    return paint_scene(draw_scene(seed), seed, size_px)


def paint_scene(scene: Scene, seed: int, size_px: int) -> Image.Image:
    """A square RGB picture of the scene; `seed` decides all the scene leaves open."""
    if size_px < SMALLEST_PX:
        raise ValueError(f"A picture of {size_px} px is too small to paint.")
    rng = np.random.Generator(np.random.Philox([seed, 0x5CE4E]))
    canvas = Canvas(round(size_px * 1.25), rng)
    stage = make_stage(canvas, scene, palette(scene.palette, rng, COLOUR_DRIFT), rng)
    placed = [_place(stage, element, index) for index, element in enumerate(scene.elements)]
    shore = scene.horizon + 0.035

    paint_sky(stage)
    paint_hills(stage)
    if scene.water in ("none", "river"):
        paint_fields(stage)
    far = [e for e in placed if e.kind not in AFLOAT + ALOFT and (e.y or 1) <= shore]
    for element in far:
        if scene.water in ("loch", "sea"):
            _mound(stage, element)
            element = replace(element, y=min(element.y or 1, scene.horizon - 0.008))
        _paint(stage, element)
    if scene.water != "none":
        paint_water(stage, water_mask(stage))
    for element in placed:
        if element.kind in ALOFT or element.kind in AFLOAT:
            _paint(stage, element)
    paint_bank(stage)
    for element in sorted(placed, key=lambda e: e.y or 0):
        if element not in far and element.kind not in AFLOAT + ALOFT:
            _paint(stage, element)
    return _finish(canvas.image, size_px)


def _place(stage: Stage, element: Element, index: int) -> Element:
    """Fill in what the scene left open: where the thing stands and how tall it is."""
    scene, rng = stage.scene, stage.rng
    _, height, _ = ELEMENTS[element.kind]
    x = element.x if element.x is not None else float(rng.uniform(0.15, 0.85))
    size = element.size if element.size is not None else height * float(rng.uniform(0.85, 1.15))
    y = element.y
    if y is None and element.kind in ALOFT:
        y = scene.horizon * float(rng.uniform(0.2, 0.6))
    elif y is None and element.kind in AFLOAT:
        y = scene.horizon + (1 - scene.horizon) * float(rng.uniform(0.15, 0.45))
    elif y is None:
        y = 0.95 if scene.bank != "none" or scene.water == "none" else scene.horizon + 0.01
    return Element(element.kind, x, y, size, element.colour)


def _paint(stage: Stage, element: Element) -> None:
    painter, _, accent = ELEMENTS[element.kind]
    assert element.x is not None and element.y is not None and element.size is not None
    painter(stage, element.x, element.y, element.size, _colour(stage, element, accent))


def _mound(stage: Stage, element: Element) -> None:
    """A low island or headland under something that stands at the far shore."""
    assert element.x is not None and element.y is not None and element.size is not None
    colours, rng, half = stage.palette, stage.rng, 0.75 * element.size + 0.05
    count = 90
    along = rng.uniform(-1, 1, count)
    rise = rng.uniform(0, 1, count) * (1 - along**2) * 0.16 * half
    tone = mix(mix(colours.near, colours.ground, 0.45), colours.dark, 0.15)
    tones = tone + (colours.light - tone) * (0.35 * rng.uniform(0, 1, (count, 1)) ** 2)
    x, y = element.x + along * half, stage.scene.horizon + 0.008 - rise
    stage.canvas.strokes(x, y, -along * 0.25, half * 0.3, half * 0.07, tones)


def _colour(stage: Stage, element: Element, accent: int) -> Colour:
    if element.colour is not None:
        return colour_of(element.colour)
    if accent >= 0:
        return stage.palette.accents[accent]
    return stage.palette.ground if accent == -1 else stage.palette.near


def _finish(picture: Image.Image, size_px: int) -> Image.Image:
    """Reduce to the size asked for, raise the paint a little in a raking light, deepen colour."""
    picture = picture.resize(
        (size_px, size_px), Image.Resampling.BOX if size_px < 200 else Image.Resampling.BICUBIC
    )
    grey = picture.convert("L").filter(ImageFilter.GaussianBlur(0.7))
    relief = ImageChops.subtract(grey, ImageChops.offset(grey, 2, 2), 2.2, 128)
    soft = Image.merge("RGB", (relief, relief, relief))
    picture = ImageChops.add(picture, soft, 1, -128)
    return ImageEnhance.Contrast(ImageEnhance.Color(picture).enhance(1.16)).enhance(1.05)
