"""The files of a training run, and a state that cannot be resumed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import generator
from generator.networks import GeneratorConfig
from tests.tiny_networks import striped_pictures
from training.errors import TrainingError
from training.learning.data_parallel import Workers
from training.learning.discriminator_file import load_discriminator
from training.learning.run_folder import RunFolder, sheet
from training.learning.training_loop import Training, TrainingOptions

pytestmark = pytest.mark.usefixtures("one_torch_thread")

CONFIG = GeneratorConfig(
    z_dim=8, w_dim=8, img_resolution=16, channel_base=128, channel_max=8, num_mapping_layers=1
)
OPTIONS = TrainingOptions(batch=4)


def make_training(config: GeneratorConfig = CONFIG, options: TrainingOptions = OPTIONS) -> Training:
    return Training(striped_pictures(4), config, options)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """With the state of a run at 4 pictures."""
    folder = RunFolder(tmp_path / "run")
    training = make_training()
    training.images_shown = 4
    folder.save_state(training)
    return folder


def test_a_saved_state_is_resumed(folder: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    training = make_training()
    folder.resume(training)
    assert training.images_shown == 4
    assert capsys.readouterr().out == "resumed at 0.0 kimg\n"
    assert [path.name for path in folder.path.iterdir()] == ["state.pt"]


def test_a_new_folder_resumes_nothing(tmp_path: Path) -> None:
    training = make_training()
    RunFolder(tmp_path / "new" / "run").resume(training)
    assert training.images_shown == 0 and (tmp_path / "new" / "run").is_dir()


def test_other_options_are_told_and_taken(
    folder: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    training = make_training(options=replace(OPTIONS, r1_gamma=3.0))
    folder.resume(training)
    assert "other options: r1_gamma 0.05 -> 3.0" in capsys.readouterr().out
    assert training.options.r1_gamma == 3.0


def test_other_networks_are_refused_by_name(folder: RunFolder) -> None:
    training = make_training(replace(CONFIG, channel_max=4))
    with pytest.raises(TrainingError, match=r"state\.pt: .* \(channel_max 8 -> 4\)"):
        folder.resume(training)


def flipped(data: bytes) -> bytes:
    """One bit of the largest part, the numbers."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"not a state",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-30],
        flipped,
    ],
    ids=["empty", "text", "half", "no-end", "one-bit"],
)
def test_a_damaged_state_is_a_sentence(folder: RunFolder, damage: Callable[[bytes], bytes]) -> None:
    file = folder.path / "state.pt"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(TrainingError, match=r"state\.pt: the state of this run is damaged"):
        folder.resume(make_training())


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ([1, 2], "it holds a list"),
        ({}, "there is no generator_config"),
        ({"generator_config": CONFIG.to_dict(), "options": {}}, "cannot be resumed"),
    ],
)
def test_a_file_of_something_else_is_a_sentence(
    folder: RunFolder, value: object, sentence: str
) -> None:
    torch.save(value, folder.path / "state.pt")
    with pytest.raises(TrainingError, match=sentence):
        folder.resume(make_training())


def test_nothing_in_a_state_is_executed(folder: RunFolder) -> None:
    torch.save({"options": print}, folder.path / "state.pt")
    with pytest.raises(TrainingError, match="damaged"):
        folder.resume(make_training())


def test_weights_are_what_the_next_links_read(folder: RunFolder) -> None:
    assert folder.lacks_weights()
    training = make_training()
    folder.save_weights(training)
    assert not folder.lacks_weights()
    read = generator.load(folder.path / "generator.safetensors")
    wanted = training.G_ema.state_dict()["synthesis.b4.const"]
    assert torch.allclose(read.state_dict()["synthesis.b4.const"], wanted, atol=2e-3)
    load_discriminator(folder.path / "discriminator.safetensors")
    (folder.path / "discriminator.safetensors").unlink()
    assert folder.lacks_weights()


def test_the_log_grows_by_lines(folder: RunFolder) -> None:
    for kimg in (1.0, 2.0):
        folder.log({"kimg": kimg})
    lines = (folder.path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"kimg": 1.0}, {"kimg": 2.0}]


def test_what_was_logged_after_the_state_is_forgotten(folder: RunFolder) -> None:
    for kimg in (0.002, 0.004, 0.006):
        folder.log({"kimg": kimg})
    file = folder.path / "log.jsonl"
    file.write_text(file.read_text() + '{"kimg": 0.00')
    (folder.path / ".state.pt.123.part").write_bytes(b"half")
    folder.resume(make_training())
    assert [json.loads(line)["kimg"] for line in file.read_text().splitlines()] == [0.002, 0.004]
    assert {path.name for path in folder.path.iterdir()} == {"state.pt", "log.jsonl"}
    (folder.path / "state.pt").unlink()
    folder.resume(make_training())
    assert file.read_text() == "", "a run without a state begins anew"


def test_only_the_first_worker_tidies(folder: RunFolder) -> None:
    folder.log({"kimg": 1.0})
    second = Training(striped_pictures(4), CONFIG, replace(OPTIONS, batch=8), workers=Workers(1, 2))
    folder.resume(second)
    assert (folder.path / "log.jsonl").read_text()


def test_added_pictures_are_told(folder: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.resume(Training(striped_pictures(7), CONFIG, OPTIONS))
    assert "from here on with 7 pictures, until now 4\n" in capsys.readouterr().out


def test_what_is_written_once_stays(folder: RunFolder) -> None:
    folder.write_once("a.bin", lambda: b"first")
    folder.write_once("a.bin", lambda: b"second")
    assert (folder.path / "a.bin").read_bytes() == b"first"


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(TrainingError, match="the run folder cannot be made"):
        RunFolder(tmp_path / "file")


@pytest.mark.parametrize("count", [1, 60, 70])
def test_a_sheet_has_ten_pictures_in_a_row(count: int) -> None:
    pictures = striped_pictures(count)
    with Image.open(io.BytesIO(sheet(pictures))) as image:
        page = np.asarray(image)
    assert page.shape == (6 * 16, 10 * 16, 3)
    for index in (0, 59):
        row, column = divmod(index, 10)
        cell = page[row * 16 : row * 16 + 16, column * 16 : column * 16 + 16]
        wanted = pictures[index].transpose(1, 2, 0) if index < count else np.zeros((16, 16, 3))
        assert np.array_equal(cell, wanted)
