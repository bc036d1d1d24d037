"""Shots drawn from the pictures in the graphics memory, and contexts without a window.

A `PictureStore` belongs to one context. A `Painter` belongs to one context too, which may be
another that shares the store's objects: programs and vertex arrays are a painter's own, since
vertex arrays are never shared. Whoever calls makes the right context current first.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

import moderngl
import numpy as np
from numpy.typing import NDArray

from player.wall import shaders
from player.wall.calibration import (
    IDENTITY,
    PreparedCalibration,
    ScreenCalibration,
    prepared,
)
from player.wall.contract import OutputError
from player.wall.light_curve import GAIN_EXPONENT
from player.wall.look import FAITHFUL, RECIPES, Look
from player.wall.picture_store import (
    DrawnLayer,
    DrawnOverlay,
    DrawnShot,
    PictureStore,
    StoredPicture,
)
from player.wall.shaders import Part
from player.wall.shots import (
    FITS,
    MOST_LAYERS,
    Fit,
    Layer,
    Overlay,
    Shot,
    Surrounding,
    place,
)
from player.wall.tiles import dither_thresholds, grain_place, surface_tile
from player.wall.warp import Box, around, overlay_place, target_sides, warp_uniforms

__all__ = [
    "FITS",
    "WARM_UP_PX",
    "Context",
    "DrawnShot",
    "Fit",
    "Layer",
    "Overlay",
    "Painter",
    "PictureStore",
    "Shot",
    "read_framebuffer",
    "standalone_context",
]

_EGL_DEVICES = 4  # tried in turn: the first may be a GPU that this user may not open
_THRESHOLDS_UNIT, _SURFACE_UNIT = MOST_LAYERS, MOST_LAYERS + 1
_SURFACE_LINES = 1080  # of a screen on which a surface's tile is as fine as it is made

WARM_UP_PX = (8, 8)

Context = moderngl.Context
_Parts = frozenset[Part]
_Kind = Literal["overlay"] | _Parts


class Painter:
    """Draws shots into the framebuffers of one context. `owner`: the store's own context."""

    def __init__(self, context: moderngl.Context, *, owner: bool) -> None:
        self._context = context
        self._owner = owner
        self._wrapped: dict[int, moderngl.Texture] = {}
        self._programs: dict[tuple[_Kind, int], moderngl.Program] = {}
        self._arrays: dict[tuple[_Kind, int], moderngl.VertexArray] = {}
        self._tiles: dict[str, moderngl.Texture] = {}

    def warm_up(self, framebuffer: moderngl.Framebuffer) -> None:
        """Draws a few pixels with the plain programs of one and two layers.

        Drivers compile at the first use, not before. The others follow with `warm_up_next`, or
        when a screen first needs them: the first picture should not wait for them.
        """
        for layers in (1, 2):
            self._draw_corner(framebuffer, layers, IDENTITY, FAITHFUL)

    def warm_up_next(
        self,
        framebuffer: moderngl.Framebuffer,
        calibrations: Sequence[ScreenCalibration],
        looks: Sequence[Look],
        most_layers: int,
    ) -> bool:
        """The same for one more program, of those that shots on these screens may need.

        looks: one for each of the calibrations. The fewest layers come first. False if there was
        none left to do.
        """
        screens = list(_variants(calibrations, looks))
        for layers in range(1, min(most_layers, MOST_LAYERS) + 1):
            for calibration, look in screens:
                parts = _parts(prepared(calibration, WARM_UP_PX), look)
                if (parts, layers) not in self._programs:
                    self._draw_corner(framebuffer, layers, calibration, look)
                    return True
        return False

    def _draw_corner(
        self,
        framebuffer: moderngl.Framebuffer,
        layers: int,
        calibration: ScreenCalibration,
        look: Look,
    ) -> None:
        """With the program that has all parts of these."""
        texture = self._context.texture((4, 4), 4, bytes(64))
        texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
        around = Surrounding((0.0, 0.0, 4.0, 4.0), 0, (1.0, 1.0), 1.0)
        placement = replace(
            place("stretch", (4, 4), WARM_UP_PX),
            sharp=1.0,
            surround=None if look.surround == "black" else around,
        )
        layer = DrawnLayer(StoredPicture(texture, 0, (4, 4)), placement, 1 / layers)
        self._wrapped[0] = texture
        screen = prepared(calibration, WARM_UP_PX)
        self.draw(
            framebuffer, (0, 0), WARM_UP_PX, DrawnShot((layer,) * layers, 1.0, screen, look=look)
        )
        self._context.finish()
        del self._wrapped[0]
        texture.release()

    def draw(
        self,
        framebuffer: moderngl.Framebuffer,
        corner_px: tuple[int, int],
        size_px: tuple[int, int],
        shot: DrawnShot,
    ) -> None:
        """Fills the rectangle of a framebuffer at `corner_px`, its bottom left, with the shot.

        size_px: that which the shot was resolved for.
        """
        area = (*corner_px, *size_px)
        if shot.gain == 0:
            framebuffer.clear(0.0, 0.0, 0.0, 1.0, viewport=area)
        else:
            self._draw_shot(framebuffer, area, shot)
        for overlay in shot.overlays:
            self._draw_overlay(framebuffer, area, shot.calibration, overlay)

    def release(self) -> None:
        for key, program in self._programs.items():
            self._arrays[key].release()
            program.release()
        for tile in self._tiles.values():
            tile.release()
        self._programs.clear()
        self._arrays.clear()
        self._wrapped.clear()
        self._tiles.clear()

    def _draw_shot(self, framebuffer: moderngl.Framebuffer, area: Box, shot: DrawnShot) -> None:
        """The area is black around what the layers light."""
        parts = _parts(shot.calibration, shot.look, shot.layers)
        program = self._program(parts, len(shot.layers))
        program["gain"] = shot.gain**GAIN_EXPONENT
        if "calibrated" in parts:
            viewport = _place_calibrated(program, area, shot)
        else:
            viewport = _place_plain(program, area, shot)
        if viewport != area:
            framebuffer.clear(0.0, 0.0, 0.0, 1.0, viewport=area)
        self._tile("thresholds", dither_thresholds).use(_THRESHOLDS_UNIT)
        if "surface" in parts:
            self._set_surface(program, area, shot)
        weight_so_far = 0.0
        for unit, (name, layer) in enumerate(_named(shot)):
            placement = layer.placement
            program[f"level_{name}"] = placement.level
            program[f"kernel_{name}"] = placement.kernel
            if "sharp" in parts:
                program[f"sharp_{name}"] = placement.sharp
            if "surround" in parts:
                _set_surround(program, name, placement.surround)
            self._texture(layer.picture).use(unit)
            weight_so_far += layer.weight
            if unit:
                program[f"share_{name}"] = layer.weight / weight_so_far
        self._fill(framebuffer, viewport, parts, len(shot.layers))

    def _set_surface(self, program: moderngl.Program, area: Box, shot: DrawnShot) -> None:
        surface, screen = shot.look.surface, shot.calibration
        recipe = RECIPES[surface]
        self._tile(surface, lambda: surface_tile(surface)).use(_SURFACE_UNIT)
        left, bottom, width, height = area if screen.is_plain else (0, 0, *screen.logical_px)
        pixels = max(1, round(recipe.scale * min(width, height) / _SURFACE_LINES))
        program["surface"] = (recipe.relief, recipe.grain, recipe.vignette)
        program["surface_scale"] = 1 / pixels
        program["surface_at"] = (
            2 / width,
            2 / height,
            -2 * left / width - 1,
            -2 * bottom / height - 1,
        )
        program["grain_at"] = grain_place(shot.frame)

    def _tile(self, name: str, made: Callable[[], NDArray[Any]]) -> moderngl.Texture:
        """Of this context; made: [side, side, channels], uint8 or float32."""
        if name not in self._tiles:
            pixels = np.ascontiguousarray(made())
            kind = "f1" if pixels.dtype == np.uint8 else "f4"
            height, width, channels = pixels.shape
            tile = self._context.texture(
                (width, height), channels, pixels.tobytes(), alignment=1, dtype=kind
            )
            tile.filter = (moderngl.NEAREST, moderngl.NEAREST)
            self._tiles[name] = tile
        return self._tiles[name]

    def _draw_overlay(
        self,
        framebuffer: moderngl.Framebuffer,
        area: Box,
        screen: PreparedCalibration,
        overlay: DrawnOverlay,
    ) -> None:
        where = overlay_place(screen, area, overlay.rectangle)
        if not (where.viewport[2] and where.viewport[3]):
            return
        self._program("overlay", 1)["at"] = where.at
        self._texture(overlay.picture).use(0)
        self._fill(framebuffer, where.viewport, "overlay", 1)

    def _fill(
        self, framebuffer: moderngl.Framebuffer, viewport: Box, kind: _Kind, layers: int
    ) -> None:
        framebuffer.viewport = viewport
        framebuffer.use()
        self._arrays[kind, layers].render(moderngl.TRIANGLES, vertices=3)

    def _program(self, kind: _Kind, layers: int) -> moderngl.Program:
        key = kind, layers
        program = self._programs.get(key)
        if program is None:
            fragment = shaders.OVERLAY if kind == "overlay" else shaders.fragment(layers, kind)
            program = self._context.program(vertex_shader=shaders.VERTEX, fragment_shader=fragment)
            for unit, name in enumerate(shaders.LAYER_NAMES[:layers]):
                program[f"picture_{name}"] = unit
            if kind != "overlay":
                program["thresholds"] = _THRESHOLDS_UNIT
                if layers >= shaders.LEAST_IN_A_LOOP:
                    program["rows"] = 4
                if "surface" in kind:
                    program["surface_tile"] = _SURFACE_UNIT
            self._programs[key] = program
            self._arrays[key] = self._context.vertex_array(program, [])
        return program

    def _texture(self, picture: StoredPicture) -> moderngl.Texture:
        if self._owner:
            return picture.texture
        wrapped = self._wrapped.get(picture.serial)
        if wrapped is None:
            if len(self._wrapped) >= 256:  # textures of sources that have changed size since
                self._wrapped.clear()
            wrapped = self._context.external_texture(
                picture.texture.glo, picture.size_px, 4, 0, "f1"
            )
            self._wrapped[picture.serial] = wrapped
        return wrapped


