"""Generator weights as safetensors: tensors, configuration, content hash; nothing runs on load."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from generator.networks import Generator, GeneratorConfig

FORMAT = "inspace-generator-1"


class CheckpointError(Exception):
    """A sentence: which file, what is wrong with it, what to do."""


def content_hash(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 (hex) over the configuration and every tensor's name, type, shape and bytes."""
    digest = hashlib.sha256(json.dumps(dict(config), sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)};".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def save_generator(generator: Generator, path: Path, dtype: torch.dtype = torch.float16) -> str:
    """Write weights (rounded to `dtype`) atomically; returns the content hash."""
    config = generator.config.to_dict()
    tensors = {
        name: tensor.detach().cpu().to(dtype).contiguous()
        for name, tensor in generator.state_dict().items()
    }
    digest = content_hash(config, tensors)
    metadata = {"format": FORMAT, "config": json.dumps(config), "content_hash": digest}
    write_atomically(path, save(tensors, metadata))
    return digest


def load_safetensors(path: Path) -> Generator:
    """Build the generator of a file written by `save_generator`, in float32, in eval mode.

    Raises CheckpointError when the file is not one, is damaged, or its hash does not match.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: not a readable safetensors file ({error})") from error
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"{path}: a safetensors file, but not a generator of this project "
            f"(format {metadata.get('format')!r}; wanted {FORMAT!r})"
        )
    try:
        raw = json.loads(metadata["config"])
        config = GeneratorConfig(**raw)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: the configuration in it is unusable ({error})") from error
    if content_hash(raw, tensors) != metadata.get("content_hash"):
        raise CheckpointError(f"{path}: the content hash does not match; the file is damaged")
    return build(config, tensors, path)


def build(config: GeneratorConfig, tensors: Mapping[str, Tensor], path: Path) -> Generator:
    """A float32 generator in eval mode from named tensors. Raises CheckpointError on a misfit."""
    generator = Generator(config)
    wanted = generator.state_dict()
    missing = sorted(set(wanted) - set(tensors))
    extra = sorted(set(tensors) - set(wanted))
    misshapen = [
        f"{name} is {list(tensors[name].shape)}, not {list(wanted[name].shape)}"
        for name in wanted
        if name in tensors and tensors[name].shape != wanted[name].shape
    ]
    for fault, names in (("lacks", missing), ("has unknown", extra), ("misfits:", misshapen)):
        if names:
            more = f" and {len(names) - 4} more" if len(names) > 4 else ""
            raise CheckpointError(f"{path}: {fault} {', '.join(names[:4])}{more}")
    generator.load_state_dict({name: tensors[name].to(torch.float32) for name in wanted})
    return generator.eval().requires_grad_(False)


def write_atomically(path: Path, data: bytes) -> None:
    """Write, flush to the disk, then rename: a reader sees the old file or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
