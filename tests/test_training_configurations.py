"""The published numbers by name, and the options that change them."""

from __future__ import annotations

import argparse

import pytest

from training.learning.configurations import NAMES, Configuration, configuration
from training.learning.train_arguments import (
    add_arguments,
    first_discriminator,
    generator_config,
    training_options,
)

# batch, mbstd group, channel base, learning rate, gamma, EMA kimg, ramp-up, mapping layers
PUBLISHED = {
    "stylegan2": (32, 4, 32768, 0.002, 10, 10, None, 8),
    "paper256": (64, 8, 16384, 0.0025, 1, 20, None, 8),
    "paper512": (64, 8, 32768, 0.0025, 0.5, 20, None, 8),
    "paper1024": (32, 4, 32768, 0.002, 2, 10, None, 8),
    "cifar": (64, 32, 32768, 0.0025, 0.01, 500, 0.05, 2),
}


def numbers_of(chosen: Configuration) -> tuple[object, ...]:
    return (
        chosen.batch,
        chosen.mbstd_group,
        chosen.channel_base,
        chosen.learning_rate,
        chosen.r1_gamma,
        chosen.ema_kimg,
        chosen.ema_rampup,
        chosen.mapping_layers,
    )


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(["data.zip", "run", *words])


@pytest.mark.parametrize("name", PUBLISHED)
def test_fixed_configurations_are_the_published_ones(name: str) -> None:
    chosen = configuration(name, 256, 1)
    assert numbers_of(chosen) == PUBLISHED[name]
    assert chosen.channel_max == 512 and chosen.kimg == 25000 and chosen.conv_clamp == 256
    orig = name == "cifar"
    assert (chosen.pl_weight, chosen.style_mixing) == ((0, 0) if orig else (2, 0.9))
    assert chosen.architecture == ("orig" if orig else "resnet")


@pytest.mark.parametrize(
    ("resolution", "workers", "numbers"),
    [
        (64, 1, (32, 4, 16384, 0.0025, 0.0256, 10, 0.05, 2)),
        (256, 1, (16, 4, 16384, 0.0025, 0.8192, 5, 0.05, 2)),
        (256, 8, (64, 4, 16384, 0.0025, 0.2048, 20, 0.05, 2)),
        (512, 2, (16, 4, 32768, 0.0025, 3.2768, 5, 0.05, 2)),
        (1024, 1, (4, 4, 32768, 0.002, 52.4288, 1.25, 0.05, 2)),
        (1024, 8, (32, 4, 32768, 0.002, 6.5536, 10, 0.05, 2)),
        (32, 100, (100, 1, 16384, 0.0025, 0.002048, 31.25, 0.05, 2)),
    ],
)
def test_auto_follows_from_resolution_and_gpus(
    resolution: int, workers: int, numbers: tuple[float, ...]
) -> None:
    assert numbers_of(configuration("auto", resolution, workers)) == pytest.approx(numbers)


@pytest.mark.parametrize(("resolution", "lowest"), [(1024, 128), (256, 32), (64, 8), (16, 8)])
def test_the_four_highest_resolutions_are_in_half_precision(resolution: int, lowest: int) -> None:
    for name in set(NAMES) - {"demo"}:
        assert configuration(name, resolution, 1).reduced_from == lowest


def test_the_demo_is_what_training_was_before_there_were_configurations() -> None:
    chosen = configuration("demo", 64, 2)
    assert numbers_of(chosen) == (32, 4, 16384, 0.0025, 0.05, 10, 0.05, 2)
    assert chosen.conv_clamp is None and chosen.kimg == 400 and chosen.reduced_from == 16


def test_options_change_the_configuration_and_the_rest_stays() -> None:
    numbers = configuration("paper256", 256, 1)
    plain = training_options(parsed(), numbers, "cpu")
    assert (plain.batch, plain.r1_gamma, plain.ema_rampup, plain.ada_kimg) == (64, 1, None, 500)
    assert plain.augment == "ada" and plain.augment_pipe == "bgc" and plain.reduced_from == 32
    words = (
        "--batch 8 --batch-gpu 4 --gamma 3 --pl-weight 0 --style-mixing 0 --augment fixed "
        "--augpipe bgcfnc --augment-p 0.4 --target 0.7 --freeze-d 4 --float32 --ema-kimg 2"
    ).split()
    changed = training_options(parsed(*words), numbers, "cpu")
    assert (changed.batch, changed.batch_gpu, changed.r1_gamma, changed.ema_kimg) == (8, 4, 3, 2)
    assert (changed.pl_weight, changed.style_mixing, changed.freeze_d) == (0, 0, 4)
    assert (changed.augment, changed.augment_pipe, changed.augment_p) == ("fixed", "bgcfnc", 0.4)
    assert changed.ada_target == 0.7 and changed.reduced_from is None
    assert changed.learning_rate == plain.learning_rate


def test_transfer_moves_augmentation_faster_and_averages_at_once() -> None:
    numbers = configuration("auto", 64, 1)
    transfer = training_options(parsed("--resume", "ffhq.pkl"), numbers, "cpu")
    assert transfer.ada_kimg == 100 and transfer.ema_rampup is None
    asked = training_options(parsed("--resume", "a.pkl", "--ada-kimg", "300"), numbers, "cpu")
    assert asked.ada_kimg == 300


def test_the_networks_are_those_of_the_configuration() -> None:
    numbers = configuration("cifar", 32, 1)
    config = generator_config(parsed("--channel-base", "256"), numbers, 32, None)
    assert (config.channel_base, config.num_mapping_layers, config.conv_clamp) == (256, 2, 256)
    judge = first_discriminator(parsed(), numbers, config, None).config
    assert (judge.architecture, judge.mbstd_group_size, judge.conv_clamp) == ("orig", 32, 256)
    assert judge.channel_base == 256
    other = first_discriminator(parsed("--discriminator-base", "128"), numbers, config, None)
    assert other.config.channel_base == 128


def test_the_published_warp_is_the_default_on_a_gpu() -> None:
    numbers = configuration("demo", 64, 1)
    assert training_options(parsed(), numbers, "cuda:1").supersampled_warp
    assert not training_options(parsed(), numbers, "cpu").supersampled_warp
    assert not training_options(parsed("--no-supersampled-warp"), numbers, "cuda").supersampled_warp
