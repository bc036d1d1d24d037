"""G and D of the reference snapshot `g_torch.pkl`, as our networks, ready to be trained."""

from __future__ import annotations

from pathlib import Path

import torch

from generator.checkpoint import build
from generator.legacy_checkpoint import config_from_arguments
from generator.legacy_pickle import LegacyNetwork, read_legacy_pickle
from generator.networks import Generator
from tests.golden import golden_folder
from training.discriminator import Discriminator, DiscriminatorConfig

SNAPSHOT = "g_torch.pkl"


def golden_generator() -> Generator:
    """The G of the snapshot, not its average."""
    stored = _stored("G")
    tensors = {name: torch.from_numpy(array.copy()) for name, array in stored.tensors.items()}
    config = config_from_arguments(stored.init_kwargs, Path(SNAPSHOT))
    return build(config, tensors, Path(SNAPSHOT)).train().requires_grad_(True)


def golden_discriminator() -> Discriminator:
    stored = _stored("D")
    arguments = stored.init_kwargs
    net = Discriminator(
        DiscriminatorConfig(
            img_resolution=int(arguments["img_resolution"]),
            img_channels=int(arguments["img_channels"]),
            channel_base=int(arguments["channel_base"]),
            channel_max=int(arguments["channel_max"]),
            mbstd_group_size=int(arguments["epilogue_kwargs"]["mbstd_group_size"]),
        )
    )
    # published blocks hold a low-pass of their own beside that of each convolution
    own = set(net.state_dict())
    tensors = {name: torch.from_numpy(array.copy()) for name, array in stored.tensors.items()}
    spare = {name for name in set(tensors) - own if name.endswith(".resample_filter")}
    net.load_state_dict({name: t for name, t in tensors.items() if name not in spare})
    return net


def _stored(key: str) -> LegacyNetwork:
    return read_legacy_pickle(golden_folder() / SNAPSHOT).networks[key]
