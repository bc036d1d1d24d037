"""What windows show, for a front buffer: drawn once more, upright and at a size of its own.

Not read from the windows: those may be seven of 1920x1080, and what a projector needs (corners,
blend, colour) is of no use to another program. A view is read back on the tick after, out of a
buffer that the driver fills on its own meanwhile, so the file is one tick behind the windows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from player.wall.calibration import ScreenCalibration
from player.wall.front_buffer import FrontBuffer
from player.wall.look import Look
from player.wall.renderer import Context, Painter, PictureStore
from player.wall.shots import Shot
from player.wall.small_views import scaled

USUAL_AREA_PX = 640 * 360


def front_size(screen_px: tuple[int, int], area_px: int = USUAL_AREA_PX) -> tuple[int, int]:
    """Even numbers of pixels, as video wants them: in the shape of a screen, and no larger."""
    width, height = screen_px
    scale = min(1.0, math.sqrt(area_px / (width * height)))
    return max(2, int(width * scale) // 2 * 2), max(2, int(height * scale) // 2 * 2)


class FrontViews:
    """Of the store's own context, which whoever calls makes current first."""

    def __init__(
        self, context: Context, store: PictureStore, painter: Painter, front: FrontBuffer
    ) -> None:
        self._store, self._painter, self._front = store, painter, front
        self._size_px = width, height = front.size_px
        self._framebuffer = context.simple_framebuffer(self._size_px, 4)
        self._buffers: list[Any] = [
            context.buffer(reserve=4 * width * height) for _ in range(front.screens)
        ]
        self._rows_up = np.zeros(4 * width * height, np.uint8)  # as OpenGL gives them
        self._picture = np.zeros((height, width, 3), np.uint8)
        self._is_begun = False

    def draw(
        self,
        shots: Sequence[Shot],
        logical_px: Sequence[tuple[int, int]],
        calibrations: Sequence[ScreenCalibration],
        looks: Sequence[Look],
    ) -> None:
        """Put what was drawn by the last call into the file, and draw these, one of each a screen.

        logical_px: the sizes that the overlays' rectangles are given in.
        """
        if self._is_begun:
            self._front.show(self._read(buffer) for buffer in self._buffers)
        placed = [ScreenCalibration(fit=c.fit, crop=c.crop) for c in calibrations]
        small = [
            replace(
                shot,
                overlays=tuple(
                    replace(o, rectangle=scaled(o, size_px, self._size_px)) for o in shot.overlays
                ),
            )
            for shot, size_px in zip(shots, logical_px, strict=True)
        ]
        drawn = self._store.resolve(small, [self._size_px] * len(small), placed, looks)
        for buffer, shot in zip(self._buffers, drawn, strict=True):
            self._painter.draw(self._framebuffer, (0, 0), self._size_px, shot)
            self._framebuffer.read_into(
                buffer, viewport=(0, 0, *self._size_px), components=4, alignment=1
            )
        self._is_begun = True

    def release(self) -> None:
        for buffer in self._buffers:
            buffer.release()
        self._framebuffer.release()
        self._front.close()

    def _read(self, buffer: Any) -> NDArray[np.uint8]:
        """[H, W, 3], until the next call."""
        width, height = self._size_px
        buffer.read_into(self._rows_up)
        upright = self._rows_up.reshape(height, width, 4)[::-1]
        for channel in range(3):  # all three at once take numpy five times as long
            self._picture[..., channel] = upright[..., channel]
        return self._picture
