"""What screens show, drawn once more and small, for whoever looks at them from elsewhere.

Not read from the screens: seven screens of 1920x1080 are 44 MB, seven small views 0.4 MB. The views
of a tick are drawn on one sheet and read back at once. Rejected: to read each on the next tick, out
of a buffer that the driver fills meanwhile; what is shown would be seen a frame later.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from player.wall.calibration import ScreenCalibration
from player.wall.look import FAITHFUL
from player.wall.renderer import Context, Painter, PictureStore
from player.wall.shots import Overlay, Shot
from player.wall.thin_views import thin_view

AREA_PX = 192 * 108
SOFTWARE_AREA_PX = 112 * 63  # where the processor draws
LONGEST_PX = 384
SHEET_PX = (LONGEST_PX, 1536)
# A headless screen no larger than this is read as it is and thinned out: 0.1 ms.
READ_PX = 480 * 270


def small_size(size_px: tuple[int, int], area_px: int = AREA_PX) -> tuple[int, int]:
    """Of the same shape, and about area_px pixels; never larger than the screen itself."""
    width, height = (max(1, side) for side in size_px)
    scale = min(1.0, math.sqrt(area_px / (width * height)), LONGEST_PX / max(width, height))
    return max(1, int(width * scale)), max(1, int(height * scale))


@dataclass(frozen=True)
class _Waiting:
    """A view on the sheet: at its left, `bottom` rows up."""

    screen: int
    size_px: tuple[int, int]
    bottom: int


class SmallViews:
    """Of the store's own context, which whoever calls makes current first."""

    def __init__(self, context: Context, store: PictureStore, painter: Painter) -> None:
        self._context, self._store, self._painter = context, store, painter
        self._sheet: Any = None  # moderngl.Framebuffer, once it is needed
        self._rows = 0  # of the sheet that are drawn on
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

    def begin_thin(
        self,
        screen: int,
        shot: Shot,
        logical_px: tuple[int, int],
        calibration: ScreenCalibration,
    ) -> None:
        """The same as `begin` for where the processor draws: without the driver."""
        size_px = small_size(logical_px, SOFTWARE_AREA_PX)
        small = _small_shot(shot, logical_px, size_px)
        view = thin_view(self._store, small, size_px, _upright(calibration))
        self._ready.append((screen, view))

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
        (drawn,) = self._store.resolve(
            [_small_shot(shot, logical_px, size_px)],
            [size_px],
            [_upright(calibration)],
            [FAITHFUL],
        )
        if self._sheet is None:
            self._sheet = self._context.simple_framebuffer(SHEET_PX, 4)
        if self._rows + size_px[1] > SHEET_PX[1]:
            self._read()
        self._painter.draw(self._sheet, (0, self._rows), size_px, drawn)
        self._waiting.append(_Waiting(screen, size_px, self._rows))
        self._rows += size_px[1]

    @property
    def is_drawing(self) -> bool:
        """Whether `take` needs the context."""
        return bool(self._waiting)

    def take(self) -> list[tuple[int, NDArray[np.uint8]]]:
        """The views begun since the last call: the screen, and its pixels [H, W, 4] from the top.

        Waits for the driver to draw them.
        """
        self._read()
        taken, self._ready = self._ready, []
        return taken

    def release(self) -> None:
        if self._sheet is not None:
            self._sheet.release()
            self._sheet = None

    def _read(self) -> None:
        """The sheet is empty after it."""
        if not self._waiting:
            return
        width = max(waiting.size_px[0] for waiting in self._waiting)
        data = self._sheet.read(viewport=(0, 0, width, self._rows), components=4, alignment=1)
        sheet = np.frombuffer(data, np.uint8).reshape(self._rows, width, 4)
        for waiting in self._waiting:
            width, height = waiting.size_px
            rows = sheet[waiting.bottom : waiting.bottom + height, :width]
            self._ready.append((waiting.screen, rows[::-1]))
        self._waiting.clear()
        self._rows = 0


def _small_shot(shot: Shot, from_px: tuple[int, int], to_px: tuple[int, int]) -> Shot:
    if not shot.overlays:
        return shot
    laid = (replace(o, rectangle=scaled(o, from_px, to_px)) for o in shot.overlays)
    return replace(shot, overlays=tuple(laid))


@lru_cache(maxsize=64)
def _upright(calibration: ScreenCalibration) -> ScreenCalibration:
    return calibration.model_copy(update={"rotation": 0, "flip": "none"})


def scaled(
    overlay: Overlay, from_px: tuple[int, int], to_px: tuple[int, int]
) -> tuple[int, int, int, int]:
    """An overlay's rectangle on a screen of another size."""
    x, y, width, height = overlay.rectangle
    across, down = to_px[0] / from_px[0], to_px[1] / from_px[1]
    return (
        round(x * across),
        round(y * down),
        max(1, round(width * across)),
        max(1, round(height * down)),
    )
