"""Training on tiny pictures: it moves what it should, and a resumed run is the unbroken run."""

from __future__ import annotations

import copy
import io
import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from generator.discriminator import Discriminator, DiscriminatorConfig
from generator.networks import GeneratorConfig
from tests.tiny_networks import random_generator, striped_pictures
from training.learning.data_parallel import Workers
from training.learning.fakes import Fakes
from training.learning.half_precision import reduce_discriminator, reduce_synthesis
from training.learning.sampler import EmphasisSampler, Sampler
from training.learning.training_loop import (
    StepStatistics,
    Training,
    TrainingOptions,
    new_discriminator,
    samples,
    to_uint8,
)
from training.learning.training_state import restore, state_of

pytestmark = pytest.mark.usefixtures("one_torch_thread")

CONFIG = GeneratorConfig(
    z_dim=8, w_dim=8, img_resolution=16, channel_base=128, channel_max=8, num_mapping_layers=2
)
# path length and R1 come round within a few steps, and augmentation rises whatever D says
OPTIONS = TrainingOptions(
    batch=4,
    r1_interval=3,
    pl_interval=2,
    ada_target=-2.0,
    ada_kimg=0.05,
    ema_kimg=0.02,
    reduced_from=None,
)


def make_training(options: TrainingOptions = OPTIONS, pictures: int = 10) -> Training:
    return Training(striped_pictures(pictures), CONFIG, options)


def copied(training: Training) -> dict[str, object]:
    """The state through a file, as a stopped run leaves it."""
    buffer = io.BytesIO()
    torch.save(state_of(training), buffer)
    buffer.seek(0)
    state: dict[str, object] = torch.load(buffer, weights_only=True)
    return state


def assert_equal(first: object, second: object, path: str = "state") -> None:
    """Bit for bit, through dicts and lists."""
    if isinstance(first, Tensor):
        assert isinstance(second, Tensor) and torch.equal(first, second), path
    elif isinstance(first, Mapping):
        assert isinstance(second, Mapping) and first.keys() == second.keys(), path
        for key in first:
            assert_equal(first[key], second[key], f"{path}.{key}")
    elif isinstance(first, list | tuple):
        assert isinstance(second, list | tuple) and len(first) == len(second), path
        for index, (one, other) in enumerate(zip(first, second, strict=True)):
            assert_equal(one, other, f"{path}[{index}]")
    else:
        assert first == second, path


def test_a_few_steps_move_all_networks_and_stay_finite() -> None:
    training = make_training()
    before = {
        name: copy.deepcopy(net.state_dict())
        for name, net in (("G", training.G), ("D", training.D), ("G_ema", training.G_ema))
    }
    for _ in range(4):
        training.step()
    assert training.images_shown == 16 and training.steps == 4
    means = training.statistics.means()
    assert {"g_loss", "d_loss", "r1", "pl_penalty", "pl_mean", "r_t"} <= means.keys()
    assert all(math.isfinite(mean) for mean in means.values())
    for name, net in (("G", training.G), ("D", training.D), ("G_ema", training.G_ema)):
        after = net.state_dict()
        assert all(bool(value.isfinite().all()) for value in after.values())
        still = [
            key
            for key, value in after.items()
            if torch.equal(value, before[name][key])
            and not key.endswith(("resample_filter", "noise_const"))
        ]
        assert not still, name
    assert not torch.equal(training.G_ema.mapping.w_avg, torch.zeros(8))
    assert float(training.pl_mean) > 0


def test_the_average_follows_the_generator_with_its_half_life() -> None:
    training = make_training(replace(OPTIONS, ema_kimg=1000.0, ema_rampup=1.0))
    training.step()
    before = training.G_ema.state_dict()["synthesis.b4.const"].clone()
    training.step()
    # ramp-up: the half-life is the 8 pictures shown so far, so a batch of 4 is half a half-life
    current = training.G.state_dict()["synthesis.b4.const"]
    wanted = current + (before - current) * 0.5**0.5
    assert torch.allclose(training.G_ema.state_dict()["synthesis.b4.const"], wanted, atol=1e-6)


@pytest.mark.parametrize("reduced_from", [None, 8])
def test_a_resumed_run_is_the_unbroken_run_bit_for_bit(reduced_from: int | None) -> None:
    options = replace(OPTIONS, reduced_from=reduced_from)
    unbroken = make_training(options)
    for _ in range(5):
        unbroken.step()
    state = copied(unbroken)
    for _ in range(6):
        unbroken.step()
    torch.manual_seed(99)
    resumed = make_training(options)
    restore(resumed, state)
    for _ in range(6):
        resumed.step()
    assert resumed.augment.p == pytest.approx(32 / 50)
    assert_equal(copied(unbroken), copied(resumed))


