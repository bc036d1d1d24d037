"""Pictures in the graphics memory, and shots drawn from them.

A `PictureStore` belongs to one context. A `Painter` belongs to one context too, which may be
another that shares the store's objects: programs and vertex arrays are a painter's own, since
vertex arrays are never shared. Whoever calls makes the right context current first.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import moderngl
import numpy as np
from numpy.typing import NDArray

from player import shaders
from player.shots import FITS, Fit, Layer, Placement, Shot, place
from player.wall import OutputError

__all__ = [
    "FITS",
    "Context",
    "DrawnShot",
    "Fit",
    "Layer",
    "Painter",
    "PictureStore",
    "Shot",
    "read_framebuffer",
    "standalone_context",
]

# luminance to the sRGB-encoded factor that gives it on a display of gamma 2.2; exact at 0 and 1
_GAIN_EXPONENT = 1 / 2.2
_EGL_DEVICES = 4  # tried in turn: the first may be a GPU that this user may not open

Context = moderngl.Context


@dataclass(eq=False)
class StoredPicture:
    """One picture's texture. `serial` is never used again for another texture."""

    texture: moderngl.Texture
    serial: int
    size_px: tuple[int, int]
    has_levels: bool = False


@dataclass(frozen=True)
class DrawnLayer:
    picture: StoredPicture
    placement: Placement
    weight: float


@dataclass(frozen=True)
class DrawnShot:
    """A shot whose pictures were found: what a painter draws, and can draw again."""

    layers: tuple[DrawnLayer, ...]
    gain: float


@dataclass(eq=False)
class _Pool:
    """A source's textures twice, so that an upload never waits for a drawing of the last one."""

    size_px: tuple[int, int]
    sides: tuple[list[StoredPicture], list[StoredPicture]] = field(default_factory=lambda: ([], []))
    front: int = 0
    count: int = 0


class PictureStore:
    """The pictures each source uploaded last. The one before stays drawable until the next."""

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._pools: dict[str, _Pool] = {}
        self._serial = 0

    def upload(self, source: str, pixels: NDArray[np.uint8]) -> None:
        """pixels: [P, H, W, 4]. Raises ValueError for another shape or type."""
        if (
            pixels.ndim != 4
            or pixels.shape[3] != 4
            or 0 in pixels.shape
            or pixels.dtype != np.uint8
        ):
            raise ValueError(f"pictures are uint8 [P, H, W, 4], not {pixels.dtype} {pixels.shape}")
        size_px = (int(pixels.shape[2]), int(pixels.shape[1]))
        pool = self._pools.get(source)
        if pool is None or pool.size_px != size_px:
            if pool is not None:
                self._release(pool)
            pool = self._pools[source] = _Pool(size_px)
        pool.front = 1 - pool.front
        pool.count = len(pixels)
        side = pool.sides[pool.front]
        while len(side) < len(pixels):
            side.append(self._new_picture(size_px))
        for stored, picture in zip(side, pixels, strict=False):
            stored.texture.write(np.ascontiguousarray(picture))
            stored.has_levels = False

    def resolve(
        self, shots: Sequence[Shot], sizes_px: Sequence[tuple[int, int]]
    ) -> tuple[DrawnShot, ...]:
        """Finds the shots' pictures and makes what mip levels they need.

        Raises OutputError where a shot names a picture that was not uploaded.
        """
        return tuple(
            DrawnShot(
                tuple(
                    self._resolve_layer(layer, shot.fit, size_px)
                    for layer in shot.layers
                    if layer.weight > 0
                ),
                shot.gain,
            )
            for shot, size_px in zip(shots, sizes_px, strict=True)
        )

    def release(self) -> None:
        for pool in self._pools.values():
            self._release(pool)
        self._pools.clear()

    def _resolve_layer(self, layer: Layer, fit: Fit, size_px: tuple[int, int]) -> DrawnLayer:
        pool = self._pools.get(layer.source)
        if pool is None or not 0 <= layer.picture < pool.count:
            have = f"{pool.count} pictures were" if pool else "nothing was"
            raise OutputError(
                f"A screen was to show picture {layer.picture} of the source {layer.source!r}, "
                f"but {have} uploaded by it. Upload before drawing."
            )
        picture = pool.sides[pool.front][layer.picture]
        placement = place(fit, picture.size_px, size_px)
        if placement.level and not picture.has_levels:
            picture.texture.build_mipmaps()
            picture.texture.filter = (moderngl.NEAREST_MIPMAP_NEAREST, moderngl.NEAREST)
            picture.has_levels = True
        return DrawnLayer(picture, placement, layer.weight)

    def _new_picture(self, size_px: tuple[int, int]) -> StoredPicture:
        self._serial += 1
        texture = self._context.texture(size_px, 4)
        texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
        return StoredPicture(texture, self._serial, size_px)

    @staticmethod
    def _release(pool: _Pool) -> None:
        for side in pool.sides:
            for stored in side:
                stored.texture.release()


