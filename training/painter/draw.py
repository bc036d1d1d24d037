"""Random scenes: the distribution of the training set."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.painter.palette import PALETTE_NAMES, palette
from training.painter.scene import Element, Scene, Sky

_Elements = tuple[Element, ...]


def draw_scene(seed: int) -> Scene:
    """A scene drawn from the seed alone."""
    rng = np.random.Generator(np.random.Philox([seed, 0xD4A3]))
    name = PALETTE_NAMES[int(rng.integers(len(PALETTE_NAMES)))]
    kinds = tuple(_COMPOSITIONS)
    weights = np.array([_COMPOSITIONS[k][0] for k in kinds], float)
    kind = kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]
    return _COMPOSITIONS[kind][1](rng, name, _sky(rng, name))


def _sky(rng: np.random.Generator, name: str) -> Sky:
    night = palette(name).night
    body = str(rng.choice(["moon", "crescent", "sun"], p=[0.7, 0.2, 0.1])) if night else "sun"
    if name == "blood-moon":
        body = "moon"
    if not night and rng.uniform() < 0.12:
        body = "none"
    return Sky(
        body=body,
        x=float(rng.uniform(0.15, 0.85)),
        y=float(rng.uniform(0.1, 0.4)),
        size=float(rng.choice([0.1, 0.15, 0.2, 0.28], p=[0.2, 0.4, 0.27, 0.13])),
        clouds=float(rng.uniform(0.0, 0.85)) if name != "northern-lights" else 0.15,
        stars=float(rng.uniform(0.3, 1)) if night else 0.0,
        aurora=float(rng.uniform(0.6, 1)) if name == "northern-lights" else 0.0,
        mist=float(rng.uniform(0, 0.6)),
        swirl=float(rng.uniform(0, 0.9)),
    )


def _u(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def _pick(rng: np.random.Generator, *options: str) -> str:
    return options[int(rng.integers(len(options)))]


def _side(rng: np.random.Generator, sky: Sky, edge: float = 0.12) -> float:
    """A place away from the sun or moon."""
    return _u(rng, edge, 0.42) if sky.x > 0.5 else _u(rng, 0.58, 1 - edge)


def _bank(rng: np.random.Generator, name: str) -> str:
    if name == "winter-pale":
        return "snow"
    return _pick(rng, "grass", "flowers", "flowers", "shore")


def _maybe(rng: np.random.Generator, chance: float, *elements: Element) -> _Elements:
    return elements if rng.uniform() < chance else ()


def _sea(rng: np.random.Generator, name: str, sky: Sky) -> Scene:
    horizon = _u(rng, 0.48, 0.66)
    kind = _pick(rng, "ship", "ship", "boat")
    y = horizon + _u(rng, 0.06, 0.16)
    size = _u(rng, 0.34, 0.56) if kind == "ship" else _u(rng, 0.22, 0.4)
    things: _Elements = (Element(kind, _side(rng, sky, 0.22), y, size),)
    things += _maybe(rng, 0.5, Element("birds"))
    things += _maybe(rng, 0.3, Element("boat", _u(rng, 0.1, 0.9), horizon + 0.03, 0.09))
    hills = int(rng.integers(0, 3))
    bank = "none" if rng.uniform() < 0.6 else _bank(rng, name)
    return Scene(
        name,
        sky,
        horizon,
        hills,
        _u(rng, 0.08, 0.2),
        _pick(rng, "rolling", "cliffs"),
        "sea",
        bank,
        things,
    )


def _loch(rng: np.random.Generator, name: str, sky: Sky) -> Scene:
    horizon = _u(rng, 0.48, 0.62)
    things: _Elements = ()
    if rng.uniform() < 0.65:
        kind = _pick(rng, "castle", "cottage", "church", "tower")
        size = {"castle": 0.26, "cottage": 0.14, "church": 0.22, "tower": 0.24}[kind]
        things += (Element(kind, _u(rng, 0.15, 0.85), horizon + 0.02, size * _u(rng, 0.85, 1.35)),)
    things += _maybe(rng, 0.4, Element(_pick(rng, "boat", "swan")))
    near = _pick(rng, "tree", "pine", "person", "couple", "flowers", "none", "deer")
    if near != "none":
        things += (Element(near, _u(rng, 0.12, 0.88), 0.96),)
    things += _maybe(rng, 0.25, Element("birds"))
    land = _pick(rng, "rolling", "peaks", "peaks")
    return Scene(
        name,
        sky,
        horizon,
        int(rng.integers(2, 5)),
        _u(rng, 0.2, 0.42),
        land,
        "loch",
        _bank(rng, name),
        things,
    )


def _village(rng: np.random.Generator, name: str, sky: Sky) -> Scene:
    horizon = _u(rng, 0.5, 0.66)
    ground = min(0.9, horizon + _u(rng, 0.1, 0.2))
    start = _u(rng, 0.15, 0.35)
    things: _Elements = ()
    for step in range(int(rng.integers(1, 4))):
        y = ground + _u(rng, -0.03, 0.05)
        things += (Element("cottage", start + step * _u(rng, 0.27, 0.34), y, _u(rng, 0.14, 0.24)),)
    things += _maybe(
        rng, 0.4, Element("church", _u(rng, 0.2, 0.8), ground - 0.05, _u(rng, 0.24, 0.36))
    )
    things += _maybe(
        rng, 0.5, Element("tree", _u(rng, 0.1, 0.9), min(0.97, ground + 0.06), _u(rng, 0.3, 0.5))
    )
    things += _maybe(
        rng,
        0.4,
        Element(_pick(rng, "person", "couple"), _u(rng, 0.15, 0.85), 0.95, _u(rng, 0.17, 0.24)),
    )
    things += _maybe(rng, 0.3, Element("birds"))
    water = "river" if rng.uniform() < 0.3 else "none"
    return Scene(
        name,
        sky,
        horizon,
        int(rng.integers(1, 4)),
        _u(rng, 0.12, 0.3),
        _pick(rng, "rolling", "peaks"),
        water,
        _bank(rng, name),
        things,
    )


def _castle(rng: np.random.Generator, name: str, sky: Sky) -> Scene:
    horizon = _u(rng, 0.54, 0.7)
    things: _Elements = (
        Element("castle", _side(rng, sky, 0.3), horizon + 0.03, _u(rng, 0.34, 0.52)),
    )
    things += _maybe(
        rng, 0.5, Element(_pick(rng, "rider", "person", "couple"), _u(rng, 0.2, 0.8), 0.95)
    )
    things += _maybe(rng, 0.4, Element("birds"))
    water = _pick(rng, "loch", "river", "none", "sea")
    return Scene(
        name,
        sky,
        horizon,
        int(rng.integers(1, 4)),
        _u(rng, 0.12, 0.3),
        _pick(rng, "rolling", "peaks"),
        water,
        _bank(rng, name),
        things,
    )


def _wood(rng: np.random.Generator, name: str, sky: Sky) -> Scene:
    horizon = _u(rng, 0.55, 0.72)
    kind = _pick(rng, "tree", "tree", "pine", "bare-tree")
    things: _Elements = ()
    for x in (0.08, 0.3, 0.72, 0.93):
        if rng.uniform() < 0.75:
            size = _u(rng, 0.4, 0.8) if x in (0.08, 0.93) else _u(rng, 0.25, 0.45)
            y = 0.97 if x in (0.08, 0.93) else horizon + _u(rng, 0.06, 0.14)
            things += (Element(kind, x + _u(rng, -0.06, 0.06), y, size),)
    things += _maybe(
        rng,
        0.6,
        Element(_pick(rng, "rider", "person", "couple", "deer"), _u(rng, 0.35, 0.65), 0.93),
    )
    water = _pick(rng, "none", "none", "river", "loch")
    return Scene(
        name,
        sky,
        horizon,
        int(rng.integers(1, 4)),
        _u(rng, 0.1, 0.25),
        "rolling",
        water,
        _bank(rng, name),
        things,
    )


def _lone_tree(rng: np.random.Generator, name: str, sky: Sky) -> Scene:
    horizon = _u(rng, 0.6, 0.75)
    kind = _pick(rng, "tree", "tree", "bare-tree")
    things: _Elements = (Element(kind, _side(rng, sky, 0.2), 0.92, _u(rng, 0.6, 0.85)),)
    things += _maybe(
        rng,
        0.5,
        Element(
            _pick(rng, "couple", "person", "raven", "cottage", "stones"), _u(rng, 0.3, 0.7), 0.95
        ),
    )
    things += _maybe(rng, 0.4, Element("birds"))
    water = _pick(rng, "none", "none", "loch")
    return Scene(
        name,
        sky,
        horizon,
        int(rng.integers(1, 3)),
        _u(rng, 0.08, 0.22),
        "rolling",
        water,
        _bank(rng, name),
        things,
    )


def _meadow(rng: np.random.Generator, name: str, sky: Sky) -> Scene:
    horizon = _u(rng, 0.42, 0.6)
    things: _Elements = tuple(
        Element(
            _pick(rng, "flowers", "flowers", "rose"), x + _u(rng, -0.1, 0.1), _u(rng, 0.95, 1.0)
        )
        for x in (0.2, 0.5, 0.8)[int(rng.integers(2)) :]
    )
    things += _maybe(
        rng, 0.5, Element(_pick(rng, "cottage", "church", "tower"), _side(rng, sky), horizon + 0.08)
    )
    water = _pick(rng, "none", "river", "loch")
    return Scene(
        name,
        sky,
        horizon,
        int(rng.integers(2, 4)),
        _u(rng, 0.12, 0.3),
        _pick(rng, "rolling", "peaks"),
        water,
        "flowers" if name != "winter-pale" else "snow",
        things,
    )


def _moor(rng: np.random.Generator, name: str, sky: Sky) -> Scene:
    horizon = _u(rng, 0.5, 0.68)
    thing = _pick(rng, "stones", "graves", "raven", "bonfire", "deer", "rider", "knight", "lantern")
    things: _Elements = (Element(thing, _side(rng, sky, 0.25), _u(rng, 0.88, 0.95)),)
    things += _maybe(
        rng,
        0.5,
        Element(
            _pick(rng, "bare-tree", "pine"), _u(rng, 0.1, 0.9), horizon + 0.1, _u(rng, 0.25, 0.45)
        ),
    )
    things += _maybe(rng, 0.4, Element("birds"))
    water = _pick(rng, "none", "none", "loch")
    return Scene(
        name,
        sky,
        horizon,
        int(rng.integers(2, 5)),
        _u(rng, 0.15, 0.35),
        _pick(rng, "rolling", "peaks"),
        water,
        _bank(rng, name),
        things,
    )


def _brig(rng: np.random.Generator, name: str, sky: Sky) -> Scene:
    horizon = _u(rng, 0.46, 0.58)
    things: _Elements = (
        Element("bridge", _u(rng, 0.35, 0.65), horizon + _u(rng, 0.16, 0.24), _u(rng, 0.16, 0.24)),
    )
    things += _maybe(rng, 0.5, Element("cottage", _side(rng, sky), horizon + 0.06, 0.15))
    things += _maybe(rng, 0.5, Element("tree", _u(rng, 0.08, 0.92), 0.96, _u(rng, 0.4, 0.6)))
    return Scene(
        name,
        sky,
        horizon,
        int(rng.integers(2, 4)),
        _u(rng, 0.15, 0.32),
        "rolling",
        "river",
        _bank(rng, name),
        things,
    )


_Composer = Callable[[np.random.Generator, str, Sky], Scene]
_COMPOSITIONS: dict[str, tuple[float, _Composer]] = {
    "sea": (3, _sea),
    "loch": (3, _loch),
    "village": (2.5, _village),
    "castle": (2, _castle),
    "wood": (2, _wood),
    "lone tree": (1.6, _lone_tree),
    "meadow": (1.8, _meadow),
    "moor": (1.6, _moor),
    "bridge": (1, _brig),
}
