"""The verb `measure`: which figures it gives for which options."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from generator.checkpoint import save_generator
from tests.tiny_features import Colours, save_script
from tests.tiny_networks import striped_pictures, write_archive
from tests.tiny_training import tiny_generator
from training.__main__ import main
from training.metrics.measure import drawn

pytestmark = pytest.mark.usefixtures("one_torch_thread")

COUNT = 12


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run folder, a data set and a feature network; it is the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    save_generator(tiny_generator(), tmp_path / "run" / "generator.safetensors")
    write_archive(tmp_path / "data.zip", striped_pictures(COUNT, 16))
    save_script(Colours(), tmp_path / "features.pt")
    return tmp_path


def measured(*options: str, data: str = "data.zip") -> dict[str, Any]:
    assert main(["measure", "run", data, "--json", "out.json", *options]) == 0
    figures = json.loads(Path("out.json").read_text())
    assert isinstance(figures, dict)
    return figures


def test_without_features_it_is_the_sliced_distance_and_what_to_fetch(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = measured()
    assert figures["pictures"] == COUNT // 2
    assert set(figures["samples_to_set"]) == {"16", "mean"}
    assert set(figures) == {"pictures", "samples_to_set", "untrained_to_set", "set_to_itself"}
    told = capsys.readouterr()
    assert json.loads(told.out) == figures
    assert "not measured" in told.err and "inception-2015-12-05.pt" in told.err


def test_a_file_serves_as_well_as_a_run(folder: Path) -> None:
    of_run = measured()
    assert main(["measure", "run/generator.safetensors", "data.zip", "--json", "b.json"]) == 0
    assert json.loads(Path("b.json").read_text()) == of_run


@pytest.mark.slow
def test_with_features_everything_is_measured(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = measured("--features", "features.pt")
    of = figures["features"]
    assert of["network"] == "features.pt"
    assert of["network_sha256"] == hashlib.sha256(Path("features.pt").read_bytes()).hexdigest()
    assert (of["set"], of["samples"]) == (COUNT, COUNT)
    assert of["fid"] > 0 and of["kid"] > 0 and of["kid_deviation"] >= 0
    assert 0 <= of["precision"] <= 1 and 0 <= of["recall"] <= 1
    assert figures["pictures"] == COUNT // 2
    assert "not measured" not in capsys.readouterr().err


def test_the_generators_own_pictures_are_nearer_than_others(folder: Path) -> None:
    """A set of its own samples, of another seed: precision and recall are high, KID about 0."""
    own = np.concatenate(list(drawn(tiny_generator(), 60, seed=9)))
    write_archive(folder / "own.zip", own)
    words = ("--features", "features.pt", "--metrics", "fid,kid,pr", "--pictures", "60")
    near = measured(*words, data="own.zip")["features"]
    far = measured(*words)["features"]
    assert near["samples"] == far["samples"] == 60
    assert near["fid"] < far["fid"] / 5
    assert abs(near["kid"]) < far["kid"] / 20
    assert near["precision"] > 0.6 and near["recall"] > 0.6
    assert far["recall"] < near["recall"] - 0.1


def test_only_what_is_asked_for_is_measured(folder: Path) -> None:
    figures = measured("--features", "features.pt", "--metrics", "pr")
    assert set(figures) == {"features"}
    assert {"precision", "recall"} < set(figures["features"])
    assert not {"fid", "kid"} & set(figures["features"])
    assert measured("--metrics", "swd", "--pictures", "4")["pictures"] == 4


def test_the_sheet_does_not_depend_on_the_metrics(folder: Path) -> None:
    measured("--sheet", "a.png")
    measured("--sheet", "b.png", "--metrics", "pr", "--features", "features.pt")
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    with Image.open("a.png") as sheet:
        assert sheet.size == (2 * (12 * 16 + 16), 2 * 7 * 16)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--metrics", "fid"], "--metrics fid: needs the file of a feature network"),
        (["--metrics", "swd,kid,pr"], "--metrics kid,pr: needs the file"),
        (["--features", "none.pt"], "none.pt: there is no such file"),
        (["--features", "data.zip"], "data.zip: cannot be read as a TorchScript file"),
        (["--pictures", "2"], "fewer than 4 pictures cannot be measured"),
    ],
)
def test_what_cannot_be_measured_is_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert main(["measure", "run", "data.zip", *words]) == 2
    told = capsys.readouterr().err.strip().splitlines()
    assert len(told) == 1 and sentence in told[0]


def test_a_set_of_another_size_or_a_folder_without_weights_is_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_archive(folder / "large.zip", striped_pictures(COUNT, 32))
    assert main(["measure", "run", "large.zip"]) == 2
    assert "makes 16 px pictures, large.zip holds 32 px ones" in capsys.readouterr().err
    (folder / "empty").mkdir()
    assert main(["measure", "empty", "data.zip"]) == 2
    assert "generator.safetensors" in capsys.readouterr().err


def test_a_metric_that_is_unknown_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["measure", "run", "data.zip", "--metrics", "fid,is"])
    assert "'is' is not measured here; there are swd, fid, kid, pr" in capsys.readouterr().err
