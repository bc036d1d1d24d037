"""The arguments that a published network was made with, judged one by one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generator.errors import CheckpointError

MOST_FEATURES = 65536
MOST_BASE = 1 << 20  # feature maps x resolution
MOST_LAYERS = 64
MOST_CLAMP = 1e9
LEAST_FRACTION = 1e-6


class Arguments:
    """Takes arguments by their names; what is left at the end is unknown.

    Every fault is a CheckpointError that names the file, the argument and the network
    ("generator" or "discriminator").
    """

    def __init__(self, values: Mapping[Any, Any], network: str, path: Path) -> None:
        self.values = dict(values)
        self.network, self.path = network, path

    def take(self, name: str, default: object) -> Any:
        return self.values.pop(name, default)

    def inner(self, name: str) -> Arguments:
        """The arguments under `name`."""
        under = self.take(name, None) or {}
        if not isinstance(under, Mapping):
            raise self.fault(f"{name} of its {self.network} is no mapping")
        return Arguments(under, self.network, self.path)

    def without(self, names: frozenset[str]) -> Arguments:
        """The others: these name a way of computing or of training, not what is computed."""
        kept = {name: value for name, value in self.values.items() if name not in names}
        return Arguments(kept, self.network, self.path)

    def check_activation(self) -> None:
        activation = self.take("activation", "lrelu")
        if activation != "lrelu":
            raise self.fault(
                f"its {self.network} has the activation {activation!r}; only 'lrelu' is supported"
            )

    def number(self, name: str, default: int, least: int, most: int = MOST_FEATURES) -> int:
        value = self.take(name, default)
        if type(value) is not int or not least <= value <= most:
            raise self.unusable(name, value)
        return value

    def number_or_none(
        self, name: str, default: int | None, least: int, most: int = MOST_FEATURES
    ) -> int | None:
        if self.values.get(name, default) is None:
            return self.values.pop(name, None)  # type: ignore[no-any-return]
        return self.number(name, default or least, least, most)

    def fraction(self, name: str, default: float) -> float:
        """A number of at most one and well above zero."""
        value = self.take(name, default)
        if type(value) not in (int, float) or not LEAST_FRACTION <= value <= 1.0:
            raise self.unusable(name, value)
        return float(value)

    def clamp(self) -> float | None:
        value = self.take("conv_clamp", None)
        if value is None:
            return None
        if type(value) not in (int, float) or not 0 < value <= MOST_CLAMP:
            raise self.unusable("conv_clamp", value)
        return float(value)

    def end(self) -> None:
        if self.values:
            names = ", ".join(sorted(map(str, self.values))[:4])
            raise self.fault(f"its {self.network} was made with {names}, which is not known")

    def unusable(self, name: str, value: object) -> CheckpointError:
        return self.fault(f"{name}={value!r} in its {self.network} is no usable number")

    def fault(self, reason: str) -> CheckpointError:
        return CheckpointError(f"{self.path}: {reason}")
