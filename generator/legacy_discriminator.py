"""A discriminator out of a published StyleGAN2 pickle, whose contents are read as data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from generator.checkpoint import build_discriminator
from generator.discriminator import Discriminator, DiscriminatorConfig
from generator.errors import CheckpointError
from generator.legacy_checkpoint import read_snapshot
from generator.legacy_snapshot import LegacyNetwork, LegacySnapshot

MOST_FEATURES = 65536
MOST_LAYERS = 64
MOST_CLAMP = 1e9
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
    given = _Arguments(arguments, path)
    mapping = given.inner("mapping_kwargs")
    block = given.inner("block_kwargs")
    epilogue = given.inner("epilogue_kwargs")
    values: dict[str, Any] = {
        "img_resolution": given.number("img_resolution", 1024, 8),
        "img_channels": given.number("img_channels", 3, 1),
        "channel_base": given.number("channel_base", 32768, 1, 1 << 20),
        "channel_max": given.number("channel_max", 512, 1),
        "architecture": given.take("architecture", "resnet"),
        "conv_clamp": given.positive("conv_clamp", None, MOST_CLAMP),
        "c_dim": given.number("c_dim", 0, 0),
        "cmap_dim": given.number("cmap_dim", None, 1),
        "num_mapping_layers": mapping.number("num_layers", 8, 0, MOST_LAYERS),
        "layer_features": mapping.number("layer_features", None, 1),
        "embed_features": mapping.number("embed_features", None, 1),
        "lr_multiplier": mapping.positive("lr_multiplier", 0.01, 1.0),
        "mbstd_group_size": epilogue.number("mbstd_group_size", 4, 1, may_be_none=True),
        "mbstd_num_channels": epilogue.number("mbstd_num_channels", 1, 0),
    }
    mapping.take("w_avg_beta", None)  # of w; a label has no mean
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


class _Arguments:
    """Takes arguments by their names; what is left at the end is unknown."""

    def __init__(self, values: Mapping[str, Any], path: Path) -> None:
        self.values = {key: value for key, value in values.items() if key not in WITHOUT_EFFECT}
        self.path = path

    def take(self, name: str, default: object) -> Any:
        return self.values.pop(name, default)

    def inner(self, name: str) -> _Arguments:
        """The arguments under `name`, with the activation seen to."""
        under = self.take(name, None) or {}
        if not isinstance(under, Mapping):
            raise self.fault(f"{name} of its discriminator is no mapping")
        inner = _Arguments(under, self.path)
        activation = inner.take("activation", "lrelu")
        if activation != "lrelu":
            raise self.fault(
                f"its discriminator has the activation {activation!r}; only 'lrelu' is supported"
            )
        return inner

    def number(
        self,
        name: str,
        default: int | None,
        least: int,
        most: int = MOST_FEATURES,
        *,
        may_be_none: bool = False,
    ) -> int | None:
        """None is a value of those whose default it is, and of those that say so."""
        value = self.take(name, default)
        if value is None and (default is None or may_be_none):
            return None
        if type(value) is not int or not least <= value <= most:
            raise self.unusable(name, value)
        return value

    def positive(self, name: str, default: float | None, most: float) -> float | None:
        value = self.take(name, default)
        if value is None and default is None:
            return None
        if type(value) not in (int, float) or not 1e-6 <= value <= most:
            raise self.unusable(name, value)
        return float(value)

    def end(self) -> None:
        if self.values:
            names = ", ".join(map(str, sorted(self.values)[:4]))
            raise self.fault(f"its discriminator was made with {names}, which is not known")

    def unusable(self, name: str, value: object) -> CheckpointError:
        return self.fault(f"{name}={value!r} in its discriminator is no usable number")

    def fault(self, reason: str) -> CheckpointError:
        return CheckpointError(f"{self.path}: {reason}")
