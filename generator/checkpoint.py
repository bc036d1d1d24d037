"""Networks to files and back: safetensors with a configuration; nothing in a file runs.

A file, of ours or published, is measured against the network that its configuration describes
before any memory is taken for that network, which therefore is never larger than the file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

import torch
from torch import Tensor

from generator.discriminator import Discriminator, DiscriminatorConfig
from generator.errors import CheckpointError
from generator.networks import Generator, GeneratorConfig
from generator.sizes_only import SizesOnly
from generator.tensor_file import (
    content_hash,
    read_tensor_file,
    write_atomically,
    write_tensor_file,
)

__all__ = [
    "DISCRIMINATOR_FORMAT",
    "FORMAT",
    "CheckpointError",
    "build",
    "build_discriminator",
    "content_hash",
    "load_discriminator",
    "load_safetensors",
    "save_discriminator",
    "save_generator",
    "write_atomically",
]

FORMAT = "inspace-generator-1"
DISCRIMINATOR_FORMAT = "inspace-discriminator-1"
MOST = 1 << 20  # of any whole number in a configuration
MOST_LAYERS = 64  # of a mapping
MOST_RESOLUTION = 1 << 14  # pixels

Network = TypeVar("Network", Generator, Discriminator)
Config = TypeVar("Config", GeneratorConfig, DiscriminatorConfig)


@dataclass(frozen=True)
class _Kind(Generic[Network, Config]):
    """One sort of network; form is the word for it in a file's metadata."""

    name: str
    form: str
    network: type[Network]
    config: type[Config]


_GENERATOR = _Kind("generator", FORMAT, Generator, GeneratorConfig)
_DISCRIMINATOR = _Kind("discriminator", DISCRIMINATOR_FORMAT, Discriminator, DiscriminatorConfig)


def save_generator(generator: Generator, path: Path, dtype: torch.dtype = torch.float16) -> str:
    """Write weights (rounded to `dtype`) atomically; returns the content hash.

    Raises CheckpointError when a weight is not finite in that type.
    """
    config = generator.config.to_dict()
    return write_tensor_file(path, FORMAT, config, generator.state_dict(), dtype)


def save_discriminator(
    discriminator: Discriminator, path: Path, dtype: torch.dtype = torch.float16
) -> str:
    """As `save_generator`."""
    config = discriminator.config.to_dict()
    return write_tensor_file(path, DISCRIMINATOR_FORMAT, config, discriminator.state_dict(), dtype)


def load_safetensors(path: Path) -> Generator:
    """Build the generator of a file written by `save_generator`, in float32, in eval mode.

    Raises CheckpointError when the file is not one, is damaged, or its hash does not match.
    """
    return _load(_GENERATOR, path)[0]


def load_discriminator(path: Path, device: str = "cpu") -> tuple[Discriminator, str]:
    """A float32 discriminator in eval mode without gradients, and its content hash.

    Raises CheckpointError when the file is missing, is not one of ours, is damaged or misfits.
    """
    network, digest = _load(_DISCRIMINATOR, path)
    return network.to(device), digest


def build(config: GeneratorConfig, tensors: Mapping[str, Tensor], path: Path) -> Generator:
    """A float32 generator in eval mode from copies of named tensors.

    `path` is for errors. Raises CheckpointError on a misfit, before memory is taken.
    """
    return _build(_GENERATOR, config, tensors, path)


def build_discriminator(
    config: DiscriminatorConfig, tensors: Mapping[str, Tensor], path: Path
) -> Discriminator:
    """As `build`. Published blocks bring a low-pass each besides those of their convolutions; one
    that the network has no use for is left out."""
    own = set(_unfilled(_DISCRIMINATOR, config, path).state_dict())
    used = {n: t for n, t in tensors.items() if n in own or not n.endswith(".resample_filter")}
    return _build(_DISCRIMINATOR, config, used, path)


def _load(kind: _Kind[Network, Config], path: Path) -> tuple[Network, str]:
    file = read_tensor_file(path, kind.form, kind.name)
    config = _config(kind.config, file.config, path)
    return _build(kind, config, file.tensors, path), file.content_hash


def _config(kind: type[Config], raw: dict[str, Any], path: Path) -> Config:
    """Names, types and bounds are judged here, what fits together by the class itself."""
    hints = get_type_hints(kind)
    known = {field.name for field in fields(kind)}
    try:
        for name, value in raw.items():
            if name not in known:
                raise ValueError(f"{name} is not known")
            if not _is_usable(name, value, hints[name]):
                raise ValueError(f"{name} cannot be {value!r}")
        return kind(**raw)
    except (ValueError, ArithmeticError) as error:
        raise CheckpointError(f"{path}: the configuration in it is unusable ({error})") from error


def _is_usable(name: str, value: object, hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    wanted = get_args(hint) or (hint,)
    if value is None:
        return type(None) in wanted
    if type(value) is float:
        return float in wanted and math.isfinite(value) and value > 0
    if type(value) is not int:
        return False
    most = {"num_mapping_layers": MOST_LAYERS, "img_resolution": MOST_RESOLUTION}.get(name, MOST)
    lowest = 0 if name in _MAY_BE_ZERO else 1
    return (int in wanted or float in wanted) and lowest <= value <= most


_MAY_BE_ZERO = frozenset({"c_dim", "num_mapping_layers", "mbstd_num_channels"})


def _unfilled(kind: _Kind[Network, Config], config: Config, path: Path) -> Network:
    try:
        with SizesOnly():
            return kind.network(config)  # type: ignore[arg-type]
    except (ArithmeticError, RuntimeError, ValueError) as error:
        raise CheckpointError(f"{path}: its {kind.name} is unusable: {error}") from error


def _build(
    kind: _Kind[Network, Config], config: Config, tensors: Mapping[str, Tensor], path: Path
) -> Network:
    network = _unfilled(kind, config, path)
    wanted = network.state_dict()
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
    copies = {name: tensors[name].to(torch.float32, copy=True) for name in wanted}
    for name, tensor in copies.items():
        if not bool(tensor.isfinite().all()):
            raise CheckpointError(f"{path}: {name} holds a number that is not finite in float32")
    network.load_state_dict(copies, assign=True)
    return network.eval().requires_grad_(False)
