"""How near a generator's samples come to the pictures it learned from.

swd: the multi-scale sliced Wasserstein distance (times 1000; less is nearer) of samples to the
set, of an untrained generator of the same shape to the set, and of one half of the set to the
other, which is the floor. With --sheet, training pictures and samples stand side by side.
fid, kid, pr (precision and recall): need the file of a feature network, --features FILE, and
compare the samples to the whole set. Nothing is fetched. docs/metrics.md says what each means.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

import generator
from generator.checkpoint import CheckpointError, write_atomically
from generator.networks import Generator
from training.errors import TrainingError
from training.learning.picture_feed import Pictures, read_pictures
from training.learning.samples import samples
from training.metrics.feature_distances import (
    NEIGHBOUR,
    frechet_distance,
    kernel_distance,
    precision_recall,
    require_torchmetrics,
)
from training.metrics.feature_network import TO_FETCH, FeatureNetwork, in_batches
from training.metrics.sliced_wasserstein import sliced_wasserstein

METRICS = ("swd", "fid", "kid", "pr")
FEWEST = NEIGHBOUR + 1
SWD_BYTES = 2**30  # of the pictures of one set, unless told otherwise; 341 at 1024 pixels
COLUMNS, ROWS, GAP_PX = 6, 7, 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    parser.add_argument(
        "generator", type=Path, help="a generator, .safetensors or .pkl, or a run folder"
    )
    parser.add_argument("data", type=Path, help="the data set archive it learned from")
    parser.add_argument(
        "--metrics",
        type=_metrics,
        metavar="LIST",
        help="of swd, fid, kid, pr, with commas between (default: swd; with --features all)",
    )
    parser.add_argument(
        "--features", type=Path, metavar="FILE", help="TorchScript file of the feature network"
    )
    parser.add_argument(
        "--pictures",
        type=int,
        metavar="N",
        help="samples to draw (default: swd half the set, which is its most, or as many as make a "
        "gigabyte; the others as many as the set)",
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--seed", type=int, default=1, help="of the samples (default 1)")
    parser.add_argument("--sheet", type=Path, help="PNG: training pictures left, samples right")
    parser.add_argument("--json", type=Path, help="write the figures here too")


def run(args: argparse.Namespace) -> int:
    """Measure and print. Raises TrainingError when a file cannot be used or the sizes differ."""
    chosen = args.metrics or (METRICS if args.features else ("swd",))
    network = _network(args, chosen)
    data, _, resolution = read_pictures([args.data])
    if len(data) < FEWEST or (args.pictures is not None and args.pictures < FEWEST):
        raise TrainingError(f"fewer than {FEWEST} pictures cannot be measured.")
    trained = _generator(args.generator).to(args.device)
    if trained.img_resolution != resolution:
        raise TrainingError(
            f"{args.generator} makes {trained.img_resolution} px pictures, "
            f"{args.data} holds {resolution} px ones; prepare the set at that size."
        )
    figures: dict[str, Any] = {}
    if "swd" in chosen:
        figures |= swd_figures(trained, data, args.pictures, args.seed)
    if network is not None:
        samples_of = drawn(trained, args.pictures or len(data), args.seed)
        figures["features"] = feature_figures(network, data, samples_of, chosen)
    text = json.dumps(figures, indent=2)
    print(text)
    if args.metrics is None and args.features is None:
        print(f"FID, KID, precision and recall were not measured. {TO_FETCH}.", file=sys.stderr)
    if args.json is not None:
        write_atomically(args.json, (text + "\n").encode())
    if args.sheet is not None:
        reals = data[shuffled(data, args.seed)[: COLUMNS * ROWS]]
        fakes = np.concatenate(list(drawn(trained, COLUMNS * ROWS, args.seed)))
        write_atomically(args.sheet, side_by_side(reals, fakes))
    return 0


def shuffled(data: Pictures, seed: int) -> NDArray[np.int64]:
    """All indices of the set, in an order of the seed's."""
    return np.random.default_rng(seed).permutation(len(data))


def swd_figures(
    trained: Generator, data: Pictures, pictures: int | None, seed: int
) -> dict[str, Any]:
    """Sliced Wasserstein distances; pictures: of each set, at most half the data."""
    torch.manual_seed(seed)
    untrained = Generator(trained.config).eval().requires_grad_(False)
    order = shuffled(data, seed)
    half = min(len(data) // 2, pictures or SWD_BYTES // (3 * trained.img_resolution**2))
    reals, others = data[order[:half]], data[order[half : 2 * half]]
    fakes = np.concatenate(list(drawn(trained, half, seed)))
    nothing_learned = np.concatenate(list(drawn(untrained, half, seed)))
    return {
        "pictures": half,
        "samples_to_set": sliced_wasserstein(reals, fakes),
        "untrained_to_set": sliced_wasserstein(reals, nothing_learned),
        "set_to_itself": sliced_wasserstein(reals, others),
    }


def feature_figures(
    network: FeatureNetwork,
    data: Pictures,
    samples_of: Iterable[NDArray[np.uint8]],
    chosen: Collection[str],
) -> dict[str, Any]:
    """FID, KID, precision and recall of the samples to the whole set, as far as chosen."""
    shown = tqdm(in_batches(data), desc="set", total=-(-len(data) // 32))
    real = network.features(shown)
    fake = network.features(tqdm(samples_of, desc="samples"))
    figures: dict[str, Any] = {
        "network": network.path.name,
        "network_sha256": network.sha256,
        "set": len(real),
        "samples": len(fake),
    }
    if "fid" in chosen:
        figures["fid"] = frechet_distance(real, fake)
    if "kid" in chosen:
        figures["kid"], figures["kid_deviation"] = kernel_distance(real, fake)
    if "pr" in chosen:
        figures["precision"], figures["recall"] = precision_recall(real, fake)
    return figures


def _network(args: argparse.Namespace, chosen: Collection[str]) -> FeatureNetwork | None:
    wanting = [name for name in chosen if name != "swd"]
    if not wanting:
        return None
    if args.features is None:
        raise TrainingError(
            f"--metrics {','.join(wanting)}: needs the file of a feature network. {TO_FETCH}."
        )
    if {"fid", "kid"} & set(wanting):
        require_torchmetrics()
    return FeatureNetwork(args.features, args.device)


def _generator(path: Path) -> Generator:
    try:
        return generator.load(path / "generator.safetensors" if path.is_dir() else path)
    except CheckpointError as fault:
        raise TrainingError(str(fault)) from fault


def drawn(model: Generator, count: int, seed: int) -> Iterator[NDArray[np.uint8]]:
    """Pictures of Gaussian z in batches [n, 3, R, R]; truncation_psi 1, noise const."""
    rng = np.random.Generator(np.random.Philox(seed))
    z = torch.from_numpy(rng.standard_normal((count, model.z_dim), dtype=np.float32))
    return samples(model, z.to(next(model.parameters()).device))


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


def _metrics(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    unknown = [name for name in names if name not in METRICS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"{unknown[0]!r} is not measured here; there are {', '.join(METRICS)}"
        )
    return names
