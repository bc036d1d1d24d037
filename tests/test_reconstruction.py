"""Learning pictures from codes: the distance, the codes' sphere, and a run that uses them."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import pytest
import torch

from generator.networks import GeneratorConfig
from tests.tiny_networks import striped_pictures
from training.reconstruction import Codes, laplacian_distance
from training.training_loop import Training, TrainingOptions

pytestmark = pytest.mark.usefixtures("one_torch_thread")

CONFIG = GeneratorConfig(
    z_dim=8, w_dim=8, img_resolution=16, channel_base=128, channel_max=8, num_mapping_layers=2
)
OPTIONS = TrainingOptions(
    batch=4, reconstruct_kimg=0.4, pl_weight=0, noise_mode="none", bfloat16_from=None
)


def test_the_distance_is_zero_for_equals_and_grows_with_the_difference() -> None:
    picture = torch.rand(2, 3, 16, 16)
    assert float(laplacian_distance(picture, picture)) == 0
    near, far = (float(laplacian_distance(picture + d, picture)) for d in (0.1, 0.4))
    assert near == pytest.approx(0.1, rel=1e-4), "a constant lies in the coarsest level alone"
    assert far == pytest.approx(0.4, rel=1e-4)


def test_codes_stay_on_their_sphere_and_go_downhill() -> None:
    codes = Codes(6, 8, seed=1)
    places = torch.tensor([1, 4])
    target = torch.randn(2, 8)
    target *= math.sqrt(8) / target.norm(dim=1, keepdim=True)
    first = None
    for _ in range(60):
        leaf = codes.of(places)
        loss = (leaf - target).square().sum()
        loss.backward()
        first = float(loss.detach()) if first is None else first
        codes.put(places, codes.moved(leaf, 0.05))
    assert torch.allclose(codes.table[places].norm(dim=1), torch.full((2,), math.sqrt(8)))
    assert float(loss.detach()) < 0.1 * first
    assert torch.equal(codes.table[0], Codes(6, 8, seed=1).table[0]), "others stay"


def test_reconstruction_comes_first_and_the_adversary_after_it() -> None:
    training = Training(striped_pictures(10), CONFIG, OPTIONS)
    losses = []
    for _ in range(100):
        training.step()
        losses.append(training.statistics.means())
    assert all(set(means) == {"reconstruction"} for means in losses)
    assert losses[-1]["reconstruction"] < 0.6 * losses[0]["reconstruction"]
    training.step()
    training.step()
    assert {"g_loss", "d_loss", "reconstruction"} <= training.statistics.means().keys()


def test_a_resumed_run_has_its_codes() -> None:
    options = replace(OPTIONS, reconstruct_kimg=0.02)
    unbroken = Training(striped_pictures(10), CONFIG, options)
    for _ in range(3):
        unbroken.step()
    buffer = io.BytesIO()
    torch.save(unbroken.state(), buffer)
    buffer.seek(0)
    resumed = Training(striped_pictures(10), CONFIG, options)
    resumed.restore(torch.load(buffer, weights_only=True))
    for _ in range(4):
        resumed.step()
    torch.manual_seed(0)
    again = Training(striped_pictures(10), CONFIG, options)
    for _ in range(7):
        again.step()
    assert torch.equal(resumed.codes.table, again.codes.table)
    for one, other in zip(resumed.G.parameters(), again.G.parameters(), strict=True):
        assert torch.equal(one, other)