def _parts(
    screen: PreparedCalibration, look: Look, layers: Sequence[DrawnLayer] | None = None
) -> _Parts:
    """What the program of a screen is made of; layers: what it shows, None: all that it may."""
    parts: set[Part] = set()
    if not screen.is_plain:
        parts |= {"calibrated", *screen.features}
    if look.surface != "none":
        parts.add("surface")
    if look.sharp and (layers is None or any(layer.placement.sharp > 0 for layer in layers)):
        parts.add("sharp")
    if look.surround != "black" and (
        layers is None or any(layer.placement.surround for layer in layers)
    ):
        parts.add("surround")
    return frozenset(parts)


def _variants(
    calibrations: Sequence[ScreenCalibration], looks: Sequence[Look]
) -> Iterator[tuple[ScreenCalibration, Look]]:
    """What may be drawn: test cards on all screens, and on each of them pictures small and large,
    that fill it or do not."""
    yield IDENTITY, FAITHFUL
    for calibration, look in dict.fromkeys(zip(calibrations, looks, strict=True)):
        for sharp in dict.fromkeys((look.sharp, False)):
            for surround in dict.fromkeys((look.surround, FAITHFUL.surround)):
                yield calibration, replace(look, sharp=sharp, surround=surround)
        yield calibration, FAITHFUL