class Painter:
    """Draws shots into the framebuffers of one context. `owner`: the store's own context."""

    def __init__(self, context: moderngl.Context, *, owner: bool) -> None:
        self._context = context
        self._owner = owner
        self._wrapped: dict[int, moderngl.Texture] = {}
        self._programs = {
            count: context.program(
                vertex_shader=shaders.VERTEX, fragment_shader=shaders.fragment(count)
            )
            for count in (1, 2)
        }
        self._arrays = {
            count: context.vertex_array(program, []) for count, program in self._programs.items()
        }
        self._programs[1]["picture_a"] = 0
        self._programs[2]["picture_a"] = 0
        self._programs[2]["picture_b"] = 1

    def warm_up(self, framebuffer: moderngl.Framebuffer) -> None:
        """Draws a pixel of both programs: drivers compile at the first use, not before."""
        texture = self._context.texture((4, 4), 4, bytes(64))
        texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
        stored = StoredPicture(texture, 0, (4, 4))
        self._wrapped[0] = texture
        for weights in ((1.0,), (0.5, 0.5)):
            layers = tuple(
                DrawnLayer(stored, place("stretch", (4, 4), (1, 1)), weight) for weight in weights
            )
            self.draw(framebuffer, (0, 0), (1, 1), DrawnShot(layers, 1.0))
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
        """Fills the rectangle of a framebuffer at `corner_px`, its bottom left, with the shot."""
        left, bottom = corner_px
        top = bottom + size_px[1]
        boxes = [
            (left + x, top - y - height, width, height)
            for x, y, width, height in (layer.placement.target for layer in shot.layers)
        ]
        viewport = _around(boxes)
        if viewport != (left, bottom, *size_px) or shot.gain == 0:
            framebuffer.clear(0.0, 0.0, 0.0, 1.0, viewport=(left, bottom, *size_px))
        if shot.gain == 0:
            return
        program = self._programs[len(shot.layers)]
        program["gain"] = shot.gain**_GAIN_EXPONENT
        for unit, (name, layer) in enumerate(zip("ab", shot.layers, strict=False)):
            placement = layer.placement
            (scale_x, scale_y), (offset_x, offset_y) = placement.scale, placement.offset
            program[f"at_{name}"] = (
                scale_x,
                -scale_y,
                offset_x - left * scale_x,
                offset_y + top * scale_y,
            )
            program[f"level_{name}"] = placement.level
            program[f"kernel_{name}"] = placement.kernel
            if len(shot.layers) == 2:
                x, y, width, height = boxes[unit]
                program[f"target_{name}"] = (x, y, x + width, y + height)
            self._texture(layer.picture).use(unit)
        if len(shot.layers) == 2:
            program["weight_b"] = shot.layers[1].weight
        framebuffer.viewport = viewport
        framebuffer.use()
        self._arrays[len(shot.layers)].render(moderngl.TRIANGLES, vertices=3)

    def release(self) -> None:
        for count, program in self._programs.items():
            self._arrays[count].release()
            program.release()
        self._wrapped.clear()

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


def _around(boxes: Sequence[tuple[int, int, int, int]]) -> tuple[int, int, int, int]:
    """The smallest (x, y, width, height) around all boxes."""
    x, y = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, top = max(box[0] + box[2] for box in boxes), max(box[1] + box[3] for box in boxes)
    return x, y, right - x, top - y


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
