"""What every source of pictures offers the frame loop: live synthesis, films, stills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

SourceState = Literal["starting", "ready", "failed"]


@dataclass(frozen=True)
class Pictures:
    """The distinct pictures of one show frame and which screen shows which.

    Guarantee: the pixels are whole (never torn) and stay unchanged until the third later fetch of
    something new from the source that handed them out.
    """

    frame: int  # the show frame these pictures are of
    pixels: NDArray[np.uint8]  # [P, H, W, 4] RGBA, distinct pictures, top row first
    picture_of_screen: tuple[int, ...]  # index into pixels, one per screen
    serial: int  # changes when the pixels change, so that an upload happens only then


@dataclass(frozen=True)
class SourceStatus:
    """How a source is, in words for the operator."""

    state: SourceState
    detail: str  # a sentence; what went wrong last, where there is something to tell
    engine: str  # the engine's own description, empty before it is known
    engine_ms_per_picture: float  # mean since start, 0 before the first picture
    restarts: int  # workers started after the first one
    render_ms: float = 0.0  # usual time of one request, all its distinct pictures; 0: unknown
    early_sides_px: tuple[int, ...] = ()  # smaller pictures that measurably match the full ones


class FrameSource(Protocol):
    """A source of pictures by show frame. Called from one thread, the frame loop's."""

    name: str

    def start(self) -> None:
        """Begin whatever takes time; return at once."""

    def request(
        self, frame: int, latents: Sequence[NDArray[np.float32]], side_px: int | None = None
    ) -> None:
        """Ask for a frame ahead of time; latents: [num_ws, w_dim] per screen. Never blocks.

        side_px: of the pictures, None for full ones.
        """

    def play(self, frame: int) -> None:
        """The playhead: pictures of frames before it are not made any more."""

    def pictures(self, frame: int) -> Pictures | None:
        """Exactly that frame if ready, else the newest older one still at hand, else None."""

    def tend(self, now_ns: int) -> None:
        """Once per tick: watch over and restart what stands behind the source. Never blocks."""

    def status(self) -> SourceStatus: ...

    def close(self) -> None:
        """Leave no process, no thread and no shared memory behind, within a second."""
