"""How a screen's pictures are drawn, beyond where they lie: upscaling, surface, surround. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shows.schema import ShowSettings, Surface, Surround

Treatment = Literal["sharp", "surface", "surround"]
"""What of a look has its own part in a program."""


@dataclass(frozen=True)
class Look:
    """sharp: pictures much smaller than the screen are enlarged with edges kept. surface: what they
    lie on. surround: what lies around a picture that is shown whole."""

    sharp: bool = False
    surface: Surface = "none"
    surround: Surround = "black"


FAITHFUL = Look()


@dataclass(frozen=True)
class SurfaceRecipe:
    """Shares of the light. relief: of the tile's lights and shades, which stand still. grain: of
    what moves with every frame. vignette: what the corners lose. scale: screen lines to a line of
    the tile, for a screen of 1080 lines."""

    relief: float
    grain: float
    vignette: float
    scale: float


RECIPES: dict[Surface, SurfaceRecipe] = {
    "paper": SurfaceRecipe(relief=0.10, grain=0.0, vignette=0.10, scale=1.0),
    "canvas": SurfaceRecipe(relief=0.13, grain=0.0, vignette=0.16, scale=1.0),
    "cinema": SurfaceRecipe(relief=0.0, grain=0.09, vignette=0.34, scale=1.5),
}


def look_of(settings: ShowSettings, screen: int, *, software: bool) -> Look:
    """The look that a show gives a screen (0-based). software: no graphics card draws, so that
    `auto` is soft: sharp is drawn for three times the price there."""
    upscaling = settings.upscaling
    return Look(
        sharp=upscaling == "sharp" or (upscaling == "auto" and not software),
        surface=settings.surface,
        surround=settings.screens[screen].surround,
    )
