"""Networks of this project as a snapshot of the TensorFlow layout, which existing tools read.

The file is a pickle of (G, D, Gs) as TensorFlow's StyleGAN2 wrote them, state version 4, or 5 for
conditional networks, which version 4 laid out differently. It names the classes that a reader has
to know, `dnnlib.tflib.network.Network` and NumPy's, and holds no program text of theirs: tools
that take the numbers work, tools that run the text inside cannot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from generator.discriminator import Discriminator, DiscriminatorConfig
from generator.legacy.pickle_writer import Applied, GlobalName, pickle_bytes
from generator.legacy.tensorflow_layout import (
    Place,
    discriminator_places,
    generator_places,
    to_tensorflow,
)
from generator.legacy.torch_numbers import Array
from generator.networks import Generator, GeneratorConfig

NETWORK = GlobalName("dnnlib.tflib.network", "Network")
NO_SOURCE = (
    "# Exported from other weights: this file holds the numbers of a network and no source.\n"
)

Kwargs = dict[str, object]
Shape = list[int | None]
Shapes = Mapping[str, Shape]


@dataclass(frozen=True)
class _Part:
    """A network or component: names of it, of what built it, of its inputs and its output."""

    name: str
    build_func_name: str
    inputs: Shapes
    outputs: Shapes


def tensorflow_snapshot(
    generator: Generator, average: Generator, discriminator: Discriminator
) -> bytes:
    """The file's bytes. average: the G_ema, stored as Gs.

    Read back, all tensors are the same bits, but for biases of styles below 0.5, which are stored
    less 1 and lose what float32 cannot tell beside that (6e-8 of those above -1).
    Raises ValueError for a discriminator that this layout has no arguments for.
    """
    networks = (
        _generator(generator, "G"),
        _discriminator(discriminator),
        _generator(average, "Gs"),
    )
    return pickle_bytes(networks)


def _generator(net: Generator, name: str) -> Applied:
    config, size = net.config, net.img_resolution
    places = generator_places(
        config.resolutions,
        architecture=config.architecture,
        num_mapping_layers=config.num_mapping_layers,
        conditional=config.c_dim > 0,
    )
    variables = _variables(places, net)
    taps = _taps(net.synthesis.blocks()[0].resample_filter)
    kwargs = _generator_kwargs(config, taps)
    version = _version(config.c_dim)
    latents: Shapes = {"latents_in": [None, config.z_dim], "labels_in": [None, config.c_dim]}
    ws: Shape = [None, config.num_ws, config.w_dim]
    images: Shapes = {"images_out": [None, config.img_channels, size, size]}
    mapping = _network(
        _Part("G_mapping", "G_mapping", latents, {"dlatents_out": ws}),
        version,
        {**kwargs, "dlatent_broadcast": config.num_ws},
        _of_component(variables, "mapping"),
    )
    synthesis = _network(
        _Part("G_synthesis", "G_synthesis_stylegan2", {"dlatents_in": ws}, images),
        version,
        kwargs,
        _of_component(variables, "synthesis"),
    )
    return _network(
        _Part(name, "G_main", latents, images),
        version,
        kwargs,
        # a level of detail, as of progressive growing, is what version 4 has, always 0
        [("lod", np.zeros((), np.float32)), ("dlatent_avg", variables["dlatent_avg"])],
        {"synthesis": synthesis, "mapping": mapping},
    )


def _generator_kwargs(config: GeneratorConfig, taps: list[float]) -> Kwargs:
    kwargs: Kwargs = {
        "num_channels": config.img_channels,
        "resolution": config.img_resolution,
        "label_size": config.c_dim,
        "latent_size": config.z_dim,
        "dlatent_size": config.w_dim,
        "mapping_layers": config.num_mapping_layers,
        "mapping_fmaps": config.layer_features or config.w_dim,
        "mapping_lrmul": config.lr_multiplier,
        "fmap_base": config.channel_base // 2,
        "fmap_max": config.channel_max,
        "architecture": config.architecture,
        "resample_kernel": taps,
    }
    if config.c_dim > 0:
        kwargs["label_fmaps"] = config.embed_features or config.w_dim
    if config.conv_clamp is not None:
        kwargs["conv_clamp"] = config.conv_clamp
    if config.w_avg_beta != 0.995:
        kwargs["w_avg_beta"] = config.w_avg_beta
    return kwargs


def _discriminator(net: Discriminator) -> Applied:
    config, size = net.config, net.config.img_resolution
    places = discriminator_places(
        config.resolutions,
        architecture=config.architecture,
        num_mapping_layers=config.num_mapping_layers,
        conditional=config.c_dim > 0,
    )
    taps = _taps(net.get_buffer(f"b{size}.conv1.resample_filter"))
    inputs: Shapes = {
        "images_in": [None, config.img_channels, size, size],
        "labels_in": [None, config.c_dim],
    }
    return _network(
        _Part("D", "D_stylegan2", inputs, {"scores_out": [None, 1]}),
        _version(config.c_dim),
        _discriminator_kwargs(config, taps),
        list(_variables(places, net).items()),
    )


def _discriminator_kwargs(config: DiscriminatorConfig, taps: list[float]) -> Kwargs:
    kwargs: Kwargs = {
        "num_channels": config.img_channels,
        "resolution": config.img_resolution,
        "label_size": config.c_dim,
        "fmap_base": config.channel_base // 2,
        "fmap_max": config.channel_max,
        "architecture": config.architecture,
        "mbstd_num_features": config.mbstd_num_channels,
        "resample_kernel": taps,
    }
    if config.mbstd_group_size is not None:
        kwargs["mbstd_group_size"] = config.mbstd_group_size
    if config.conv_clamp is not None:
        kwargs["conv_clamp"] = config.conv_clamp
    if config.c_dim > 0:
        width = config.label_width
        if {config.layer_features or width, config.embed_features or width} != {width}:
            raise ValueError("the layout has one width for all of a discriminator's label mapping")
        kwargs["mapping_fmaps"] = width
        kwargs["mapping_layers"] = config.num_mapping_layers
        kwargs["mapping_lrmul"] = config.lr_multiplier
    return kwargs


def _version(c_dim: int) -> int:
    return 5 if c_dim > 0 else 4


def _variables(places: Iterable[Place], net: nn.Module) -> dict[str, Array]:
    state = net.state_dict()
    return {
        place.tensorflow: to_tensorflow(state[place.pytorch].cpu().numpy(), place.layout)
        for place in places
    }


def _of_component(variables: Mapping[str, Array], component: str) -> list[tuple[str, Array]]:
    prefix = f"{component}/"
    return [
        (name.removeprefix(prefix), array)
        for name, array in variables.items()
        if name.startswith(prefix)
    ]


def _taps(square: Tensor) -> list[float]:
    """The line that a low-pass [4, 4] is the outer product of; whole numbers if it is the usual."""
    usual = [1.0, 3.0, 3.0, 1.0]
    line = square.sum(dim=1)
    is_usual = torch.allclose(line, torch.tensor(usual, device=line.device) / 8)
    return usual if is_usual else [float(tap) for tap in line]


def _network(
    part: _Part,
    version: int,
    static_kwargs: Kwargs,
    variables: list[tuple[str, Array]],
    components: Mapping[str, Applied] | None = None,
) -> Applied:
    state: Kwargs = {
        "version": version,
        "name": part.name,
        "static_kwargs": static_kwargs,
        "components": dict(components or {}),
        "build_module_src": NO_SOURCE,
        "build_func_name": part.build_func_name,
        "variables": variables,
        "input_shapes": list(part.inputs.values()),
        "output_shapes": list(part.outputs.values()),
        "input_names": list(part.inputs),
        "output_names": list(part.outputs),
    }
    return Applied(NETWORK, (), state, makes_instance=True)
