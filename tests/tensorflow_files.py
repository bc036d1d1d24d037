"""Snapshots of TensorFlow's layout, written and read by Python's own pickle with a stand-in class.

This is how existing tools read such files: a class of the right name that keeps its state.
"""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import torch

from generator.discriminator import Discriminator, DiscriminatorConfig
from generator.legacy.export import tensorflow_snapshot
from generator.networks import Generator, GeneratorConfig

MODULE = "dnnlib.tflib.network"

GENERATOR = GeneratorConfig(
    z_dim=6, w_dim=5, img_resolution=16, channel_base=64, channel_max=7, num_mapping_layers=3
)
DISCRIMINATOR = DiscriminatorConfig(
    img_resolution=16, channel_base=64, channel_max=7, mbstd_group_size=2
)


class Network:
    """The state becomes attributes: version, static_kwargs, components, variables, ..."""

    def __init__(self, **state: Any) -> None:
        self.__dict__.update(state)

    def variable(self, name: str) -> Any:
        return dict(self.__dict__["variables"])[name]


Network.__module__ = MODULE


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == (MODULE, "Network"):
            return Network
        assert module.partition(".")[0] == "numpy", f"it names {module}.{name}"
        return super().find_class(module, name)


def read_by_pickle(data: bytes) -> tuple[Network, Network, Network]:
    networks = _Unpickler(io.BytesIO(data)).load()
    assert isinstance(networks, tuple) and [type(net) for net in networks] == [Network] * 3
    return networks


def write_by_pickle(value: object, protocol: int) -> bytes:
    with _known_to_pickle():
        return pickle.dumps(value, protocol=protocol)


@contextmanager
def _known_to_pickle() -> Iterator[None]:
    names = [MODULE.rsplit(".", k)[0] for k in (2, 1, 0)]
    for name in names:
        sys.modules[name] = ModuleType(name)
    setattr(sys.modules[MODULE], "Network", Network)  # noqa: B010  # ModuleType has no such field
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


def randomized(net: Any, seed: int = 0, spread: float = 0.1) -> Any:
    """Every number away from where it starts, but for the low-pass."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if not name.endswith("resample_filter"):
                middle = 1.0 if name.endswith("affine.bias") else 0.0
                tensor.copy_(middle + spread * torch.randn(tensor.shape, generator=random))
    return net.eval().requires_grad_(False)


def networks(
    generator: GeneratorConfig = GENERATOR, discriminator: DiscriminatorConfig = DISCRIMINATOR
) -> tuple[Generator, Generator, Discriminator]:
    return (
        randomized(Generator(generator), 1),
        randomized(Generator(generator), 2),
        randomized(Discriminator(discriminator), 3),
    )


def stored() -> tuple[Network, Network, Network]:
    """G, D and Gs as a tool sees them, to be changed and written again."""
    return read_by_pickle(_snapshot_bytes())


@cache
def _snapshot_bytes() -> bytes:
    return tensorflow_snapshot(*networks())


def renamed(net: Network, old: str, new: str) -> None:
    net.__dict__["variables"] = [
        (new if name == old else name, value) for name, value in net.__dict__["variables"]
    ]


def without(net: Network, *endings: str) -> None:
    kept = [pair for pair in net.__dict__["variables"] if not pair[0].endswith(endings)]
    net.__dict__["variables"] = kept


def put(net: Network, name: str, value: Any) -> None:
    """Add or replace a variable."""
    pairs = dict(net.__dict__["variables"])
    pairs[name] = np.asarray(value) if isinstance(value, list) else value
    net.__dict__["variables"] = list(pairs.items())
