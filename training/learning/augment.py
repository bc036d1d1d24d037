"""Adaptive discriminator augmentation (arXiv 2006.06676, section 3 and appendix B).

Every transform is drawn per picture and applied with probability p. Pixel blitting and geometric
ones are multiplied into one affine map and sampled once, colour ones into one 4x4 colour matrix;
then come filtering, noise and cutout (`training.learning.corruptions`). Which of the six groups
are used has the paper's short names: `bgc`, blitting, geometry and colour, is its choice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from training.learning.corruptions import (
    cut_out,
    draw_band_gains,
    draw_cutouts,
    draw_noise_std,
    filtered,
    noisy,
)
from training.learning.warp import rotation, scaling, supersampled_warp, translation, warp

PIPES: dict[str, frozenset[str]] = {
    name: frozenset(groups.split())
    for name, groups in {
        "blit": "blit",
        "geom": "geom",
        "color": "color",
        "filter": "filter",
        "noise": "noise",
        "cutout": "cutout",
        "bg": "blit geom",
        "bgc": "blit geom color",
        "bgcf": "blit geom color filter",
        "bgcfn": "blit geom color filter noise",
        "bgcfnc": "blit geom color filter noise cutout",
    }.items()
}


class Augmentation:
    """images [N, 3, H, W] -> the same, augmented with probability p per transform.

    supersampled: warp at twice the size between low-passes, as published, instead of sampling the
    pictures as they are; see `training.learning.warp`. pipe: a name of PIPES.
    Raises KeyError for another pipe.
    """

    def __init__(self, p: float = 0.0, *, supersampled: bool = False, pipe: str = "bgc") -> None:
        self.p = p
        self.supersampled = supersampled
        self.groups = PIPES[pipe]

    def __call__(self, images: Tensor) -> Tensor:
        if self.p <= 0.0:
            return images
        n, (height, width) = len(images), images.shape[2:]
        if self.groups & {"blit", "geom"}:
            p_geom, p_blit = (self.p * (group in self.groups) for group in ("geom", "blit"))
            maps = geometric_maps(draw_geometry(n, p_geom, p_blit), width, height)
            images = supersampled_warp(images, maps) if self.supersampled else warp(images, maps)
        if "color" in self.groups:
            images = recoloured(images, colour_matrices(draw_colours(n, self.p)))
        if "filter" in self.groups:
            images = filtered(images, draw_band_gains(n, self.p))
        if "noise" in self.groups:
            images = noisy(images, draw_noise_std(n, self.p))
        if "cutout" in self.groups:
            images = cut_out(images, draw_cutouts(n, self.p))
        return images


@dataclass
class AugmentationController:
    """Moves p so that r_t = E[sign D(real)] stays at `target` (section 3, equation 1).

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


@dataclass(frozen=True, eq=False)
class Geometry:
    """What happens to the shape of N pictures, in this order; tensors [N].

    flipped: 1 or -1, along x. quarters: turns by 90 degrees. shift_x, shift_y: in parts of width
    and height, rounded to pixels. size, stretch: factors. turn, second_turn: radians. slide_x,
    slide_y: in parts of width and height.
    """

    flipped: Tensor
    quarters: Tensor
    shift_x: Tensor
    shift_y: Tensor
    size: Tensor
    turn: Tensor
    stretch: Tensor
    second_turn: Tensor
    slide_x: Tensor
    slide_y: Tensor


@dataclass(frozen=True, eq=False)
class Colours:
    """What happens to the colours of N pictures, in this order; tensors [N].

    brightness: added to values in -1..1. contrast, saturation: factors. inverted: 0 or 1, the luma
    alone. hue: radians.
    """

    brightness: Tensor
    contrast: Tensor
    inverted: Tensor
    hue: Tensor
    saturation: Tensor


