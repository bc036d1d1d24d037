"""The convolutions of VGG16 (Simonyan and Zisserman, arXiv 1409.1556, table 1, column D).

For users who have the weights as a file; nothing here fetches them. Names as in torchvision's
state dict: `features.0.weight` ... `features.28.bias`.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from training.errors import TrainingError

# (number in torchvision's `features`, channels in, channels out), a list for each resolution
STAGES: tuple[tuple[tuple[int, int, int], ...], ...] = (
    ((0, 3, 64), (2, 64, 64)),
    ((5, 64, 128), (7, 128, 128)),
    ((10, 128, 256), (12, 256, 256), (14, 256, 256)),
    ((17, 256, 512), (19, 512, 512), (21, 512, 512)),
    ((24, 512, 512), (26, 512, 512), (28, 512, 512)),
)
# of the ImageNet set, on a scale of 0..1, red, green, blue
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
LARGEST_PX = 256
SMALLEST_PX = 16


class Vgg16:
    """images [N, 3, R, R] in -1..1 -> the last ReLU of each of the five stages."""

    def __init__(self, tensors: Mapping[str, Tensor], device: str = "cpu") -> None:
        """Raises KeyError or ValueError when a convolution is missing or misshapen."""
        self._stages: list[list[tuple[Tensor, Tensor]]] = []
        for stage in STAGES:
            layers = []
            for number, c_in, c_out in stage:
                weight, bias = (
                    tensors[f"features.{number}.weight"],
                    tensors[f"features.{number}.bias"],
                )
                if tuple(weight.shape) != (c_out, c_in, 3, 3) or tuple(bias.shape) != (c_out,):
                    raise ValueError(
                        f"features.{number} is {list(weight.shape)}, {list(bias.shape)}"
                    )
                layers.append((weight.to(device, torch.float32), bias.to(device, torch.float32)))
            self._stages.append(layers)
        self._mean = torch.tensor(MEAN, device=device)[:, None, None]
        self._deviation = torch.tensor(DEVIATION, device=device)[:, None, None]

    def features(self, images: Tensor) -> tuple[Tensor, ...]:
        """[N, C_k, R_k, R_k] for each stage, largest first. Larger pictures are averaged down to
        256 pixels, the scale the network was made for. Raises ValueError under 16 pixels."""
        if images.shape[-1] < SMALLEST_PX:
            raise ValueError(f"VGG16 needs at least {SMALLEST_PX} pixels, not {images.shape[-1]}")
        if images.shape[-1] > LARGEST_PX:
            images = F.interpolate(images, size=(LARGEST_PX, LARGEST_PX), mode="area")
        x = ((images + 1.0) * 0.5 - self._mean) / self._deviation
        maps = []
        for index, stage in enumerate(self._stages):
            if index:
                x = F.max_pool2d(x, 2)
            for weight, bias in stage:
                x = F.relu(F.conv2d(x, weight, bias, padding=1))
            maps.append(x)
        return tuple(maps)


def load_vgg16(path: Path, device: str = "cpu") -> Vgg16:
    """Read torchvision's VGG16 state dict from .safetensors, or from .pth/.pt as tensors only.

    Raises TrainingError.
    """
    if not path.is_file():
        raise TrainingError(f"--vgg {path}: there is no such file.")
    try:
        if path.suffix == ".safetensors":
            tensors = load_file(path)
        else:
            # weights_only: tensors and plain containers, no other object is built
            tensors = torch.load(path, map_location="cpu", weights_only=True)
        return Vgg16(tensors, device)
    except (SafetensorError, OSError, RuntimeError, pickle.UnpicklingError, EOFError) as error:
        raise TrainingError(
            f"--vgg {path}: cannot be read as weights ({str(error)[:200]})."
        ) from error
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise TrainingError(
            f"--vgg {path}: not the state dict of torchvision's VGG16 ({str(error)[:200]})."
        ) from error
