"""Learning pictures from codes: the distance, the codes, and a run that uses them."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import pytest
import torch

from generator.networks import GeneratorConfig
from tests.tiny_networks import striped_pictures
from training.learning.reconstruction import LinearCodes, laplacian_distance
from training.learning.training_loop import Training, TrainingOptions
from training.learning.training_state import restore, state_of

pytestmark = pytest.mark.usefixtures("one_torch_thread")

CONFIG = GeneratorConfig(
    z_dim=8, w_dim=8, img_resolution=16, channel_base=128, channel_max=8, num_mapping_layers=2
)
OPTIONS = TrainingOptions(
    batch=4, reconstruct_kimg=0.4, pl_weight=0, noise_mode="none", reduced_from=None
)


def test_the_distance_is_zero_for_equals_and_grows_with_the_difference() -> None:
    picture = torch.rand(2, 3, 16, 16)
    assert float(laplacian_distance(picture, picture)) == 0
    near, far = (float(laplacian_distance(picture + d, picture)) for d in (0.1, 0.4))
    assert near == pytest.approx(0.1, rel=1e-4), "a constant lies in the coarsest level alone"
    assert far == pytest.approx(0.4, rel=1e-4)


def test_codes_are_the_whitened_components_of_pictures_and_their_mirror_images() -> None:
    pictures = striped_pictures(40)
    codes = LinearCodes.of_pictures(pictures, z_dim=24)
    images = torch.from_numpy(pictures).float() / 127.5 - 1.0
    both = torch.cat([images, images.flip(3)])
    z = torch.randn(len(both), 24)
    coded = codes.of(both, z)
    assert torch.equal(coded[:, 12:], z[:, 12:]), "half of z stays random"
    components = coded[:, :12]
    assert torch.allclose(components.mean(dim=0), torch.zeros(12), atol=1e-4)
    assert torch.allclose(torch.cov(components.T, correction=0), torch.eye(12), atol=1e-3)
    # the first component is the direction along which the pictures differ most
    rows = both.flatten(1) - both.flatten(1).mean(dim=0)
    _, singular, directions = torch.linalg.svd(rows, full_matrices=False)
    first = rows @ directions[0] / (singular[0] / math.sqrt(len(rows)))
    assert float((first * components[:, 0]).mean().abs()) == pytest.approx(1.0, abs=1e-3)


def test_the_mapping_sees_the_components_alone_and_at_its_old_scale() -> None:
    training = Training(striped_pictures(40), CONFIG, OPTIONS)
    first_layer = training.G.mapping.get_parameter("fc0.weight")
    assert first_layer[:, :4].abs().min() > 0 and not first_layer[:, 4:].any()
    untouched = Training(striped_pictures(40), CONFIG, replace(OPTIONS, reconstruct_kimg=0))
    before = untouched.G.mapping.get_parameter("fc0.weight")
    assert torch.allclose(first_layer[:, :4], before[:, :4] * math.sqrt(2.0))


def test_reconstruction_comes_first_and_the_adversary_after_it() -> None:
    training = Training(striped_pictures(10), CONFIG, OPTIONS)
    losses = []
    for _ in range(100):
        training.step()
        losses.append(training.statistics.means())
    assert all(set(means) == {"reconstruction"} for means in losses)
    distances = [means["reconstruction"] for means in losses]
    assert sum(distances[-20:]) / 20 < 0.8 * distances[0]
    training.step()
    training.step()
    assert {"g_loss", "d_loss", "reconstruction"} <= training.statistics.means().keys()


def test_from_codes_the_mapping_learns_as_fast_as_the_rest() -> None:
    training = Training(striped_pictures(40), CONFIG, replace(OPTIONS, reconstruct_kimg=0.008))
    rates = []
    for _ in range(3):
        training.step()
        mapping, synthesis = training.G_optimiser.param_groups
        rates.append(mapping["lr"] / synthesis["lr"])
    assert rates == pytest.approx([30.0, 30.0, 1.0])


def test_a_resumed_run_goes_on_as_the_unbroken_one_before_and_after_the_change() -> None:
    options = replace(OPTIONS, reconstruct_kimg=0.02)
    for steps_before in (3, 6):
        unbroken = Training(striped_pictures(10), CONFIG, options)
        for _ in range(steps_before):
            unbroken.step()
        buffer = io.BytesIO()
        torch.save(state_of(unbroken), buffer)
        buffer.seek(0)
        resumed = Training(striped_pictures(10), CONFIG, options)
        restore(resumed, torch.load(buffer, weights_only=True))
        assert resumed.codes and unbroken.codes
        assert torch.equal(resumed.codes.basis, unbroken.codes.basis)
        for _ in range(4):
            resumed.step()
        torch.manual_seed(0)
        again = Training(striped_pictures(10), CONFIG, options)
        for _ in range(steps_before + 4):
            again.step()
        for one, other in zip(resumed.G.parameters(), again.G.parameters(), strict=True):
            assert torch.equal(one, other)
