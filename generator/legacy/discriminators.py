"""A discriminator out of a published StyleGAN2 pickle, whose contents are read as data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from generator.checkpoint import build_discriminator
from generator.discriminator import Discriminator, DiscriminatorConfig
from generator.errors import CheckpointError
from generator.legacy.arguments import MOST_BASE, MOST_LAYERS, Arguments
from generator.legacy.generators import read_snapshot
from generator.legacy.snapshot import LegacyNetwork, LegacySnapshot

# Arguments that name a way of computing or of training, not what is computed; the filter itself
# is among the tensors.
WITHOUT_EFFECT = frozenset(
    {"num_fp16_res", "use_fp16", "fp16_channels_last", "freeze_layers", "resample_filter"}
)


def load_discriminator_pickle(path: Path) -> Discriminator:
    """The discriminator (`D`) of a snapshot, in float32, in eval mode. Raises CheckpointError."""
    return discriminator_of(read_snapshot(path), path)


def discriminator_of(snapshot: LegacySnapshot, path: Path) -> Discriminator:
    """The discriminator of what was read; `path` is for errors. Raises CheckpointError."""
    network = snapshot.networks.get("D")
    if network is None:
        raise CheckpointError(f"{path}: there is no D in this snapshot")
    return discriminator_of_network(network, path)


def discriminator_of_network(network: LegacyNetwork, path: Path) -> Discriminator:
    """Raises CheckpointError."""
    config = discriminator_config_from_arguments(network.init_kwargs, path)
    tensors = {name: torch.from_numpy(array.copy()) for name, array in network.tensors.items()}
    return build_discriminator(config, tensors, path)


def discriminator_config_from_arguments(
    arguments: Mapping[str, Any], path: Path
) -> DiscriminatorConfig:
    """Constructor arguments of the published Discriminator, with its defaults, as our own.

    Raises CheckpointError for an argument that is unknown, out of bounds or not supported.
    """
    given = Arguments(arguments, "discriminator", path).without(WITHOUT_EFFECT)
    mapping, block, epilogue = (
        given.inner(f"{part}_kwargs").without(WITHOUT_EFFECT)
        for part in ("mapping", "block", "epilogue")
    )
    values: dict[str, Any] = {
        "img_resolution": given.number("img_resolution", 1024, 8),
        "img_channels": given.number("img_channels", 3, 1),
        "channel_base": given.number("channel_base", 32768, 1, MOST_BASE),
        "channel_max": given.number("channel_max", 512, 1),
        "architecture": given.take("architecture", "resnet"),
        "conv_clamp": given.clamp(),
        "c_dim": given.number("c_dim", 0, 0),
        "cmap_dim": given.number_or_none("cmap_dim", None, 1),
        "num_mapping_layers": mapping.number("num_layers", 8, 0, MOST_LAYERS),
        "layer_features": mapping.number_or_none("layer_features", None, 1),
        "embed_features": mapping.number_or_none("embed_features", None, 1),
        "lr_multiplier": mapping.fraction("lr_multiplier", 0.01),
        "mbstd_group_size": epilogue.number_or_none("mbstd_group_size", 4, 1),
        "mbstd_num_channels": epilogue.number("mbstd_num_channels", 1, 0),
    }
    mapping.take("w_avg_beta", None)  # of w; a label has no mean
    for part in (mapping, block, epilogue):
        part.check_activation()
    for part in (given, mapping, block, epilogue):
        part.end()
    if values["c_dim"] == 0:
        unused = ("cmap_dim", "num_mapping_layers", "layer_features", "embed_features")
        values = {k: v for k, v in values.items() if k not in (*unused, "lr_multiplier")}
    try:
        config = DiscriminatorConfig(**values)
    except (ValueError, ArithmeticError) as error:
        raise CheckpointError(f"{path}: its discriminator is unusable: {error}") from error
    if config.channels(config.img_resolution) < 1:
        raise CheckpointError(f"{path}: its discriminator has no channels at its first size")
    return config
