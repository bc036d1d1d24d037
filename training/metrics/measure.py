"""How near a generator's samples come to the pictures it learned from.

Prints the multi-scale sliced Wasserstein distance (times 1000; less is nearer) of samples to the
set, of an untrained generator of the same shape to the set, and of one half of the set to the
other, which is the floor. With --sheet, training pictures and samples stand side by side.
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

import generator
from generator.checkpoint import CheckpointError, write_atomically
from generator.networks import Generator
from training.errors import TrainingError
from training.learning.training_loop import samples
from training.metrics.sliced_wasserstein import sliced_wasserstein
from training.pictures.dataset import ImageDataset

COLUMNS, ROWS, GAP_PX = 6, 7, 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    parser.add_argument("generator", type=Path, help="a generator, .safetensors or .pkl")
    parser.add_argument("data", type=Path, help="the data set archive it learned from")
    parser.add_argument("--seed", type=int, default=1, help="of the samples (default 1)")
    parser.add_argument("--sheet", type=Path, help="PNG: training pictures left, samples right")
    parser.add_argument("--json", type=Path, help="write the figures here too")


def run(args: argparse.Namespace) -> int:
    """Measure and print. Raises TrainingError when a file cannot be used or the sizes differ."""
    data = ImageDataset(args.data)
    try:
        trained = generator.load(args.generator)
    except CheckpointError as fault:
        raise TrainingError(str(fault)) from fault
    if trained.img_resolution != data.resolution:
        raise TrainingError(
            f"{args.generator} makes {trained.img_resolution} px pictures, "
            f"{args.data} holds {data.resolution} px ones; prepare the set at that size."
        )
    torch.manual_seed(args.seed)
    untrained = Generator(trained.config).eval().requires_grad_(False)
    order = np.random.default_rng(args.seed).permutation(len(data))
    half = len(data) // 2
    reals, others = data.images[order[:half]], data.images[order[half : 2 * half]]
    fakes = drawn(trained, half, args.seed)
    figures = {
        "pictures": half,
        "samples_to_set": sliced_wasserstein(reals, fakes),
        "untrained_to_set": sliced_wasserstein(reals, drawn(untrained, half, args.seed)),
        "set_to_itself": sliced_wasserstein(reals, others),
    }
    text = json.dumps(figures, indent=2)
    print(text)
    if args.json is not None:
        write_atomically(args.json, (text + "\n").encode())
    if args.sheet is not None:
        write_atomically(args.sheet, side_by_side(reals, fakes))
    return 0


def drawn(model: Generator, count: int, seed: int) -> NDArray[np.uint8]:
    """Pictures of Gaussian z: uint8 [count, 3, R, R]; truncation_psi 1, noise const."""
    rng = np.random.Generator(np.random.Philox(seed))
    z = torch.from_numpy(rng.standard_normal((count, model.z_dim), dtype=np.float32))
    return np.concatenate(list(samples(model, z)))


def side_by_side(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> bytes:
    """A PNG of two grids of 42 pictures each, uncurated: the first ones of [N, 3, R, R]."""
    size = left.shape[-1]
    page = np.full((ROWS * size, 2 * COLUMNS * size + GAP_PX, 3), 255, np.uint8)
    for place, pictures in ((0, left), (COLUMNS * size + GAP_PX, right)):
        for index, picture in enumerate(pictures[: COLUMNS * ROWS]):
            y, x = index // COLUMNS * size, place + index % COLUMNS * size
            page[y : y + size, x : x + size] = picture.transpose(1, 2, 0)
    # twice the size, so that a browser shows it without blurring
    image = Image.fromarray(page)
    image = image.resize((image.width * 2, image.height * 2), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
