"""The contract of every kind of output: a wall of screens. No OpenGL and no windows in here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from player.wall.calibration import ScreenCalibration
from player.wall.look import Look
from player.wall.shots import Shot


class OutputError(Exception):
    """An output that could not be opened or drawn to: a sentence for the person who sees it."""


@dataclass(frozen=True)
class Standing:
    """Where a screen is shown, in words for a person: as in "DP-1" and "59.94 Hz"."""

    output: str
    refresh: str


class Wall(Protocol):
    """Screens 0..n-1, from left to right. Used from the one thread that opened it.

    A tick is: upload what has changed, draw, finish, present. `draw` before any upload of a source
    that a shot names raises OutputError; a wrong number of shots raises ValueError.
    """

    def size_of(self, screen: int) -> tuple[int, int]:
        """(width, height) of a screen in pixels, as of the last poll; may change between polls.

        A screen whose monitor is gone keeps its last one.
        """
        ...

    def logical_size_of(self, screen: int) -> tuple[int, int]:
        """(width, height) as the viewer sees the screen: `size_of`, turned with the monitor.

        In these pixels an overlay's rectangle is given.
        """
        ...

    def set_calibration(self, screen: int, calibration: ScreenCalibration) -> None:
        """From the next draw on; every screen begins with none. ValueError: no such screen."""
        ...

    def set_look(self, screen: int, look: Look) -> None:
        """How a screen's pictures are drawn from the next draw on; every one begins faithful."""
        ...

    @property
    def is_software(self) -> bool:
        """Whether the processor draws, for want of a graphics card."""
        ...

    def upload(self, source: str, pixels: NDArray[np.uint8]) -> None:
        """Replaces a source's pictures: [P, H, W, 4], sRGB, top row first; alpha is ignored.

        The array may be reused as soon as this returns; a small view that is begun before the next
        upload of the source may be made of it, and shows then what it was reused for.
        """
        ...

    def warm_up_next(self, layers: int = 3) -> bool:
        """Makes one more program ready that shots of so many layers need; False if none is left.

        For waits before the show: it takes 1 to 3 ms, and with software GL 0.2 s (six layers 0.4 s)
        where no earlier start has left the program in the driver's cache. What is not made ready
        is so when it is first drawn. Leaves what is shown as it is; `draw` anew before the next
        `present`.
        """
        ...

    def draw(self, shots: Sequence[Shot]) -> None:
        """Draws every screen, one shot each. Nothing is visible before `present`."""
        ...

    def finish(self) -> None:
        """Returns once all that was drawn is ready, so that `present` has only to show it."""
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

    def begin_small(self, screen: int) -> None:
        """Begins a small view of what a screen shows, as its viewer sees it; see `small_views`.

        Right after `present` it shows what was presented.
        """
        ...

    def take_small(self) -> list[tuple[int, NDArray[np.uint8]]]:
        """The small views begun since the last call: a screen, and its [H, W, 4].

        Waits for the driver.
        """
        ...

    def describe(self) -> str:
        """One line for logs: kind, number and size of the screens, graphics driver."""
        ...

    def screens_status(self) -> tuple[str, ...]:
        """A line for each screen: its output, size and refresh rate, or that it is absent."""
        ...

    def standing_of(self, screen: int) -> Standing:
        """Where a screen is shown now; cheap enough for every tick."""
        ...

    def refresh_hz(self) -> Fraction | None:
        """Of the monitor whose refresh `present` waits for; None where that is not told."""
        ...

    def take_keys(self) -> tuple[str, ...]:
        """The letters pressed in the wall's windows since the last call, but for q; lower case."""
        ...

    def close(self) -> None:
        """Gives everything back; harmless a second time."""
        ...
