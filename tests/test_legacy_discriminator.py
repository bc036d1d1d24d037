"""Discriminators of published snapshots: their arguments, and faults as sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from generator.discriminator import DiscriminatorConfig
from generator.errors import CheckpointError
from generator.legacy.discriminators import (
    discriminator_config_from_arguments,
    discriminator_of_network,
    load_discriminator_pickle,
)
from generator.legacy.snapshot import LegacyNetwork
from tests.golden import golden_folder

PATH = Path("net.pkl")


def test_the_published_defaults() -> None:
    config = discriminator_config_from_arguments({}, PATH)
    assert config == DiscriminatorConfig(img_resolution=1024)
    labelled = discriminator_config_from_arguments({"c_dim": 10, "img_resolution": 32}, PATH)
    assert labelled == DiscriminatorConfig(img_resolution=32, c_dim=10, num_mapping_layers=8)
    assert labelled.label_width == 512


def test_every_argument_has_its_place() -> None:
    arguments = {
        "c_dim": 4, "img_resolution": 32, "img_channels": 1, "architecture": "orig",
        "channel_base": 512, "channel_max": 24, "num_fp16_res": 4, "conv_clamp": 256,
        "cmap_dim": 6,
        "block_kwargs": {"freeze_layers": 2, "activation": "lrelu", "fp16_channels_last": True},
        "mapping_kwargs": {
            "num_layers": 0, "embed_features": 5, "layer_features": 7, "lr_multiplier": 0.1,
        },
        "epilogue_kwargs": {"mbstd_group_size": None, "mbstd_num_channels": 2},
    }  # fmt: skip
    assert discriminator_config_from_arguments(arguments, PATH) == DiscriminatorConfig(
        c_dim=4, img_resolution=32, img_channels=1, architecture="orig", channel_base=512,
        channel_max=24, conv_clamp=256.0, cmap_dim=6, num_mapping_layers=0, embed_features=5,
        layer_features=7, lr_multiplier=0.1, mbstd_group_size=None, mbstd_num_channels=2,
    )  # fmt: skip


FAULTS: list[tuple[dict[Any, Any], str]] = [
    ({"img_resolution": 48}, "power of two"),
    ({"img_resolution": 2**30}, "img_resolution=1073741824"),
    ({"img_resolution": True}, "img_resolution=True"),
    ({"channel_base": 1}, "no channels at its first size"),
    ({"architecture": "unet"}, "architecture must be one of"),
    ({"conv_clamp": "256"}, "conv_clamp='256'"),
    ({"conv_clamp": float("nan")}, "conv_clamp=nan"),
    ({"wings": 2}, "was made with wings, which is not known"),
    ({3: 1, "wings": 2}, "was made with 3, wings, which is not known"),
    ({"epilogue_kwargs": [4]}, "epilogue_kwargs of its discriminator is no mapping"),
    ({"epilogue_kwargs": {"mbstd_group_size": 0}}, "mbstd_group_size=0"),
    ({"block_kwargs": {"activation": "swish"}}, "only 'lrelu' is supported"),
    ({"mapping_kwargs": {"num_layers": 65}}, "num_layers=65"),
    ({"img_resolution": 64, "channel_max": 60000}, "lacks"),
]


@pytest.mark.parametrize(("arguments", "reason"), FAULTS)
def test_arguments_that_do_not_fit_are_a_sentence(arguments: dict[Any, Any], reason: str) -> None:
    stored = LegacyNetwork("Discriminator", arguments, {"b4.out.bias": np.zeros(1, "f4")})
    with pytest.raises(CheckpointError, match=r"^net\.pkl") as caught:
        discriminator_of_network(stored, PATH)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "name", ["g_torch.pkl", "g_torch_cond.pkl", "g_torch_fp16.pkl", "g_tf.pkl"]
)
def test_the_discriminator_of_every_reference_snapshot_is_read(name: str) -> None:
    net = load_discriminator_pickle(golden_folder() / name)
    assert not net.training and not any(p.requires_grad for p in net.parameters())
    assert (net.config.c_dim, net.config.architecture) == (
        (4, "orig") if name == "g_torch_cond.pkl" else (0, "resnet")
    )