def test_equal_seeds_train_equally_and_others_do_not() -> None:
    states = []
    for seed in (1, 1, 2):
        training = make_training(replace(OPTIONS, seed=seed))
        training.step()
        states.append(copied(training))
    assert_equal(states[0], states[1])
    with pytest.raises(AssertionError):
        assert_equal(states[1]["G"], states[2]["G"])


def test_a_resumed_run_keeps_the_options_it_is_given() -> None:
    training = make_training()
    training.step()
    resumed = make_training(replace(OPTIONS, learning_rate=0.001, r1_interval=16))
    restore(resumed, copied(training))
    (group,) = resumed.D_optimiser.param_groups
    assert group["lr"] == pytest.approx(0.001 * 16 / 17)
    assert group["betas"][1] == pytest.approx(0.99 ** (16 / 17))
    first = next(iter(resumed.D_optimiser.state_dict()["state"].values()))
    assert int(first["step"]) == 2  # the main loss and R1


@pytest.mark.parametrize("name", ["G", "D_optimiser", "pl_mean", "signs", "steps"])
def test_a_state_that_lacks_a_part_is_refused(name: str) -> None:
    state = copied(make_training())
    del state[name]
    with pytest.raises(KeyError, match=name):
        restore(make_training(), state)


def test_batches_that_cannot_be_shared_are_refused() -> None:
    with pytest.raises(ValueError, match="a batch of 6 cannot be split into groups of 4"):
        make_training(replace(OPTIONS, batch=6))
    with pytest.raises(ValueError, match="a batch of 5 cannot be split over 2"):
        Training(striped_pictures(4), CONFIG, replace(OPTIONS, batch=5), workers=Workers(0, 2))
    with pytest.raises(ValueError, match="a batch of 4 cannot be split into rounds of 3"):
        make_training(replace(OPTIONS, batch_gpu=3))


def test_two_workers_share_one_batch_between_them() -> None:
    pictures = striped_pictures(40)
    options = replace(OPTIONS, batch=8)
    whole = Training(pictures, CONFIG, options)._real_batch()
    parts, latents = [], []
    for rank in (0, 1):
        parts.append(Training(pictures, CONFIG, options, workers=Workers(rank, 2)))
        latents.append(parts[rank].fakes.latents(2))
    assert torch.equal(torch.cat([part._real_batch() for part in parts]), whole)
    assert_equal(parts[0].G.state_dict(), parts[1].G.state_dict())
    assert not torch.equal(*latents)


def test_real_pictures_are_mirrored_half_of_the_time() -> None:
    lopsided = np.zeros((4, 3, 16, 16), np.uint8)
    lopsided[..., :8] = 255
    training = Training(lopsided, CONFIG, replace(OPTIONS, batch=400))
    left = training._real_batch()[:, 0, 0, 0]
    assert set(left.tolist()) == {-1.0, 1.0}
    assert 0.4 < float((left > 0).float().mean()) < 0.6
    kept = Training(lopsided, CONFIG, replace(OPTIONS, batch=40, mirror=False))
    assert bool((kept._real_batch()[:, 0, 0, 0] == 1.0).all())
    assert (lopsided[..., 0] == 255).all()  # the data set itself is left alone


def test_mixed_styles_change_once_between_the_layers() -> None:
    fakes = make_training(replace(OPTIONS, style_mixing=1.0)).fakes
    for _ in range(5):
        ws = fakes.random_ws(fakes.latents(2))
        changes = (ws[:, 1:] != ws[:, :-1]).any(dim=2)
        assert bool((changes.sum(dim=1) == 1).all())
    fakes = make_training(replace(OPTIONS, style_mixing=0.0)).fakes
    ws = fakes.random_ws(fakes.latents(2))
    assert torch.equal(ws, ws[:, :1].expand_as(ws))


def test_pictures_between_two_lie_on_the_straight_way_in_w() -> None:
    options = replace(OPTIONS, batch=8, reconstruct_kimg=0.001, between_share=0.25)
    training = make_training(options)
    assert training.codes
    wanted, z = training._real_batch()[:4], training.fakes.latents(8)
    with torch.no_grad():
        ws = training.fakes.ws_from_codes(training.codes, wanted, z)
        plain = Fakes(training.G, replace(options, between_share=0.0), "cpu")
        alone = plain.ws_from_codes(training.codes, wanted, z)
    assert torch.equal(ws[:6], alone[:6])
    places = []
    for way, start, end in zip(ws[6:], alone[:2], alone[1:3], strict=True):
        place = float(((way - start) * (end - start)).sum() / (end - start).square().sum())
        assert torch.allclose(way, start.lerp(end, place), atol=1e-5)
        places.append(place)
    assert all(0 < place < 1 for place in places) and places[0] != places[1]
    fewer = training.fakes.ws_from_codes(training.codes, wanted[:1], z)
    assert fewer.shape == ws.shape, "one picture has no way to another"


