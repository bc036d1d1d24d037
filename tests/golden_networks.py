"""Networks of the reference snapshots; those of `g_torch.pkl` as they are trained in `loss.npz`."""

from __future__ import annotations

import functools

from generator.discriminator import Discriminator
from generator.legacy.discriminators import discriminator_of_network
from generator.legacy.generators import generator_of_network
from generator.legacy.reader import read_legacy_pickle
from generator.legacy.snapshot import LegacySnapshot
from generator.networks import Generator
from tests.golden import golden_folder

SNAPSHOT = "g_torch.pkl"


def golden_generator() -> Generator:
    """The G of the snapshot, not its average."""
    network = generator_of_network(_snapshot(SNAPSHOT).networks["G"], golden_folder() / SNAPSHOT)
    return network.train().requires_grad_(True)


def golden_discriminator(snapshot: str = SNAPSHOT) -> Discriminator:
    stored = _snapshot(snapshot).networks["D"]
    return discriminator_of_network(stored, golden_folder() / snapshot).requires_grad_(True)


@functools.cache
def _snapshot(name: str) -> LegacySnapshot:
    return read_legacy_pickle(golden_folder() / name)
