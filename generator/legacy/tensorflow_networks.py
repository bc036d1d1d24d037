"""Arguments and variables of TensorFlow networks in the words of the PyTorch implementation.

Keyword names are those of the published constructors; an absent one has their default.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args

import numpy as np

from generator.generator_config import Architecture
from generator.legacy.pickle_machine import PickleDataError, printable
from generator.legacy.snapshot import LegacyNetwork
from generator.legacy.tensorflow_layout import (
    Place,
    discriminator_places,
    generator_places,
    to_pytorch,
)
from generator.legacy.torch_numbers import Array

MOST_RESOLUTION = 1 << 14
MOST_LAYERS = 64
MOST_LABELS = 1 << 16

_STYLEGAN_1 = frozenset({"StyleMod", "Noise"})  # parts of the names of its variables
_OLD_LABELS = "it is conditional in the way of StyleGAN2 before ADA, which is not supported"
_GENERATOR_WITHOUT_EFFECT = frozenset(
    "truncation_psi truncation_cutoff truncation_psi_val truncation_cutoff_val style_mixing_prob "
    "randomize_noise fused_modconv dtype structure mapping_func synthesis_func func_name "
    "is_training is_validation is_template_graph return_dlatents dlatent_broadcast".split()
)
_DISCRIMINATOR_WITHOUT_EFFECT = frozenset({"dtype", "structure", "func_name"})
_SPARE = frozenset({"lod"})  # the level of detail of progressive growing, long at 0


class _Arguments:
    """Takes arguments by their TensorFlow names; what is left at the end is unknown."""

    def __init__(self, name: str, values: Mapping[str, Any], without_effect: frozenset[str]):
        self.name = name
        self.values = {key: value for key, value in values.items() if key not in without_effect}

    def take(self, key: str, default: object) -> Any:
        return self.values.pop(key, default)

    def number(self, key: str, default: int, least: int, most: int) -> int:
        value = self.take(key, default)
        if type(value) is not int or not least <= value <= most:
            raise PickleDataError(f"{key}={shown(value)} of its {self.name} is no usable number")
        return value

    def only(self, key: str, wanted: object) -> None:
        """An argument of which one value alone is supported."""
        value = self.take(key, wanted)
        if value != wanted:
            raise PickleDataError(
                f"its {self.name} has {key}={shown(value)}; only {wanted!r} is supported"
            )

    def architecture(self, default: Architecture) -> Architecture:
        value = self.take("architecture", default)
        for known in get_args(Architecture):
            if value == known:
                return known  # type: ignore[no-any-return]
        raise PickleDataError(f"its {self.name} has the unknown architecture {shown(value)}")

    def end(self) -> None:
        if self.values:
            names = ", ".join(printable(key) for key in sorted(self.values)[:4])
            raise PickleDataError(f"its {self.name} was made with {names}, which is not known")


def shown(value: object) -> str:
    return printable(repr(value))


def generator_network(
    name: str, arguments: Mapping[str, Any], variables: Mapping[str, Array]
) -> LegacyNetwork:
    """Raises PickleDataError for what is unknown, missing or of another generation."""
    _refuse_other_generations(name, variables)
    given = _Arguments(name, arguments, _GENERATOR_WITHOUT_EFFECT)
    resolutions = _resolutions(given)
    variables, leveled = _without_levels(variables, "synthesis/ToRGB", resolutions[-1])
    named = given.architecture("skip")
    architecture: Architecture = "orig" if leveled else named
    labels = given.number("label_size", 0, 0, MOST_LABELS)
    layers = given.number("mapping_layers", 8, 1, MOST_LAYERS)
    kernel = given.take("resample_kernel", [1, 3, 3, 1])
    use_noise = given.take("use_noise", True)
    averaging = given.take("w_avg_beta", given.take("dlatent_avg_beta", 0.995))
    given.only("fmap_min", 1)
    given.only("fmap_decay", 1.0)
    given.only("normalize_latents", True)
    mapping_kwargs = {
        "num_layers": layers,
        "embed_features": given.take("label_fmaps", None),
        "layer_features": given.take("mapping_fmaps", None) or _inner_width(variables, layers),
        "activation": given.take("mapping_nonlinearity", "lrelu"),
        "lr_multiplier": given.take("mapping_lrmul", 0.01),
        "w_avg_beta": 1.0 if averaging is None else averaging,
    }
    synthesis_kwargs = {
        "channel_base": 2 * given.number("fmap_base", 16 << 10, 1, 1 << 24),
        "channel_max": given.take("fmap_max", 512),
        "num_fp16_res": given.take("num_fp16_res", 0),
        "conv_clamp": given.take("conv_clamp", None),
        "architecture": architecture,
        "resample_filter": kernel,
        "use_noise": use_noise,
        "activation": given.take("nonlinearity", "lrelu"),
    }
    init_kwargs = {
        "z_dim": given.take("latent_size", 512),
        "c_dim": labels,
        "w_dim": given.take("dlatent_size", 512),
        "img_resolution": resolutions[-1],
        "img_channels": given.take("num_channels", 3),
        "mapping_kwargs": mapping_kwargs,
        "synthesis_kwargs": synthesis_kwargs,
    }
    given.end()
    places = generator_places(
        resolutions,
        architecture=architecture,
        num_mapping_layers=layers,
        conditional=labels > 0,
        use_noise=use_noise is not False,
    )
    tensors = _converted(name, variables, list(places))
    filtered = [f"synthesis.b{r}" for r in resolutions]
    filtered += [key.removesuffix(".weight") for key in tensors if _is_filtered_layer(key)]
    return LegacyNetwork(
        "Generator", init_kwargs, tensors | _low_pass_filters(name, filtered, kernel)
    )


def discriminator_network(
    name: str, arguments: Mapping[str, Any], variables: Mapping[str, Array]
) -> LegacyNetwork:
    """Raises PickleDataError for what is unknown, missing or of another generation."""
    given = _Arguments(name, arguments, _DISCRIMINATOR_WITHOUT_EFFECT)
    resolutions = _resolutions(given)
    variables, leveled = _without_levels(variables, "FromRGB", resolutions[-1])
    named = given.architecture("resnet")
    architecture: Architecture = "orig" if leveled else named
    labels = given.number("label_size", 0, 0, MOST_LABELS)
    if labels > 0 and "LabelEmbed/weight" not in variables:
        raise PickleDataError(_OLD_LABELS)
    layers = given.number("mapping_layers", 0, 0, MOST_LAYERS)
    kernel = given.take("resample_kernel", [1, 3, 3, 1])
    activation = given.take("nonlinearity", "lrelu")
    features = given.take("mapping_fmaps", None)
    given.only("fmap_min", 1)
    given.only("fmap_decay", 1.0)
    mapping_kwargs = {
        "num_layers": layers,
        "embed_features": features,
        "layer_features": features,
        "activation": activation,
        "lr_multiplier": given.take("mapping_lrmul", 0.1),
    }
    block_kwargs = {
        "activation": activation,
        "resample_filter": kernel,
        "freeze_layers": given.take("freeze_layers", 0),
    }
    epilogue_kwargs = {
        "mbstd_group_size": given.take("mbstd_group_size", None),
        "mbstd_num_channels": given.take("mbstd_num_features", 1),
        "activation": activation,
    }
    init_kwargs = {
        "c_dim": labels,
        "img_resolution": resolutions[-1],
        "img_channels": given.take("num_channels", 3),
        "architecture": architecture,
        "channel_base": 2 * given.number("fmap_base", 16 << 10, 1, 1 << 24),
        "channel_max": given.take("fmap_max", 512),
        "num_fp16_res": given.take("num_fp16_res", 0),
        "conv_clamp": given.take("conv_clamp", None),
        "cmap_dim": features,
        "block_kwargs": block_kwargs,
        "mapping_kwargs": mapping_kwargs if labels > 0 else {},
        "epilogue_kwargs": epilogue_kwargs,
    }
    given.end()
    places = discriminator_places(
        resolutions[:0:-1],
        architecture=architecture,
        num_mapping_layers=layers,
        conditional=labels > 0,
    )
    tensors = _converted(name, variables, list(places))
    filtered = [f"b{r}" for r in resolutions[1:]]
    filtered += [
        key.removesuffix(".weight")
        for key, array in tensors.items()
        if key.endswith(".weight") and array.ndim == 4
    ]
    return LegacyNetwork(
        "Discriminator", init_kwargs, tensors | _low_pass_filters(name, filtered, kernel)
    )


def _refuse_other_generations(name: str, variables: Mapping[str, Array]) -> None:
    if any(not _STYLEGAN_1.isdisjoint(variable.split("/")) for variable in variables):
        raise PickleDataError("it is a snapshot of the first StyleGAN, which is not supported")
    if not any(variable.startswith("synthesis/") for variable in variables):
        raise PickleDataError(
            f"its {name} has no synthesis network, as before StyleGAN, which is not supported"
        )
    if "mapping/LabelConcat/weight" in variables:
        raise PickleDataError(_OLD_LABELS)


def _resolutions(given: _Arguments) -> list[int]:
    size = given.number("resolution", 1024, 4, MOST_RESOLUTION)
    if size & (size - 1):
        raise PickleDataError(f"resolution={size} of its {given.name} is no power of two")
    return [2**k for k in range(2, int(math.log2(size)) + 1)]


def _without_levels(
    variables: Mapping[str, Array], layer: str, size: int
) -> tuple[dict[str, Array], bool]:
    """The variables with the colour layer named as in StyleGAN2, and whether it was not.

    Networks made to grow name their colour layers by level of detail; level 0 is the last one, and
    all that is left of the others once grown.
    """
    level = re.compile(re.escape(layer) + r"_lod(\d+)/(.+)")
    folder, _, colour = layer.rpartition("/")
    renamed = {}
    leveled = False
    for variable, array in variables.items():
        match = level.fullmatch(variable)
        if match is None:
            renamed[variable] = array
            continue
        leveled = True
        if match[1] == "0":
            renamed["/".join(filter(None, (folder, f"{size}x{size}", colour, match[2])))] = array
    return renamed, leveled


def _inner_width(variables: Mapping[str, Array], layers: int) -> int | None:
    """The width of the mapping's inner layers, where no argument gives it."""
    weight = variables.get("mapping/Dense0/weight")
    return None if layers == 1 or weight is None or weight.ndim != 2 else int(weight.shape[1])


