"""Shots drawn from the pictures in the graphics memory, and contexts without a window.

A `PictureStore` belongs to one context. A `Painter` belongs to one context too, which may be
another that shares the store's objects: programs and vertex arrays are a painter's own, since
vertex arrays are never shared. Whoever calls makes the right context current first.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Literal

import moderngl
import numpy as np
from numpy.typing import NDArray

from player.wall import shaders
from player.wall.calibration import (
    IDENTITY,
    Feature,
    PreparedCalibration,
    ScreenCalibration,
    prepared,
)
from player.wall.contract import OutputError
from player.wall.picture_store import (
    DrawnLayer,
    DrawnOverlay,
    DrawnShot,
    PictureStore,
    StoredPicture,
)
from player.wall.shots import FITS, MOST_LAYERS, Fit, Layer, Overlay, Shot, place
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

# luminance to the sRGB-encoded factor that gives it on a display of gamma 2.2; exact at 0 and 1
_GAIN_EXPONENT = 1 / 2.2
_EGL_DEVICES = 4  # tried in turn: the first may be a GPU that this user may not open

WARM_UP_PX = (8, 8)

Context = moderngl.Context
_Kind = Literal["plain", "overlay"] | frozenset[Feature]  # with the features of a calibration


class Painter:
    """Draws shots into the framebuffers of one context. `owner`: the store's own context."""

    def __init__(self, context: moderngl.Context, *, owner: bool) -> None:
        self._context = context
        self._owner = owner
        self._wrapped: dict[int, moderngl.Texture] = {}
        self._programs: dict[tuple[_Kind, int], moderngl.Program] = {}
        self._arrays: dict[tuple[_Kind, int], moderngl.VertexArray] = {}

    def warm_up(self, framebuffer: moderngl.Framebuffer) -> None:
        """Draws a few pixels with the plain programs of one and two layers.

        Drivers compile at the first use, not before. The others follow with `warm_up_next`, or
        when a screen first needs them: the first picture should not wait for them.
        """
        for layers in (1, 2):
            self._draw_corner(framebuffer, layers, IDENTITY)

    def warm_up_next(
        self,
        framebuffer: moderngl.Framebuffer,
        calibrations: Sequence[ScreenCalibration],
        most_layers: int,
    ) -> bool:
        """The same for one more program, of those that shots on these screens may need.

        The fewest layers come first. False if there was none left to do.
        """
        for layers in range(1, min(most_layers, MOST_LAYERS) + 1):
            for calibration in (IDENTITY, *calibrations):
                screen = prepared(calibration, WARM_UP_PX)
                kind: _Kind = "plain" if screen.is_plain else screen.features
                if (kind, layers) not in self._programs:
                    self._draw_corner(framebuffer, layers, calibration)
                    return True
        return False

    def _draw_corner(
        self, framebuffer: moderngl.Framebuffer, layers: int, calibration: ScreenCalibration
    ) -> None:
        texture = self._context.texture((4, 4), 4, bytes(64))
        texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
        layer = DrawnLayer(
            StoredPicture(texture, 0, (4, 4)), place("stretch", (4, 4), WARM_UP_PX), 1 / layers
        )
        self._wrapped[0] = texture
        shot = DrawnShot((layer,) * layers, 1.0, prepared(calibration, WARM_UP_PX))
        self.draw(framebuffer, (0, 0), WARM_UP_PX, shot)
        if self._owner:
            texture.build_mipmaps()
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
        elif shot.calibration.is_plain:
            self._draw_plain(framebuffer, area, shot)
        else:
            self._draw_calibrated(framebuffer, area, shot)
        for overlay in shot.overlays:
            self._draw_overlay(framebuffer, area, shot.calibration, overlay)

    def release(self) -> None:
        for key, program in self._programs.items():
            self._arrays[key].release()
            program.release()
        self._programs.clear()
        self._arrays.clear()
        self._wrapped.clear()

    def _draw_plain(self, framebuffer: moderngl.Framebuffer, area: Box, shot: DrawnShot) -> None:
        left, bottom, _, height = area
        top = bottom + height
        boxes = [
            (left + x, top - y - height, width, height)
            for x, y, width, height in (layer.placement.target for layer in shot.layers)
        ]
        program = self._program("plain", len(shot.layers))
        program["gain"] = shot.gain**_GAIN_EXPONENT
        for (name, layer), box in zip(_named(shot), boxes, strict=True):
            placement = layer.placement
            (scale_x, scale_y), (offset_x, offset_y) = placement.scale, placement.offset
            program[f"at_{name}"] = (
                scale_x,
                -scale_y,
                offset_x - left * scale_x,
                offset_y + top * scale_y,
            )
            if len(shot.layers) > 1:
                x, y, width, height = box
                program[f"target_{name}"] = (x, y, x + width, y + height)
        self._draw_layers(framebuffer, area, around(boxes), "plain", shot)

    def _draw_calibrated(
        self, framebuffer: moderngl.Framebuffer, area: Box, shot: DrawnShot
    ) -> None:
        screen = shot.calibration
        program = self._program(screen.features, len(shot.layers))
        uniforms = warp_uniforms(screen, area)
        program["gain"] = shot.gain**_GAIN_EXPONENT
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
        self._draw_layers(framebuffer, area, uniforms.viewport, screen.features, shot)

    def _draw_layers(
        self,
        framebuffer: moderngl.Framebuffer,
        area: Box,
        viewport: Box,
        kind: _Kind,
        shot: DrawnShot,
    ) -> None:
        """What all programs are told alike; the area is black around the viewport."""
        if viewport != area:
            framebuffer.clear(0.0, 0.0, 0.0, 1.0, viewport=area)
        program = self._program(kind, len(shot.layers))
        weight_so_far = 0.0
        for unit, (name, layer) in enumerate(_named(shot)):
            program[f"level_{name}"] = layer.placement.level
            program[f"kernel_{name}"] = layer.placement.kernel
            self._texture(layer.picture).use(unit)
            weight_so_far += layer.weight
            if unit:
                program[f"share_{name}"] = layer.weight / weight_so_far
        self._fill(framebuffer, viewport, kind, len(shot.layers))

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
            if kind == "plain":
                fragment = shaders.fragment(layers)
            elif kind == "overlay":
                fragment = shaders.OVERLAY
            else:
                fragment = shaders.calibrated_fragment(layers, kind)
            program = self._context.program(vertex_shader=shaders.VERTEX, fragment_shader=fragment)
            for unit, name in enumerate(shaders.LAYER_NAMES[:layers]):
                program[f"picture_{name}"] = unit
            if kind != "overlay" and layers >= shaders.LEAST_IN_A_LOOP:
                program["rows"] = 4
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