def gradients_of(training: Training, name: str) -> dict[str, Tensor]:
    """Of one phase of the first step."""
    real = training._real_batch()
    fakes = training._generator_step(real)
    if name == "D":
        training._discriminator_step(real, fakes)
    if name == "R1":
        training._r1_step(real)
    network = training.G if name == "G" else training.D
    return {
        key: parameter.grad
        for key, parameter in network.named_parameters()
        if parameter.grad is not None
    }


@pytest.mark.parametrize("phase", ["G", "D", "R1"])
def test_rounds_have_the_gradients_of_one_pass(phase: str) -> None:
    options = replace(OPTIONS, batch=8, style_mixing=0.0, noise_mode="none")
    judge = DiscriminatorConfig(
        img_resolution=16, channel_base=128, channel_max=8, mbstd_num_channels=0
    )
    gradients = []
    for at_once in (None, 2):
        torch.manual_seed(5)
        training = Training(
            striped_pictures(10),
            CONFIG,
            replace(options, batch_gpu=at_once),
            discriminator=Discriminator(judge),
        )
        assert training.rounds == (4 if at_once else 1)
        gradients.append(gradients_of(training, phase))
    whole, parts = gradients
    assert whole.keys() == parts.keys()
    assert any(float(gradient.abs().max()) > 1e-4 for gradient in whole.values())
    for name, gradient in whole.items():
        scale = float(gradient.abs().max())
        assert torch.allclose(gradient, parts[name], atol=1e-4 * scale + 1e-9), name


def test_pictures_drawn_twice_have_the_same_gradients_bit_for_bit() -> None:
    states = []
    for recompute in (False, True):
        training = make_training(replace(OPTIONS, recompute=recompute))
        for _ in range(3):
            training.step()
        states.append(copied(training))
    for name in ("G", "D", "G_optimiser", "sums"):
        assert_equal(states[0][name], states[1][name], name)


def test_a_step_in_rounds_shows_the_whole_batch() -> None:
    training = make_training(replace(OPTIONS, batch=8, batch_gpu=4))
    for _ in range(4):
        training.step()
    assert training.images_shown == 32
    assert all(math.isfinite(mean) for mean in training.statistics.means().values())


def test_frozen_layers_stay_and_the_others_learn() -> None:
    training = make_training(replace(OPTIONS, freeze_d=5))
    before = copy.deepcopy(dict(training.D.named_parameters()))
    for _ in range(3):
        training.step()
    still = {
        name.rsplit(".", 1)[0]
        for name, parameter in training.D.named_parameters()
        if torch.equal(parameter, before[name])
    }
    assert still == {"b16.fromrgb", "b16.conv0", "b16.conv1", "b16.skip", "b8.conv0"}
    with pytest.raises(ValueError, match="50 layers cannot be frozen, because there are 8"):
        make_training(replace(OPTIONS, freeze_d=50))


def test_fixed_augmentation_stays_and_none_is_none() -> None:
    for augment, p in (("fixed", 0.3), ("noaug", 0.0)):
        options = replace(OPTIONS, augment=augment, augment_p=0.3)  # type: ignore[arg-type]
        training = make_training(options)
        for _ in range(5):
            training.step()
        assert training.augment.p == p
        assert "r_t" in training.statistics.means()
        resumed = make_training(options)
        restore(resumed, copied(training))
        assert resumed.augment.p == p


def test_without_a_ramp_up_the_average_has_its_half_life_at_once() -> None:
    training = make_training(replace(OPTIONS, ema_kimg=0.004, ema_rampup=None))
    before = training.G_ema.state_dict()["synthesis.b4.const"].clone()
    training.step()
    current = training.G.state_dict()["synthesis.b4.const"]
    now = training.G_ema.state_dict()["synthesis.b4.const"]
    assert torch.allclose(now, (before + current) / 2, atol=1e-6)


