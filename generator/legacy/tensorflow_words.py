"""Snapshots of the TensorFlow implementation (.pkl of StyleGAN2 and StyleGAN2-ADA), read as data.

Such a file is a Python pickle of (G, D, Gs). Each is an object whose state holds its arguments, its
variables as NumPy arrays, its components and program text, which is not looked at. What comes out
has the names, layouts and arguments of the PyTorch implementation, so that all behind it is shared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generator.legacy.numpy_arrays import StoredArray
from generator.legacy.pickle_machine import PickleDataError, Symbol, printable
from generator.legacy.snapshot import MAX_NAMES, LegacyNetwork, plain_arguments
from generator.legacy.tensorflow_networks import discriminator_network, generator_network
from generator.legacy.torch_numbers import Array

NETWORK = Symbol("dnnlib.tflib.network", "Network")
STATE_VERSIONS = (2, 3, 4, 5)  # 4: StyleGAN2, 5: StyleGAN2-ADA
MOST_COMPONENT_DEPTH = 3


@dataclass(eq=False)
class StoredNetwork:
    """A network of the stream; state is None until it has been set."""

    state: dict[object, object] | None = None


def stored_network(arguments: tuple[object, ...]) -> StoredNetwork:
    if arguments:
        raise PickleDataError("it makes a network in an unknown way")
    return StoredNetwork()


def set_network(target: StoredNetwork, state: object) -> None:
    if type(state) is not dict or target.state is not None:
        raise PickleDataError("it holds a network in an unknown way")
    target.state = state


def networks_of(root: tuple[object, ...]) -> tuple[dict[str, LegacyNetwork], int]:
    """The networks of (G, D, Gs) under the names G, D and G_ema, and the version of their state."""
    networks: dict[str, LegacyNetwork] = {}
    version = 0
    three = root if len(root) == 3 else (None,) * 3
    for key, stored in zip(("G", "D", "G_ema"), three, strict=True):
        if not isinstance(stored, StoredNetwork) or stored.state is None:
            raise PickleDataError("it is no snapshot: it is not the three networks G, D and Gs")
        name = "Gs" if key == "G_ema" else key
        version = _version(stored.state, name)
        arguments = plain_arguments(stored.state.get("static_kwargs"))
        if arguments is None:
            raise PickleDataError(f"its {name} does not say how it was made")
        collector = _Collector(name)
        collector.collect(stored, "", 0)
        convert = discriminator_network if key == "D" else generator_network
        networks[key] = convert(name, arguments, collector.variables)
    return networks, version


def _version(state: dict[object, object], name: str) -> int:
    version = state.get("version")
    if type(version) is not int or version not in STATE_VERSIONS:
        raise PickleDataError(f"its {name} has a state of an unknown version")
    return version


class _Collector:
    """The variables of a network and of its components, as `component/variable`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.variables: dict[str, Array] = {}
        self.seen: set[int] = set()
        self.count = 0

    def collect(self, stored: object, prefix: str, depth: int) -> None:
        self.tick()
        state = stored.state if isinstance(stored, StoredNetwork) else None
        if state is None or depth > MOST_COMPONENT_DEPTH:
            raise PickleDataError(f"its {self.name} holds a component that is no network")
        own, components = state.get("variables"), state.get("components", {})
        if type(own) is not list or type(components) is not dict:
            raise PickleDataError(f"its {self.name} holds its variables in an unknown way")
        for pair in own:
            self.tick()
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise PickleDataError(f"its {self.name} holds a variable without a name")
            variable = prefix + self.checked(pair[0])
            if variable in self.variables:
                raise PickleDataError(f"its {self.name} holds '{printable(variable)}' twice")
            self.variables[variable] = self.numbers(pair[1], variable)
        for component, part in components.items():
            self.collect(part, f"{prefix}{self.checked(component)}/", depth + 1)

    def tick(self) -> None:
        self.count += 1  # components can be named again and again
        if self.count > MAX_NAMES:
            raise PickleDataError(f"its {self.name} holds variables without end")

    def checked(self, name: object) -> str:
        if not isinstance(name, str) or not 0 < len(name) <= 100:
            raise PickleDataError(f"its {self.name} holds a variable without a name")
        return name

    def numbers(self, value: object, variable: str) -> Array:
        if isinstance(value, StoredArray) and value.values is not None:
            if id(value) in self.seen:  # what copies them would fill memory out of nothing
                raise PickleDataError(f"its {self.name} gives the same numbers to two names")
            self.seen.add(id(value))
            return value.values
        if isinstance(value, float):  # what a NumPy scalar is read as
            return np.array(value)
        raise PickleDataError(f"its {self.name} has no numbers for '{printable(variable)}'")
