"""A tiny show with a real generator and discriminator, for the verbs that curate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from generator.checkpoint import save_discriminator, save_generator
from generator.discriminator import Discriminator, DiscriminatorConfig
from generator.networks import Generator, GeneratorConfig
from shows.show import Show
from shows.show_file import load_show
from tests.tiny_show import make_tiny_show
from training.shown_picture import ShownAs, draw_pixels

SIZE = 16


def tiny_generator(seed: int = 0) -> Generator:
    """16 pixels, w_dim 32, random weights, with noise maps that can be seen."""
    torch.manual_seed(seed)
    config = GeneratorConfig(
        z_dim=32, w_dim=32, img_resolution=SIZE, channel_base=256, channel_max=16,
        num_mapping_layers=2,
    )  # fmt: skip
    generator = Generator(config).eval().requires_grad_(False)
    with torch.no_grad():
        for name, parameter in generator.synthesis.named_parameters():
            if name.endswith("noise_strength"):
                parameter.fill_(0.05)
        z = torch.randn(1000, 32)
        generator.mapping.w_avg.copy_(generator.mapping(z)[:, 0].mean(dim=0))
    return generator


def tiny_discriminator(size: int = SIZE) -> Discriminator:
    """Random weights; its features still tell pictures apart."""
    torch.manual_seed(1)
    config = DiscriminatorConfig(img_resolution=size, channel_base=256, channel_max=16)
    return Discriminator(config).eval().requires_grad_(False)


def make_curating_show(folder: Path, *, ballads: int = 1, paintings: int = 2) -> Show:
    """A show as it is before `project`: generator and discriminator, paintings, no latent sets.

    The paintings are pictures of the generator, so that they can be found again.
    """
    make_tiny_show(folder, screens=1, ballads=ballads, paintings=paintings, w_dim=32, num_ws=6)
    generator = tiny_generator()
    save_generator(generator, folder / "generator.safetensors")
    save_discriminator(tiny_discriminator(), folder / "discriminator.safetensors")
    show = load_show(folder, latents=False)
    for number, ballad_id in enumerate(show.ballad_ids):
        show.latents_path(ballad_id).unlink()
        z = torch.from_numpy(np.random.default_rng(number).standard_normal((paintings, 32)))
        with torch.no_grad():
            ws = generator.mapping(z.float())[:, 0].numpy()
        for index, pixels in enumerate(draw_pixels(generator, ws, ShownAs())):
            Image.fromarray(pixels).save(show.painting_path(ballad_id, index))
    return show
