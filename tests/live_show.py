"""A tiny show that really plays: random weights in a generator file, random latents."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from generator.checkpoint import save_generator
from shows.latent_set import write_latent_set
from shows.show import Show
from shows.show_file import load_show, save_settings
from tests.tiny_networks import random_generator
from tests.tiny_show import make_tiny_show


def make_live_show(folder: Path, *, moving: bool = True) -> Show:
    """Seven screens, seven ballads of five paintings; pictures of 16 pixels, all different.

    moving False: ballads of one painting without noise, so that each is the same picture for ever.
    """
    network = random_generator(resolution=16)
    paintings = 5 if moving else 1
    show = make_tiny_show(folder, paintings=paintings, w_dim=network.w_dim, num_ws=network.num_ws)
    if not moving:
        save_settings(folder, show.settings.model_copy(update={"noise_strength": 0.0}))
    content_hash = save_generator(network, show.generator_path)
    for ballad_id, latents in show.latents.items():
        path = show.latents_path(ballad_id)
        write_latent_set(path, replace(latents, generator_hash=content_hash))
    return load_show(folder)