def _place_plain(program: moderngl.Program, area: Box, shot: DrawnShot) -> Box:
    """Tells the program where the layers lie; returns the box that they light."""
    left, bottom, _, height = area
    top = bottom + height
    boxes = [
        (left + x, top - y - height, width, height)
        for x, y, width, height in (layer.placement.target for layer in shot.layers)
    ]
    for (name, layer), (x, y, width, height) in zip(_named(shot), boxes, strict=True):
        (scale_x, scale_y), (offset_x, offset_y) = layer.placement.scale, layer.placement.offset
        program[f"at_{name}"] = (
            scale_x,
            -scale_y,
            offset_x - left * scale_x,
            offset_y + top * scale_y,
        )
        if len(shot.layers) > 1:
            program[f"target_{name}"] = (x, y, x + width, y + height)
    return around(boxes)


def _place_calibrated(program: moderngl.Program, area: Box, shot: DrawnShot) -> Box:
    """The same, and how the screen is calibrated."""
    screen = shot.calibration
    uniforms = warp_uniforms(screen, area)
    program["to_logical"] = uniforms.to_logical
    program["light"] = screen.light
    if "warp" in screen.features:
        program["logical_px"] = screen.logical_px
    if "blend" in screen.features:
        program["ramp_scale"] = screen.ramp_scale
        program["ramp_bias"] = screen.ramp_bias
    if "black" in screen.features:
        program["screen_sides"] = uniforms.screen_sides
        program["black"] = screen.calibration.black
    if "gamma" in screen.features:
        program["gamma_exponent"] = 1 / screen.calibration.gamma
    for name, layer in _named(shot):
        placement = layer.placement
        program[f"at_{name}"] = (*placement.scale, *placement.offset)
        program[f"sides_{name}"] = target_sides(screen, area, placement.target)
    return uniforms.viewport


