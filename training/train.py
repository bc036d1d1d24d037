"""Train a generator on a data set archive.

Writes into the run folder: state.pt (all that a resumed run needs), generator.safetensors (the EMA
weights, 16 bit) and discriminator.safetensors, log.jsonl (a line per tick) and sheets of samples.
Stop with Ctrl-C at any time and give the same command again: it goes on where it stopped.
Several processes: torchrun --nproc-per-node 2 -m training train ... (--batch is that of all).
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from generator.checkpoint import save_generator, write_atomically
from generator.networks import GeneratorConfig
from training.data_parallel import joined_workers
from training.dataset import ImageDataset
from training.errors import TrainingError
from training.metrics import sliced_wasserstein
from training.training_loop import Training, TrainingOptions, samples

SHEET_COLUMNS, SHEET_ROWS = 10, 6
SWD_PICTURES = 1000
# glibc maps and faults large activations anew for every operator unless told to keep them
ALLOCATOR = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "100000000000",
    "MALLOC_TOP_PAD_": "500000000",
    "GOMP_SPINCOUNT": "0",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    defaults = TrainingOptions()
    parser.add_argument("data", type=Path, help="data set archive made by `prepare`")
    parser.add_argument("out", type=Path, help="run folder; an earlier run in it is resumed")
    parser.add_argument("--kimg", type=float, default=400.0, help="thousands of pictures to show")
    parser.add_argument("--batch", type=int, default=defaults.batch)
    parser.add_argument("--channel-base", type=int, default=16384, help="feature maps x resolution")
    parser.add_argument("--channel-max", type=int, default=512, help="most feature maps of a layer")
    parser.add_argument("--mapping-layers", type=int, default=2)
    parser.add_argument("--learning-rate", type=float, default=defaults.learning_rate)
    parser.add_argument("--r1-gamma", type=float, default=defaults.r1_gamma)
    parser.add_argument("--pl-weight", type=float, default=defaults.pl_weight)
    parser.add_argument("--pl-interval", type=int, default=defaults.pl_interval)
    parser.add_argument("--ema-kimg", type=float, default=defaults.ema_kimg)
    parser.add_argument("--ada-target", type=float, default=defaults.ada_target)
    parser.add_argument("--ada-kimg", type=float, default=defaults.ada_kimg)
    parser.add_argument("--no-mirror", action="store_true", help="do not flip pictures")
    parser.add_argument(
        "--float32", action="store_true", help="no bfloat16 in the blocks from 16 pixels up"
    )
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--tick-kimg", type=float, default=2.0, help="kimg between log lines")
    parser.add_argument("--snapshot-ticks", type=int, default=5, help="ticks between snapshots")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")


def run(args: argparse.Namespace) -> int:
    """Train until --kimg pictures were shown. Raises TrainingError on unusable input."""
    restart_with_allocator()
    data = ImageDataset(args.data)
    config = GeneratorConfig(
        img_resolution=data.resolution,
        channel_base=args.channel_base,
        channel_max=args.channel_max,
        num_mapping_layers=args.mapping_layers,
    )
    options = TrainingOptions(
        batch=args.batch,
        learning_rate=args.learning_rate,
        r1_gamma=args.r1_gamma,
        pl_weight=args.pl_weight,
        pl_interval=args.pl_interval,
        ema_kimg=args.ema_kimg,
        ada_target=args.ada_target,
        ada_kimg=args.ada_kimg,
        mirror=not args.no_mirror,
        bfloat16_from=None if args.float32 else 16,
        seed=args.seed,
    )
    with joined_workers() as workers:
        training = Training(data.images, config, options, args.device, workers)
        folder = RunFolder(args.out)
        folder.resume(training)
        if workers.rank == 0:
            folder.write_once("reals.png", lambda: sheet(data.images[:: max(len(data) // 60, 1)]))
        watch(training, folder, data, args)
    return 0


def watch(
    training: Training, folder: RunFolder, data: ImageDataset, args: argparse.Namespace
) -> None:
    """The loop with its progress bar, log lines and snapshots."""
    total = int(args.kimg * 1000)
    tick_images = int(args.tick_kimg * 1000)
    started = time.monotonic()
    tick_started, tick_from, ticks = started, training.images_shown, 0
    first = training.workers.rank == 0
    bar = tqdm(
        total=total, initial=training.images_shown, unit="img", desc="train", disable=not first
    )
    try:
        while training.images_shown < total:
            training.step()
            bar.update(training.options.batch)
            done = training.images_shown >= total
            if training.images_shown - tick_from < tick_images and not done:
                continue
            if not first:
                tick_from = training.images_shown
                training.statistics.means()
                continue
            ticks += 1
            now = time.monotonic()
            kimg = (training.images_shown - tick_from) / 1000
            line: dict[str, object] = {
                "kimg": round(training.images_shown / 1000, 3),
                "sec_per_kimg": round((now - tick_started) / kimg, 2),
                "augment_p": round(training.augment.p, 4),
                **{name: round(v, 5) for name, v in training.statistics.means().items()},
            }
            if ticks % args.snapshot_ticks == 0 or done:
                line["swd"] = snapshot(training, folder, data)
            folder.log(line)
            bar.set_postfix(p=line["augment_p"], d=line["d_loss"], g=line["g_loss"])
            tick_started, tick_from = time.monotonic(), training.images_shown
    except KeyboardInterrupt:
        if first:
            folder.save_state(training)
        raise
    finally:
        bar.close()


def snapshot(training: Training, folder: RunFolder, data: ImageDataset) -> float:
    """Save state, weights and a sheet; returns the mean sliced Wasserstein distance."""
    from training.discriminator_file import save_discriminator

    folder.save_state(training)
    save_generator(training.G_ema, folder.path / "generator.safetensors")
    save_discriminator(training.D, folder.path / "discriminator.safetensors")
    rng = np.random.Generator(np.random.Philox(7))
    z = torch.from_numpy(rng.standard_normal((SWD_PICTURES, training.G.z_dim), dtype=np.float32))
    fakes = np.concatenate(list(samples(training.G_ema, z.to(training.device))))
    name = f"fakes-{training.images_shown // 1000:06d}.png"
    write_atomically(folder.path / name, sheet(fakes))
    n = min(len(fakes), len(data))
    chosen = np.random.default_rng(0).permutation(len(data))[:n]
    return sliced_wasserstein(data.images[chosen], fakes[:n])["mean"]


class RunFolder:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    def resume(self, training: Training) -> None:
        """Take over state.pt when there is one. Raises TrainingError when it does not fit."""
        file = self.path / "state.pt"
        if not file.exists():
            return
        try:
            training.restore(torch.load(file, map_location="cpu", weights_only=True))
        except Exception as error:
            raise TrainingError(
                f"{file}: cannot be resumed ({error}); were other options given? "
                "Use a new run folder, or the options that this one began with."
            ) from error
        print(f"resumed at {training.images_shown / 1000:.1f} kimg")

    def save_state(self, training: Training) -> None:
        buffer = io.BytesIO()
        torch.save(training.state(), buffer)
        write_atomically(self.path / "state.pt", buffer.getvalue())

    def log(self, line: dict[str, object]) -> None:
        with (self.path / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def write_once(self, name: str, make: object) -> None:
        if not (self.path / name).exists():
            assert callable(make)
            write_atomically(self.path / name, make())


def sheet(pictures: NDArray[np.uint8]) -> bytes:
    """A PNG of the first 60 of pictures [N, 3, R, R], ten to a row."""
    n = SHEET_COLUMNS * SHEET_ROWS
    size = pictures.shape[-1]
    page = np.zeros((n, 3, size, size), np.uint8)
    page[: min(n, len(pictures))] = pictures[:n]
    page = page.reshape(SHEET_ROWS, SHEET_COLUMNS, 3, size, size).transpose(0, 3, 1, 4, 2)
    image = Image.fromarray(page.reshape(SHEET_ROWS * size, SHEET_COLUMNS * size, 3))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def restart_with_allocator() -> None:
    """Start this command anew with the allocator's settings, which are read at process start
    only: worth up to a factor of two on a CPU. Does nothing on Windows or when they are set."""
    if os.name != "posix" or all(name in os.environ for name in ALLOCATOR):
        return
    os.execve(sys.executable, sys.orig_argv, {**ALLOCATOR, **os.environ})
