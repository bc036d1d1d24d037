"""What screens show, drawn once more and small, for whoever looks at them from elsewhere.

Not read from the screens: seven screens of 1920x1080 are 44 MB, seven small views 0.4 MB. A view is
read back on a later tick, out of a buffer that the driver fills on its own meanwhile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from player.wall.calibration import ScreenCalibration
from player.wall.look import FAITHFUL
from player.wall.renderer import Context, Painter, PictureStore
from player.wall.shots import Overlay, Shot

AREA_PX = 192 * 108
SOFTWARE_AREA_PX = 112 * 63  # where the processor draws
LONGEST_PX = 384
# A headless screen no larger than this is read as it is and thinned out: so much is cheaper.
READ_PX = 1280 * 720


def small_size(size_px: tuple[int, int], area_px: int = AREA_PX) -> tuple[int, int]:
    """Of the same shape, and about area_px pixels; never larger than the screen itself."""
    width, height = (max(1, side) for side in size_px)
    scale = min(1.0, math.sqrt(area_px / (width * height)), LONGEST_PX / max(width, height))
    return max(1, int(width * scale)), max(1, int(height * scale))


@dataclass(eq=False)
class _Waiting:
    screen: int
    size_px: tuple[int, int]
    buffer: Any  # moderngl.Buffer


class SmallViews:
    """Of the store's own context, which whoever calls makes current first."""

    def __init__(self, context: Context, store: PictureStore, painter: Painter) -> None:
        self._context, self._store, self._painter = context, store, painter
        self._framebuffers: dict[tuple[int, int], Any] = {}
        self._spare: list[Any] = []
        self._waiting: list[_Waiting] = []
        self._ready: list[tuple[int, NDArray[np.uint8]]] = []

    def thinned(self, screen: int, framebuffer: Any, size_px: tuple[int, int]) -> None:
        """A view made of the whole picture in a framebuffer, by leaving pixels out."""
        width, height = size_px
        every = math.ceil(math.sqrt(width * height / AREA_PX))
        data = framebuffer.read(viewport=(0, 0, width, height), components=4, alignment=1)
        # a pixel is one number here: to thin out three would take ten times as long
        whole = np.frombuffer(data, np.uint32).reshape(height, width)
        thin = np.ascontiguousarray(whole[::-every, ::every])
        self._ready.append((screen, thin.view(np.uint8).reshape(*thin.shape, 4)))

    def begin(
        self,
        screen: int,
        shot: Shot,
        logical_px: tuple[int, int],
        calibration: ScreenCalibration,
        area_px: int,
    ) -> None:
        """Draw what a screen shows as its viewer sees it: upright, with its corners and its light.

        logical_px: the size of the screen as the viewer sees it. The look is left out.
        """
        size_px = small_size(logical_px, area_px)
        upright = calibration.model_copy(update={"rotation": 0, "flip": "none"})
        small = replace(
            shot,
            overlays=tuple(
                replace(o, rectangle=_scaled(o, logical_px, size_px)) for o in shot.overlays
            ),
        )
        drawn = self._store.resolve([small], [size_px], [upright], [FAITHFUL])[0]
        framebuffer = self._framebuffers.get(size_px)
        if framebuffer is None:
            framebuffer = self._context.simple_framebuffer(size_px, 4)
            self._framebuffers[size_px] = framebuffer
        self._painter.draw(framebuffer, (0, 0), size_px, drawn)
        buffer = self._spare.pop() if self._spare else self._context.buffer(reserve=4 * AREA_PX)
        framebuffer.read_into(buffer, viewport=(0, 0, *size_px), components=4, alignment=1)
        self._waiting.append(_Waiting(screen, size_px, buffer))

    def take(self) -> list[tuple[int, NDArray[np.uint8]]]:
        """The views begun since the last call: the screen, and its pixels [H, W, 4] from the top.

        On the tick after `begin` the driver is long done, so nothing waits here.
        """
        taken, self._ready = self._ready, []
        for waiting in self._waiting:
            width, height = waiting.size_px
            data = waiting.buffer.read(4 * width * height)
            pixels = np.frombuffer(data, np.uint8).reshape(height, width, 4)[::-1]
            taken.append((waiting.screen, pixels))
            self._spare.append(waiting.buffer)
        self._waiting.clear()
        return taken

    def release(self) -> None:
        for buffer in (*self._spare, *(waiting.buffer for waiting in self._waiting)):
            buffer.release()
        for framebuffer in self._framebuffers.values():
            framebuffer.release()
        self._spare.clear()
        self._waiting.clear()
        self._framebuffers.clear()


def _scaled(
    overlay: Overlay, from_px: tuple[int, int], to_px: tuple[int, int]
) -> tuple[int, int, int, int]:
    x, y, width, height = overlay.rectangle
    across, down = to_px[0] / from_px[0], to_px[1] / from_px[1]
    return (
        round(x * across),
        round(y * down),
        max(1, round(width * across)),
        max(1, round(height * down)),
    )
