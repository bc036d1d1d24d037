"""Pictures moved by affine maps: quickly, or without aliasing (arXiv 2006.06676, appendix B.2).

Maps are float32 [N, 3, 3] from the pixels of the result to those of the picture, homogeneous, in
pixels from the middle of the picture, x to the right and y down. Outside, a picture is mirrored.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from generator.resampling import downsample, resample_filter, upsample

# The low-pass of the symlet of six vanishing moments (Daubechies 1992, "Ten lectures on wavelets",
# section 8.1.1). It is orthogonal: up- and down-sampling with it give a picture back unchanged.
SYMLET_6 = (
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633,
    0.4910559419267466, 0.787641141030194, 0.3379294217276218, -0.07263752278646252,
    -0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148,
)  # fmt: skip
REACH_PX = len(SYMLET_6) // 4  # of the filter to either side, at the picture's own size
# The symlet's weight lies before the middle of its taps; pixels of twice the size.
LEAN_PX = -0.5


def warp(images: Tensor, maps: Tensor) -> Tensor:
    """images [N, C, H, W], sampled bilinearly where `maps` say; sizes below the pixels alias."""
    height, width = images.shape[2:]
    return _sampled(images, maps, (width, height), padding_mode="reflection")


def supersampled_warp(images: Tensor, maps: Tensor) -> Tensor:
    """As `warp`, at twice the size between low-passes, so that nothing aliases.

    All pictures get the mirrored margin of the one that reaches out furthest; so it takes 15 times
    as long on a CPU for pictures of 64 pixels, and 20 to 40 times for 256.
    """
    height, width = images.shape[2:]
    kernel = resample_filter(SYMLET_6).to(images.device)
    left, right, top, bottom = _margins_px(maps, width, height)
    padded = F.pad(images, (left, right, top, bottom), mode="reflect")
    # the middle of the padded picture is the new origin
    maps = translation((left - right) / 2, (top - bottom) / 2) @ maps
    fine = upsample(padded, kernel, 2)
    maps = scaling(2, 2) @ maps @ scaling(0.5, 0.5)
    maps = translation(LEAN_PX, LEAN_PX) @ maps @ translation(-LEAN_PX, -LEAN_PX)
    # the last low-pass wants its reach around the picture
    size_px = (2 * (width + 2 * REACH_PX), 2 * (height + 2 * REACH_PX))
    moved = _sampled(fine, maps, size_px, padding_mode="zeros")
    return downsample(moved, kernel, 2, padding=-2 * REACH_PX, flip=True)


def _sampled(images: Tensor, maps: Tensor, size_px: tuple[int, int], padding_mode: str) -> Tensor:
    """[N, C, height, width] of size_px (width, height), bilinear between the pixels' middles."""
    n, channels, from_height, from_width = images.shape
    width, height = size_px
    unit = scaling(2 / from_width, 2 / from_height) @ maps @ scaling(width / 2, height / 2)
    grid = F.affine_grid(
        unit[:, :2].to(images.device), [n, channels, height, width], align_corners=False
    )
    return F.grid_sample(
        images, grid, mode="bilinear", padding_mode=padding_mode, align_corners=False
    )


def _margins_px(maps: Tensor, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, right, top, bottom: how far the corners of any picture and the filters reach out of
    it, and at most what mirroring once can give."""
    half = torch.tensor([(width - 1) / 2, (height - 1) / 2])
    signs = torch.tensor([[-1.0, 1.0, 1.0, -1.0], [-1.0, -1.0, 1.0, 1.0]])
    corners = torch.cat([signs * half[:, None], torch.ones(1, 4)])
    reached = (maps.cpu() @ corners)[:, :2]
    out = torch.stack([-reached.amin(dim=(0, 2)), reached.amax(dim=(0, 2))]) - half
    most = torch.tensor([width - 1, height - 1])
    margins = (out + 2 * REACH_PX).clamp(min=0).minimum(most).ceil().int()
    (left, top), (right, bottom) = margins.tolist()
    return left, right, top, bottom


def scaling(x: float | Tensor, y: float | Tensor) -> Tensor:
    """[3, 3] of numbers, [N, 3, 3] of tensors [N]."""
    x, y = torch.as_tensor(x, dtype=torch.float32), torch.as_tensor(y, dtype=torch.float32)
    return torch.diag_embed(torch.stack([x, y, torch.ones_like(x)], dim=-1))


def translation(x: float | Tensor, y: float | Tensor) -> Tensor:
    """[3, 3] of numbers, [N, 3, 3] of tensors [N]."""
    x, y = torch.as_tensor(x, dtype=torch.float32), torch.as_tensor(y, dtype=torch.float32)
    matrix = torch.eye(3).repeat(*x.shape, 1, 1)
    matrix[..., 0, 2], matrix[..., 1, 2] = x, y
    return matrix


def rotation(angle: Tensor) -> Tensor:
    """[N, 3, 3] of angles [N] in radians, from x to y."""
    matrix = torch.zeros(len(angle), 3, 3)
    matrix[:, 0, 0] = matrix[:, 1, 1] = angle.cos()
    matrix[:, 0, 1], matrix[:, 1, 0] = -angle.sin(), angle.sin()
    matrix[:, 2, 2] = 1.0
    return matrix
