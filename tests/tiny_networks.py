"""Small generators whose every parameter counts, and pictures to train on."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from generator.networks import Generator, GeneratorConfig


def random_generator(
    seed: int = 0, *, resolution: int = 32, conv_clamp: float | None = None
) -> Generator:
    """All parameters and buffers away from their initial values; pictures mostly within -1..1."""
    config = GeneratorConfig(
        z_dim=16,
        w_dim=16,
        img_resolution=resolution,
        channel_base=512,
        channel_max=24,
        num_mapping_layers=2,
        conv_clamp=conv_clamp,
    )
    random = torch.Generator().manual_seed(seed)
    net = Generator(config)
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            spread = torch.randn(parameter.shape, generator=random)
            if name.endswith("affine.bias"):
                parameter.copy_(1.0 + 0.3 * spread)
            elif name.endswith(("bias", "noise_strength")):
                parameter.copy_(0.3 * spread)
            elif "torgb.weight" in name:
                parameter.copy_(0.15 * spread)
            else:
                parameter.copy_(spread)
        for name, buffer in net.named_buffers():
            if not name.endswith("resample_filter"):
                buffer.copy_(torch.randn(buffer.shape, generator=random))
    return net.eval().requires_grad_(False)


def random_ws(net: Generator, n: int, seed: int = 0) -> NDArray[np.float32]:
    """A different w for each layer: float32 [n, num_ws, w_dim]."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, net.num_ws, net.w_dim), dtype=np.float32)


def striped_pictures(n: int, resolution: int = 16, seed: int = 0) -> NDArray[np.uint8]:
    """Pictures of one coloured stripe on a coloured ground: uint8 [n, 3, R, R]."""
    rng = np.random.default_rng(seed)
    pictures = np.empty((n, 3, resolution, resolution), np.uint8)
    for picture in pictures:
        picture[:] = rng.integers(0, 256, (3, 1, 1))
        row = int(rng.integers(0, resolution - 3))
        picture[:, row : row + 3] = rng.integers(0, 256, (3, 1, 1))
    return pictures


def write_archive(path: Path, pictures: NDArray[np.uint8]) -> Path:
    """A data set archive of pictures [N, 3, R, R]."""
    with zipfile.ZipFile(path, "w") as archive:
        for index, picture in enumerate(pictures):
            encoded = io.BytesIO()
            Image.fromarray(picture.transpose(1, 2, 0)).save(encoded, "PNG")
            archive.writestr(f"00000/img{index:08d}.png", encoded.getvalue())
        archive.writestr("dataset.json", '{"labels": null}')
    return path
