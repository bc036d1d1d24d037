"""Pictures out of a generator, as levels of 0 to 255."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generator.networks import Generator


def samples(generator: Generator, z: Tensor, batch: int = 32) -> Iterator[NDArray[np.uint8]]:
    """Pictures of z [N, z_dim] in batches: uint8 [n, 3, R, R], noise const, no truncation."""
    for part in torch.split(z, batch):
        with torch.no_grad():
            images = generator(part)
        yield to_uint8(images)


def to_uint8(images: Tensor) -> NDArray[np.uint8]:
    """[N, C, H, W] in -1..1 -> uint8, rounded."""
    levels = ((images.float() + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(levels.cpu().numpy())
