"""The calibration file: written whole, the one before kept, a broken one refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from player.wall.calibration import IDENTITY, ScreenCalibration
from player.wall.calibration_file import (
    calibration_path,
    calibrations_or_warning,
    previous_path,
    read_calibrations,
    write_calibrations,
)
from shows.schema import ShowError
from tests.test_calibration import QUAD

ALL = ScreenCalibration(
    rotation=270,
    flip="both",
    fit="stretch",
    crop=(0.1, 0.2, 0.3, 0.4),
    corners=QUAD,
    blend=(0.0, 0.125, 0.25, 0.5),
    brightness=0.9,
    colour=(1.0, 0.95, 1.05),
    black=0.001,
    gamma=1.15,
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "calibration.yaml"
    screens = {"north": ALL, "no": IDENTITY, "7": ScreenCalibration(gamma=2.0), "ø: [": ALL}
    assert write_calibrations(path, screens)
    assert read_calibrations(path) == screens
    text = path.read_text(encoding="utf-8")
    assert "&" not in text and "corners:" in text and "no': {}" in text


def test_the_file_before_the_last_save_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "calibration.yaml"
    first, second = {"a": ALL}, {"a": IDENTITY}
    assert write_calibrations(path, first) and not previous_path(path).exists()
    assert not write_calibrations(path, first)
    assert not previous_path(path).exists()
    assert write_calibrations(path, second)
    assert not write_calibrations(path, second)  # a second /calibration/save loses nothing
    assert read_calibrations(previous_path(path)) == first
    assert read_calibrations(path) == second
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "calibration.previous.yaml",
        "calibration.yaml",
    ]


def test_a_missing_file_is_no_calibration(tmp_path: Path) -> None:
    assert calibrations_or_warning(tmp_path / "calibration.yaml") == ({}, None)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "calibration.yaml must hold names and values"),
        ("schema_version: 1\nscreens: {north: {gama: 1}}", "screens.north.gama: is not a word"),
        ("schema_version: 1\nscreens: {north: {gamma: 9}}", "screens.north.gamma"),
        ("schema_version: 1\nscreens: {north: 3}", "screens.north"),
        ("schema_version: 1\nscreens: {7: {}}", "screens.7"),
        ("schema_version: 1\nscreens: [north]", "screens"),
        ("schema_version: 1\nscreens:", "screens"),
        ("schema_version: 2\nscreens: {}", "newer version"),
        ("schema_version: true", "schema_version: must be"),
        ("screens: {}", "schema_version: must be there"),
        ("schema_version: 1\nscreens: {a: &x {}, b: *x}", "anchors"),
        ("schema_version: 1\nscreens: {a: {}, a: {}}", "written twice"),
        ("schema_version: [1", "line 2"),
        ("\0", "not YAML"),
        ("a" * 1_100_000, "larger than 1 MB"),
    ],
)
def test_a_broken_file_costs_a_warning_and_no_show(
    tmp_path: Path, text: str, sentence: str
) -> None:
    path = tmp_path / "calibration.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ShowError, match=sentence):
        read_calibrations(path)
    screens, warning = calibrations_or_warning(path)
    assert screens == {}
    assert warning is not None and "without what was calibrated" in warning and str(path) in warning
    assert "rename" not in warning
    previous_path(path).write_text("schema_version: 1\n", encoding="utf-8")
    warning = calibrations_or_warning(path)[1]
    assert warning is not None and "rename calibration.previous.yaml" in warning


def test_not_utf8_and_a_folder_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "calibration.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in str(calibrations_or_warning(path)[1])
    path.unlink()
    path.mkdir()
    assert "cannot be read" in str(calibrations_or_warning(path)[1])
    with pytest.raises(ShowError, match="cannot be kept"):
        write_calibrations(path, {})


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ShowError, match="file"):
        write_calibrations(tmp_path / "file" / "calibration.yaml", {})


def test_a_link_to_nowhere_and_a_file_in_the_way_are_no_crash(tmp_path: Path) -> None:
    link = tmp_path / "calibration.yaml"
    link.symlink_to(tmp_path / "gone.yaml")
    assert "cannot be read" in str(calibrations_or_warning(link)[1])
    (tmp_path / "file").write_bytes(b"")
    assert calibrations_or_warning(tmp_path / "file" / "calibration.yaml") == ({}, None)


def test_where_the_file_stands() -> None:
    assert calibration_path(Path("/a/machine.yaml")) == Path("/a/calibration.yaml")
    assert calibration_path(Path("/a/left.yaml")) == Path("/a/left.calibration.yaml")
    left = previous_path(Path("/a/left.calibration.yaml"))
    assert left == Path("/a/left.calibration.previous.yaml")
