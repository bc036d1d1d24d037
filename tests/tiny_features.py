"""Feature networks of a few lines, as TorchScript files."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn


class Colours(nn.Module):
    """The colours of 4x4 parts of the picture, 0..1: [N, 48]."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.nn.functional.adaptive_avg_pool2d(x.float() / 255.0, 4).flatten(1)


class Classifier(nn.Module):
    """Probabilities of two classes, or three features where they are asked for."""

    def forward(self, x: Tensor, return_features: bool = False) -> Tensor:
        y = x.float().mean([2, 3])
        return y if return_features else torch.softmax(y, dim=1)[:, :2]


class Maps(nn.Module):
    """Gives maps and no vectors."""

    def forward(self, x: Tensor) -> Tensor:
        return x.float()


class FirstOnly(nn.Module):
    """Gives one vector for any number of pictures."""

    def forward(self, x: Tensor) -> Tensor:
        return x.float().mean([2, 3])[:1]


class OtherSize(nn.Module):
    """Takes no picture of 16 pixels."""

    def forward(self, x: Tensor) -> Tensor:
        return x.float().reshape(3, 7)


def save_script(module: nn.Module, path: Path) -> Path:
    with warnings.catch_warnings():
        # torch means torch.export to follow; files of this kind are what people have
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(module).save(str(path))
    return path
