"""The network whose features FID, KID, precision and recall are measured in: a file of the user."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.errors import TrainingError
from training.learning.picture_feed import Pictures

TO_FETCH = (
    "The one that the published figures are measured with is inception-2015-12-05.pt, the "
    "TorchScript file published with StyleGAN2-ADA for PyTorch (docs/metrics.md says where). "
    "Fetch it and give it with --features FILE"
)


class FeatureNetwork:
    """A TorchScript file: uint8 [N, 3, R, R] -> features [N, D].

    The published files return class probabilities unless they are called with return_features;
    where `forward` has that argument, it is given. sha256: of the file, so that a figure can say
    what it was measured with.

    Raises TrainingError when the file is missing or is no TorchScript. A TorchScript file is a
    program that torch runs: give only one whose origin is known.
    """

    def __init__(self, path: Path, device: str = "cpu") -> None:
        if not path.is_file():
            raise TrainingError(f"--features {path}: there is no such file. {TO_FETCH}.")
        self.path, self.device = path, device
        self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        try:
            script = torch.jit.load(str(path), map_location=device)  # type: ignore[no-untyped-call]
        except (RuntimeError, ValueError, OSError) as fault:
            raise TrainingError(
                f"--features {path}: cannot be read as a TorchScript file ({_first_line(fault)}). "
                f"{TO_FETCH}."
            ) from fault
        self._script = script.eval()
        arguments = {argument.name for argument in self._script.forward.schema.arguments}
        self._words = {"return_features": True} if "return_features" in arguments else {}

    def features(self, batches: Iterable[NDArray[np.uint8]]) -> Tensor:
        """float32 [N, D] of all pictures of all batches [n, 3, R, R].

        Raises TrainingError when the network does not take such pictures, or gives no vectors.
        """
        parts = []
        for batch in batches:
            images = torch.from_numpy(np.ascontiguousarray(batch)).to(self.device)
            try:
                with torch.no_grad():
                    part = self._script(images, **self._words)
            except RuntimeError as fault:
                raise TrainingError(
                    f"--features {self.path}: this network does not take pictures of "
                    f"{batch.shape[-1]} pixels as uint8 ({_last_line(fault)})."
                ) from fault
            if not isinstance(part, Tensor) or part.ndim != 2 or len(part) != len(batch):
                raise TrainingError(
                    f"--features {self.path}: this network gives no vector for each picture."
                )
            parts.append(part.float().cpu())
        return torch.cat(parts)


def in_batches(pictures: Pictures, size: int = 32) -> Iterable[NDArray[np.uint8]]:
    """All of them in order, [n, 3, R, R], n at most `size`."""
    for first in range(0, len(pictures), size):
        yield pictures[np.arange(first, min(first + size, len(pictures)))]


def _first_line(fault: BaseException) -> str:
    return (str(fault).strip() or type(fault).__name__).splitlines()[0]


def _last_line(fault: BaseException) -> str:
    return (str(fault).strip() or type(fault).__name__).splitlines()[-1]
