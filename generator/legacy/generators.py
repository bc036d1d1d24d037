"""A generator out of a published StyleGAN2 pickle, whose contents are read as data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from generator.checkpoint import CheckpointError, build
from generator.legacy.arguments import MOST_BASE, MOST_FEATURES, MOST_LAYERS, Arguments
from generator.legacy.reader import LegacyPickleError, read_legacy_pickle
from generator.legacy.snapshot import LegacyNetwork, LegacySnapshot
from generator.networks import Generator, GeneratorConfig
from generator.sizes_only import SizesOnly

# Arguments that name a way of computing or of training, not what is computed.
WITHOUT_EFFECT = frozenset(
    {"num_fp16_res", "use_fp16", "fp16_channels_last", "channels_last", "fused_modconv_default"}
)


def load_pickle(path: Path) -> Generator:
    """The EMA generator (`G_ema`) of a snapshot, in float32. Raises CheckpointError."""
    return generator_of(read_snapshot(path), path)


def read_snapshot(path: Path) -> LegacySnapshot:
    """All of a snapshot, as data. Raises CheckpointError."""
    try:
        return read_legacy_pickle(path)
    except LegacyPickleError as error:
        raise CheckpointError(str(error)) from error


def generator_of(snapshot: LegacySnapshot, path: Path) -> Generator:
    """The EMA generator of what was read; `path` is for errors. Raises CheckpointError."""
    network = snapshot.networks.get("G_ema")
    if network is None:
        raise CheckpointError(f"{path}: there is no G_ema in this snapshot")
    return generator_of_network(network, path)


def generator_of_network(network: LegacyNetwork, path: Path) -> Generator:
    """Any generator of a snapshot, in float32, in eval mode. Raises CheckpointError."""
    config = config_from_arguments(network.init_kwargs, path)
    # sized without memory first: a file cannot ask for more than it brings
    with SizesOnly():
        state = Generator(config).state_dict()
    wanted = sum(tensor.numel() for tensor in state.values())
    brought = sum(array.size for array in network.tensors.values())
    if wanted > 2 * brought + 1_000_000:
        raise CheckpointError(f"{path}: its generator's arguments ask for more than its tensors")
    tensors = {name: torch.from_numpy(array) for name, array in network.tensors.items()}
    if _parts(network.init_kwargs, path)[1].take("use_noise", True) is False:
        # no noise is noise of no strength
        quiet = [name for name in state if name.endswith(("noise_const", "noise_strength"))]
        tensors = {name: torch.zeros(state[name].shape) for name in quiet} | tensors
    return build(config, tensors, path)


def config_from_arguments(arguments: Mapping[str, Any], path: Path) -> GeneratorConfig:
    """Constructor arguments of the published Generator, with its defaults, as our configuration.

    Arguments for the two networks stand under `synthesis_kwargs` and `mapping_kwargs`, or beside
    the others, which the published constructor hands on to the synthesis network.
    Raises CheckpointError for an argument that is unknown or out of bounds.
    """
    mapping, synthesis = _parts(arguments, path)
    numbers = {
        name: synthesis.number(name, default, least, MOST_FEATURES if "_dim" in name else MOST_BASE)
        for name, default, least in (
            ("z_dim", 512, 1),
            ("c_dim", 0, 0),
            ("w_dim", 512, 1),
            ("img_resolution", 1024, 4),
            ("img_channels", 3, 1),
            ("channel_base", 32768, 1),
            ("channel_max", 512, 1),
        )
    }
    layers = mapping.number("num_layers", 8, 1, MOST_LAYERS)
    widths = {
        name: _unless_usual(mapping.number_or_none(name, None, 1), numbers["w_dim"])
        for name in ("layer_features", "embed_features")
    }
    lr_multiplier = mapping.fraction("lr_multiplier", 0.01)
    if mapping.values.get("w_avg_beta", 0.995) is None:
        mapping.values["w_avg_beta"] = 1.0  # how a snapshot says that w_avg does not move
    w_avg_beta = mapping.fraction("w_avg_beta", 0.995)
    clamp = synthesis.clamp()
    architecture = synthesis.take("architecture", "skip")
    mapping.check_activation()
    synthesis.check_activation()
    _check_layers(synthesis)
    Arguments({**synthesis.values, **mapping.values}, "generator", path).end()
    try:
        config = GeneratorConfig(
            **numbers,
            num_mapping_layers=layers,
            layer_features=widths["layer_features"] if layers > 1 else None,
            embed_features=widths["embed_features"] if numbers["c_dim"] > 0 else None,
            conv_clamp=clamp,
            architecture=architecture,
            lr_multiplier=lr_multiplier,
            w_avg_beta=w_avg_beta,
        )
    except ValueError as error:
        raise CheckpointError(f"{path}: its generator is unusable: {error}") from error
    if config.channels(config.img_resolution) < 1:
        raise CheckpointError(f"{path}: its generator is unusable: no channels at the last size")
    return config


def _parts(arguments: Mapping[str, Any], path: Path) -> tuple[Arguments, Arguments]:
    """The arguments of the mapping and of the synthesis network, to which those beside belong."""
    given = Arguments(arguments, "generator", path)
    mapping, under = given.inner("mapping_kwargs"), given.inner("synthesis_kwargs")
    under.take("mapping_kwargs", None)
    synthesis = Arguments({**under.values, **given.values}, "generator", path)
    return mapping.without(WITHOUT_EFFECT), synthesis.without(WITHOUT_EFFECT)


def _check_layers(synthesis: Arguments) -> None:
    """Take out the arguments of layers of which only some values are supported."""
    taps = synthesis.take("resample_filter", [1, 3, 3, 1])
    if not isinstance(taps, list | tuple) or len(taps) != 4:
        raise synthesis.fault(
            f"its generator has the resample_filter {taps!r}; only filters of four numbers are "
            "supported"
        )
    for name, wanted in (("kernel_size", (3,)), ("use_noise", (True, False))):
        value = synthesis.take(name, wanted[0])
        if value not in wanted:
            raise synthesis.fault(f"{name}={value!r} in its generator is not supported")


def _unless_usual(width: int | None, usual: int) -> int | None:
    """None where it is the usual one, so that one network has one configuration."""
    return None if width == usual else width
