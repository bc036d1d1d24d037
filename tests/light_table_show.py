"""A small show with projections, as the light table finds it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from shows.show import Show
from tests.tiny_training import make_curating_show
from training.latents.projection_file import ProjectionFile, projection_path, write_projection
from training.light_table.session import Session
from training.show_folder import generator_hash, open_generator, painting_facts


def make_projected_show(folder: Path, *, ballads: int = 2, paintings: int = 2) -> Show:
    """Generator, paintings and projections; nothing is chosen yet. Each projection is a w of the
    generator's own, which is all that the light table asks of one."""
    show = make_curating_show(folder, ballads=ballads, paintings=paintings)
    generator = open_generator(show)
    for number, ballad in enumerate(show.ballads):
        z = np.random.default_rng(number).standard_normal((100, generator.z_dim))
        with torch.no_grad():
            ws = generator.mapping(torch.from_numpy(z).float())[:, 0].numpy()
        projection = ProjectionFile(
            ballad_id=ballad.id,
            generator_hash=generator_hash(show),
            ws=ws[:paintings].copy(),
            w_std=ws.std(axis=0),
            paintings=tuple(painting_facts(show, ballad, index) for index in range(paintings)),
            settings={"steps": 0},
        )
        write_projection(projection_path(show, ballad.id), projection)
    return show


def open_session(show: Show) -> Session:
    """A sitting at the table; its journal is to be closed."""
    return Session(show, generator_hash(show))
