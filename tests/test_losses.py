"""Losses and their gradients against reference numbers, and by hand."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from generator.networks import NoiseMode
from tests.golden import golden_arrays
from tests.golden_networks import golden_discriminator, golden_generator
from training.losses import (
    discriminator_loss,
    generator_loss,
    path_length_penalty,
    r1_penalty,
)

pytestmark = pytest.mark.usefixtures("one_torch_thread")

Reference = Mapping[str, NDArray[Any]]

# the folder's README, section 8; the first two relative to the value
MAIN_TOLERANCE = 1e-4
PATH_LENGTH_TOLERANCE = 1e-3
NORM_TOLERANCE, NORM_FLOOR = 5e-3, 1e-5  # of the norm, plus of the largest norm
GRADIENT_TOLERANCE = 5e-3  # of the largest absolute value
R1_GAMMA = 10.0
BOTH_MODES = pytest.mark.parametrize("mode", ["const", "none"])


@pytest.fixture(scope="module")
def reference() -> Reference:
    return golden_arrays("loss.npz")


def assert_gradients(net: nn.Module, reference: Reference, phase: str, gain: float = 1.0) -> None:
    """Norms of all parameters' gradients times gain, and those gradients that are kept in full."""
    names = json.loads(bytes(reference[f"{phase}_grad_names"]))
    norms = dict(zip(names, reference[f"{phase}_grad_norms"].tolist(), strict=True))
    floor = NORM_FLOOR * max(norm for norm in norms.values() if not math.isnan(norm))
    # no gradient at all is as good as one of zeros
    gradients = {
        name: torch.zeros_like(parameter) if parameter.grad is None else parameter.grad * gain
        for name, parameter in net.named_parameters()
    }
    assert set(gradients) == set(names)
    for name, wanted in norms.items():
        wanted = 0.0 if math.isnan(wanted) else wanted
        norm = float(gradients[name].norm())
        assert norm == pytest.approx(wanted, rel=NORM_TOLERANCE, abs=floor), name
    for key in (key for key in reference if key.startswith(f"{phase}_grad/")):
        error = np.abs(gradients[key.split("/", 1)[1]].numpy() - reference[key]).max()
        assert error <= GRADIENT_TOLERANCE * np.abs(reference[key]).max(), key


def real_images(reference: Reference) -> Tensor:
    return torch.from_numpy(reference["real_u8"]).float() / 127.5 - 1.0


@BOTH_MODES
def test_the_generators_main_loss(reference: Reference, mode: NoiseMode) -> None:
    net, judge = golden_generator(), golden_discriminator()
    ws = net.mapping(torch.from_numpy(reference["z"]), update_w_avg=True)
    logits = judge(net.synthesis(ws, noise_mode=mode))
    loss = generator_loss(logits)
    loss.backward()  # type: ignore[no-untyped-call]
    fake_logits = reference[f"{mode}_Gmain_fake_logits"]
    error = np.abs(logits.detach().numpy() - fake_logits).max()
    assert error <= MAIN_TOLERANCE * np.abs(fake_logits).max()
    assert loss.item() == pytest.approx(reference[f"{mode}_Gmain_loss"].mean(), rel=MAIN_TOLERANCE)
    w_avg = reference[f"{mode}_Gmain_w_avg_after"]
    assert np.abs(net.mapping.w_avg.numpy() - w_avg).max() <= 1e-5 * np.abs(w_avg).max()
    assert_gradients(net, reference, f"{mode}_Gmain")


