"""What a file of networks is, as plain values: for `python -m generator info`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from generator.checkpoint import (
    DISCRIMINATOR_FORMAT,
    FORMAT,
    content_hash,
    load_discriminator,
    load_safetensors,
)
from generator.discriminator import Discriminator
from generator.errors import CheckpointError
from generator.file_kind import HEAD_BYTES, kind_of
from generator.legacy.discriminators import discriminator_of_network
from generator.legacy.generators import generator_of_network, read_snapshot
from generator.legacy.snapshot import LegacyNetwork
from generator.networks import Generator
from generator.tensor_file import read_tensor_file

IMPORTED_AS = torch.float16


@dataclass(frozen=True)
class NetworkDescription:
    """One network. role: its name in a snapshot (G, D, G_ema). network: generator or discriminator.

    parameters: how many numbers were trained. num_ws: layers that take a w; 0 in a discriminator.
    config: the fields of its GeneratorConfig or DiscriminatorConfig.
    """

    role: str
    network: str
    parameters: int
    num_ws: int
    config: dict[str, object]


@dataclass(frozen=True)
class FileDescription:
    """content_hash: of the file, or, for a snapshot, of what `import` makes of its G_ema.

    hash_of says which. unusable: networks of a snapshot that cannot be used here, and why.
    """

    file: str
    bytes: int
    kind: str
    content_hash: str
    hash_of: str
    networks: tuple[NetworkDescription, ...]
    unusable: dict[str, str]


def describe(path: Path) -> FileDescription:
    """Read all of a file, and check it.

    Raises CheckpointError for one that is of no use as a generator, nor a discriminator of this
    project.
    """
    if kind_of(path) == "pickle":
        return _describe_snapshot(path)
    with path.open("rb") as file:
        is_discriminator = DISCRIMINATOR_FORMAT.encode() in file.read(HEAD_BYTES)
    network: Generator | Discriminator
    if is_discriminator:
        role, (network, digest) = "D", load_discriminator(path)
    else:
        role, network = "G_ema", load_safetensors(path)
        digest = read_tensor_file(path, FORMAT, "generator").content_hash
    described = _described(role, network)
    return FileDescription(
        file=path.name,
        bytes=path.stat().st_size,
        kind=f"{described.network} of this project",
        content_hash=digest,
        hash_of="this file",
        networks=(described,),
        unusable={},
    )


def _describe_snapshot(path: Path) -> FileDescription:
    snapshot = read_snapshot(path)
    networks: dict[str, Generator | Discriminator] = {}
    unusable: dict[str, str] = {}
    average = generator_of_network(snapshot.networks["G_ema"], path)
    for role, stored in snapshot.networks.items():
        try:
            networks[role] = average if role == "G_ema" else _network(stored, path)
        except CheckpointError as fault:
            unusable[role] = str(fault)
    name = str(IMPORTED_AS).removeprefix("torch.")
    return FileDescription(
        file=path.name,
        bytes=path.stat().st_size,
        kind=snapshot.kind,
        content_hash=rounded_hash(average, IMPORTED_AS),
        hash_of=f"G_ema as `import` writes it, in {name}",
        networks=tuple(_described(role, network) for role, network in networks.items()),
        unusable=unusable,
    )


def rounded_hash(network: Generator, dtype: torch.dtype) -> str:
    """The content hash that the network has once it is written as `dtype`."""
    rounded = {name: tensor.to(dtype) for name, tensor in network.state_dict().items()}
    return content_hash(network.config.to_dict(), rounded)


def _network(stored: LegacyNetwork, path: Path) -> Generator | Discriminator:
    if stored.class_name == "Discriminator":
        return discriminator_of_network(stored, path)
    return generator_of_network(stored, path)


def _described(role: str, network: Generator | Discriminator) -> NetworkDescription:
    return NetworkDescription(
        role=role,
        network=type(network).__name__.lower(),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        num_ws=network.num_ws if isinstance(network, Generator) else 0,
        config=asdict(network.config),
    )
