"""`train`, killed at random moments and started again, ends as a run that was left alone."""

from __future__ import annotations

import json
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from shows.generator_file import read_generator_info
from tests.test_training_loop import assert_equal
from tests.tiny_networks import striped_pictures, write_archive
from tests.train_launcher import Launcher
from training.learning.discriminator_file import load_discriminator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform == "win32", reason="forks"),
]

# a snapshot at each tick of three steps, which takes as long as the steps
WORDS = (
    "--batch 8 --channel-base 64 --channel-max 8 --tick-kimg 0.02 --snapshot-ticks 1 --device cpu "
    "--ada-kimg 0.5 --target -2 --augpipe bgcfnc"
).split()


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    launcher = Launcher()
    yield launcher
    launcher.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("kills") / "data.zip", striped_pictures(60, 8))


def hashes_of_weights(run: Path) -> tuple[str, str]:
    generator = read_generator_info(run / "generator.safetensors").content_hash
    return generator, load_discriminator(run / "discriminator.safetensors")[1]


def assert_same_run(killed: Path, whole: Path) -> None:
    """Weights, state and log, but for the seconds."""
    # over configuration and tensors; the library writes metadata in no fixed order
    assert hashes_of_weights(killed) == hashes_of_weights(whole)
    states = [torch.load(run / "state.pt", weights_only=True) for run in (killed, whole)]
    assert_equal(states[0], states[1])
    logs = []
    for run in (killed, whole):
        lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
        logs.append([{k: v for k, v in line.items() if k != "sec_per_kimg"} for line in lines])
    assert logs[0] == logs[1], "every line once, with the same figures"
    names = [{path.name for path in run.iterdir()} for run in (killed, whole)]
    assert names[0] == names[1], "nothing half-written is left behind"


def killed_often(
    launcher: Launcher, run: Path, words: list[str], workers: int, kills: int, longest: float
) -> int:
    """Start and kill so many times, after at most `longest` times what two ticks take; returns the
    pictures shown by the last state."""
    chance = random.Random(7)
    begun = time.monotonic()
    assert launcher.train([*words, "--kimg", "0.04"], workers, None) == [0] * workers
    two_ticks_s = time.monotonic() - begun
    half_written = 0
    for _ in range(kills):
        patience_s = chance.uniform(0.05, longest) * two_ticks_s
        codes = launcher.train([*words, "--kimg", "1000"], workers, patience_s)
        assert -signal.SIGKILL in codes and 0 not in codes
        half_written += bool(list(run.glob(".*.part")))
    shown = torch.load(run / "state.pt", weights_only=True)["images_shown"]
    print(f"{kills} kills, {half_written} in the middle of a file; {shown} pictures shown")
    assert isinstance(shown, int) and shown > 40, "it came forward between them"
    return shown


@pytest.mark.parametrize(("workers", "kills", "longest"), [(1, 24, 0.5), (2, 4, 1.5)])
def test_killed_at_random_moments_it_ends_with_the_same_weights(
    launcher: Launcher, data: Path, tmp_path: Path, workers: int, kills: int, longest: float
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    words = [str(data), str(killed), *WORDS]
    shown = killed_often(launcher, killed, words, workers, kills, longest)
    for run in (killed, whole):
        words = [str(data), str(run), *WORDS, "--kimg", str((shown + 16) / 1000)]
        assert launcher.train(words, workers, None) == [0] * workers
    assert_same_run(killed, whole)