@BOTH_MODES
def test_the_path_lengths_of_two_calls_in_a_row(reference: Reference, mode: NoiseMode) -> None:
    z = torch.from_numpy(reference["z"])
    noise = torch.from_numpy(reference["pl_noise"])
    mean = torch.zeros([])
    for call, (part, part_noise) in enumerate([(z[:2], noise), (z.flip(0)[:2], noise.flip(0))]):
        net = golden_generator()
        ws = net.mapping(part)
        images = net.synthesis(ws, noise_mode=mode)
        penalty, mean = path_length_penalty(images, ws, part_noise, mean)
        (2.0 * penalty).backward()  # type: ignore[no-untyped-call]
        phase = f"{mode}_Greg{call}"
        assert float(mean) == pytest.approx(
            float(reference[f"{phase}_pl_mean_after"]), rel=PATH_LENGTH_TOLERANCE
        )
        assert penalty.item() == pytest.approx(
            reference[f"{phase}_pl_penalty"].mean(), rel=PATH_LENGTH_TOLERANCE
        )
        assert not mean.requires_grad
        assert_gradients(net, reference, phase)
        if phase == "const_Greg0":
            assert_gradients(net, reference, "const_Greg0_gain4", gain=4.0)


@BOTH_MODES
def test_the_discriminators_main_loss(reference: Reference, mode: NoiseMode) -> None:
    net, judge = golden_generator(), golden_discriminator()
    with torch.no_grad():
        fake = net(torch.from_numpy(reference["z"]), noise_mode=mode)
    fake_logits, real_logits = judge(fake), judge(real_images(reference))
    loss = discriminator_loss(real_logits, fake_logits)
    loss.backward()  # type: ignore[no-untyped-call]
    for name, logits in (("fake", fake_logits), ("real", real_logits)):
        wanted = reference[f"{mode}_Dmain_{name}_logits"]
        error = np.abs(logits.detach().numpy() - wanted).max()
        assert error <= MAIN_TOLERANCE * np.abs(wanted).max()
    total = sum(reference[f"{mode}_Dmain_loss_{name}"].mean() for name in ("gen", "real"))
    assert loss.item() == pytest.approx(total, rel=MAIN_TOLERANCE)
    assert_gradients(judge, reference, f"{mode}_Dmain")


def test_the_gradient_penalty(reference: Reference) -> None:
    judge = golden_discriminator()
    images = real_images(reference).requires_grad_(True)
    logits = judge(images)
    loss = r1_penalty(logits, images, R1_GAMMA)
    assert loss.item() == pytest.approx(reference["Dreg_loss"].mean(), rel=MAIN_TOLERANCE)
    (gradient,) = torch.autograd.grad(logits.sum(), images, retain_graph=True)
    wanted = reference["Dreg_r1_grads"]
    assert np.abs(gradient[:1].numpy() - wanted).max() <= 1e-4 * np.abs(wanted).max()
    loss.backward()  # type: ignore[no-untyped-call]
    assert_gradients(judge, reference, "Dreg")
    assert_gradients(judge, reference, "Dreg_gain16", gain=16.0)


def test_losses_by_hand() -> None:
    zero = torch.zeros(3, 1)
    assert float(generator_loss(zero)) == pytest.approx(math.log(2))
    assert float(discriminator_loss(zero, zero)) == pytest.approx(2 * math.log(2))
    # a sure discriminator loses nothing, and its generator the logit itself
    assert float(discriminator_loss(zero + 50, zero - 50)) == pytest.approx(0, abs=1e-6)
    assert float(generator_loss(zero - 50)) == pytest.approx(50)


def test_the_gradient_penalty_of_a_plane_is_its_slope_squared() -> None:
    slope = torch.arange(12.0).reshape(3, 2, 2)
    images = torch.randn(5, 3, 2, 2, requires_grad=True)
    logits = (images * slope).sum(dim=(1, 2, 3))[:, None]
    penalty = r1_penalty(logits, images, gamma=0.5)
    assert penalty.item() == pytest.approx(0.25 * float(slope.square().sum()))


def test_the_path_length_of_a_scaling_is_its_scale() -> None:
    # image = s w, so J^T y = s y / sqrt(H W), of mean square length s^2 for N(0, 1) noise
    torch.manual_seed(0)
    ws = torch.randn(4, 1, 3 * 64 * 64, requires_grad=True)
    images = (1.7 * ws).reshape(4, 3, 64, 64)
    penalty, mean = path_length_penalty(
        images, ws, torch.randn_like(images), torch.tensor(0.0), decay=1.0
    )
    assert float(mean) == pytest.approx(1.7 * math.sqrt(3), rel=0.02)
    assert penalty.item() < 0.01
