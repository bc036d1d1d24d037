"""The codes that a generator learned to draw from, as a file beside its weights."""

from __future__ import annotations

from pathlib import Path

import safetensors
import safetensors.torch

from generator.checkpoint import write_atomically
from training.errors import TrainingError
from training.learning.reconstruction import LinearCodes

CODES_FILE = "codes.safetensors"


def save_codes(codes: LinearCodes, path: Path) -> None:
    """Raises OSError."""
    tensors = {"mean": codes.mean.contiguous(), "basis": codes.basis.contiguous()}
    write_atomically(path, safetensors.torch.save(tensors))


def load_codes(path: Path) -> LinearCodes:
    """Raises TrainingError with a sentence for a file that is none."""
    try:
        tensors = safetensors.torch.load_file(path)
        mean, basis = tensors["mean"].float(), tensors["basis"].float()
    except (OSError, KeyError, safetensors.SafetensorError) as fault:
        raise TrainingError(
            f"{path}: there are no codes in it ({fault}); `train --reconstruct-kimg` writes "
            f"{CODES_FILE} beside the generator."
        ) from fault
    side = round((len(mean) / 3) ** 0.5) if mean.ndim == 1 else 0
    if basis.ndim != 2 or basis.shape[0] != 3 * side * side or not basis.shape[1]:
        raise TrainingError(f"{path}: mean and basis do not belong to each other.")
    return LinearCodes(mean, basis)
