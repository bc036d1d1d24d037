"""An engine for exports in tests that costs nothing: no torch is loaded with this file."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

FOREVER = threading.Event()


class SmoothEngine:
    """Slow waves whose phases are the latents' first numbers: pictures that change as they do."""

    description = "smooth fake engine"
    device = "cpu"
    path = None

    def __init__(self, render_s: float) -> None:
        self._render_s = render_s
        self._grid = np.linspace(0, 1, 16)

    def render(self, ws: NDArray[np.float32], out: NDArray[np.uint8]) -> None:
        """ws: [N, num_ws, w_dim] with w_dim >= 3; out: [N, 16, 16, 4]."""
        FOREVER.wait(self._render_s)
        for channel in range(3):
            phase = ws[:, 0, channel, None, None].astype(np.float64)
            wave = np.sin(phase + self._grid[None, :, None] * (channel + 1) + self._grid)
            out[..., channel] = np.rint(127.5 + 120 * wave)
        out[..., 3] = 255


def open_fake(**arguments: Any) -> SmoothEngine:
    """The factory; EXPORT_RENDER_S makes it slow, EXPORT_FAULT makes it fail."""
    if os.environ.get("EXPORT_FAULT"):
        raise ValueError(os.environ["EXPORT_FAULT"])
    return SmoothEngine(float(os.environ.get("EXPORT_RENDER_S", 0)))
