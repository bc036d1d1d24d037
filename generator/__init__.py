"""What makes a picture: StyleGAN2 networks, checkpoints and the engine. `generator.load(path)`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generator.networks import Generator

__all__ = ["load"]


def load(path: str | Path, device: str = "cpu") -> Generator:
    """Load a generator from `.safetensors`, or from a published StyleGAN2-ADA `.pkl`, read as data.

    Returns a float32 Generator in eval mode on `device`. Raises CheckpointError with a sentence.
    """
    # torch is imported on first use, so that `import generator` costs nothing
    from generator.checkpoint import CheckpointError, load_safetensors

    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"{path}: there is no such file")
    if path.suffix == ".safetensors":
        return load_safetensors(path).to(device)
    if path.suffix == ".pkl":
        from generator.legacy_checkpoint import load_pickle

        return load_pickle(path).to(device)
    raise CheckpointError(f"{path}: expected a name ending in .safetensors or .pkl")
