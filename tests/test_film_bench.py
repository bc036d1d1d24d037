"""The bench plays films that it made and tells what it measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from player.films.bench import LOOP_FRAMES, main, moving
from tests.tiny_show import make_tiny_show


def test_the_loop_closes_and_moves() -> None:
    rng = np.random.default_rng(0)
    paintings = [rng.integers(0, 256, (36, 36, 3)).astype(np.uint8) for _ in range(3)]
    pictures = list(moving(paintings, 32))
    assert len(pictures) == LOOP_FRAMES
    assert all(picture.shape == (1, 32, 32, 4) for picture in pictures)
    assert all((picture[..., 3] == 255).all() for picture in pictures)
    steps = [
        int((a != b).any()) for a, b in zip(pictures, [*pictures[1:], pictures[0]], strict=True)
    ]
    assert sum(steps) > LOOP_FRAMES * 0.9


@pytest.mark.slow
def test_measures_a_small_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_tiny_show(tmp_path / "show", screens=2, ballads=2)
    arguments = ["--show", str(tmp_path / "show"), "--size", "32", "--films", "2"]
    arguments += ["--seconds", "0.2", "--json", str(tmp_path / "told.json")]
    assert main(arguments) == 0
    told = json.loads((tmp_path / "told.json").read_text())
    figures = told["ways"]["software"]
    assert figures["pictures_per_second"] > 0
    assert figures["share_of_real_time"] == pytest.approx(
        figures["pictures_per_second"] / 60, abs=0.01
    )
    assert "pictures/s" in capsys.readouterr().out


def test_a_show_that_is_not_there_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--show", str(tmp_path), "--size", "32"]) == 1
    assert "There is no show" in capsys.readouterr().err


@pytest.mark.parametrize("size", ["0", "33", "100000"])
def test_sizes_that_cannot_be_are_refused(size: str) -> None:
    with pytest.raises(SystemExit):
        main(["--size", size])
