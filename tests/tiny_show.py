"""A small valid show on disk, for every test that needs one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import safetensors.numpy
from PIL import Image

from shows.generator_file import GENERATOR_FORMAT
from shows.latent_set import LatentSet, draw_loop_noise, write_latent_set
from shows.schema import Ballad, Painting, Screen, ShowSettings
from shows.show import Show
from shows.show_file import load_show, save_ballad, save_settings

TINY_HASH = "0" * 64


def make_tiny_show(
    folder: Path,
    *,
    screens: int = 7,
    ballads: int = 7,
    paintings: int = 5,
    w_dim: int = 8,
    num_ws: int = 4,
    size: int = 16,
) -> Show:
    """Write a show and load it: ballad-1 ... on screens screen-1 ..., paintings p1 ....

    size: of the paintings in pixels. The fake generator file (a header, no weights) claims the
    resolution that has num_ws layers: 4 -> 8 pixels, 6 -> 16, 8 -> 32, 10 -> 64.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ballad_ids = tuple(f"ballad-{number}" for number in range(1, ballads + 1))
    settings = ShowSettings(
        schema_version=1,
        title="A tiny show",
        ballads=ballad_ids,
        screens=tuple(
            Screen(name=f"screen-{index + 1}", ballad=ballad_ids[index % ballads])
            for index in range(screens)
        ),
    )
    save_settings(folder, settings)
    write_fake_generator(folder / settings.generator, w_dim=w_dim, num_ws=num_ws)
    for number, ballad_id in enumerate(ballad_ids, 1):
        random = np.random.default_rng(number)
        (folder / "ballads" / ballad_id / "paintings").mkdir(parents=True, exist_ok=True)
        ids = tuple(f"p{index}" for index in range(1, paintings + 1))
        save_ballad(
            folder,
            Ballad(
                id=ballad_id,
                title=f"Ballad number {number}",
                colour=f"#{number * 30 % 256:02x}6080",
                paintings=tuple(
                    Painting(id=painting_id, line=f"Line {index}.", file=f"paintings/{index}.png")
                    for index, painting_id in enumerate(ids, 1)
                ),
            ),
        )
        for index in range(1, paintings + 1):
            colour = tuple(int(value) for value in random.integers(0, 256, 3))
            picture = Image.new("RGB", (size, size), colour)
            picture.save(folder / "ballads" / ballad_id / "paintings" / f"{index}.png")
        write_latent_set(
            folder / "ballads" / ballad_id / "latents.safetensors",
            LatentSet(
                ballad_id=ballad_id,
                painting_ids=ids,
                ws=random.standard_normal((paintings, 1, w_dim)).astype(np.float32),
                num_ws=num_ws,
                w_avg=np.full(w_dim, 0.125, np.float32),
                loop_noise=draw_loop_noise(
                    settings.seed, ballad_id, ids, settings.stops, 1, np.ones(w_dim), {}
                ),
                generator_hash=TINY_HASH,
                provenance=tuple({"note": "random"} for _ in ids),
            ),
        )
    return load_show(folder)


def write_fake_generator(
    path: Path, *, w_dim: int = 8, num_ws: int = 4, content_hash: str = TINY_HASH
) -> None:
    """Write a generator file with a true header and one small tensor in place of weights."""
    config = {
        "z_dim": w_dim,
        "c_dim": 0,
        "w_dim": w_dim,
        "img_resolution": 2 ** ((num_ws + 2) // 2),
        "img_channels": 3,
        "channel_base": 128,
        "channel_max": 8,
        "num_mapping_layers": 2,
    }
    path.write_bytes(
        safetensors.numpy.save(
            {"mapping.w_avg": np.zeros(w_dim, np.float32)},
            metadata={
                "format": GENERATOR_FORMAT,
                "config": json.dumps(config),
                "content_hash": content_hash,
            },
        )
    )
