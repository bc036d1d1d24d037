"""What any published snapshot comes to: networks by name, with arguments and arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generator.legacy.pickle_machine import PickleDataError
from generator.legacy.torch_numbers import Array

MAX_MODULE_DEPTH = 16  # Generator > SynthesisNetwork > SynthesisBlock > SynthesisLayer > FC
MAX_NAMES = 20_000  # modules and tensors of one network, or entries of its arguments


@dataclass(frozen=True)
class LegacyNetwork:
    """One network in the words of the PyTorch implementation, whichever wrote the file.

    class_name: Generator or Discriminator. init_kwargs: its constructor's keyword arguments, plain
    Python values, nested dicts included. tensors: parameters and buffers by dotted name, as in
    `synthesis.b4.conv1.weight`.
    """

    class_name: str
    init_kwargs: dict[str, Any]
    tensors: dict[str, Array]


@dataclass(frozen=True)
class LegacySnapshot:
    """The networks of a file: G_ema always (`Gs` in TensorFlow), G and D where the file has them.

    kind: what wrote it, for a person to read.
    """

    networks: Mapping[str, LegacyNetwork]
    kind: str


def plain_arguments(value: object) -> dict[str, Any] | None:
    """A copy of keyword arguments as plain values; None for anything that is not a dict by names.

    Raises PickleDataError for values that are not plain, or unfold without end.
    """
    copied = _Plain().of(value, 0)
    if not isinstance(copied, dict) or not all(isinstance(name, str) for name in copied):
        return None
    return copied


class _Plain:
    """Copies arguments as plain values. Counts, since references can unfold without end."""

    def __init__(self) -> None:
        self.count = 0

    def of(self, value: object, depth: int) -> object:
        self.count += 1
        if self.count > MAX_NAMES or depth > MAX_MODULE_DEPTH:
            raise PickleDataError("its networks' arguments are nested without end")
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if type(value) is dict:
            return {name: self.of(item, depth + 1) for name, item in value.items()}
        if type(value) is list:
            return [self.of(item, depth + 1) for item in value]
        if type(value) is tuple:
            return tuple(self.of(item, depth + 1) for item in value)
        raise PickleDataError("its networks' arguments are no plain values")
