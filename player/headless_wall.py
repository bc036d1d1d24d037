"""A wall without windows, and what it has in common with the one that has them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from player.renderer import (
    Context,
    DrawnShot,
    Painter,
    PictureStore,
    read_framebuffer,
    standalone_context,
)
from player.shots import Shot


class DrawnWall:
    """What both walls share: the store, what was drawn and shown, and reading it back."""

    def __init__(self, context: Context, screens: int) -> None:
        self._context = context
        self._screens = screens
        self._store = PictureStore(context)
        self._painter = Painter(context, owner=True)
        self._drawn: tuple[DrawnShot, ...] = ()
        self._shown: tuple[DrawnShot, ...] = ()

    def _resolve(self, shots: Sequence[Shot], sizes_px: Sequence[tuple[int, int]]) -> None:
        if len(shots) != self._screens:
            raise ValueError(f"{self._screens} screens need as many shots, not {len(shots)}")
        self._drawn = self._store.resolve(shots, sizes_px)

    def _renderer(self) -> str:
        info = self._context.info
        return f"{info['GL_RENDERER']}, OpenGL {info['GL_VERSION']}"

    def _release(self) -> None:
        self._store.release()
        self._painter.release()


class HeadlessWall(DrawnWall):
    """Draws every screen into a framebuffer of its own, without any display (EGL on Linux)."""

    def __init__(self, screens: int, size_px: tuple[int, int]) -> None:
        super().__init__(standalone_context(), screens)
        self._size_px = size_px
        self._open = True
        with self._context:
            self._framebuffers = [
                self._context.simple_framebuffer(size_px, 4) for _ in range(screens)
            ]
            for framebuffer in self._framebuffers:
                framebuffer.clear(0.0, 0.0, 0.0, 1.0)
            self._painter.warm_up(self._framebuffers[0])

    def size_of(self, screen: int) -> tuple[int, int]:
        return self._size_px

    def upload(self, source: str, pixels: NDArray[np.uint8]) -> None:
        with self._context:
            self._store.upload(source, pixels)

    def draw(self, shots: Sequence[Shot]) -> None:
        with self._context:
            self._resolve(shots, [self._size_px] * self._screens)
            for framebuffer, shot in zip(self._framebuffers, self._drawn, strict=True):
                self._painter.draw(framebuffer, (0, 0), self._size_px, shot)

    def present(self) -> None:
        with self._context:
            self._context.finish()
        self._shown = self._drawn

    def poll(self) -> bool:
        return True

    def read(self, screen: int) -> NDArray[np.uint8]:
        with self._context:
            return read_framebuffer(self._framebuffers[screen], self._size_px)

    def describe(self) -> str:
        width, height = self._size_px
        with self._context:
            renderer = self._renderer()
        return f"headless, {self._screens} screens of {width}x{height}, {renderer}"

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        with self._context:
            self._release()
            for framebuffer in self._framebuffers:
                framebuffer.release()
        self._context.release()
