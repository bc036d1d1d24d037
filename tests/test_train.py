"""`python -m training train` in processes of its own, as a person starts and stops it."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

import generator
from generator.allocator import SETTINGS
from generator.networks import GeneratorConfig
from shows.generator_file import read_generator_info
from tests.tiny_networks import striped_pictures, write_archive
from training.__main__ import main
from training.learning.discriminator_file import load_discriminator
from training.learning.picture_feed import read_pictures
from training.learning.training_loop import Training, TrainingOptions

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 100.0
POLL_S = 0.05
WORDS = (
    "--batch 4 --channel-base 128 --channel-max 8 --tick-kimg 0.02 --snapshot-ticks 100 "
    "--device cpu --float32"
).split()
TWO = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


@dataclass(frozen=True)
class Bench:
    """A folder with a data set archive in which runs are started."""

    folder: Path

    def start(
        self, run: str, kimg: float, launcher: Sequence[str] = (), words: Sequence[str] = ()
    ) -> subprocess.Popen[str]:
        files = [str(self.folder / "data.zip"), str(self.folder / run)]
        return subprocess.Popen(
            [
                *(sys.executable, *launcher, "-m", "training", "train", *files),
                *("--kimg", str(kimg), *WORDS, *words),
            ],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def train(
        self, run: str, kimg: float, launcher: Sequence[str] = (), words: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run to its end."""
        process = self.start(run, kimg, launcher, words)
        try:
            out, errors = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, out, errors)

    def log(self, run: str) -> list[dict[str, float]]:
        file = self.folder / run / "log.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def weights(self, run: str) -> str:
        """The hash of the generator's weights."""
        return read_generator_info(self.folder / run / "generator.safetensors").content_hash

    def state(self, run: str) -> dict[str, object]:
        file = self.folder / run / "state.pt"
        state: dict[str, object] = torch.load(file, map_location="cpu", weights_only=True)
        return state


def stop_when(process: subprocess.Popen[str], ready: Callable[[], bool], number: int) -> str:
    """Send a signal once `ready`; returns what the process said on stderr until its end."""
    deadline = time.monotonic() + PATIENCE_S
    try:
        while not ready():
            assert time.monotonic() < deadline, "the run did not come so far"
            try:
                process.wait(POLL_S)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f"the run ended by itself: {process.communicate()[1]}")
        process.send_signal(number)
        return process.communicate(timeout=PATIENCE_S)[1]
    finally:
        process.kill()


