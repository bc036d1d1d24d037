"""Pictures of ws exactly as the show will draw them: its noise mode and its truncation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generator.networks import Generator
from shows.schema import NoiseMode, ShowSettings


@dataclass(frozen=True)
class ShownAs:
    """How a show draws: noise maps `const` or `none`; truncation_psi pulls every w to w_avg."""

    noise_mode: NoiseMode = "const"
    truncation_psi: float = 1.0

    @classmethod
    def of(cls, settings: ShowSettings) -> ShownAs:
        return cls(settings.noise_mode, settings.truncation_psi)

    def __str__(self) -> str:
        return f"noise {self.noise_mode}, truncation {self.truncation_psi:g}"


@torch.no_grad()
def draw(generator: Generator, ws: NDArray[np.float32], shown_as: ShownAs) -> Tensor:
    """ws [N, w_dim], or [N, num_ws, w_dim], each layer its own -> float32 [N, C, R, R], about
    -1..1, on the generator's device.

    Truncation is that of the timeline: w_avg + psi (w - w_avg), left out where psi is 1.
    """
    w = torch.from_numpy(np.ascontiguousarray(ws)).to(generator.mapping.w_avg.device)
    if shown_as.truncation_psi != 1.0:
        w_avg = generator.mapping.w_avg
        w = w_avg + shown_as.truncation_psi * (w - w_avg)
    layers = (w[:, None] if w.ndim == 2 else w).expand(-1, generator.num_ws, -1)
    images: Tensor = generator.synthesis(layers, noise_mode=shown_as.noise_mode)
    return images


def draw_pixels(
    generator: Generator, ws: NDArray[np.float32], shown_as: ShownAs, batch: int = 16
) -> NDArray[np.uint8]:
    """ws [N, w_dim] or [N, num_ws, w_dim] -> uint8 [N, R, R, 3]."""
    parts = []
    for start in range(0, len(ws), batch):
        images = draw(generator, ws[start : start + batch], shown_as)
        levels = ((images + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)
        parts.append(levels.permute(0, 2, 3, 1).contiguous().cpu().numpy())
    return np.concatenate(parts)
