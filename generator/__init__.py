"""What makes a picture: StyleGAN2 networks, checkpoints and the engine. `generator.load(path)`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from generator.file_kind import kind_of

if TYPE_CHECKING:
    from generator.networks import Generator

__all__ = ["load"]


def load(path: str | Path, device: str = "cpu") -> Generator:
    """Load a generator from a safetensors file or a published StyleGAN2 pickle, read as data.

    What kind of file it is is told from its first bytes, not from its name. Returns a float32
    Generator in eval mode on `device`. Raises CheckpointError with a sentence.
    """
    path = Path(path)
    # torch is imported on first use, so that `import generator` costs nothing
    if kind_of(path) == "pickle":
        from generator.legacy.generators import load_pickle

        return load_pickle(path).to(device)
    from generator.checkpoint import load_safetensors

    return load_safetensors(path).to(device)
