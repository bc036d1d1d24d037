"""A generator out of a published StyleGAN2 pickle, whose contents are read as data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from generator.checkpoint import CheckpointError, build
from generator.legacy_pickle import LegacyPickleError, read_legacy_pickle
from generator.legacy_snapshot import LegacyNetwork, LegacySnapshot
from generator.networks import Generator, GeneratorConfig
from generator.sizes_only import SizesOnly

MOST_FEATURES = 65536
MOST_LAYERS = 64
MOST_CLAMP = 1e9
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
    if _arguments_of(network.init_kwargs, "synthesis_kwargs", path).get("use_noise") is False:
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
    mapping = _arguments_of(arguments, "mapping_kwargs", path)
    synthesis = _arguments_of(arguments, "synthesis_kwargs", path)
    synthesis.pop("mapping_kwargs", None)
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
    widths = {
        name: _width(mapping, name, numbers["w_dim"], path)
        for name in ("layer_features", "embed_features")
    }
    lr_multiplier = _fraction(mapping, "lr_multiplier", 0.01, path)
    w_avg_beta = _fraction(mapping, "w_avg_beta", 0.995, path)
    clamp = synthesis.pop("conv_clamp", None)
    if clamp is not None and (type(clamp) not in (int, float) or not 0 < clamp <= MOST_CLAMP):
        raise CheckpointError(f"{path}: conv_clamp={clamp!r} in its generator is no usable number")
    architecture = synthesis.pop("architecture", "skip")
    _check_layers(synthesis, mapping, path)
    unknown = sorted(map(str, (set(synthesis) | set(mapping)) - WITHOUT_EFFECT))
    if unknown:
        raise CheckpointError(
            f"{path}: its generator was made with {', '.join(unknown[:4])}, which is not known"
        )
    try:
        config = GeneratorConfig(
            **numbers,
            num_mapping_layers=layers,
            layer_features=widths["layer_features"] if layers > 1 else None,
            embed_features=widths["embed_features"] if numbers["c_dim"] > 0 else None,
            conv_clamp=None if clamp is None else float(clamp),
            architecture=architecture,
            lr_multiplier=lr_multiplier,
            w_avg_beta=w_avg_beta,
        )
    except ValueError as error:
        raise CheckpointError(f"{path}: its generator is unusable: {error}") from error
    if config.channels(config.img_resolution) < 1:
        raise CheckpointError(f"{path}: its generator is unusable: no channels at the last size")
    return config


def _arguments_of(arguments: Mapping[str, Any], inner: str, path: Path) -> dict[str, Any]:
    """The arguments under `inner`; those beside it belong to `synthesis_kwargs`."""
    under = arguments.get(inner) or {}
    if not isinstance(under, Mapping):
        raise CheckpointError(f"{path}: {inner} of its generator is no mapping")
    if inner != "synthesis_kwargs":
        return dict(under)
    beside = {name: value for name, value in arguments.items() if name != inner}
    return {**under, **beside}


def _check_layers(synthesis: dict[str, Any], mapping: dict[str, Any], path: Path) -> None:
    """Take out the arguments of layers of which only some values are supported."""
    for arguments in (synthesis, mapping):
        activation = arguments.pop("activation", "lrelu")
        if activation != "lrelu":
            raise CheckpointError(
                f"{path}: its generator has the activation {activation!r}; only 'lrelu' is "
                "supported"
            )
    taps = synthesis.pop("resample_filter", [1, 3, 3, 1])
    if not isinstance(taps, list | tuple) or len(taps) != 4:
        raise CheckpointError(
            f"{path}: its generator has the resample_filter {taps!r}; only filters of four "
            "numbers are supported"
        )
    for name, wanted in (("kernel_size", (3,)), ("use_noise", (True, False))):
        value = synthesis.pop(name, wanted[0])
        if value not in wanted:
            raise CheckpointError(f"{path}: {name}={value!r} in its generator is not supported")


def _width(values: dict[str, Any], name: str, usual: int, path: Path) -> int | None:
    """None where it is the usual one, so that one network has one configuration."""
    if values.get(name) is None:
        values.pop(name, None)
        return None
    width = _number(values, name, usual, 1, path, most=MOST_FEATURES)
    return None if width == usual else width


def _fraction(values: dict[str, Any], name: str, default: float, path: Path) -> float:
    value = values.pop(name, default)
    value = 1.0 if value is None else value
    if type(value) not in (int, float) or not 1e-6 <= value <= 1.0:
        raise CheckpointError(f"{path}: {name}={value!r} in its generator is no usable number")
    return float(value)


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
