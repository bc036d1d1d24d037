"""The command that reads the strips of a screenshot."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from player import read_strips
from tests.strip_pictures import screen_with, strip_of


def wall_file(path: Path, frames: list[int | None]) -> Path:
    """A PNG of screens of 320x240 side by side; None is a black one."""
    black = np.zeros((240, 320, 3), np.uint8)
    parts = [black if n is None else screen_with(strip_of(n), (320, 240)) for n in frames]
    Image.fromarray(np.concatenate(parts, axis=1)).save(path)
    return path


def test_seven_equal_screens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = wall_file(tmp_path / "wall.png", [1234] * 7)
    report = tmp_path / "report.json"
    assert read_strips.main([str(picture), "--columns", "7", "--json", str(report)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "screen 1: frame 1234"
    assert lines[-1] == "7 of 7 screens show frame 1234"
    told = json.loads(report.read_text(encoding="utf-8"))
    assert told["agree"] is True and told["frame"] == 1234
    assert [one["screen"] for one in told["screens"]] == [1, 2, 3, 4, 5, 6, 7]


def test_one_that_differs_or_is_dark_is_exit_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    differs = wall_file(tmp_path / "a.png", [7, 7, 9])
    assert read_strips.main([str(differs), "--columns", "3"]) == 1
    assert "differ by 2 frames; 0 of 3" in capsys.readouterr().out
    dark = wall_file(tmp_path / "b.png", [7, None, 7])
    report = tmp_path / "b.json"
    assert read_strips.main([str(dark), "--columns", "3", "--json", str(report)]) == 1
    out = capsys.readouterr().out
    assert "screen 2: There is no frame strip" in out
    assert "all that were read show one frame; 1 of 3" in out
    told = json.loads(report.read_text(encoding="utf-8"))
    assert told["frame"] is None and told["screens"][1]["frame"] is None
    assert "fault" in told["screens"][1] and "fault" not in told["screens"][0]
    nothing = wall_file(tmp_path / "c.png", [None])
    assert read_strips.main([str(nothing)]) == 1
    assert "none of 1 screens" in capsys.readouterr().out


def test_areas_and_several_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left = wall_file(tmp_path / "left.png", [41, 42])
    right = wall_file(tmp_path / "right.png", [0, 42])
    areas = ["--areas", "320,0,320,240"]
    assert read_strips.main([str(left), str(right), *areas]) == 0
    out = capsys.readouterr().out
    assert f"{right}: screen 1: frame 42" in out
    assert read_strips.main([str(left), *areas, "0,0,320,240"]) == 1


def test_files_that_are_no_pictures_are_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text.png"
    text.write_text("no picture", encoding="utf-8")
    for path in (text, tmp_path / "missing.png", tmp_path):
        assert read_strips.main([str(path)]) == 2
        assert str(path) in capsys.readouterr().err
    small = tmp_path / "small.png"
    Image.new("RGB", (3, 3)).save(small)
    assert read_strips.main([str(small), "--columns", "7"]) == 2
    assert "3 pixels across cannot hold 7 screens" in capsys.readouterr().err
    picture = wall_file(tmp_path / "wall.png", [1])
    assert read_strips.main([str(picture), "--json", str(tmp_path / "no" / "r.json")]) == 2
    assert "could not be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a.png", "--columns", "0"],
        ["a.png", "--columns", "65"],
        ["a.png", "--areas", "0,0,0,5"],
        ["a.png", "--areas", "-1,0,5,5"],
        ["a.png", "--areas", "1,2,3"],
        ["a.png", "--columns", "2", "--areas", "0,0,5,5"],
    ],
)
def test_nonsense_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        read_strips.main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err
