"""Adaptive discriminator augmentation: geometric and colour parts (arXiv 2006.06676, appendix B).

Every transform is drawn per picture and applied with probability p; all geometric ones are
multiplied into one affine map and sampled once (bilinear, mirrored border), all colour ones into
one 4x4 colour matrix. Not done here: the paper's two-fold supersampling around the warp, and the
image-space filter and noise parts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


class Augmentation:
    """images [N, 3, H, W] -> the same, augmented with probability p per transform."""

    def __init__(self, p: float = 0.0) -> None:
        self.p = p

    def __call__(self, images: Tensor) -> Tensor:
        if self.p <= 0.0:
            return images
        n, size_px = len(images), images.shape[-1]
        images = _warp(images, geometric_matrices(n, self.p, size_px))
        return _recolour(images, colour_matrices(n, self.p))


@dataclass
class AugmentationController:
    """Moves p so that r_t = E[sign D(real)] stays at `target` (section 3.2; figure 5).

    kimg_to_one: thousands of pictures in which p can go from 0 to 1.
    """

    target: float = 0.6
    kimg_to_one: float = 500.0
    p_max: float = 0.85

    def updated(self, p: float, signs_mean: float, images: int) -> float:
        """p after `images` more pictures at whose end r_t was `signs_mean`."""
        step = images / (self.kimg_to_one * 1000.0)
        if signs_mean != self.target:
            p += math.copysign(step, signs_mean - self.target)
        return min(max(p, 0.0), self.p_max)


def geometric_matrices(n: int, p: float, size_px: int) -> Tensor:
    """Output-to-input maps in the unit square -1..1: float32 [n, 3, 3] (appendix B, geometric).

    size_px: the side of the pictures; the first translation is by whole pixels.
    """
    total = torch.eye(3).repeat(n, 1, 1)

    def chosen(value: Tensor, otherwise: Tensor) -> Tensor:
        return torch.where(torch.rand(n) < p, value, otherwise)

    zeros, ones = torch.zeros(n), torch.ones(n)
    flip = chosen(torch.where(torch.rand(n) < 0.5, -ones, ones), ones)
    total = total @ _scaling(flip, ones)
    quarter = chosen(torch.randint(0, 4, (n,)).float(), zeros)
    total = total @ _rotation(quarter * (math.pi / 2))
    shift_px = torch.empty(2, n).uniform_(-size_px / 8, size_px / 8).round()
    total = total @ _translation(*chosen(shift_px * (2 / size_px), zeros))
    size = chosen(torch.exp2(torch.randn(n) * 0.2), ones)
    total = total @ _scaling(1 / size, 1 / size)
    # two rotations around the stretching, each with 1 - sqrt(1 - p), so that either happens with p
    p_turn = 1.0 - math.sqrt(1.0 - min(p, 1.0))
    for moment in range(2):
        angle = torch.empty(n).uniform_(-math.pi, math.pi)
        total = total @ _rotation(torch.where(torch.rand(n) < p_turn, angle, zeros))
        if moment == 0:
            stretch = chosen(torch.exp2(torch.randn(n) * 0.2), ones)
            total = total @ _scaling(1 / stretch, stretch)
    # an eighth of the side, which is 2 long
    return total @ _translation(*chosen(torch.randn(2, n) * 0.25, zeros))


def colour_matrices(n: int, p: float) -> Tensor:
    """Maps of homogeneous RGB in -1..1: float32 [n, 4, 4] (appendix B, colour)."""
    total = torch.eye(4).repeat(n, 1, 1)
    grey = torch.tensor([1.0, 1.0, 1.0, 0.0]) / math.sqrt(3.0)
    projector = torch.outer(grey, grey)
    identity = torch.eye(4)

    def chosen(value: Tensor, otherwise: float) -> Tensor:
        return torch.where(torch.rand(n) < p, value, torch.full((n,), otherwise))

    shift = torch.zeros(n, 4, 4)
    shift[:, :3, 3] = chosen(torch.randn(n) * 0.2, 0.0)[:, None]
    total = (identity + shift) @ total
    contrast = torch.diag_embed(chosen(torch.exp2(torch.randn(n) * 0.5), 1.0)[:, None].repeat(1, 4))
    contrast[:, 3, 3] = 1.0
    total = contrast @ total
    mirrored = chosen((torch.rand(n) < 0.5).float(), 0.0)[:, None, None]
    total = (identity - 2.0 * projector * mirrored) @ total
    angle = chosen(torch.empty(n).uniform_(-math.pi, math.pi), 0.0)
    total = _rotation_about_grey(angle) @ total
    saturation = chosen(torch.exp2(torch.randn(n)), 1.0)[:, None, None]
    total = (projector + (identity - projector) * saturation) @ total
    total[:, 3] = torch.tensor([0.0, 0.0, 0.0, 1.0])
    return total


def _warp(images: Tensor, matrices: Tensor) -> Tensor:
    grid = F.affine_grid(matrices[:, :2].to(images.device), list(images.shape), align_corners=False)
    return F.grid_sample(
        images, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )


def _recolour(images: Tensor, matrices: Tensor) -> Tensor:
    matrices = matrices.to(images.device)
    n, c, h, w = images.shape
    flat = matrices[:, :3, :3] @ images.reshape(n, c, h * w) + matrices[:, :3, 3:]
    return flat.reshape(n, c, h, w)


def _scaling(x: Tensor, y: Tensor) -> Tensor:
    return torch.diag_embed(torch.stack([x, y, torch.ones_like(x)], dim=1))


def _rotation(angle: Tensor) -> Tensor:
    matrix = torch.zeros(len(angle), 3, 3)
    matrix[:, 0, 0] = matrix[:, 1, 1] = angle.cos()
    matrix[:, 0, 1], matrix[:, 1, 0] = -angle.sin(), angle.sin()
    matrix[:, 2, 2] = 1.0
    return matrix


def _translation(x: Tensor, y: Tensor) -> Tensor:
    matrix = torch.eye(3).repeat(len(x), 1, 1)
    matrix[:, 0, 2], matrix[:, 1, 2] = x, y
    return matrix


def _rotation_about_grey(angle: Tensor) -> Tensor:
    """Rodrigues' formula about the unit vector (1, 1, 1)/sqrt(3)."""
    u = 1.0 / math.sqrt(3.0)
    cross = torch.tensor([[0.0, -u, u], [u, 0.0, -u], [-u, u, 0.0]])
    matrix = torch.eye(4).repeat(len(angle), 1, 1)
    sine, cosine = angle.sin()[:, None, None], angle.cos()[:, None, None]
    matrix[:, :3, :3] = torch.eye(3) + sine * cross + (1 - cosine) * (cross @ cross)
    return matrix
