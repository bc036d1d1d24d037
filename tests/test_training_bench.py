"""`python -m training bench`, quickly, and the loop that it compares with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from generator.allocator import SETTINGS
from generator.networks import GeneratorConfig
from tests.tiny_networks import striped_pictures
from training.__main__ import VERBS, Verb, main
from training.learning import bench, textbook_loop
from training.learning.options import TrainingOptions
from training.learning.textbook_loop import TextbookLoop
from training.learning.training_loop import Training

pytestmark = pytest.mark.usefixtures("one_torch_thread")
CONFIG = GeneratorConfig(
    z_dim=8, w_dim=8, img_resolution=16, channel_base=128, channel_max=8, num_mapping_layers=1
)
TINY = "-- --batch 4 --channel-base 128 --channel-max 8".split()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round of one step, and no start anew of the process that tests."""
    monkeypatch.setattr(bench, "STEPS", 1)
    monkeypatch.setitem(VERBS, "bench", Verb("learning.bench", "speed"))
    for name, value in {**SETTINGS, "GOMP_SPINCOUNT": "0"}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.slow
def test_both_loops_are_measured_in_rounds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--resolution", "16", "8", "--rounds", "3", "--steps", "1", "--device", "cpu"]
    assert main(["bench", *words, "--json", str(tmp_path / "b.json"), *TINY]) == 0
    result = json.loads((tmp_path / "b.json").read_text())
    assert {"machine", "date", "rounds", "steps_a_round", "sizes"} == set(result)
    assert [one["resolution"] for one in result["sizes"]] == [8, 16], "the smallest first"
    for one in result["sizes"]:
        assert one["config"] == "demo" and one["batch"] == 4
        assert one["options"]["augment"] == "fixed"
        for spread in (*one["s_per_kimg"].values(), one["ratio"]):
            assert 0 < spread["min"] <= spread["median"] <= spread["max"]
        assert one["peak_memory"]["of"] == "process"
        assert one["peak_memory"]["train_mb"] > 50, "python and torch alone are as large"
    told = capsys.readouterr().out
    assert "| 16 | demo | 4 |" in told and "3 rounds of 1 steps" in told


def test_a_published_configuration_has_its_numbers(tmp_path: Path) -> None:
    words = ["--resolution", "16", "--config", "paper1024", "--rounds", "1", "--steps", "1"]
    words += ["--device", "cpu", "--json", str(tmp_path / "b.json")]
    assert main(["bench", *words, *TINY, "--mapping-layers", "2"]) == 0
    (one,) = json.loads((tmp_path / "b.json").read_text())["sizes"]
    assert one["config"] == "paper1024"
    assert (one["options"]["r1_gamma"], one["options"]["learning_rate"]) == (2.0, 0.002)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--rounds", "0"], "--rounds is at least 1"),
        (["--resolution", "16", "--", "--batch", "6"], "cannot be trained"),
    ],
)
def test_what_cannot_be_measured_is_a_sentence(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "--device", "cpu", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_a_round_without_its_regularisers_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "STEPS", 16)
    assert main(["bench", "--steps", "8"]) == 2
    assert "--steps a multiple of 16" in capsys.readouterr().err


def new_training(batch_gpu: int | None = None) -> Training:
    options = TrainingOptions(batch=4, batch_gpu=batch_gpu, augment="fixed", reduced_from=None)
    return Training(striped_pictures(8), CONFIG, options)


def test_the_textbook_begins_as_the_other_and_goes_its_own_way() -> None:
    training = new_training()
    textbook = TextbookLoop(training)
    of_training = {name: tensor.clone() for name, tensor in training.G.state_dict().items()}
    for network in ("G", "D"):
        theirs = getattr(training, network).state_dict()
        for name, tensor in getattr(textbook, network).state_dict().items():
            assert torch.equal(tensor, theirs[name])
    for _ in range(2):
        textbook.step()
    for name, tensor in training.G.state_dict().items():
        assert torch.equal(tensor, of_training[name]), "the other loop's networks stay"
    moved = [
        name
        for name, tensor in textbook.G.named_parameters()
        if not torch.equal(tensor, of_training[name])
    ]
    assert len(moved) == len(list(textbook.G.parameters()))
    assert all(torch.isfinite(tensor).all() for tensor in textbook.G_ema.parameters())
    assert float(textbook.pl_mean) > 0


@pytest.mark.slow
@pytest.mark.parametrize(("batch_gpu", "rounds"), [(None, 1), (2, 2)])
def test_regularisers_fall_on_their_steps(
    batch_gpu: int | None, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    textbook = TextbookLoop(new_training(batch_gpu))
    calls: list[tuple[str, int]] = []
    for name in ("r1_penalty", "path_length_penalty"):
        true = getattr(textbook_loop, name)

        def noted(*args: object, name: str = name, true: object = true) -> object:
            calls.append((name, textbook.steps))
            return true(*args)  # type: ignore[operator]

        monkeypatch.setattr(textbook_loop, name, noted)
    for _ in range(17):
        textbook.step()
    assert [step for name, step in calls if name == "r1_penalty"] == [0] * rounds + [16] * rounds
    at = [step for name, step in calls if name == "path_length_penalty"]
    assert at == [step for step in (0, 4, 8, 12, 16) for _ in range(rounds)]


def test_the_average_moves_by_its_half_life() -> None:
    """Shown a half-life of pictures at once, the average is half way."""
    training = new_training()
    textbook = TextbookLoop(training)
    object.__setattr__(textbook.options, "ema_kimg", textbook.options.batch / 1000)
    before = textbook.G_ema.synthesis.get_parameter("b4.const").clone()
    textbook.step()
    now = textbook.G.synthesis.get_parameter("b4.const")
    average = textbook.G_ema.synthesis.get_parameter("b4.const")
    assert torch.allclose(average, (before + now) / 2, atol=1e-6)
    assert not torch.equal(average, now)
