"""What a picture shows: a short, validated description, by a person or drawn from a seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from training.errors import TrainingError
from training.painter.palette import PALETTE_NAMES, colour_of

BODIES = ("sun", "moon", "crescent", "none")
WATERS = ("none", "loch", "sea", "river")
LANDS = ("rolling", "peaks", "cliffs", "flat")
BANKS = ("none", "grass", "shore", "flowers", "snow")
KINDS = (
    "cottage castle tower church ship boat tree pine bare-tree birds raven person couple rider "
    "flowers rose stones bridge graves swan deer bonfire knight lantern"
).split()


@dataclass(frozen=True)
class Sky:
    """`x`, `y`, `size`: the sun or moon, in widths of the picture (size is its diameter).

    `clouds`, `stars`, `aurora`, `mist`, `rain` and `swirl` are amounts, 0..1.
    """

    body: str = "sun"
    x: float = 0.7
    y: float = 0.22
    size: float = 0.14
    clouds: float = 0.4
    stars: float = 0.0
    aurora: float = 0.0
    mist: float = 0.2
    rain: float = 0.0
    swirl: float = 0.3


@dataclass(frozen=True)
class Element:
    """One thing in the picture, standing on (x, y); `size` is its height in picture heights."""

    kind: str
    x: float | None = None
    y: float | None = None
    size: float | None = None
    colour: str | None = None


@dataclass(frozen=True)
class Scene:
    """`horizon`: height of the horizon from the top, 0.2..0.85. `hills`: number of layers, 0..5."""

    palette: str = "dusk-rose"
    sky: Sky = Sky()
    horizon: float = 0.6
    hills: int = 2
    hill_height: float = 0.2
    land: str = "rolling"
    water: str = "loch"
    bank: str = "grass"
    elements: tuple[Element, ...] = ()

    @classmethod
    def from_mapping(cls, mapping: object, where: str = "scene") -> Scene:
        """A scene out of plain YAML data.

        Raises TrainingError, in a sentence with the place, for unknown keys and bad values.
        """
        data = _mapping(mapping, where, cls)
        sky = _build(Sky, _mapping(data.pop("sky", {}), f"{where}.sky", Sky), f"{where}.sky")
        raw = data.pop("elements", [])
        if not isinstance(raw, list | tuple):
            raise TrainingError(f"{where}.elements: must be a list of {{kind: ...}}.")
        elements = []
        for index, item in enumerate(raw):
            here = f"{where}.elements[{index}]"
            item = {"kind": item} if isinstance(item, str) else item
            elements.append(_build(Element, _mapping(item, here, Element), here))
        scene = _build(cls, {**data, "sky": sky, "elements": tuple(elements)}, where)
        return scene


_CHOICES: dict[str, tuple[str, ...]] = {
    "palette": PALETTE_NAMES,
    "body": BODIES,
    "water": WATERS,
    "land": LANDS,
    "bank": BANKS,
    "kind": tuple(KINDS),
}
_RANGES: dict[str, tuple[float, float]] = {
    "horizon": (0.2, 0.85),
    "hills": (0, 5),
    "hill_height": (0.0, 0.6),
    "x": (-0.2, 1.2),
    "y": (-0.2, 1.2),
    "size": (0.01, 1.2),
}
_Built = TypeVar("_Built", Scene, Sky, Element)


def _mapping(data: object, where: str, shape: type[Any]) -> dict[str, Any]:
    known = [field.name for field in fields(shape)]
    if not isinstance(data, Mapping):
        raise TrainingError(f"{where}: must be a mapping with keys out of {', '.join(known)}.")
    for key in data:
        if key not in known:
            raise TrainingError(f"{where}: has no key {key!r}; use {', '.join(known)}.")
    return dict(data)


def _build(shape: type[_Built], data: dict[str, Any], where: str) -> _Built:
    if shape is Element and "kind" not in data:
        raise TrainingError(f"{where}: needs a kind, one of {', '.join(KINDS)}.")
    for key, value in data.items():
        data[key] = _checked(key, value, f"{where}.{key}")
    return shape(**data)


def _checked(key: str, value: object, here: str) -> object:
    if key in ("sky", "elements") or (value is None and key in ("x", "y", "size", "colour")):
        return value
    if key in _CHOICES:
        if value not in _CHOICES[key]:
            raise TrainingError(f"{here}: {value!r} is not one of {', '.join(_CHOICES[key])}.")
        return value
    if key == "colour":
        try:
            colour_of(str(value))
        except ValueError:
            raise TrainingError(f"{here}: {value!r} is not a colour such as '#c8558f'.") from None
        return value
    low, high = _RANGES.get(key, (0.0, 1.0))
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise TrainingError(f"{here}: {value!r} is not a number from {low:g} to {high:g}.")
    if key == "hills":
        if value != int(value):
            raise TrainingError(f"{here}: {value!r} is not a whole number.")
        return int(value)
    return float(value)
