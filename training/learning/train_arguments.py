"""The options of `train`, and what they come to with the configuration that they change."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TypeVar, get_args

import torch

from generator.discriminator import Discriminator
from generator.networks import GeneratorConfig
from training.learning.augment import PIPES
from training.learning.configurations import NAMES, TRANSFER_ADA_KIMG, Configuration
from training.learning.discriminator_file import load_discriminator
from training.learning.options import Augmenting, NoiseInputs, TrainingOptions
from training.learning.training_loop import new_discriminator
from training.learning.transfer import Learned

Value = TypeVar("Value")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this verb; what the configuration says has no default here."""
    defaults = TrainingOptions()
    parser.add_argument("data", type=Path, help="data set archive made by `prepare`")
    parser.add_argument("out", type=Path, help="run folder; an earlier run in it is resumed")
    parser.add_argument(
        "--config",
        choices=NAMES,
        help="published numbers by name, each of which an option below may change "
        "(default: auto on a GPU, demo on a CPU)",
    )
    parser.add_argument(
        "--data",
        dest="added",
        type=Path,
        action="append",
        default=[],
        metavar="ARCHIVE",
        help="one more data set of the same size; may be repeated, and added to a run on resume",
    )
    _add_networks(parser)
    _add_pace(parser, defaults)
    _add_augmentation(parser, defaults)
    _add_codes(parser, defaults)
    parser.add_argument("--no-mirror", action="store_true", help="do not flip pictures")
    parser.add_argument(
        "--float32", action="store_true", help="no half precision in the highest resolutions"
    )
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--tick-kimg", type=float, default=2.0, help="kimg between log lines")
    parser.add_argument(
        "--snapshot-ticks", type=_positive, default=5, help="ticks between snapshots"
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")


def _add_networks(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--channel-base", type=_positive, help="feature maps x resolution")
    parser.add_argument("--channel-max", type=_positive, help="most feature maps of a layer")
    parser.add_argument("--mapping-layers", type=_positive)
    parser.add_argument(
        "--discriminator-base",
        type=_positive,
        help="feature maps x resolution of the discriminator (default: the generator's)",
    )
    parser.add_argument(
        "--resume",
        type=Path,
        metavar="FILE",
        help="begin with what was learned already: a published .pkl, a run folder, or a "
        "generator.safetensors (with --discriminator); the networks are of its shape",
    )
    parser.add_argument(
        "--discriminator", type=Path, help="begin with this discriminator.safetensors"
    )
    parser.add_argument(
        "--freeze-d",
        type=_whole,
        default=0,
        metavar="N",
        help="the N layers of the discriminator nearest to the picture do not learn",
    )


def _add_pace(parser: argparse.ArgumentParser, defaults: TrainingOptions) -> None:
    parser.add_argument("--kimg", type=float, help="thousands of pictures to show")
    parser.add_argument("--batch", type=_positive, help="pictures of a step, of all GPUs")
    parser.add_argument(
        "--batch-gpu",
        type=_positive,
        metavar="N",
        help="pictures that a GPU takes at once; less memory, the same step (default: all)",
    )
    parser.add_argument(
        "--recompute",
        action="store_true",
        help="draw the pictures that are judged twice rather than keep what their gradient needs",
    )
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--r1-gamma", "--gamma", type=float)
    parser.add_argument("--pl-weight", type=float)
    parser.add_argument("--pl-interval", type=_positive, default=defaults.pl_interval)
    parser.add_argument("--ema-kimg", type=float, help="half-life of the averaged generator")
    parser.add_argument("--style-mixing", type=float, help="its probability")
    parser.add_argument(
        "--noise-mode",
        choices=get_args(NoiseInputs),
        default=defaults.noise_mode,
        help="none: all that is seen follows from w, and no texture sticks to the screen "
        "(default: random, as published)",
    )


def _add_augmentation(parser: argparse.ArgumentParser, defaults: TrainingOptions) -> None:
    parser.add_argument(
        "--augment",
        choices=get_args(Augmenting),
        default=defaults.augment,
        help="ada: as often as the discriminator needs it (default); fixed: with --augment-p",
    )
    parser.add_argument(
        "--augpipe",
        choices=tuple(PIPES),
        default=defaults.augment_pipe,
        help="blitting, geometry, colour, filter, noise, cutout by their letters (default bgc)",
    )
    parser.add_argument("--augment-p", type=float, default=defaults.augment_p)
    parser.add_argument("--ada-target", "--target", type=float, default=defaults.ada_target)
    parser.add_argument(
        "--ada-kimg",
        type=float,
        help=f"in which p can go from 0 to 1 (default {defaults.ada_kimg:g}; with --resume "
        f"{TRANSFER_ADA_KIMG:g})",
    )
    parser.add_argument(
        "--supersampled-warp",
        action=argparse.BooleanOptionalAction,
        help="augment without aliasing, as published (default: on a GPU; slow without one)",
    )


def _add_codes(parser: argparse.ArgumentParser, defaults: TrainingOptions) -> None:
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


def training_options(
    args: argparse.Namespace, numbers: Configuration, device: str
) -> TrainingOptions:
    """Raises ValueError for what cannot be."""
    transfer = args.resume is not None
    warp = args.supersampled_warp
    return TrainingOptions(
        batch=_given(args.batch, numbers.batch),
        batch_gpu=args.batch_gpu,
        recompute=args.recompute,
        learning_rate=_given(args.learning_rate, numbers.learning_rate),
        r1_gamma=_given(args.r1_gamma, numbers.r1_gamma),
        pl_weight=_given(args.pl_weight, numbers.pl_weight),
        pl_interval=args.pl_interval,
        style_mixing=_given(args.style_mixing, numbers.style_mixing),
        noise_mode=args.noise_mode,
        ema_kimg=_given(args.ema_kimg, numbers.ema_kimg),
        ema_rampup=None if transfer else numbers.ema_rampup,
        augment=args.augment,
        augment_pipe=args.augpipe,
        augment_p=args.augment_p,
        ada_target=args.ada_target,
        ada_kimg=_given(args.ada_kimg, TRANSFER_ADA_KIMG if transfer else TrainingOptions.ada_kimg),
        supersampled_warp=_given(warp, device.startswith("cuda")),
        freeze_d=args.freeze_d,
        reconstruct_kimg=args.reconstruct_kimg,
        reconstruct_weight=args.reconstruct_weight,
        feature_weight=args.feature_weight,
        between_share=args.between_share,
        mirror=not args.no_mirror,
        emphasis_share=args.emphasis_share,
        reduced_from=None if args.float32 else numbers.reduced_from,
        seed=args.seed,
    )


def generator_config(
    args: argparse.Namespace, numbers: Configuration, resolution: int, learned: Learned | None
) -> GeneratorConfig:
    """Of the shape of what was learned already, or of the configuration's. Raises ValueError."""
    if learned is None:
        shape = GeneratorConfig(
            img_resolution=resolution,
            channel_base=numbers.channel_base,
            channel_max=numbers.channel_max,
            num_mapping_layers=numbers.mapping_layers,
        )
    else:
        shape = replace(learned.config, img_channels=3, c_dim=0, embed_features=None)
    return replace(
        shape,
        conv_clamp=numbers.conv_clamp,
        channel_base=_given(args.channel_base, shape.channel_base),
        channel_max=_given(args.channel_max, shape.channel_max),
        num_mapping_layers=_given(args.mapping_layers, shape.num_mapping_layers),
    )


def first_discriminator(
    args: argparse.Namespace,
    numbers: Configuration,
    config: GeneratorConfig,
    learned: Learned | None,
) -> Discriminator:
    """That of --discriminator, or an untrained one. Raises TrainingError, ValueError."""
    if args.discriminator:
        return load_discriminator(args.discriminator)[0]
    # a stream of its own, and the same in every worker and every run of this seed
    torch.manual_seed(args.seed + 1)
    if learned is None or learned.discriminator_config is None or args.discriminator_base:
        return new_discriminator(
            config,
            args.discriminator_base,
            mbstd_group=numbers.mbstd_group,
            architecture=numbers.architecture,
        )
    shape = replace(
        learned.discriminator_config,
        img_channels=3,
        c_dim=0,
        mbstd_group_size=numbers.mbstd_group,
        conv_clamp=numbers.conv_clamp,
    )
    return Discriminator(shape)


def _given(value: Value | None, otherwise: Value) -> Value:
    return otherwise if value is None else value


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number of at least 1 is wanted, not {text!r}")
    return int(text)


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a whole number is wanted, not {text!r}")
    return int(text)
