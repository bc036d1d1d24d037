"""When a worker finds out whether its engine's smaller pictures match the full ones.

Not before the first picture, and one picture at a time: between two requests, where the engine
rests, or after some requests where it never does. The latents are those the show asks for.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

MOST_REQUESTS = 20  # made without a rest, then one step of the trial all the same


class EarlyStopTrial(Protocol):
    """What an engine's `early_stop_trial()` gives."""

    def step(self, ws: NDArray[np.float32]) -> tuple[int, ...] | None:
        """Try one more picture, ws [num_ws, w_dim]; the sides that match once that is known."""


class EarlyTrials:
    """Takes the steps of an engine's trial; does nothing for an engine that has none."""

    def __init__(self, engine: object) -> None:
        begin = getattr(engine, "early_stop_trial", None)
        self._trial: EarlyStopTrial | None = None if begin is None else begin()
        self._latents: NDArray[np.float32] | None = None  # of the last request, until a step
        self._requests = 0  # since the last step
        self._steps = 0

    @property
    def must_step(self) -> bool:
        """Whether the engine has not rested for so long that the next request must wait."""
        return self._trial is not None and self._requests >= MOST_REQUESTS

    def request_made(self, latents: NDArray[np.float32]) -> None:
        """latents: [P, num_ws, w_dim] of the request just answered."""
        if self._trial is not None:
            self._latents, self._requests = latents, self._requests + 1

    def step(self) -> tuple[bool, tuple[int, ...] | None]:
        """Whether there was something to try; the sides in px that match, once, at the end."""
        if self._trial is None or self._latents is None:
            return False, None
        sides_px = self._trial.step(self._latents[self._steps % len(self._latents)])
        self._latents, self._requests, self._steps = None, 0, self._steps + 1
        if sides_px is not None:
            self._trial = None
        return True, sides_px
