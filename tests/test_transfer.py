"""Beginning with networks that have learned already."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from generator.allocator import SETTINGS
from generator.checkpoint import save_discriminator, save_generator
from generator.discriminator import Discriminator
from generator.legacy.reader import read_legacy_pickle
from generator.networks import GeneratorConfig
from tests.golden import golden_folder
from tests.tiny_networks import striped_pictures, write_archive
from training.__main__ import main
from training.errors import TrainingError
from training.learning.run_folder import RunFolder
from training.learning.training_loop import Training, TrainingOptions
from training.learning.transfer import Learned, read_learned, take_over

pytestmark = pytest.mark.usefixtures("one_torch_thread")

CONFIG = GeneratorConfig(
    z_dim=8, w_dim=8, img_resolution=16, channel_base=128, channel_max=8, num_mapping_layers=2
)
OPTIONS = TrainingOptions(batch=4, reduced_from=None)


def trained(steps: int = 2, seed: int = 3) -> Training:
    training = Training(striped_pictures(8), CONFIG, replace(OPTIONS, seed=seed))
    for _ in range(steps):
        training.step()
    return training


def equal(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    theirs = other.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in one.state_dict().items())


def begun_with(learned: Learned) -> tuple[Training, str]:
    """A new run of the same shape and another seed."""
    config = replace(learned.config, conv_clamp=None)
    judge = Discriminator(learned.discriminator_config) if learned.discriminator_config else None
    pictures = striped_pictures(8, config.img_resolution)
    training = Training(pictures, config, OPTIONS, discriminator=judge)
    return training, take_over(training, learned, discriminator=True)


@pytest.mark.parametrize("snapshot", ["g_torch.pkl", "g_tf.pkl"])
def test_a_published_snapshot_goes_on_with_its_own_g_d_and_average(snapshot: str) -> None:
    path = golden_folder() / snapshot
    learned = read_learned(path)
    training, line = begun_with(learned)
    assert line == f"begun with G and D of {path}"
    published = read_legacy_pickle(path).networks
    for name, network in (("G", training.G), ("G_ema", training.G_ema), ("D", training.D)):
        own = network.state_dict()
        for key, array in published[name].tensors.items():
            if key in own and not key.endswith("resample_filter"):
                assert np.array_equal(own[key].numpy(), np.asarray(array, np.float32)), key
    assert not equal(training.G, training.G_ema)
    training.step()


def test_a_run_folder_goes_on_with_all_three(tmp_path: Path) -> None:
    before = trained()
    RunFolder(tmp_path).save_state(before)
    training, line = begun_with(read_learned(tmp_path))
    assert "not taken over" not in line
    assert equal(training.G, before.G) and equal(training.D, before.D)
    assert equal(training.G_ema, before.G_ema)
    assert training.images_shown == 0 and training.augment.p == 0


def test_a_generator_file_is_both_g_and_its_average(tmp_path: Path) -> None:
    before = trained()
    path = tmp_path / "generator.safetensors"
    save_generator(before.G_ema, path, torch.float32)
    training, line = begun_with(read_learned(path))
    assert line == f"begun with G of {path}"
    assert equal(training.G, before.G_ema) and equal(training.G_ema, before.G_ema)


def test_what_does_not_fit_is_named_and_left(tmp_path: Path) -> None:
    RunFolder(tmp_path).save_state(trained())
    learned = read_learned(tmp_path)
    config = replace(learned.config, num_mapping_layers=3, channel_base=64)
    training = Training(striped_pictures(8), config, OPTIONS)
    own = training.G.state_dict()["synthesis.b16.conv0.weight"].clone()
    line = take_over(training, learned, discriminator=True)
    assert (
        "; not taken over: G mapping.fc2.bias, G mapping.fc2.weight, G synthesis.b16.conv0" in line
    )
    assert line.endswith("more") and "resample_filter" not in line
    weights = training.G.state_dict()
    assert torch.equal(weights["synthesis.b16.conv0.weight"], own)
    assert torch.equal(weights["synthesis.b4.const"], learned.G["synthesis.b4.const"])


@pytest.mark.parametrize("name", ["nothing.pkl", "text.pkl", "folder"])
def test_what_holds_no_networks_is_a_sentence(name: str, tmp_path: Path) -> None:
    (tmp_path / "text.pkl").write_bytes(b"<html>not found</html>")
    (tmp_path / "folder").mkdir()
    with pytest.raises(TrainingError, match=name):
        read_learned(tmp_path / name)


WORDS = (
    "--batch 4 --kimg 0.008 --tick-kimg 0.004 --device cpu --float32 --seed 5 --augment noaug"
).split()


@pytest.fixture
def no_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside pytest the verb must not start its process anew; it does not with these settings."""
    for name, value in {**SETTINGS, "GOMP_SPINCOUNT": "0"}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.slow
def test_the_verb_begins_with_a_published_snapshot_once_and_then_resumes(
    tmp_path: Path, no_restart: None, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_archive(tmp_path / "data.zip", striped_pictures(6, 64))
    path = golden_folder() / "g_torch.pkl"
    words = ["train", str(data), str(tmp_path / "run"), *WORDS, "--resume", str(path)]
    words += ["--freeze-d", "3"]
    assert main(words) == 0
    assert f"begun with G and D of {path}\n" in capsys.readouterr().out
    state = torch.load(tmp_path / "run" / "state.pt", weights_only=True)
    published = read_legacy_pickle(path).networks["D"].tensors["b64.conv0.weight"]
    assert np.array_equal(state["D"]["b64.conv0.weight"].numpy(), published), "frozen"
    assert not np.array_equal(
        state["D"]["b32.conv0.weight"].numpy(),
        read_legacy_pickle(path).networks["D"].tensors["b32.conv0.weight"],
    )
    assert main([*words, "--kimg", "0.012"]) == 0
    told = capsys.readouterr().out
    assert "resumed at 0.0 kimg" in told and "begun with" not in told


def test_pictures_of_another_size_are_a_sentence(
    tmp_path: Path, no_restart: None, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_archive(tmp_path / "data.zip", striped_pictures(4))
    words = ["--resume", str(golden_folder() / "g_torch.pkl")]
    assert main(["train", str(data), str(tmp_path / "run"), *WORDS, *words]) == 2
    assert "it draws pictures of 64 px, and those of" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_generator_with_its_discriminator(tmp_path: Path, no_restart: None) -> None:
    before = trained()
    save_generator(before.G_ema, tmp_path / "generator.safetensors")
    save_discriminator(before.D, tmp_path / "discriminator.safetensors")
    data = write_archive(tmp_path / "data.zip", striped_pictures(4))
    words = ["--resume", str(tmp_path / "generator.safetensors"), "--kimg", "0.004"]
    words += ["--discriminator", str(tmp_path / "discriminator.safetensors")]
    words += ["--learning-rate", "0"]
    assert main(["train", str(data), str(tmp_path / "run"), *WORDS, *words]) == 0
    state = torch.load(tmp_path / "run" / "state.pt", weights_only=True)
    for name, network in (("G", before.G_ema), ("D", before.D)):
        for key, value in network.state_dict().items():
            if "w_avg" not in key:
                assert torch.equal(state[name][key], value.half().float()), key
