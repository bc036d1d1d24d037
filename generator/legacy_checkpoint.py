"""A generator out of a published StyleGAN2-ADA pickle, whose contents are read as data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from generator.checkpoint import CheckpointError, build
from generator.legacy_pickle import LegacyPickleError, read_legacy_pickle
from generator.networks import Generator, GeneratorConfig


def load_pickle(path: Path) -> Generator:
    """The EMA generator (`G_ema`) of a snapshot, in float32. Raises CheckpointError."""
    try:
        snapshot = read_legacy_pickle(path)
    except LegacyPickleError as error:
        raise CheckpointError(str(error)) from error
    network = snapshot.networks.get("G_ema")
    if network is None:
        raise CheckpointError(f"{path}: there is no G_ema in this snapshot")
    config = config_from_arguments(network.init_kwargs, path)
    tensors = {name: torch.from_numpy(array.copy()) for name, array in network.tensors.items()}
    return build(config, tensors, path)


def config_from_arguments(arguments: Mapping[str, Any], path: Path) -> GeneratorConfig:
    """Constructor arguments of the published Generator, with its defaults, as our configuration."""
    synthesis = dict(arguments.get("synthesis_kwargs") or {})
    mapping = dict(arguments.get("mapping_kwargs") or {})
    architecture = synthesis.get("architecture", "skip")
    if architecture != "skip":
        raise CheckpointError(
            f"{path}: a generator of architecture {architecture!r}; only 'skip' is supported so far"
        )
    clamp = synthesis.get("conv_clamp")
    try:
        return GeneratorConfig(
            z_dim=int(arguments["z_dim"]),
            c_dim=int(arguments["c_dim"]),
            w_dim=int(arguments["w_dim"]),
            img_resolution=int(arguments["img_resolution"]),
            img_channels=int(arguments["img_channels"]),
            channel_base=int(synthesis.get("channel_base", 32768)),
            channel_max=int(synthesis.get("channel_max", 512)),
            num_mapping_layers=int(mapping.get("num_layers", 8)),
            conv_clamp=None if clamp is None else float(clamp),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path}: its generator's arguments are unusable ({error})"
        ) from error