def draw_geometry(n: int, p: float, p_blit: float | None = None) -> Geometry:
    """Appendix B: general geometric transformations with probability p, pixel blitting with p_blit
    (None: p as well)."""
    p_blit = p if p_blit is None else p_blit

    def chosen(value: Tensor, otherwise: float, p: float = p) -> Tensor:
        return torch.where(torch.rand(n) < p, value, torch.full((n,), otherwise))

    def turn() -> Tensor:
        angle = torch.empty(n).uniform_(-math.pi, math.pi)
        return torch.where(torch.rand(n) < p_turn, angle, torch.zeros(n))

    # two turns around the stretching, each with 1 - sqrt(1 - p), so that either happens with p
    p_turn = 1.0 - math.sqrt(1.0 - min(p, 1.0))
    shifted = chosen(torch.ones(n), 0.0, p_blit)
    slid = chosen(torch.ones(n), 0.0)
    return Geometry(
        flipped=chosen(torch.where(torch.rand(n) < 0.5, -1.0, 1.0), 1.0, p_blit),
        quarters=chosen(torch.randint(0, 4, (n,)).float(), 0.0, p_blit),
        shift_x=torch.empty(n).uniform_(-1 / 8, 1 / 8) * shifted,
        shift_y=torch.empty(n).uniform_(-1 / 8, 1 / 8) * shifted,
        size=chosen(torch.exp2(torch.randn(n) * 0.2), 1.0),
        turn=turn(),
        stretch=chosen(torch.exp2(torch.randn(n) * 0.2), 1.0),
        second_turn=turn(),
        slide_x=torch.randn(n) * 0.125 * slid,
        slide_y=torch.randn(n) * 0.125 * slid,
    )


def draw_colours(n: int, p: float) -> Colours:
    """Appendix B: colour transformations."""

    def chosen(value: Tensor, otherwise: float) -> Tensor:
        return torch.where(torch.rand(n) < p, value, torch.full((n,), otherwise))

    return Colours(
        brightness=chosen(torch.randn(n) * 0.2, 0.0),
        contrast=chosen(torch.exp2(torch.randn(n) * 0.5), 1.0),
        inverted=chosen((torch.rand(n) < 0.5).float(), 0.0),
        hue=chosen(torch.empty(n).uniform_(-math.pi, math.pi), 0.0),
        saturation=chosen(torch.exp2(torch.randn(n)), 1.0),
    )


def geometric_maps(geometry: Geometry, width: int, height: int) -> Tensor:
    """The maps of `training.learning.warp`: float32 [N, 3, 3], in pixels from the middle."""
    g = geometry
    total = scaling(g.flipped, torch.ones_like(g.flipped))
    total = total @ rotation(g.quarters * (math.pi / 2))
    total = total @ translation(-(g.shift_x * width).round(), -(g.shift_y * height).round())
    total = total @ scaling(1 / g.size, 1 / g.size)
    total = total @ rotation(g.turn)
    total = total @ scaling(1 / g.stretch, g.stretch)
    total = total @ rotation(g.second_turn)
    return total @ translation(-g.slide_x * width, -g.slide_y * height)


def colour_matrices(colours: Colours) -> Tensor:
    """Maps of homogeneous RGB in -1..1: float32 [N, 4, 4]."""
    n = len(colours.hue)
    grey = torch.tensor([1.0, 1.0, 1.0, 0.0]) / math.sqrt(3.0)
    projector = torch.outer(grey, grey)
    identity = torch.eye(4)
    shift = torch.zeros(n, 4, 4)
    shift[:, :3, 3] = colours.brightness[:, None]
    total = identity + shift
    contrast = torch.diag_embed(colours.contrast[:, None].repeat(1, 4))
    contrast[:, 3, 3] = 1.0
    total = contrast @ total
    total = (identity - 2.0 * projector * colours.inverted[:, None, None]) @ total
    total = _rotation_about_grey(colours.hue) @ total
    saturation = colours.saturation[:, None, None]
    total = (projector + (identity - projector) * saturation) @ total
    total[:, 3] = torch.tensor([0.0, 0.0, 0.0, 1.0])
    return total


def recoloured(images: Tensor, matrices: Tensor) -> Tensor:
    """images [N, 3, H, W], or [N, 1, H, W], which count as grey and stay grey."""
    matrices = matrices.to(images.device)
    n, channels, h, w = images.shape
    if channels == 1:
        factor = matrices[:, :3, :3].sum(dim=2).mean(dim=1)
        offset = matrices[:, :3, 3].mean(dim=1)
        return images * factor[:, None, None, None] + offset[:, None, None, None]
    flat = matrices[:, :3, :3] @ images.reshape(n, channels, h * w) + matrices[:, :3, 3:]
    return flat.reshape(n, channels, h, w)


def _rotation_about_grey(angle: Tensor) -> Tensor:
    """Rodrigues' formula about the unit vector (1, 1, 1)/sqrt(3)."""
    u = 1.0 / math.sqrt(3.0)
    cross = torch.tensor([[0.0, -u, u], [u, 0.0, -u], [-u, u, 0.0]])
    matrix = torch.eye(4).repeat(len(angle), 1, 1)
    sine, cosine = angle.sin()[:, None, None], angle.cos()[:, None, None]
    matrix[:, :3, :3] = torch.eye(3) + sine * cross + (1 - cosine) * (cross @ cross)
    return matrix
