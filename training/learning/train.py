"""Train a generator on a data set archive.

Writes into the run folder: state.pt (all that a resumed run needs), generator.safetensors (the EMA
weights, 16 bit) and discriminator.safetensors, log.jsonl (a line per tick) and sheets of samples.
Stop with Ctrl-C at any time, or be stopped by anything, and give the same command again: it goes on
where it stopped, and weights that were deleted are written again.
Several GPUs: torchrun --nproc-per-node 2 -m training train ... (--batch is that of all).
docs/training.md says what the configurations are, and what fits which GPU.
"""

from __future__ import annotations

import argparse
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from generator.allocator import restart_with_allocator
from generator.checkpoint import write_atomically
from training.errors import TrainingError
from training.learning.configurations import Configuration, configuration
from training.learning.data_parallel import Workers, joined_workers, own_device
from training.learning.picture_feed import Pictures, read_pictures
from training.learning.run_folder import STATE_FILE, RunFolder, sheet
from training.learning.samples import samples
from training.learning.starts_file import described_set, record_start
from training.learning.tensorboard_log import TensorBoardLog
from training.learning.train_arguments import (
    add_arguments,
    first_discriminator,
    generator_config,
    training_options,
)
from training.learning.training_loop import Training
from training.learning.transfer import read_learned, take_over
from training.metrics.sliced_wasserstein import sliced_wasserstein
from training.stop_signals import StopSignals

__all__ = ["add_arguments", "run"]

SHEET_PICTURES = 60
SWD_PICTURES, SWD_BYTES = 1000, 2**30  # the most, of either kind
BAR = (
    "{desc}: {percentage:3.0f}%|{bar}| {n:.1f}/{total:.1f} kimg "
    "[{elapsed}<{remaining}, {rate_inv_fmt}{postfix}]"
)


