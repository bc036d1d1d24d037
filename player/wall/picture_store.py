"""The pictures that each source uploaded last, in the graphics memory, found for the shots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import moderngl
import numpy as np
from numpy.typing import NDArray

from player.wall.calibration import IDENTITY, PreparedCalibration, ScreenCalibration, prepared
from player.wall.contract import OutputError
from player.wall.light_levels import LightLevels
from player.wall.look import FAITHFUL, Look
from player.wall.shots import Layer, Overlay, Placement, Shot, place
from player.wall.streaming import Streaming


@dataclass(eq=False)
class StoredPicture:
    """One picture's texture. `serial` is never used again for another texture.

    levels: the coarsest mip level that belongs to this picture. has_room: there are mip levels.
    """

    texture: moderngl.Texture
    serial: int
    size_px: tuple[int, int]
    levels: int = 0
    has_room: bool = False


@dataclass(frozen=True)
class DrawnLayer:
    picture: StoredPicture
    placement: Placement
    weight: float


@dataclass(frozen=True)
class DrawnOverlay:
    """rectangle: in logical pixels, from the top left."""

    picture: StoredPicture
    rectangle: tuple[int, int, int, int]


@dataclass(frozen=True)
class DrawnShot:
    """A shot whose pictures were found: what a painter draws, and can draw again.

    calibration: of the screen, for an output of the size that the shot was resolved for. look: of
    the screen. frame: what a grain is seeded with.
    """

    layers: tuple[DrawnLayer, ...]
    gain: float
    calibration: PreparedCalibration
    overlays: tuple[DrawnOverlay, ...] = ()
    look: Look = FAITHFUL
    frame: int = 0


@dataclass(eq=False)
class _Pool:
    """A source's textures twice, so that an upload never waits for a drawing of the last one.

    pixels: what was uploaded last, as it was handed in.
    """

    size_px: tuple[int, int]
    pixels: NDArray[np.uint8]
    sides: tuple[list[StoredPicture], list[StoredPicture]] = field(default_factory=lambda: ([], []))
    front: int = 0
    count: int = 0


class PictureStore:
    """The pictures each source uploaded last. The one before stays drawable until the next."""

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._pools: dict[str, _Pool] = {}
        self._serial = 0
        self._levels = LightLevels(context)
        self.streaming = Streaming(context)

    def warm_up(self) -> bool:
        """Makes ready what smaller versions of pictures need; False if it was."""
        return self._levels.warm_up()

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
            pool = self._pools[source] = _Pool(size_px, pixels)
        pool.pixels = pixels
        pool.front = 1 - pool.front
        pool.count = len(pixels)
        side = pool.sides[pool.front]
        while len(side) < len(pixels):
            side.append(self._new_picture(size_px))
        used = side[: len(pixels)]
        self.streaming.write([stored.texture for stored in used], list(pixels))
        for stored in used:
            stored.levels = 0

    def uploaded(self, wanted: Layer | Overlay) -> NDArray[np.uint8]:
        """[H, W, 4]: a picture as it was handed in. Raises OutputError where it was not."""
        self._found(wanted)
        picture: NDArray[np.uint8] = self._pools[wanted.source].pixels[wanted.picture]
        return picture

    def resolve(
        self,
        shots: Sequence[Shot],
        sizes_px: Sequence[tuple[int, int]],
        calibrations: Sequence[ScreenCalibration],
        looks: Sequence[Look],
    ) -> tuple[DrawnShot, ...]:
        """Finds the shots' pictures and makes what mip levels they need.

        sizes_px, calibrations, looks: of the outputs. Raises OutputError where a shot names a
        picture that was not uploaded.
        """
        return tuple(
            self._resolve_shot(
                shot, prepared(calibration, size_px), FAITHFUL if shot.whole else look
            )
            for shot, size_px, calibration, look in zip(
                shots, sizes_px, calibrations, looks, strict=True
            )
        )

    def release(self) -> None:
        for pool in self._pools.values():
            self._release(pool)
        self._pools.clear()
        self._levels.release()
        self.streaming.release()

    def _resolve_shot(self, shot: Shot, screen: PreparedCalibration, look: Look) -> DrawnShot:
        layers = [
            self._resolve_layer(layer, shot, screen, look)
            for layer in shot.layers
            if layer.weight > 0
        ]
        overlays = [DrawnOverlay(self._found(o), o.rectangle) for o in shot.overlays]
        return DrawnShot(tuple(layers), shot.gain, screen, tuple(overlays), look, shot.frame)

    def _resolve_layer(
        self, layer: Layer, shot: Shot, screen: PreparedCalibration, look: Look
    ) -> DrawnLayer:
        picture = self._found(layer)
        values = IDENTITY if shot.whole else screen.calibration
        placement = place(
            values.fit or shot.fit,
            picture.size_px,
            screen.logical_px,
            values.crop,
            screen.shrinking,
            shot.focus,
            look.surround,
        )
        self._make_levels(picture, placement.levels)
        return DrawnLayer(picture, placement, layer.weight)

    def _make_levels(self, picture: StoredPicture, wanted: int) -> None:
        if wanted and not picture.has_room:
            self._levels.make_room(picture.texture)
            picture.has_room = True
        for level in range(picture.levels + 1, wanted + 1):
            self._levels.make(picture.texture, picture.size_px, level)
            picture.levels = level

    def _found(self, wanted: Layer | Overlay) -> StoredPicture:
        pool = self._pools.get(wanted.source)
        if pool is None or not 0 <= wanted.picture < pool.count:
            have = f"{pool.count} pictures were" if pool else "nothing was"
            raise OutputError(
                f"A screen was to show picture {wanted.picture} of the source {wanted.source!r}, "
                f"but {have} uploaded by it. Upload before drawing."
            )
        return pool.sides[pool.front][wanted.picture]

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
