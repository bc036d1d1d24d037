"""The discriminator that is kept beside a generator: as learned, for more training and for its
features (`project`)."""

from __future__ import annotations

from pathlib import Path

from generator import checkpoint
from generator.discriminator import Discriminator
from training.errors import TrainingError


def load_discriminator(path: Path, device: str = "cpu") -> tuple[Discriminator, str]:
    """A float32 discriminator in eval mode without gradients, and its content hash.

    Raises TrainingError when the file is missing, is not one of ours, is damaged or misfits.
    """
    try:
        return checkpoint.load_discriminator(path, device)
    except checkpoint.CheckpointError as fault:
        hint = "" if path.exists() else "; `train` writes it with its snapshots"
        raise TrainingError(f"{fault}{hint}.") from fault