@dataclass(frozen=True, eq=False)
class Data:
    """The pictures of all archives; the last `emphasised` are those of --emphasis."""

    pictures: Pictures
    counts: list[tuple[Path, int]]
    resolution: int
    emphasised: int

    def some(self, most: int, seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        """At most so many of those that are not emphasised, by chance: uint8 [n, 3, R, R]."""
        n = len(self.pictures) - self.emphasised
        return self.pictures[np.random.default_rng(seed).permutation(n)[:most]]


def run(args: argparse.Namespace) -> int:
    """Train until --kimg pictures were shown. Raises TrainingError on unusable input."""
    restart_with_allocator(GOMP_SPINCOUNT="0")
    data = _read_data(args)
    if args.device.startswith("cuda") and not torch.cuda.is_available():
        raise TrainingError(f"--device {args.device}: this machine has no CUDA device.")
    torch.backends.cudnn.benchmark = True  # all batches are of one size
    device = own_device(args.device)
    with joined_workers(device) as workers:
        numbers = configuration(
            args.config or ("auto" if device.startswith("cuda") else "demo"),
            data.resolution,
            workers.count,
        )
        training, begun = _new_training(data, args, numbers, device, workers)
        folder = RunFolder(args.out)
        if workers.rank == 0:
            each = ", ".join(f"{path}: {count} pictures" for path, count in data.counts)
            print(f"{each}; {data.resolution} px")
            if begun and not (folder.path / STATE_FILE).exists():
                print(begun)
        folder.resume(training)
        if workers.rank == 0:
            folder.write_once("reals.png", lambda: sheet(_evenly(data)))
            if training.images_shown > 0 and folder.lacks_weights():
                folder.save_weights(training)
            sets = [described_set(path, count, data.resolution) for path, count in data.counts]
            record_start(folder.path, training.images_shown / 1000, sets, device, workers.count)
        total = int((numbers.kimg if args.kimg is None else args.kimg) * 1000)
        watch(training, folder, data, args, total)
    return 0


def _read_data(args: argparse.Namespace) -> Data:
    paths = [args.data, *args.added, *([args.emphasis] if args.emphasis else [])]
    pictures, counts, resolution = read_pictures(paths)
    emphasised = counts[-1] if args.emphasis else 0
    return Data(pictures, list(zip(paths, counts, strict=True)), resolution, emphasised)


def _new_training(
    data: Data, args: argparse.Namespace, numbers: Configuration, device: str, workers: Workers
) -> tuple[Training, str]:
    """A run at its beginning, and what it begins with, in words; empty: with nothing."""
    learned = read_learned(args.resume) if args.resume else None
    if learned is not None:
        learned.check_resolution(data.resolution, args.data)
    try:
        options = training_options(args, numbers, device)
        config = generator_config(args, numbers, data.resolution, learned)
        first = first_discriminator(args, numbers, config, learned)
        training = Training(data.pictures, config, options, device, workers, first, data.emphasised)
    except ValueError as fault:
        raise TrainingError(f"{args.data}: no training with these options: {fault}.") from fault
    if learned is None:
        return training, ""
    return training, take_over(training, learned, discriminator=args.discriminator is None)


def watch(
    training: Training, folder: RunFolder, data: Data, args: argparse.Namespace, total: int
) -> None:
    """The loop with its progress bar, log lines and snapshots.

    SIGINT and SIGTERM take effect between two steps, after the state is saved: KeyboardInterrupt
    or SystemExit. A second signal to a process that trains alone takes effect at once. Ticks are
    counted from the beginning of the run, so that one that was stopped has them where they were.
    """
    workers = training.workers
    is_first = workers.rank == 0
    tick_images = max(int(args.tick_kimg * 1000), 1)
    started, started_at = time.monotonic(), training.images_shown
    with (
        (
            TensorBoardLog(folder.path, training.images_shown / 1000) if is_first else nullcontext()
        ) as board,
        # torchrun may repeat a signal that the terminal has sent already
        StopSignals(second_raises=workers.count == 1) as stop,
        tqdm(
            total=total / 1000,
            initial=training.images_shown / 1000,
            unit="kimg",
            desc="train",
            bar_format=BAR,
            disable=not is_first,
        ) as bar,
    ):
        while training.images_shown < total:
            ticks = training.images_shown // tick_images
            training.step()
            bar.update(training.options.batch / 1000)
            done = training.images_shown >= total
            now = training.images_shown // tick_images
            if done or now > ticks:
                line = tick_line(training, time.monotonic() - started, started_at)
                if board is not None:
                    due = now // args.snapshot_ticks > ticks // args.snapshot_ticks
                    if done or due:
                        line["swd"] = show(training, folder, data, board)
                    folder.log(line)
                    board.write(line)
                    if done or due:
                        # last, so that whatever stops the run before it happens again
                        folder.save_state(training)
                    shown = ("augment_p", "d_loss", "g_loss", "reconstruction")
                    bar.set_postfix({name: line[name] for name in shown if name in line})
                started, started_at = time.monotonic(), training.images_shown
            # a signal to one stops all, after the same step
            if workers.mean(float(stop.received is not None)) > 0:
                if is_first:
                    folder.save_weights(training)
                    folder.save_state(training)
                stop.leave()


def tick_line(training: Training, seconds: float, started_at: int) -> dict[str, float]:
    """The figures since the last tick, of which this process has made those since `started_at`
    pictures, in so many seconds; resets the statistics."""
    kimg = (training.images_shown - started_at) / 1000
    return {
        "kimg": round(training.images_shown / 1000, 3),
        "sec_per_kimg": round(seconds / kimg, 2),
        "augment_p": round(training.augment.p, 4),
        **{name: round(mean, 5) for name, mean in training.statistics.means().items()},
    }


def show(training: Training, folder: RunFolder, data: Data, board: TensorBoardLog) -> float:
    """Save weights and a sheet; returns the mean sliced Wasserstein distance."""
    folder.save_weights(training)
    reals = data.some(min(SWD_PICTURES, SWD_BYTES // (3 * data.resolution**2)))
    most = max(len(reals), SHEET_PICTURES)
    rng = np.random.Generator(np.random.Philox(7))
    z = torch.from_numpy(rng.standard_normal((most, training.G.z_dim), dtype=np.float32))
    drawn = samples(training.G_ema, z.to(training.device), min(training.at_once, 32))
    fakes = np.concatenate(list(drawn))
    page = sheet(fakes)
    write_atomically(folder.path / f"fakes-{training.images_shown // 1000:06d}.png", page)
    board.sheet("samples", page, training.images_shown / 1000)
    return sliced_wasserstein(reals, fakes[: len(reals)])["mean"]


def _evenly(data: Data) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    n = len(data.pictures) - data.emphasised
    return data.pictures[np.arange(0, n, max(n // SHEET_PICTURES, 1))[:SHEET_PICTURES]]
