"""Discriminator weights as safetensors, kept beside a generator for its features (`project`)."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from generator.checkpoint import content_hash, write_atomically
from training.discriminator import Discriminator, DiscriminatorConfig
from training.errors import TrainingError

FORMAT = "inspace-discriminator-1"


def save_discriminator(
    discriminator: Discriminator, path: Path, dtype: torch.dtype = torch.float16
) -> str:
    """Write weights (rounded to `dtype`) atomically; returns the content hash."""
    config = discriminator.config.to_dict()
    tensors = {
        name: tensor.detach().cpu().to(dtype).contiguous()
        for name, tensor in discriminator.state_dict().items()
    }
    digest = content_hash(config, tensors)
    metadata = {"format": FORMAT, "config": json.dumps(config), "content_hash": digest}
    write_atomically(path, save(tensors, metadata))
    return digest


def load_discriminator(path: Path, device: str = "cpu") -> tuple[Discriminator, str]:
    """A float32 discriminator in eval mode without gradients, and its content hash.

    Raises TrainingError when the file is missing, is not one of ours, is damaged or misfits.
    """
    if not path.is_file():
        raise TrainingError(f"{path}: there is no such file; `train` writes it with its snapshots.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise TrainingError(f"{path}: not a readable safetensors file ({error}).") from error
    if metadata.get("format") != FORMAT:
        raise TrainingError(
            f"{path}: a safetensors file, but not a discriminator of this project "
            f"(format {metadata.get('format')!r}; wanted {FORMAT!r})."
        )
    try:
        raw = json.loads(metadata["config"])
        config = DiscriminatorConfig(**raw)
        discriminator = Discriminator(config)
    except (KeyError, TypeError, ValueError) as error:
        raise TrainingError(f"{path}: the configuration in it is unusable ({error}).") from error
    digest = metadata.get("content_hash", "")
    if content_hash(raw, tensors) != digest:
        raise TrainingError(f"{path}: the content hash does not match; the file is damaged.")
    try:
        discriminator.load_state_dict({name: t.to(torch.float32) for name, t in tensors.items()})
    except RuntimeError as error:
        raise TrainingError(
            f"{path}: its tensors do not fit its configuration ({error})."
        ) from error
    return discriminator.to(device).eval().requires_grad_(False), digest
