"""`preview`: a sheet and a film of one ballad, drawn by the show's own engine."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from player.making import preview
from player.picture_book.sheet import GAP_PX, WORDS_PX
from player.picture_book.stage import Stage, ballad_ws
from player.slate_source import read_painting
from shows.show import Show
from tests.export_engine import make_short_show
from tests.test_new_show import INTERRUPTIBLE, run_verb

SIDE = preview.SIDE_PX


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    """Five paintings of 20 frames a ballad."""
    return make_short_show(tmp_path_factory.mktemp("preview") / "show")


@pytest.fixture(scope="module")
def stage(show: Show) -> Iterator[Stage]:
    with Stage(show, threads=1) as stage:
        yield stage


def cell(page: Image.Image, row: int, column: int) -> np.ndarray:
    left = GAP_PX + column * (SIDE + GAP_PX)
    top = GAP_PX + row * (SIDE + WORDS_PX + GAP_PX) + WORDS_PX
    return np.asarray(page.crop((left, top, left + SIDE, top + SIDE)))


@pytest.mark.slow
def test_a_sheet_has_the_paintings_and_what_is_shown_of_them(
    show: Show, stage: Stage, tmp_path: Path
) -> None:
    path = tmp_path / "sheet.png"
    preview.draw_sheet(stage, "ballad-2", path)
    with Image.open(path) as page:
        page.load()
    for index, painting in enumerate(show.ballad("ballad-2").paintings):
        still = read_painting(show.painting_path("ballad-2", index), painting, SIDE)[..., :3]
        assert (cell(page, index, 0) == still).all()
    # the fifth column of the last row is half of the morph back to the first painting
    loop = show.settings.stops * show.settings.frames_per_stop
    frame = 4 * show.segment_frames + loop + show.settings.morph_frames // 2
    drawn = stage.pictures([ballad_ws(show, "ballad-2", frame)])[:1]
    wanted = stage.shown(drawn, (SIDE, SIDE), preview.LOOK)
    assert (cell(page, 4, 4) == wanted).all()
    assert not (cell(page, 4, 4) == cell(page, 4, 1)).all()


@pytest.mark.slow
def test_a_film_is_one_cycle_as_long_as_it_is(show: Show, stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    preview.make_film(stage, "ballad-1", path, every=4)
    with av.open(str(path)) as film:
        video = film.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video)]
        seconds = float(video.duration * video.time_base)
    assert len(frames) == show.cycle_frames("ballad-1") / 4 == 25
    assert seconds == pytest.approx(100 / 30, abs=0.01)
    assert frames[0].shape == (SIDE, SIDE, 3)
    for number in (0, 10, 24):
        drawn = stage.pictures([ballad_ws(show, "ballad-1", number * 4)])[:1]
        wanted = stage.shown(drawn, (SIDE, SIDE), preview.LOOK)
        assert np.abs(frames[number].astype(int) - wanted).mean() < 4


@pytest.mark.slow
def test_the_verb_writes_both_where_they_are_wanted(show: Show, tmp_path: Path) -> None:
    done = run_verb("preview", show.folder, "--ballad", "Ballad number 2", "--every", 10)
    assert done.returncode == 0, done.stderr
    made = sorted((show.folder / "work" / "ballad-2").iterdir())
    assert [path.name for path in made] == ["preview.mp4", "preview.png"]
    done = run_verb("preview", show.folder, "--out", tmp_path / "new" / "one.png")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["one.png"]
    assert done.stdout.strip() == str(tmp_path / "new" / "one.png")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--ballad", "nobody"), "There is no ballad 'nobody'; there are 1 ballad-1"),
        (("--out", "film.avi"), "must end in .png or .mp4"),
    ],
)
def test_a_wrong_word_is_a_sentence(show: Show, words: tuple[str, ...], sentence: str) -> None:
    done = run_verb("preview", show.folder, *words)
    assert done.returncode == 1 and sentence in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def test_no_show_is_a_sentence(tmp_path: Path) -> None:
    done = run_verb("preview", tmp_path)
    assert done.returncode == 1 and "There is no show in" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_ctrl_c_leaves_no_half_film(show: Show, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*INTERRUPTIBLE, "preview", show.folder, "--out", tmp_path / "p", "--every", "1"],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == str(tmp_path / "p.png")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in said, said
    assert [path.name for path in tmp_path.iterdir()] == ["p.png"]
