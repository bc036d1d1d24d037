"""The contract of every kind of output: a wall of screens. No OpenGL and no windows in here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from player.shots import Shot


class OutputError(Exception):
    """An output that could not be opened or drawn to: a sentence for the person who sees it."""


class Wall(Protocol):
    """Screens 0..n-1, from left to right. Used from the one thread that opened it.

    A tick is: upload what has changed, draw, present. `draw` before any upload of a source that a
    shot names raises OutputError; a wrong number of shots raises ValueError.
    """

    def size_of(self, screen: int) -> tuple[int, int]:
        """(width, height) of a screen in pixels, as of the last poll; may change between polls."""
        ...

    def upload(self, source: str, pixels: NDArray[np.uint8]) -> None:
        """Replaces a source's pictures: [P, H, W, 4], sRGB, top row first; alpha is ignored.

        The array may be reused as soon as this returns.
        """
        ...

    def draw(self, shots: Sequence[Shot]) -> None:
        """Draws every screen, one shot each. Nothing is visible before `present`."""
        ...

    def present(self) -> None:
        """Shows what was drawn; when it returns, the frame counts as presented."""
        ...

    def poll(self) -> bool:
        """Handles window events; False once the user has closed the wall (Esc, q, close)."""
        ...

    def read(self, screen: int) -> NDArray[np.uint8]:
        """[H, W, 3], top row first: what the screen showed last; black before the first present."""
        ...

    def describe(self) -> str:
        """One line for logs: kind, number and size of the screens, graphics driver."""
        ...

    def close(self) -> None:
        """Gives everything back; harmless a second time."""
        ...
