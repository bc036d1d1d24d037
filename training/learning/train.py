"""Train a generator on a data set archive.

Writes into the run folder: state.pt (all that a resumed run needs), generator.safetensors (the EMA
weights, 16 bit) and discriminator.safetensors, log.jsonl (a line per tick) and sheets of samples.
Stop with Ctrl-C at any time and give the same command again: it goes on where it stopped, and
weights that were deleted are written again.
Several processes: torchrun --nproc-per-node 2 -m training train ... (--batch is that of all).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from generator.allocator import restart_with_allocator
from generator.checkpoint import write_atomically
from generator.networks import GeneratorConfig
from training.errors import TrainingError
from training.learning.data_parallel import Workers, joined_workers
from training.learning.discriminator_file import load_discriminator
from training.learning.run_folder import RunFolder, sheet
from training.learning.training_loop import Training, TrainingOptions, new_discriminator, samples
from training.metrics.sliced_wasserstein import sliced_wasserstein
from training.pictures.dataset import ImageDataset
from training.stop_signals import StopSignals

SWD_PICTURES = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    defaults = TrainingOptions()
    parser.add_argument("data", type=Path, help="data set archive made by `prepare`")
    parser.add_argument("out", type=Path, help="run folder; an earlier run in it is resumed")
    parser.add_argument("--kimg", type=float, default=400.0, help="thousands of pictures to show")
    parser.add_argument("--batch", type=_positive, default=defaults.batch)
    parser.add_argument("--channel-base", type=int, default=16384, help="feature maps x resolution")
    parser.add_argument("--channel-max", type=int, default=512, help="most feature maps of a layer")
    parser.add_argument("--mapping-layers", type=int, default=2)
    parser.add_argument("--learning-rate", type=float, default=defaults.learning_rate)
    parser.add_argument(
        "--reconstruct-kimg",
        type=float,
        default=defaults.reconstruct_kimg,
        help="first learn to draw the pictures from codes of their own, for so many thousand of "
        "--kimg; then go on with it beside the adversary (default: no)",
    )
    parser.add_argument(
        "--reconstruct-weight",
        type=float,
        default=defaults.reconstruct_weight,
        help="of the distance to the pictures, beside the adversary",
    )
    parser.add_argument(
        "--feature-weight",
        type=float,
        default=defaults.feature_weight,
        help="of the distance to them in the discriminator's features (default: none)",
    )
    parser.add_argument(
        "--between-share",
        type=float,
        default=defaults.between_share,
        help="share of the pictures made for the adversary that lie between two training pictures, "
        "as in a morph (with codes; default: none)",
    )
    parser.add_argument(
        "--discriminator-base",
        type=int,
        help="feature maps x resolution of the discriminator (default: --channel-base)",
    )
    parser.add_argument(
        "--discriminator", type=Path, help="begin with this discriminator.safetensors"
    )
    parser.add_argument("--r1-gamma", type=float, default=defaults.r1_gamma)
    parser.add_argument("--pl-weight", type=float, default=defaults.pl_weight)
    parser.add_argument("--pl-interval", type=int, default=defaults.pl_interval)
    parser.add_argument("--ema-kimg", type=float, default=defaults.ema_kimg)
    parser.add_argument("--ada-target", type=float, default=defaults.ada_target)
    parser.add_argument("--ada-kimg", type=float, default=defaults.ada_kimg)
    parser.add_argument(
        "--supersampled-warp",
        action="store_true",
        help="augment without aliasing, as published; slow without a GPU",
    )
    parser.add_argument(
        "--style-mixing", type=float, default=defaults.style_mixing, help="its probability"
    )
    parser.add_argument(
        "--noise-mode",
        choices=["random", "none"],
        default=defaults.noise_mode,
        help="none: all that is seen follows from w, and no texture sticks to the screen "
        "(default: random, as published)",
    )
    parser.add_argument(
        "--emphasis",
        type=Path,
        metavar="ARCHIVE",
        help="a second data set, of pictures that are to be known by heart, such as a show's own",
    )
    parser.add_argument(
        "--emphasis-share",
        type=float,
        default=defaults.emphasis_share,
        help="its share of all that is shown (default %(default)s)",
    )
    parser.add_argument("--no-mirror", action="store_true", help="do not flip pictures")
    parser.add_argument(
        "--float32", action="store_true", help="no bfloat16 in the blocks from 16 pixels up"
    )
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--tick-kimg", type=float, default=2.0, help="kimg between log lines")
    parser.add_argument(
        "--snapshot-ticks", type=_positive, default=5, help="ticks between snapshots"
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")


def run(args: argparse.Namespace) -> int:
    """Train until --kimg pictures were shown. Raises TrainingError on unusable input."""
    restart_with_allocator(GOMP_SPINCOUNT="0")
    data = ImageDataset(args.data)
    if args.device.startswith("cuda") and not torch.cuda.is_available():
        raise TrainingError(f"--device {args.device}: this machine has no CUDA device.")
    with joined_workers() as workers:
        training = _new_training(data, args, workers)
        folder = RunFolder(args.out)
        folder.resume(training)
        if workers.rank == 0:
            folder.write_once("reals.png", lambda: sheet(data.images[:: max(len(data) // 60, 1)]))
            if training.images_shown > 0 and folder.lacks_weights():
                folder.save_weights(training)
        watch(training, folder, data, args)
    return 0


def _new_training(data: ImageDataset, args: argparse.Namespace, workers: Workers) -> Training:
    options = TrainingOptions(
        batch=args.batch,
        learning_rate=args.learning_rate,
        r1_gamma=args.r1_gamma,
        pl_weight=args.pl_weight,
        pl_interval=args.pl_interval,
        ema_kimg=args.ema_kimg,
        ada_target=args.ada_target,
        ada_kimg=args.ada_kimg,
        supersampled_warp=args.supersampled_warp,
        reconstruct_kimg=args.reconstruct_kimg,
        reconstruct_weight=args.reconstruct_weight,
        feature_weight=args.feature_weight,
        between_share=args.between_share,
        style_mixing=args.style_mixing,
        noise_mode=args.noise_mode,
        mirror=not args.no_mirror,
        emphasis_share=args.emphasis_share,
        bfloat16_from=None if args.float32 else 16,
        seed=args.seed,
    )
    emphasis = None
    if args.emphasis is not None:
        emphasised = ImageDataset(args.emphasis)
        if emphasised.resolution != data.resolution:
            raise TrainingError(
                f"{args.emphasis}: its pictures are {emphasised.resolution} px large, those of "
                f"{args.data} {data.resolution}; prepare both with the same --size."
            )
        emphasis = emphasised.images
    try:
        config = GeneratorConfig(
            img_resolution=data.resolution,
            channel_base=args.channel_base,
            channel_max=args.channel_max,
            num_mapping_layers=args.mapping_layers,
        )
        first = None
        if args.discriminator:
            first = load_discriminator(args.discriminator)[0]
        elif args.discriminator_base:
            # a stream of its own, and the same in every worker and every run of this seed
            torch.manual_seed(options.seed + 1)
            first = new_discriminator(config, args.discriminator_base)
        return Training(data.images, config, options, args.device, workers, first, emphasis)
    except ValueError as fault:
        raise TrainingError(f"{args.data}: no training with these options: {fault}.") from fault


def watch(
    training: Training, folder: RunFolder, data: ImageDataset, args: argparse.Namespace
) -> None:
    """The loop with its progress bar, log lines and snapshots.

    SIGINT and SIGTERM take effect between two steps, after the state is saved: KeyboardInterrupt
    or SystemExit. A second signal to a process that trains alone takes effect at once.
    """
    total, tick_images = int(args.kimg * 1000), int(args.tick_kimg * 1000)
    workers = training.workers
    first = workers.rank == 0
    tick_started, tick_from, ticks = time.monotonic(), training.images_shown, 0
    with (
        # torchrun may repeat a signal that the terminal has sent already
        StopSignals(second_raises=workers.count == 1) as stop,
        tqdm(
            total=total,
            initial=training.images_shown,
            unit="img",
            desc="train",
            disable=not first,
        ) as bar,
    ):
        while training.images_shown < total:
            training.step()
            bar.update(training.options.batch)
            done = training.images_shown >= total
            if done or training.images_shown - tick_from >= tick_images:
                ticks += 1
                line = tick_line(training, time.monotonic() - tick_started, tick_from)
                if first:
                    if done or ticks % args.snapshot_ticks == 0:
                        line["swd"] = snapshot(training, folder, data)
                    folder.log(line)
                    shown = ("augment_p", "d_loss", "g_loss", "reconstruction")
                    bar.set_postfix({name: line[name] for name in shown if name in line})
                tick_started, tick_from = time.monotonic(), training.images_shown
            # a signal to one stops all, after the same step
            if workers.mean(float(stop.received is not None)) > 0:
                if first:
                    folder.save_state(training)
                    folder.save_weights(training)
                stop.leave()


def tick_line(training: Training, seconds: float, tick_from: int) -> dict[str, float]:
    """The figures since `tick_from` pictures were shown; resets the statistics."""
    kimg = (training.images_shown - tick_from) / 1000
    return {
        "kimg": round(training.images_shown / 1000, 3),
        "sec_per_kimg": round(seconds / kimg, 2),
        "augment_p": round(training.augment.p, 4),
        **{name: round(mean, 5) for name, mean in training.statistics.means().items()},
    }


def snapshot(training: Training, folder: RunFolder, data: ImageDataset) -> float:
    """Save state, weights and a sheet; returns the mean sliced Wasserstein distance."""
    folder.save_state(training)
    folder.save_weights(training)
    rng = np.random.Generator(np.random.Philox(7))
    z = torch.from_numpy(rng.standard_normal((SWD_PICTURES, training.G.z_dim), dtype=np.float32))
    fakes = np.concatenate(list(samples(training.G_ema, z.to(training.device))))
    name = f"fakes-{training.images_shown // 1000:06d}.png"
    write_atomically(folder.path / name, sheet(fakes))
    n = min(len(fakes), len(data))
    chosen = np.random.default_rng(0).permutation(len(data))[:n]
    return sliced_wasserstein(data.images[chosen], fakes[:n])["mean"]


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number of at least 1 is wanted, not {text!r}")
    return int(text)