def _converted(name: str, variables: Mapping[str, Array], places: list[Place]) -> dict[str, Array]:
    wanted = {place.tensorflow for place in places}
    lacking, unknown = wanted - set(variables), set(variables) - wanted - _SPARE
    for fault, names in (("lacks", lacking), ("has unknown", unknown)):
        if names:
            some = ", ".join(printable(variable) for variable in sorted(names)[:4])
            more = f" and {len(names) - 4} more" if len(names) > 4 else ""
            raise PickleDataError(f"its {name} {fault} variables: {some}{more}")
    tensors = {}
    for place in places:
        try:
            tensors[place.pytorch] = to_pytorch(variables[place.tensorflow], place.layout)
        except ValueError as error:
            raise PickleDataError(f"its {name}: {place.tensorflow} {error}") from error
    return tensors


def _is_filtered_layer(key: str) -> bool:
    return key.endswith((".conv0.weight", ".conv1.weight", ".skip.weight"))


def _low_pass_filters(name: str, owners: Iterable[str], taps: object) -> dict[str, Array]:
    """The low-pass, an argument in TensorFlow, is a buffer of every layer in PyTorch."""
    sound = (
        isinstance(taps, list)
        and len(taps) == 4
        and all(type(tap) in (int, float) and abs(tap) < 1e6 for tap in taps)
    )
    line = np.array(taps if sound else [0], np.float32)
    square = np.outer(line, line)
    if not abs(square.sum()) > 1e-6:
        raise PickleDataError(
            f"its {name} has resample_kernel={shown(taps)}; only four numbers are supported"
        )
    return {f"{owner}.resample_filter": square / square.sum() for owner in owners}