@pytest.fixture
def no_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside pytest the verb must not start its process anew; it does not with these settings."""
    for name, value in {**SETTINGS, "GOMP_SPINCOUNT": "0"}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("train")
    write_archive(folder / "data.zip", striped_pictures(10))
    return Bench(folder)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_run_writes_its_files_and_again_those_that_were_deleted(bench: Bench) -> None:
    first = bench.train("run", 0.04)
    assert first.returncode == 0, first.stderr
    run = bench.folder / "run"
    files = {path.name for path in run.iterdir()}
    assert files == {
        "state.pt",
        "generator.safetensors",
        "discriminator.safetensors",
        "log.jsonl",
        "reals.png",
        "fakes-000000.png",
        "starts.jsonl",
        "tensorboard",
    }
    net = generator.load(run / "generator.safetensors")
    assert net.img_resolution == 16 and net.z_dim == 512
    discriminator, _ = load_discriminator(run / "discriminator.safetensors")
    assert discriminator.config.img_resolution == 16
    lines = bench.log("run")
    assert [line["kimg"] for line in lines] == [0.02, 0.04]
    assert {"g_loss", "d_loss", "augment_p", "sec_per_kimg", "swd"} <= lines[-1].keys()
    assert all(math.isfinite(value) for line in lines for value in line.values())

    weights = bench.weights("run")
    for name in ("discriminator.safetensors", "generator.safetensors", "reals.png"):
        (run / name).unlink()
    again = bench.train("run", 0.04)
    assert again.returncode == 0 and "resumed at 0.0 kimg" in again.stdout
    assert {path.name for path in run.iterdir()} == files
    assert bench.weights("run") == weights and len(bench.log("run")) == 2


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ctrl_c_ends_with_130_and_the_run_goes_on_as_if_unbroken(bench: Bench) -> None:
    process = bench.start("stopped", 1000)
    errors = stop_when(process, lambda: len(bench.log("stopped")) >= 1, signal.SIGINT)
    assert process.returncode == 130, errors
    assert "training train: stopped by Ctrl-C." in errors and "Traceback" not in errors
    shown = bench.state("stopped")["images_shown"]
    assert isinstance(shown, int) and shown >= 20
    generator.load(bench.folder / "stopped" / "generator.safetensors")

    kimg = (shown + 8) / 1000
    assert bench.train("stopped", kimg).returncode == 0
    assert bench.train("whole", kimg).returncode == 0
    assert bench.state("stopped")["images_shown"] == shown + 8
    assert bench.weights("stopped") == bench.weights("whole")


@pytest.mark.parametrize(
    ("size", "words", "sentence"),
    [
        (16, ["--batch", "6"], "a batch of 6 cannot be split into groups of 4"),
        (12, [], "img_resolution must be a power of two"),
        (4, [], "img_resolution must be a power of two of at least 8, not 4"),
        (16, ["--seed", "-1"], "a seed of -1 and 4 pictures cannot be shuffled"),
        (16, ["--batch-gpu", "3"], "a batch of 4 cannot be split into rounds of 3"),
        (16, ["--freeze-d", "99"], "99 layers cannot be frozen, because there are 8"),
        (16, ["--augment", "fixed", "--augment-p", "2"], "augment_p must be a probability"),
        (16, ["--config", "cifar", "--batch", "48"], "cannot be split into groups of 32"),
    ],
)
def test_options_that_cannot_be_are_sentences(
    size: int,
    words: list[str],
    sentence: str,
    tmp_path: Path,
    no_restart: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = write_archive(tmp_path / "data.zip", striped_pictures(4, size))
    arguments = ["train", str(data), str(tmp_path / "run"), "--kimg", "0.01", *WORDS, *words]
    assert main(arguments) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_data_may_be_added_when_a_run_is_resumed(
    bench: Bench, tmp_path: Path, no_restart: None, capsys: pytest.CaptureFixture[str]
) -> None:
    more = write_archive(tmp_path / "more.zip", striped_pictures(4, seed=1))
    words = ["train", str(bench.folder / "data.zip"), str(tmp_path / "run"), *WORDS, "--kimg"]
    assert main([*words, "0.008"]) == 0
    assert "data.zip: 10 pictures; 16 px\n" in capsys.readouterr().out
    assert main([*words, "0.016", "--data", str(more), "--data", str(more)]) == 0
    told = capsys.readouterr().out
    assert f"data.zip: 10 pictures, {more}: 4 pictures, {more}: 4 pictures; 16 px\n" in told
    assert "from here on with 18 pictures, until now 10\n" in told


def test_the_pictures_of_added_data_are_shown(bench: Bench, tmp_path: Path) -> None:
    """All of both archives in one pass, and pictures of another size refused by name."""
    more = write_archive(tmp_path / "more.zip", striped_pictures(6, seed=1))
    pictures, _, _ = read_pictures([bench.folder / "data.zip", more])
    options = TrainingOptions(batch=4, mirror=False)
    training = Training(pictures, GeneratorConfig(8, 0, 8, 16, 3, 64, 4, 2), options)
    shown = []
    for _ in range(4):
        shown += list(training._real_batch())
        training.images_shown += 4
    assert len({picture.numpy().tobytes() for picture in shown}) == 16


def test_other_words_of_the_configuration_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "data.zip", "run", "--config", "paper2048"])
    assert "invalid choice: 'paper2048'" in capsys.readouterr().err


def test_a_damaged_state_is_a_sentence_and_stays(
    tmp_path: Path, no_restart: None, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_archive(tmp_path / "data.zip", striped_pictures(4))
    state = tmp_path / "run" / "state.pt"
    state.parent.mkdir()
    state.write_bytes(b"PK\x03\x04 half a state")
    assert main(["train", str(data), str(state.parent), "--kimg", "0.01", *WORDS]) == 2
    assert "state.pt: the state of this run is damaged" in capsys.readouterr().err
    assert list(state.parent.iterdir()) == [state]


@pytest.mark.parametrize("words", [["--batch", "0"], ["--snapshot-ticks", "x"]])
def test_counts_are_whole_and_positive(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as done:
        main(["train", "data.zip", "run", *words])
    assert done.value.code == 2
    assert "a whole number of at least 1 is wanted" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(sys.platform == "win32", reason="torchrun with gloo is for POSIX")
def test_two_processes_train_one_run_and_stop_after_the_same_step(bench: Bench) -> None:
    process = bench.start("two", 1000, TWO, ["--batch", "8"])
    errors = stop_when(process, lambda: len(bench.log("two")) >= 1, signal.SIGINT)
    assert process.returncode != 0
    # neither was left waiting for the other, nor killed
    assert "Connection closed" not in errors and "forcefully" not in errors, errors
    steps = bench.state("two")["steps"]
    assert isinstance(steps, int) and steps >= 3

    done = bench.train("two", (steps + 1) * 8 / 1000, TWO, ["--batch", "8"])
    assert done.returncode == 0, done.stderr
    assert bench.state("two")["steps"] == steps + 1
    assert bench.log("two")[-1]["kimg"] == pytest.approx((steps + 1) * 8 / 1000)
