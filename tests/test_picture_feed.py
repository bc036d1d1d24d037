"""Pictures that are decoded when their turn comes are those that are held in memory."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from generator.networks import GeneratorConfig
from tests.tiny_networks import striped_pictures, write_archive
from training.errors import TrainingError
from training.learning.picture_feed import PictureFeed, read_pictures
from training.learning.training_loop import Training, TrainingOptions

pytestmark = pytest.mark.usefixtures("one_torch_thread")


@pytest.fixture
def archives(tmp_path: Path) -> list[Path]:
    """Of 7 and of 5 pictures."""
    return [write_archive(tmp_path / f"{n}.zip", striped_pictures(n, seed=n)) for n in (7, 5)]


def test_small_sets_are_held_and_large_ones_read_and_both_are_equal(archives: list[Path]) -> None:
    held, counts, resolution = read_pictures(archives)
    assert isinstance(held, np.ndarray) and counts == [7, 5] and resolution == 16
    fed, fed_counts, fed_resolution = read_pictures(archives, most_held_bytes=12 * 3 * 16 * 16 - 1)
    assert isinstance(fed, PictureFeed) and fed_counts == [7, 5] and fed_resolution == 16
    assert len(held) == len(fed) == 12
    for indices in (np.arange(12), np.array([11, 0, 3, 3, 7])):
        assert np.array_equal(fed[indices], held[indices])
    edge, _, _ = read_pictures(archives, most_held_bytes=12 * 3 * 16 * 16)
    assert isinstance(edge, np.ndarray)


def test_what_was_asked_for_is_ready_and_what_was_not_is_read(archives: list[Path]) -> None:
    feed = PictureFeed(archives)
    feed.ask(np.array([1, 2, 3]))
    asked = dict(feed._asked)
    wanted = feed[np.array([2, 9])]
    assert feed._asked.keys() == {2, 9} and feed._asked[2] is asked[2]
    assert np.array_equal(wanted, read_pictures(archives)[0][np.array([2, 9])])


def test_a_run_is_the_same_from_memory_and_from_the_archive(archives: list[Path]) -> None:
    config = GeneratorConfig(8, 0, 8, 16, 3, 64, 4, 2)
    options = TrainingOptions(batch=4, reconstruct_kimg=0.008, reduced_from=None)
    weights = []
    for most in (2**30, 0):
        pictures, _, _ = read_pictures(archives, most_held_bytes=most)
        training = Training(pictures, config, options, emphasised=5)
        for _ in range(4):
            training.step()
        weights.append(training.G.state_dict())
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name


def test_a_broken_picture_is_a_sentence_when_its_turn_comes(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "data.zip", striped_pictures(3))
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    broken = sorted(parts)[1]
    parts[broken] = parts[broken][:-40]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    feed = PictureFeed([path])
    assert len(feed[np.array([0, 2])]) == 2
    with pytest.raises(TrainingError, match=rf"data\.zip: {broken} cannot be read as a picture"):
        feed[np.array([0, 1])]


@pytest.mark.parametrize("most", [0, 2**30])
def test_sets_of_other_sizes_are_refused(tmp_path: Path, most: int) -> None:
    paths = [
        write_archive(tmp_path / "a.zip", striped_pictures(2)),
        write_archive(tmp_path / "b.zip", striped_pictures(2, 32)),
    ]
    with pytest.raises(TrainingError, match=r"b\.zip: .*(all must be equal|same --size)"):
        read_pictures(paths, most_held_bytes=most)


def test_archives_that_are_none_are_sentences(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_bytes(b"no archive")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("dataset.json", "{}")
    for name in ("none.zip", "text.zip"):
        with pytest.raises(TrainingError, match=f"{name}: "):
            read_pictures([tmp_path / name])
        with pytest.raises(TrainingError, match=f"{name}: this is not a readable zip archive"):
            PictureFeed([tmp_path / name])
    with pytest.raises(TrainingError, match="the archive holds no pictures"):
        PictureFeed([tmp_path / "empty.zip"])
