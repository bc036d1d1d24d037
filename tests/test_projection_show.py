"""`project` over a whole show: common batches, restarts, the film, the table, and what is far."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from PIL import Image

from shows.show import Show
from tests.tiny_training import make_curating_show, tiny_generator
from training.__main__ import main
from training.latents import projection_session
from training.latents.projection_file import (
    ProjectionFile,
    projection_path,
    read_projection,
    write_projection,
)
from training.latents.projection_film import HOLD_FRAMES
from training.latents.projection_table import missed_shares
from training.show_folder import read_target
from training.shown_picture import ShownAs, draw_pixels

torch.set_num_threads(1)
ROOT = Path(__file__).resolve().parent.parent


def project(show: Show, *words: str) -> dict[str, ProjectionFile]:
    assert main(["project", str(show.folder), *words]) == 0
    return {name: read_projection(show, name) for name in show.ballad_ids}


def test_batches_go_across_ballads_and_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    real = projection_session.project

    def counted(generator: Any, targets: Any, *args: Any, **more: Any) -> Any:
        sizes.append(len(targets))
        return real(generator, targets, *args, **more)

    monkeypatch.setattr(projection_session, "project", counted)
    show = make_curating_show(tmp_path / "show", ballads=3, paintings=2)
    together = project(show, "--steps", "3", "--batch", "4")
    assert sizes == [4, 2]
    sizes.clear()
    apart = project(show, "--steps", "3", "--batch", "1", "--force")
    assert sizes == [1] * 6
    for name in show.ballad_ids:
        np.testing.assert_allclose(together[name].ws, apart[name].ws, atol=1e-4)
        assert together[name].settings == apart[name].settings


def start(show: Show, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "training", "project", str(show.folder), *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_stopped_between_ballads_it_goes_on_to_the_same_files(
    tmp_path: Path, number: signal.Signals
) -> None:
    command = ("--steps", "40", "--batch", "2")
    undisturbed = make_curating_show(tmp_path / "undisturbed", ballads=2)
    project(undisturbed, *command)
    show = make_curating_show(tmp_path / "show", ballads=2)
    process = start(show, *command)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("ballad-1"):
            break
    process.send_signal(number)
    assert process.wait() == (130 if number == signal.SIGINT else -number)
    process.stdout.close()
    first = projection_path(show, "ballad-1")
    kept = first.stat().st_mtime_ns
    assert not projection_path(show, "ballad-2").exists()
    project(show, *command)
    assert first.stat().st_mtime_ns == kept
    for name in show.ballad_ids:
        ours, theirs = (projection_path(each, name) for each in (show, undisturbed))
        assert ours.read_bytes() == theirs.read_bytes()


def test_of_several_restarts_the_nearest_is_kept_and_all_are_told(tmp_path: Path) -> None:
    show = make_curating_show(tmp_path / "show")
    once = project(show, "--steps", "20")["ballad-1"]
    tried = project(show, "--steps", "20", "--restarts", "4", "--batch", "3")["ballad-1"]
    assert once.settings["restarts"] == 1 and tried.settings["restarts"] == 4
    for before, painting in zip(once.paintings, tried.paintings, strict=True):
        distances = painting["restarts"]
        assert len(distances) == 4 and len(set(distances)) == 4
        assert painting["distance_as_shown"] == min(distances)
        assert painting["restart"] == distances.index(min(distances))
        assert distances[0] == pytest.approx(before["distance_as_shown"], rel=1e-2)
        assert painting["start"] == ("mean w" if painting["restart"] == 0 else "random w")
    assert {painting["restart"] for painting in tried.paintings} != {0}
    again = project(show, "--steps", "20", "--restarts", "4", "--batch", "3", "--force")
    np.testing.assert_array_equal(again["ballad-1"].ws, tried.ws)


def test_the_film_shows_every_painting_above_its_projection_as_it_forms(tmp_path: Path) -> None:
    show = make_curating_show(tmp_path / "show")
    found = project(show, "--steps", "30", "--video")["ballad-1"]
    with av.open(str(show.folder / "work" / "ballad-1" / "projection.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264" and stream.codec_context.pix_fmt == "yuv420p"
        assert stream.average_rate == 30
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(frames) == 30 + HOLD_FRAMES
    assert frames[0].shape[0] % 2 == frames[0].shape[1] % 2 == 0
    cell, top, below = 64, 38, 38 + 64 + 22 + 8
    pictures = draw_pixels(tiny_generator(), found.ws, ShownAs())
    for index in range(2):
        left = 8 + index * (cell + 8)

        def part(frame: Any, y: int, x: int = left) -> Any:
            return frame[y : y + cell, x : x + cell].astype(int)

        painting = Image.fromarray(read_target(show, show.ballads[0], index, 16).pixels)
        wanted = np.asarray(painting.resize((cell, cell), Image.Resampling.BICUBIC)).astype(int)
        assert np.abs(part(frames[-1], top) - wanted).mean() < 12
        last = Image.fromarray(pictures[index]).resize((cell, cell), Image.Resampling.BICUBIC)
        assert np.abs(part(frames[-1], below) - np.asarray(last).astype(int)).mean() < 12
        changed = np.abs(part(frames[0], below) - part(frames[-1], below)).mean()
        assert changed > 20, "it begins elsewhere"
        assert np.abs(part(frames[0], top) - part(frames[-1], top)).mean() < 4


def test_the_table_tells_what_the_files_tell(tmp_path: Path) -> None:
    show = make_curating_show(tmp_path / "show", ballads=2)
    found = project(show, "--steps", "2", "--space", "w+")
    project(show, "--steps", "2", "--ballad", "ballad-1", "--space", "w")
    with (show.folder / "work" / "projection.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["ballad"], row["painting"]) for row in rows] == [
        ("ballad-1", "p1"), ("ballad-1", "p2"), ("ballad-2", "p1"), ("ballad-2", "p2"),
    ]  # fmt: skip
    assert [row["space"] for row in rows] == ["w", "w", "w+", "w+"], "the whole show stands in it"
    painting = found["ballad-2"].paintings[1]
    assert float(rows[3]["distance_as_shown"]) == painting["distance_as_shown"]
    assert float(rows[3]["missed"]) == painting["missed"] > 0
    assert rows[3]["generator"] == found["ballad-2"].generator_hash


def noise_for_second(show: Show) -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(show.painting_path("ballad-1", 1))


def test_a_painting_that_the_generator_does_not_know_is_named_and_strict_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show = make_curating_show(tmp_path / "show")
    noise_for_second(show)
    command = ["project", str(show.folder), "--steps", "60"]
    assert main(command) == 0
    out = capsys.readouterr().out
    amber = [line for line in out.splitlines() if line.startswith("amber: ")]
    assert len(amber) == 1 and amber[0].startswith("amber: ballad-1: p2 (")
    assert "not seen anything like it" in amber[0] and "5,000 paintings" in amber[0]
    p1, p2 = read_projection(show, "ballad-1").paintings
    assert p1["missed"] < 0.3 and p2["missed"] > 0.6
    table = next(line for line in out.splitlines() if line.startswith(" 2 p2"))
    assert table.endswith("far")
    with (show.folder / "work" / "projection.csv").open(newline="") as file:
        assert [row["far"] for row in csv.DictReader(file)] == ["no", "yes"]
    assert main([*command, "--strict"]) == 1, "also when it was projected before"
    assert main(["neighbours", str(show.folder), "--auto", "--strength", "0"]) == 0
    capsys.readouterr()
    assert main(["publish", str(show.folder)]) == 0
    assert amber[0] in capsys.readouterr().out


def test_a_show_that_the_generator_knows_passes_strict(tmp_path: Path) -> None:
    show = make_curating_show(tmp_path / "show")
    project(show, "--steps", "60", "--strict")


def test_missed_is_nothing_for_the_painting_and_all_for_its_mean_colour() -> None:
    random = np.random.default_rng(1)
    paintings = random.integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    flat = np.empty_like(paintings)
    flat[:] = paintings.mean(axis=(1, 2), keepdims=True).round()
    assert missed_shares(paintings, paintings) == [0, 0]
    assert missed_shares(flat, paintings) == [1, 1]
    grey = np.full((1, 16, 16, 3), 128, np.uint8)
    assert missed_shares(grey + np.uint8(2), grey)[0] < 0.05, "no contrast, no division by it"


def test_files_of_before_are_up_to_date_and_of_unknown_distance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show = make_curating_show(tmp_path / "show")
    found = project(show, "--steps", "1")["ballad-1"]
    new = {"missed", "start", "restart", "restarts"}
    before = ProjectionFile(
        found.ballad_id,
        found.generator_hash,
        found.ws,
        found.w_std,
        tuple({k: v for k, v in each.items() if k not in new} for each in found.paintings),
        {k: v for k, v in found.settings.items() if k not in ("space", "restarts")},
    )
    write_projection(projection_path(show, "ballad-1"), before)
    capsys.readouterr()
    project(show, "--steps", "1", "--strict")
    assert "1 ballads were up to date" in capsys.readouterr().out
    assert read_projection(show, "ballad-1").settings == found.settings
    with (show.folder / "work" / "projection.csv").open(newline="") as file:
        assert [row["missed"] for row in csv.DictReader(file)] == ["", ""]
