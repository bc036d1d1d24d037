"""Colour families of the painter: each a small harmony that a whole picture is mixed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.float32]  # [3], sRGB components 0..255


def colour_of(text: str) -> Colour:
    """`#rrggbb` -> [3] float32, 0..255. Raises ValueError when the text is no such colour."""
    if len(text) != 7 or text[0] != "#":
        raise ValueError(f"{text!r} is not a colour such as #c8558f.")
    return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)], np.float32)


def mix(a: Colour, b: Colour, amount: float) -> Colour:
    """`a` at amount 0, `b` at amount 1."""
    return (a + (b - a) * np.float32(amount)).astype(np.float32)


@dataclass(frozen=True)
class Palette:
    """sRGB colours, [3] float32 in 0..255. `accents` [3, 3]; `dark` for silhouettes."""

    top: Colour
    middle: Colour
    low: Colour
    light: Colour
    far: Colour
    near: Colour
    water: Colour
    ground: Colour
    dark: Colour
    accents: tuple[Colour, ...]
    night: bool


# name: sky top, sky middle, sky low, light, far hill, near hill, water, ground, dark, 3 accents
_FAMILIES: dict[str, tuple[str, bool]] = {
    "dusk-rose": (
        "3b2a86 d0558f ffb27a ffeab0 9a62b4 54307e 7a4fa8 6b2f74 24123f ff5d73 ffd166 7fd1ae",
        False,
    ),
    "golden-harvest": (
        "3f9ad6 9ad6e4 ffe79a fff6c8 7fb0a8 c28a2e 4fa2c4 e6a42c 5a3414 d8452f f9d04a 2f7fa0",
        False,
    ),
    "moonlit-blue": (
        "0b1550 1f46a0 6aa0e0 fff6cc 3458a4 142a66 1d4fa0 16407a 060c28 ffd97a 8fd8ff c77dff",
        True,
    ),
    "heather-purple": (
        "4f86dc a6b6f4 fbd2e4 fff2cc 8f8fd8 7a3fa6 6484dc b042a8 32184e f060b0 f6e46d 4fae78",
        False,
    ),
    "emerald-spring": (
        "2f96e4 84d6f0 f2facb fffcd6 58b4a6 2b9450 30acc8 62c040 12422c ff6f96 ffdc3d fffaf0",
        False,
    ),
    "storm-teal": (
        "0f3346 2a7a86 b4dcb8 f6f8cc 3d7884 14505c 1a7882 2c6a58 06202a f6a83c ec5c30 d6f6ee",
        False,
    ),
    "autumn-red": (
        "3a72b4 f0b47c ffd890 fff0be b0647e 98302e 5a80b0 d4542a 3c1218 fab82c de2a2a 74a44e",
        False,
    ),
    "winter-pale": (
        "5c98de b2d4f6 ffe6de fffaea 9ebce6 6c92c8 82b6e0 eef5fc 24345e e02a44 2f5490 f8bc40",
        False,
    ),
    "northern-lights": (
        "0a1040 124a70 30b09c eaffe4 205080 10284e 1c6a8c 1a4a60 050a22 5fffb4 ff7ade ffe47a",
        True,
    ),
    "sunrise-coral": (
        "2a82c4 ff9c8e ffe4a2 fff6d0 7c92c8 3f7a94 48a2c4 5aa07a 18304e ff5a5f ffc93c fff1e0",
        False,
    ),
    "saffron-night": (
        "2c1258 96307e ff8440 ffe29a 70307e 3a165c 5c2a82 4a1a5e 180828 ffb52e ff4f5e 56d0d8",
        True,
    ),
    "turquoise-noon": (
        "0f76d0 46c0ea dcfaf0 fffbe0 5aa6c4 d6a44e 12b2bc eecb72 1f3a52 ff6b52 ffffff 1c8c6e",
        False,
    ),
    "blood-moon": (
        "1c0a2c 6c1238 e4442e ffd8a0 6c1c44 2e0c2a 7c1834 3c1030 10040e ff9838 f23d5e d8b4ff",
        True,
    ),
    "mist-green": (
        "5ab8b8 a4e4c8 fff2b8 fffdea 74bca4 1f8676 54c4b4 58b45a 0c3c40 ff7d4a f4dc44 b070e8",
        False,
    ),
}
PALETTE_NAMES: tuple[str, ...] = tuple(_FAMILIES)


def palette(name: str, rng: np.random.Generator | None = None, drift: float = 0.0) -> Palette:
    """The named family; with `rng`, every colour drifts by a normal of `drift` (of 255).

    Raises KeyError for an unknown name; `PALETTE_NAMES` lists them.
    """
    text, night = _FAMILIES[name]
    colours = [colour_of("#" + part) for part in text.split()]
    if rng is not None and drift > 0:
        common = rng.normal(0, drift * 255, 3)
        colours = [
            np.clip(c + common + rng.normal(0, drift * 180, 3), 0, 255).astype(np.float32)
            for c in colours
        ]
    top, middle, low, light, far, near, water, ground, dark = colours[:9]
    accents = tuple(colours[9:12])
    return Palette(
        top, middle, low, light, far, near, water, ground, dark, accents=accents, night=night
    )