def _set_surround(program: moderngl.Program, name: str, surround: Surrounding | None) -> None:
    if surround is None:  # this layer fills its place: nothing lies outside of it
        program[f"edges_{name}"] = (-1e9, -1e9, 1e9, 1e9)
        program[f"around_{name}"] = (0.0, 1.0, 1.0, 1.0)
    else:
        program[f"edges_{name}"] = surround.edges
        program[f"around_{name}"] = (float(surround.level), *surround.share, surround.dimmed)


def _named(shot: DrawnShot) -> list[tuple[str, DrawnLayer]]:
    return list(zip(shaders.LAYER_NAMES, shot.layers, strict=False))


def standalone_context() -> moderngl.Context:
    """A context without a window: EGL on Linux, since GLFW's null platform finds no NVIDIA."""
    devices: list[dict[str, Any]] = [{}]
    if sys.platform.startswith("linux"):
        devices = [{"backend": "egl", "device_index": i} for i in range(_EGL_DEVICES)]
    faults: list[str] = []
    for settings in devices:
        try:
            return moderngl.create_standalone_context(require=330, **settings)
        except Exception as fault:  # noqa: BLE001 - glcontext raises plain Exception
            faults.append(str(fault).strip())
    raise OutputError(
        f"Drawing without a display failed: {faults[0]}. A graphics driver with EGL and OpenGL 3.3 "
        "is needed; on Debian and Ubuntu: apt-get install libegl1 libgl1 libgl1-mesa-dri."
    )


def read_framebuffer(
    framebuffer: moderngl.Framebuffer, size_px: tuple[int, int]
) -> NDArray[np.uint8]:
    """[H, W, 3], top row first."""
    width, height = size_px
    data = framebuffer.read(viewport=(0, 0, width, height), components=3, alignment=1)
    return np.frombuffer(data, np.uint8).reshape(height, width, 3)[::-1].copy()
