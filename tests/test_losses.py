"""Losses and their gradients against reference numbers, and by hand."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from generator.networks import NoiseMode
from tests.golden import Array, compares, golden_arrays, met, met_names
from tests.golden_networks import golden_discriminator, golden_generator
from training.learning.fakes import Fakes
from training.learning.losses import (
    discriminator_loss,
    generator_loss,
    path_length_penalty,
    path_lengths,
    path_slopes,
    r1_penalty,
    squared_slopes,
)
from training.learning.options import TrainingOptions

pytestmark = pytest.mark.usefixtures("one_torch_thread")

Reference = Mapping[str, Array]

FILE = "loss.npz"
# the folder's README, section 8
MAIN_TOLERANCE = 1e-4  # of each value
PATH_LENGTH_TOLERANCE = 1e-3  # of each value
NORM_TOLERANCE, NORM_FLOOR = 5e-3, 1e-5  # of each norm, plus of the largest norm
GRADIENT_TOLERANCE = 5e-3  # of the largest absolute value
LOGIT_TOLERANCE = 1e-4  # of the largest absolute value
R1_GAMMA, PL_WEIGHT = 10.0, 2.0
BOTH_MODES = pytest.mark.parametrize("mode", ["const", "none"])


@pytest.fixture
def reference() -> Reference:
    return golden_arrays(FILE)


def each(loss: Callable[..., Tensor], *logits: Tensor) -> list[list[float]]:
    """The loss of every picture alone: [N, 1]."""
    return [[float(loss(*row).detach())] for row in zip(*logits, strict=True)]


def met_gradients(net: nn.Module, phase: str, gain: float = 1.0) -> None:
    """Norms of all parameters' gradients times gain, and those gradients that are kept in full."""
    # no gradient at all is as good as one of zeros
    gradients = {
        name: torch.zeros_like(parameter) if parameter.grad is None else parameter.grad * gain
        for name, parameter in net.named_parameters()
    }
    reference = golden_arrays(FILE)
    met_names(FILE, f"{phase}_grad_names", gradients)
    norms = [
        float(gradients[name].norm())
        for name in json.loads(bytes(reference[f"{phase}_grad_names"]))
    ]
    met(FILE, f"{phase}_grad_norms", norms, relative=NORM_TOLERANCE, of_max=NORM_FLOOR)
    for key in reference:
        if key.startswith(f"{phase}_grad/"):
            met(FILE, key, gradients[key.split("/", 1)[1]], of_max=GRADIENT_TOLERANCE)


def real_images(reference: Reference) -> Tensor:
    return torch.from_numpy(reference["real_u8"]).float() / 127.5 - 1.0


@BOTH_MODES
@compares(FILE, "{mode}_Gmain_*")
def test_the_generators_main_loss(reference: Reference, mode: NoiseMode) -> None:
    net, judge = golden_generator(), golden_discriminator()
    ws = net.mapping(torch.from_numpy(reference["z"]), update_w_avg=True)
    logits = judge(net.synthesis(ws, noise_mode=mode))
    loss = generator_loss(logits)
    loss.backward()  # type: ignore[no-untyped-call]
    phase = f"{mode}_Gmain"
    met(FILE, f"{phase}_fake_logits", logits.detach(), of_max=LOGIT_TOLERANCE)
    met(FILE, f"{phase}_loss", each(generator_loss, logits), relative=MAIN_TOLERANCE)
    assert loss.item() == pytest.approx(reference[f"{phase}_loss"].mean(), rel=MAIN_TOLERANCE)
    met(FILE, f"{phase}_w_avg_after", net.mapping.w_avg, of_max=1e-5)
    met_gradients(net, phase)


