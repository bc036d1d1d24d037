"""A wall without windows, and what it has in common with the one that has them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from player.wall.calibration import IDENTITY, ScreenCalibration, logical_size
from player.wall.contract import Standing
from player.wall.front_buffer import FrontBuffer
from player.wall.look import FAITHFUL, Look
from player.wall.losses import ContextWatch
from player.wall.renderer import (
    WARM_UP_PX,
    Context,
    DrawnShot,
    Painter,
    PictureStore,
    read_framebuffer,
    standalone_context,
)
from player.wall.shots import Shot
from player.wall.small_views import AREA_PX, READ_PX, SOFTWARE_AREA_PX, SmallViews

# Drivers that draw on the processor, as they call themselves: Mesa's two and Windows' own.
_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "GDI Generic", "Basic Render")


class DrawnWall(ABC):
    """What both walls share: the store, the calibrations, what was drawn and what was shown."""

    def __init__(self, context: Context, screens: int) -> None:
        self._context = context
        self._screens = screens
        self._store = PictureStore(context)
        self._painter = Painter(context, owner=True)
        self._small_views = SmallViews(context, self._store, self._painter)
        self._shots: tuple[Shot, ...] = ()
        self._context_watch = ContextWatch(lambda: str(context.error))
        self._calibrations = [IDENTITY] * screens
        self._looks = [FAITHFUL] * screens
        self._drawn: tuple[DrawnShot, ...] = ()
        self._shown: tuple[DrawnShot, ...] = ()

    @abstractmethod
    def size_of(self, screen: int) -> tuple[int, int]:
        """See `Wall.size_of`."""

    def logical_size_of(self, screen: int) -> tuple[int, int]:
        """See `Wall.logical_size_of`."""
        return logical_size(self._calibrations[screen], self.size_of(screen))

    def set_calibration(self, screen: int, calibration: ScreenCalibration) -> None:
        """See `Wall.set_calibration`."""
        if not 0 <= screen < self._screens:
            raise ValueError(f"there is no screen {screen}: they are 0 to {self._screens - 1}")
        self._calibrations[screen] = calibration

    def set_look(self, screen: int, look: Look) -> None:
        """See `Wall.set_look`."""
        self._looks[screen] = look

    @cached_property
    def is_software(self) -> bool:
        """See `Wall.is_software`."""
        return any(word in self._renderer_name() for word in _SOFTWARE)

    def _resolve(self, shots: Sequence[Shot], sizes_px: Sequence[tuple[int, int]]) -> None:
        if len(shots) != self._screens:
            raise ValueError(f"{self._screens} screens need as many shots, not {len(shots)}")
        self._shots = tuple(shots)
        self._drawn = self._store.resolve(shots, sizes_px, self._calibrations, self._looks)

    def _thin_small(self, screen: int) -> bool:
        """Begins a small view without the graphics driver where the processor draws; else False."""
        if self.is_software and self._shots:
            self._small_views.begin_thin(
                screen,
                self._shots[screen],
                self.logical_size_of(screen),
                self._calibrations[screen],
            )
        return self.is_software

    def _begin_small(self, screen: int, area_px: int) -> None:
        if self._shots:
            self._small_views.begin(
                screen,
                self._shots[screen],
                self.logical_size_of(screen),
                self._calibrations[screen],
                area_px,
            )

    @property
    def _small_area_px(self) -> int:
        """Makes a context current at the first time; ask before making another one so."""
        return SOFTWARE_AREA_PX if self.is_software else AREA_PX

    @abstractmethod
    def _renderer_name(self) -> str:
        """Of the graphics driver."""

    def _renderer(self) -> str:
        info = self._context.info
        ways = sorted(set(self._store.streaming.ways.values()))
        uploads = f", uploads {' and '.join(ways)}" if ways else ""
        return f"{info['GL_RENDERER']}, OpenGL {info['GL_VERSION']}{uploads}"

    def _release(self) -> None:
        self._small_views.release()
        self._store.release()
        self._painter.release()


class HeadlessWall(DrawnWall):
    """Draws every screen into a framebuffer of its own, without any display (EGL on Linux)."""

    def __init__(self, screens: int, size_px: tuple[int, int], front: Path | None = None) -> None:
        """front: a file in which others can see what is shown, see `front_buffer`."""
        self._front = FrontBuffer(front, screens, size_px) if front else None
        super().__init__(standalone_context(), screens)
        self._size_px = size_px
        self._open = True
        with self._context:
            self._framebuffers = [
                self._context.simple_framebuffer(size_px, 4) for _ in range(screens)
            ]
            for framebuffer in self._framebuffers:
                framebuffer.clear(0.0, 0.0, 0.0, 1.0)
            self._scratch = self._context.simple_framebuffer(WARM_UP_PX, 4)
            self._painter.warm_up(self._scratch)

    def size_of(self, screen: int) -> tuple[int, int]:
        return self._size_px

    def upload(self, source: str, pixels: NDArray[np.uint8]) -> None:
        with self._context:
            self._store.upload(source, pixels)

    def warm_up_next(self, layers: int = 3) -> bool:
        with self._context:
            return self._store.warm_up() or self._painter.warm_up_next(
                self._scratch, self._calibrations, self._looks, layers
            )

    def draw(self, shots: Sequence[Shot]) -> None:
        with self._context:
            self._resolve(shots, [self._size_px] * self._screens)
            for framebuffer, shot in zip(self._framebuffers, self._drawn, strict=True):
                self._painter.draw(framebuffer, (0, 0), self._size_px, shot)

    def finish(self) -> None:
        with self._context:
            self._context.finish()
            self._context_watch.check()

    def present(self) -> None:
        self.finish()
        self._shown = self._drawn
        if self._front is not None:
            self._front.show([self.read(screen) for screen in range(self._screens)])

    def poll(self) -> bool:
        return True

    def read(self, screen: int) -> NDArray[np.uint8]:
        with self._context:
            return read_framebuffer(self._framebuffers[screen], self._size_px)

    def begin_small(self, screen: int) -> None:
        calibration = self._calibrations[screen]
        is_upright = calibration.rotation == 0 and calibration.flip == "none"
        if is_upright and self._size_px[0] * self._size_px[1] <= READ_PX:
            with self._context:
                self._small_views.thinned(screen, self._framebuffers[screen], self._size_px)
            return
        if self._thin_small(screen):
            return
        area_px = self._small_area_px
        with self._context:
            self._begin_small(screen, area_px)

    def take_small(self) -> list[tuple[int, NDArray[np.uint8]]]:
        with self._context:
            return self._small_views.take()

    def _renderer_name(self) -> str:
        with self._context:
            return str(self._context.info["GL_RENDERER"])

    def describe(self) -> str:
        width, height = self._size_px
        with self._context:
            renderer = self._renderer()
        return f"headless, {self._screens} screens of {width}x{height}, {renderer}"

    def screens_status(self) -> tuple[str, ...]:
        width, height = self._size_px
        return tuple(f"Screen {i + 1}: headless, {width}x{height}" for i in range(self._screens))

    def standing_of(self, screen: int) -> Standing:
        return Standing("headless", "no refresh")

    def refresh_hz(self) -> Fraction | None:
        return None

    def take_keys(self) -> tuple[str, ...]:
        return ()

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        if self._front is not None:
            self._front.close()
        with self._context:
            self._release()
            for framebuffer in (*self._framebuffers, self._scratch):
                framebuffer.release()
        self._context.release()
