"""training.painter.landscape, its scenes, and the verb `paint`."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from shows.show_file import load_show
from training import __main__ as command_line
from training.errors import TrainingError
from training.painter import paint
from training.painter.draw import draw_scene
from training.painter.elements import ELEMENTS
from training.painter.landscape import paint_landscape, paint_scene
from training.painter.palette import PALETTE_NAMES, palette
from training.painter.scene import KINDS, Scene

SHOW = Path(__file__).parent.parent / "shows" / "inspace"


def _array(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("RGB"), np.float32)


def _paint(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    paint.add_arguments(parser)
    return paint.run(parser.parse_args(arguments))


def test_a_landscape_is_decided_by_its_seed() -> None:
    first, again, other = (_array(paint_landscape(seed, 64)) for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert np.abs(first - other).mean() > 10


@pytest.mark.parametrize("size_px", [16, 50, 101])
def test_the_size_is_the_one_asked_for(size_px: int) -> None:
    picture = paint_landscape(3, size_px)
    assert picture.size == (size_px, size_px)
    assert picture.mode == "RGB"


def test_a_picture_too_small_to_paint_is_refused() -> None:
    with pytest.raises(ValueError, match="too small"):
        paint_landscape(1, 8)


def test_a_picture_is_the_same_picture_at_another_size() -> None:
    small = _array(paint_landscape(11, 64).resize((16, 16), Image.Resampling.BOX))
    large = _array(paint_landscape(11, 192).resize((16, 16), Image.Resampling.BOX))
    assert np.abs(small - large).mean() < 16


def test_landscapes_are_varied_colourful_and_brushed() -> None:
    pictures = np.stack([_array(paint_landscape(seed, 64)) for seed in range(14)])
    means = pictures.mean((1, 2))
    apart = np.linalg.norm(means[:, None] - means[None, :], axis=-1)
    assert np.median(apart[np.triu_indices(14, 1)]) > 40
    colour = pictures.max(-1) - pictures.min(-1)
    assert colour.mean() > 50
    assert np.all(pictures.std((1, 2)).mean(-1) > 18)
    rough = np.abs(np.diff(_array(paint_landscape(4, 192)), axis=1)).mean()
    assert rough > 3


def test_random_scenes_use_every_palette_and_pass_their_own_validation() -> None:
    scenes = [draw_scene(seed) for seed in range(300)]
    assert {scene.palette for scene in scenes} == set(PALETTE_NAMES)
    used = {element.kind for scene in scenes for element in scene.elements}
    assert used == set(KINDS)
    for scene in scenes[:50]:
        data = {**vars(scene), "sky": vars(scene.sky)}
        data["elements"] = [vars(element) for element in scene.elements]
        assert Scene.from_mapping(data) == scene


def test_every_kind_has_a_painter_and_leaves_its_mark() -> None:
    assert set(ELEMENTS) == set(KINDS)
    plain = {"bank": "none", "water": "none", "hills": 1}
    empty = _array(paint_scene(Scene.from_mapping(plain), 2, 24))
    for kind in KINDS:
        thing = {"kind": kind, "x": 0.5, "y": 0.9, "size": 0.5}
        scene = Scene.from_mapping({**plain, "elements": [thing]})
        changed = np.abs(_array(paint_scene(scene, 2, 24)) - empty).max(-1) > 40
        assert changed.sum() > 5, kind


def test_the_body_in_the_sky_stands_where_the_scene_says() -> None:
    sky = {"body": "moon", "x": 0.25, "y": 0.25, "size": 0.3, "clouds": 0, "mist": 0}
    scene = Scene.from_mapping({"palette": "moonlit-blue", "sky": sky, "bank": "none"})
    picture = _array(paint_scene(scene, 1, 64)).mean(-1)
    assert picture[12:20, 12:20].mean() > picture[12:20, 44:52].mean() + 80


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"pallete": "dusk-rose"}, ["scene: has no key 'pallete'", "palette"]),
        ({"palette": "mud"}, ["scene.palette", "'mud'", "dusk-rose"]),
        ({"sky": {"sun": 1}}, ["scene.sky: has no key 'sun'", "body"]),
        ({"sky": {"clouds": 2}}, ["scene.sky.clouds", "2", "from 0 to 1"]),
        ({"sky": {"clouds": float("nan")}}, ["scene.sky.clouds", "nan"]),
        ({"horizon": "low"}, ["scene.horizon", "'low'", "0.2 to 0.85"]),
        ({"horizon": True}, ["scene.horizon", "True"]),
        ({"hills": 1.5}, ["scene.hills", "whole number"]),
        ({"elements": "boat"}, ["scene.elements", "list"]),
        ({"elements": [{"kind": "ufo"}]}, ["scene.elements[0].kind", "'ufo'", "castle"]),
        ({"elements": [{"x": 0.5}]}, ["scene.elements[0]", "kind"]),
        ({"elements": [{"kind": []}]}, ["scene.elements[0].kind", "[]"]),
        ({"elements": ["boat", {"kind": "boat", "colour": "red"}]}, ["elements[1].colour", "red"]),
        ({"elements": [{"kind": "boat", "colour": "#zzzzzz"}]}, ["elements[0].colour", "zzzzzz"]),
        ({"elements": [{"kind": "boat", "z": 1}]}, ["elements[0]: has no key 'z'"]),
        ([], ["scene: must be a mapping"]),
    ],
)
def test_faults_of_a_scene_are_sentences(mapping: object, words: list[str]) -> None:
    with pytest.raises(TrainingError) as fault:
        Scene.from_mapping(mapping)
    text = str(fault.value)
    assert text.endswith(".")
    for word in words:
        assert word in text


def test_palettes_drift_a_little_and_unknown_names_are_refused() -> None:
    plain = palette("dusk-rose")
    drifted = palette("dusk-rose", np.random.default_rng(1), 0.03)
    assert 0 < np.abs(plain.top - drifted.top).max() < 60
    with pytest.raises(KeyError):
        palette("mud")


def test_paint_resumes_where_it_was_stopped(tmp_path: Path) -> None:
    arguments = ["--out", str(tmp_path), "--seed", "7", "--size", "32", "--count"]
    assert _paint([*arguments, "3"]) == 0
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert sorted(before) == ["000000.jpg", "000001.jpg", "000002.jpg"]
    (tmp_path / "000001.jpg").unlink()
    assert _paint([*arguments, "5"]) == 0
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(after) == 5
    assert after["000000.jpg"] == before["000000.jpg"]
    assert after["000002.jpg"] == before["000002.jpg"]


def test_a_picture_that_cannot_be_painted_whole_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("training.painter.paint.os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _paint(["--out", str(tmp_path), "--size", "32", "--count", "1"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_two_processes_paint_what_one_paints(tmp_path: Path) -> None:
    for folder, jobs in (("one", "1"), ("two", "2")):
        arguments = ["--out", str(tmp_path / folder), "--size", "32", "--count", "6"]
        assert _paint([*arguments, "--jobs", jobs]) == 0
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def _small_show(folder: Path, scene: object, file: str = "paintings/1.png") -> Path:
    ballad = folder / "ballads" / "song"
    ballad.mkdir(parents=True)
    settings = {
        "schema_version": 1,
        "title": "Small",
        "ballads": ["song"],
        "screens": [{"name": "one", "ballad": "song"}],
    }
    (folder / "show.yaml").write_text(yaml.safe_dump(settings))
    paintings = [{"id": "a", "line": "A line.", "file": file, "scene": scene}]
    data = {"title": "Song", "paintings": paintings}
    (ballad / "ballad.yaml").write_text(yaml.safe_dump(data))
    return ballad


def test_the_illustrations_of_a_show_are_painted_once(tmp_path: Path) -> None:
    ballad = _small_show(tmp_path, {"palette": "storm-teal", "elements": ["ship"]})
    assert _paint(["--show", str(tmp_path), "--size", "40"]) == 0
    target = ballad / "paintings" / "1.png"
    with Image.open(target) as picture:
        assert picture.size == (40, 40)
    painted = target.read_bytes()
    target.write_bytes(b"a painting by hand")
    assert _paint(["--show", str(tmp_path), "--size", "40"]) == 0
    assert target.read_bytes() == b"a painting by hand"
    assert _paint(["--show", str(tmp_path), "--size", "40", "--force"]) == 0
    assert target.read_bytes() == painted


def test_a_fault_in_a_shows_scene_is_named_by_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _small_show(tmp_path, {"horizon": 3})
    assert command_line.main(["paint", "--show", str(tmp_path)]) == 2
    assert "ballads/song/ballad.yaml: paintings[0].scene.horizon" in capsys.readouterr().err


def test_a_file_outside_the_show_is_refused(tmp_path: Path) -> None:
    _small_show(tmp_path / "show", {}, "../../../outside.png")
    with pytest.raises(TrainingError, match="out of the show's folder"):
        _paint(["--show", str(tmp_path / "show"), "--size", "32"])
    assert not (tmp_path / "outside.png").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--out", "a", "--show", "b"],
        ["--out", "a", "--size", "4"],
        ["--out", "a", "--jobs", "0"],
    ],
)
def test_wrong_options_are_refused_in_a_sentence(arguments: list[str]) -> None:
    with pytest.raises(TrainingError, match=r"\.$"):
        _paint(arguments)


def test_the_shipped_show_has_seven_ballads_of_five_painted_lines() -> None:
    show = load_show(SHOW, latents=False)
    assert len(show.ballads) == len(show.settings.screens) == 7
    assert [screen.ballad for screen in show.settings.screens] == list(show.ballad_ids)
    for ballad in show.ballads:
        assert len(ballad.paintings) == 5
        assert ballad.child is not None
        for painting in ballad.paintings:
            Scene.from_mapping(painting.scene, f"{ballad.id}/{painting.id}")
            assert painting.keywords
            assert painting.emotions
            with Image.open(SHOW / "ballads" / ballad.id / painting.file) as picture:
                assert picture.size == (1024, 1024)