@compares(FILE, "mix_ws", "mix_w_avg_after", "mix_fake_logits")
def test_mixed_styles(reference: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pictures of a training step, with the reference's draws for its random numbers."""
    net, judge = golden_generator(), golden_discriminator()
    options = TrainingOptions(style_mixing=1.0, noise_mode="const")  # type: ignore[arg-type]
    fakes = Fakes(net, options, "cpu")
    drawn = {"randn": "z", "randn_like": "mix_z2", "randint": "mix_cutoff"}
    for function, name in drawn.items():
        value = torch.from_numpy(reference[name])
        monkeypatch.setattr(torch, function, lambda *_, value=value, **__: value)
    ws = fakes.random_ws(fakes.latents(4), updates_w_avg=True)
    images = fakes.pictures(ws)
    met(FILE, "mix_ws", ws.detach(), of_max=1e-5)
    met(FILE, "mix_w_avg_after", net.mapping.w_avg, of_max=1e-5)
    met(FILE, "mix_fake_logits", judge(images).detach(), of_max=LOGIT_TOLERANCE)


@BOTH_MODES
@compares(FILE, "{mode}_Greg*")
def test_the_path_lengths_of_two_calls_in_a_row(reference: Reference, mode: NoiseMode) -> None:
    z = torch.from_numpy(reference["z"])
    noise = torch.from_numpy(reference["pl_noise"])
    mean = torch.zeros([])
    for call, (part, part_noise) in enumerate([(z[:2], noise), (z.flip(0)[:2], noise.flip(0))]):
        net, phase = golden_generator(), f"{mode}_Greg{call}"
        ws = net.mapping(part)
        images = net.synthesis(ws, noise_mode=mode)
        slopes = path_slopes(images, ws, part_noise).detach()
        penalty, mean = path_length_penalty(images, ws, part_noise, mean)
        (PL_WEIGHT * penalty).backward()  # type: ignore[no-untyped-call]
        if f"{phase}_pl_grads" in reference:
            met(FILE, f"{phase}_pl_grads", slopes, of_max=GRADIENT_TOLERANCE)
        lengths = path_lengths(slopes)
        met(FILE, f"{phase}_pl_lengths", lengths, relative=PATH_LENGTH_TOLERANCE)
        met(FILE, f"{phase}_pl_mean_after", mean, relative=PATH_LENGTH_TOLERANCE)
        penalties = (lengths - mean).square()
        assert penalty.item() == pytest.approx(float(penalties.mean()), rel=1e-5)
        met(FILE, f"{phase}_pl_penalty", penalties, relative=PATH_LENGTH_TOLERANCE)
        met(FILE, f"{phase}_loss", PL_WEIGHT * penalties, relative=PATH_LENGTH_TOLERANCE)
        assert not mean.requires_grad
        met_gradients(net, phase)
        if phase == "const_Greg0":
            met_gradients(net, "const_Greg0_gain4", gain=4.0)


@BOTH_MODES
@compares(FILE, "{mode}_Dmain_*")
def test_the_discriminators_main_loss(reference: Reference, mode: NoiseMode) -> None:
    net, judge = golden_generator(), golden_discriminator()
    with torch.no_grad():
        fake = net(torch.from_numpy(reference["z"]), noise_mode=mode)
    fake_logits, real_logits = judge(fake), judge(real_images(reference))
    loss = discriminator_loss(real_logits, fake_logits)
    loss.backward()  # type: ignore[no-untyped-call]
    phase = f"{mode}_Dmain"
    met(FILE, f"{phase}_fake_logits", fake_logits.detach(), of_max=LOGIT_TOLERANCE)
    met(FILE, f"{phase}_real_logits", real_logits.detach(), of_max=LOGIT_TOLERANCE)
    # each half is the whole loss where the other logit is beyond doubt
    sure = torch.full_like(fake_logits, 1e3)
    halves = {
        "gen": each(discriminator_loss, sure, fake_logits),
        "real": each(discriminator_loss, real_logits, -sure),
        "total": each(discriminator_loss, real_logits, fake_logits),
    }
    for name, losses in halves.items():
        met(FILE, f"{phase}_loss_{name}", losses, relative=MAIN_TOLERANCE)
    assert loss.item() == pytest.approx(np.mean(halves["total"]), rel=1e-5)
    met_gradients(judge, phase)


@compares(FILE, "Dreg_*")
def test_the_gradient_penalty(reference: Reference) -> None:
    judge = golden_discriminator()
    images = real_images(reference).requires_grad_(True)
    logits = judge(images)
    met(FILE, "Dreg_real_logits", logits.detach(), of_max=LOGIT_TOLERANCE)
    squares = squared_slopes(logits, images).detach()
    loss = r1_penalty(logits, images, R1_GAMMA)
    met(FILE, "Dreg_r1_penalty", squares, relative=MAIN_TOLERANCE)
    met(FILE, "Dreg_loss", squares * (R1_GAMMA / 2), relative=MAIN_TOLERANCE)
    assert loss.item() == pytest.approx(reference["Dreg_loss"].mean(), rel=MAIN_TOLERANCE)
    (gradient,) = torch.autograd.grad(logits.sum(), images, retain_graph=True)
    met(FILE, "Dreg_r1_grads", gradient[:1], of_max=1e-4)
    loss.backward()  # type: ignore[no-untyped-call]
    met_gradients(judge, "Dreg")
    met_gradients(judge, "Dreg_gain16", gain=16.0)


@compares(FILE, "Dboth_*")
def test_both_losses_of_the_discriminator_in_one_pass(reference: Reference) -> None:
    net, judge = golden_generator(), golden_discriminator()
    with torch.no_grad():
        fake = net(torch.from_numpy(reference["z"]), noise_mode="const")
    images = real_images(reference).requires_grad_(True)
    logits = judge(images)
    loss = discriminator_loss(logits, judge(fake)) + r1_penalty(logits, images, R1_GAMMA)
    loss.backward()  # type: ignore[no-untyped-call]
    met_gradients(judge, "Dboth")


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
