"""A tiny show, changed as an artist would change it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from shows.latent_set import LatentSet
from shows.show import Show


def with_settings(show: Show, **words: Any) -> Show:
    """The same with other words in show.yaml."""
    settings = type(show.settings).model_validate(
        {**{name: getattr(show.settings, name) for name in type(show.settings).model_fields}}
        | words
    )
    return replace(show, settings=settings)


def with_screen_ballad(show: Show, screen: int, ballad_id: str) -> Show:
    """The same with another ballad of a screen's own."""
    screens = list(show.settings.screens)
    screens[screen] = screens[screen].model_copy(update={"ballad": ballad_id})
    return with_settings(show, screens=tuple(screens))


def with_ballad(show: Show, ballad_id: str, **words: Any) -> Show:
    """The same with other words in a ballad.yaml."""
    ballads = tuple(
        ballad.model_copy(update=words) if ballad.id == ballad_id else ballad
        for ballad in show.ballads
    )
    return replace(show, ballads=ballads)


def with_latents(show: Show, ballad_id: str, *, seed: int = 99) -> Show:
    """The same with new latents of a ballad, as if it had been published anew."""
    ws = np.random.default_rng(seed).standard_normal(show.latents[ballad_id].ws.shape)
    latents = replace(show.latents[ballad_id], ws=ws.astype(np.float32))
    return replace(show, latents={**show.latents, ballad_id: latents})


def without_ballad(show: Show, ballad_id: str, *, instead: str) -> Show:
    """The same without a ballad; the screens it belonged to get another."""
    screens = tuple(
        screen.model_copy(update={"ballad": instead}) if screen.ballad == ballad_id else screen
        for screen in show.settings.screens
    )
    ids = tuple(one for one in show.ballad_ids if one != ballad_id)
    return replace(
        with_settings(show, screens=screens, ballads=ids),
        ballads=tuple(ballad for ballad in show.ballads if ballad.id != ballad_id),
        latents={one: latents for one, latents in show.latents.items() if one != ballad_id},
    )


def with_paintings(show: Show, ballad_id: str, order: tuple[int, ...]) -> Show:
    """The same with a ballad's paintings (from 0) in another order, or fewer of them."""
    ballad = show.ballad(ballad_id)
    paintings = tuple(ballad.paintings[index] for index in order)
    latents: LatentSet = show.latents[ballad_id].select([painting.id for painting in paintings])
    changed = with_ballad(show, ballad_id, paintings=paintings)
    return replace(changed, latents={**show.latents, ballad_id: latents})
