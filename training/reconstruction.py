"""Learning to draw each training picture from a code of its own, before and beside the adversary.

Generative latent optimisation (Bojanowski et al. 2018, arXiv 1707.05776): every picture has a
learned z on the sphere that the mapping network normalises to, and the generator learns to draw
the picture from it under their Laplacian pyramid distance (section 3.2, Lap1). Composition is
learned in a tenth of the time that an adversary needs for it; the adversary then makes it sharp.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

SMALLEST_LEVEL_PX = 4


def laplacian_distance(drawn: Tensor, wanted: Tensor) -> Tensor:
    """Sum over pyramid levels of the mean absolute difference; drawn, wanted: [N, C, R, R]."""
    difference = (drawn - wanted).float()
    total = difference.new_zeros([])
    while difference.shape[-1] > SMALLEST_LEVEL_PX:
        # both pyramids are linear, so that of the difference is the difference of theirs
        coarser = F.avg_pool2d(difference, 2)
        detail = difference - F.interpolate(coarser, scale_factor=2, mode="bilinear")
        total = total + detail.abs().mean()
        difference = coarser
    return total + difference.abs().mean()


class Codes:
    """A z for each of `count` pictures: float32 [count, z_dim], rows of length sqrt(z_dim)."""

    def __init__(self, count: int, z_dim: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.table = torch.randn(count, z_dim, generator=generator)

    def of(self, indices: Tensor) -> Tensor:
        """The codes of some pictures, as a leaf whose gradient `move` wants: [n, z_dim]."""
        return self.table[indices].clone().requires_grad_(True)

    def moved(self, codes: Tensor, step: float) -> Tensor:
        """Where gradient descent takes codes on their sphere: [n, z_dim].

        step: of the length of a code. Every code is seen once a pass, too seldom for a running
        estimate of its gradient's size; so the direction counts alone.
        """
        assert codes.grad is not None
        length = math.sqrt(codes.shape[1])
        direction = codes.grad / (codes.grad.norm(dim=1, keepdim=True) + 1e-12)
        new: Tensor = codes.detach() - direction * (step * length)
        scale: Tensor = length / new.norm(dim=1, keepdim=True)
        return new * scale

    def put(self, indices: Tensor, codes: Tensor) -> None:
        """Replace the codes of some pictures."""
        self.table[indices] = codes
