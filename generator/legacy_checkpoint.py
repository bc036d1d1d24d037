"""A generator out of a published StyleGAN2-ADA pickle, whose contents are read as data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from generator.checkpoint import CheckpointError, build
from generator.legacy_pickle import LegacyPickleError, read_legacy_pickle
from generator.networks import Generator, GeneratorConfig

MOST_FEATURES = 65536
MOST_LAYERS = 64
# Arguments that name a way of computing or of training, not a shape.
WITHOUT_EFFECT = frozenset(
    {"num_fp16_res", "use_noise", "resample_filter", "fp16_channels_last", "activation"}
    | {"layer_features", "lr_multiplier", "w_avg_beta", "embed_features"}
)


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
    # sized without memory first: a file cannot ask for more than it brings
    with torch.device("meta"):
        wanted = sum(tensor.numel() for tensor in Generator(config).state_dict().values())
    brought = sum(array.size for array in network.tensors.values())
    if wanted > 2 * brought + 1_000_000:
        raise CheckpointError(f"{path}: its generator's arguments ask for more than its tensors")
    tensors = {name: torch.from_numpy(array.copy()) for name, array in network.tensors.items()}
    return build(config, tensors, path)


def config_from_arguments(arguments: Mapping[str, Any], path: Path) -> GeneratorConfig:
    """Constructor arguments of the published Generator, with its defaults, as our configuration.

    Arguments for the two networks stand under `synthesis_kwargs` and `mapping_kwargs`, or beside
    the others, which the published constructor hands on to the synthesis network.
    Raises CheckpointError for an argument that is unknown or out of bounds.
    """
    given = dict(arguments)
    mapping = _inner(given, "mapping_kwargs", path)
    synthesis = {**_inner(given, "synthesis_kwargs", path), **given}
    architecture = synthesis.pop("architecture", "skip")
    if architecture != "skip":
        raise CheckpointError(
            f"{path}: its generator's architecture is {architecture!r}; only 'skip' is known"
        )
    clamp = synthesis.pop("conv_clamp", None)
    if clamp is not None and (isinstance(clamp, bool) or not isinstance(clamp, int | float)):
        raise CheckpointError(f"{path}: conv_clamp={clamp!r} in its generator is no usable number")
    numbers = {
        name: _number(synthesis, name, default, lowest, path)
        for name, default, lowest in (
            ("z_dim", 512, 1),
            ("c_dim", 0, 0),
            ("w_dim", 512, 1),
            ("img_resolution", 1024, 4),
            ("img_channels", 3, 1),
            ("channel_base", 32768, 1),
            ("channel_max", 512, 1),
        )
    }
    layers = _number(mapping, "num_layers", 8, 1, path, most=MOST_LAYERS)
    unknown = sorted((set(synthesis) | set(mapping)) - WITHOUT_EFFECT)
    if unknown:
        raise CheckpointError(
            f"{path}: its generator was made with {', '.join(map(str, unknown[:4]))}, "
            "which is not known"
        )
    try:
        config = GeneratorConfig(
            **numbers,
            num_mapping_layers=layers,
            conv_clamp=None if clamp is None else float(clamp),
        )
    except ValueError as error:
        raise CheckpointError(f"{path}: its generator is unusable: {error}") from error
    if config.channels(config.img_resolution) < 1:
        raise CheckpointError(f"{path}: its generator is unusable: no channels at the last size")
    return config


def _inner(given: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    value = given.pop(name, None) or {}
    if not isinstance(value, Mapping):
        raise CheckpointError(f"{path}: {name} of its generator is no mapping")
    return dict(value)


def _number(
    values: dict[str, Any],
    name: str,
    default: int,
    lowest: int,
    path: Path,
    most: int = 1 << 20,
) -> int:
    value = values.pop(name, default)
    most = min(most, MOST_FEATURES) if name.endswith("_dim") else most
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= most:
        raise CheckpointError(f"{path}: {name}={value!r} in its generator is no usable number")
    return value