def test_what_a_step_draws_follows_from_seed_step_and_rank() -> None:
    def drawn(seed: int, steps: int, rank: int) -> tuple[float, ...]:
        options = replace(OPTIONS, batch=8, seed=seed)
        training = Training(striped_pictures(4), CONFIG, options, workers=Workers(rank, 2))
        torch.manual_seed(99)
        training.steps = steps
        training._seed_draws()
        return tuple(torch.randn(3).tolist())

    cases = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert len({drawn(*case) for case in cases}) == len(cases)
    assert drawn(0, 1, 1) == drawn(0, 1, 1)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_draws_and_judges_nearly_the_same(dtype: torch.dtype) -> None:
    generator = random_generator(conv_clamp=256.0)
    z = torch.randn(4, 16)
    judge = new_discriminator(generator.config)
    wanted, logits = generator(z), judge(generator(z)).detach()
    reduce_synthesis(generator.synthesis, 8, dtype)
    reduce_discriminator(judge, 8, dtype)
    types = []
    for block in generator.synthesis.blocks():
        block.conv1.register_forward_hook(lambda _, __, made: types.append(made.dtype))
    judge.get_submodule("b8").register_forward_hook(lambda _, __, out: types.append(out[0].dtype))
    with torch.no_grad():
        images, judged = generator(z), judge(wanted)
    close = 0.02 if dtype == torch.float16 else 0.1
    assert float((images - wanted).abs().max()) < close * float(wanted.abs().max())
    assert float((judged - logits).abs().max()) < close * 2
    assert types == [torch.float32, dtype, dtype, dtype, dtype]
    assert images.dtype == torch.float32


@pytest.mark.parametrize("count", [1, 7, 12])
def test_the_sampler_shows_each_picture_once_in_a_pass(count: int) -> None:
    drawn = Sampler(count, seed=3).indices(0, 5 * count).reshape(5, count)
    assert all(sorted(part) == list(range(count)) for part in drawn)
    if count > 1:
        assert any(not np.array_equal(part, drawn[0]) for part in drawn[1:])


@pytest.mark.parametrize(("count", "seed"), [(0, 1), (5, -1)])
def test_the_sampler_refuses_what_it_cannot_shuffle(count: int, seed: int) -> None:
    with pytest.raises(ValueError, match="cannot be shuffled"):
        Sampler(count, seed)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.9])
def test_emphasised_pictures_are_their_share_of_what_is_shown(share: float) -> None:
    drawn = EmphasisSampler(10, 4, share, seed=3).indices(0, 4000)
    emphasised = drawn[drawn >= 10]
    assert len(emphasised) == pytest.approx(share * 4000, abs=1)
    for part in (drawn[drawn < 10], emphasised):
        counts = np.bincount(part)[part.min() :] if len(part) else np.zeros(1)
        assert counts.max() - counts.min() <= 1, "each as often as the others"
    jumping = EmphasisSampler(10, 4, share, seed=3)
    assert (jumping.indices(3000, 50) == drawn[3000:3050]).all()
    assert (jumping.indices(17, 9) == drawn[17:26]).all()


def test_a_share_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="leaves nothing"):
        EmphasisSampler(10, 4, 1.0, seed=3)


def test_the_sampler_needs_no_memory() -> None:
    whole = Sampler(7, seed=3).indices(0, 60)
    jumping = Sampler(7, seed=3)
    for start, n in ((50, 10), (0, 9), (13, 1), (5, 30), (7, 0)):
        assert np.array_equal(jumping.indices(start, n), whole[start : start + n])
    assert not np.array_equal(Sampler(7, seed=4).indices(0, 60), whole)


def test_statistics_are_means_since_the_last_reading() -> None:
    statistics = StepStatistics()
    for value in (1.0, 3.0):
        statistics.add("a", value)
    statistics.add("b", torch.tensor(5.0, requires_grad=True))
    assert statistics.means() == {"a": 2.0, "b": 5.0}
    assert statistics.means() == {}


def test_samples_are_pictures_of_their_z_whatever_the_batch() -> None:
    generator = make_training().G_ema
    z = torch.randn(5, 8)
    together = np.concatenate(list(samples(generator, z, batch=5)))
    apart = np.concatenate(list(samples(generator, z, batch=2)))
    assert together.shape == (5, 3, 16, 16) and together.dtype == np.uint8
    assert np.abs(together.astype(int) - apart).max() <= 1


def test_levels_are_rounded_and_held_in_range() -> None:
    values = torch.tensor([-3.0, -1.0, 0.0, 1.0, 3.0, 1 / 127.5]).reshape(6, 1, 1, 1)
    assert to_uint8(values).ravel().tolist() == [0, 0, 128, 255, 255, 128]
