"""Missing films are made behind the show, and taken up while it plays."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from player.films.film_facts import film_path, films_folder
from player.films.library import Film
from player.missing_films import LOOK_EVERY_TICKS, MissingFilms
from tests.export_engine import make_short_show
from tests.film_maker import make_film, number_of, numbers
from tests.installation_process import Installation
from tests.test_film_library import facts_for, short_show
from tests.tick_helpers import wait_for


class Taken:
    def __init__(self) -> None:
        self.films: Mapping[str, Film] = {}

    def adopt(self, films: Mapping[str, Film]) -> None:
        self.films = films


def test_films_are_taken_up_as_they_come(tmp_path: Path) -> None:
    show = short_show(tmp_path / "show")
    maker = tmp_path / "run_installation.py"
    maker.write_text("import sys; sys.exit(print('the disk is full') or 1)")
    source, told = Taken(), []
    making = MissingFilms(show, source, maker, lambda kind, sentence: told.append(sentence))
    making.start()
    try:
        films_folder(show).mkdir()
        ballad_id = show.ballad_ids[1]
        facts = facts_for(show, ballad_id)
        make_film(film_path(show, ballad_id), numbers(facts.frames, 16, 16), facts=facts)
        tick = 0

        def is_taken() -> bool:
            nonlocal tick
            tick += LOOK_EVERY_TICKS
            making.tend(tick)
            return list(source.films) == [ballad_id] and bool(told)

        assert wait_for(is_taken, seconds=20)
        assert told == ["Missing films could not be made. the disk is full"]
    finally:
        making.close()


@pytest.mark.slow
@pytest.mark.alone  # films are made at idle priority: beside other tests, when those are through
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_show_without_films_makes_them_and_falls_back_on_them(tmp_path: Path) -> None:
    show = make_short_show(tmp_path / "show")
    basics = ("--show", show.folder, "--outputs", "headless", "--threads", 1, "--size", "64x64")
    with Installation(*basics, "--make-films") as run:
        run.said(r"Making 2 films in the background")
        run.said(r"The missing films are made\.", seconds=90)
        run.status_with(r"films ready: 2 of 2 films can be played", seconds=60)
        run.status_with(r"source live;", seconds=60)
        roles = {role_of(pid): pid for pid in run.worker_pids()}
        os.kill(roles["live"], signal.SIGKILL)
        run.status_with(r"source film")
        run.status_with(r"source live;", seconds=60)
        run.signal(signal.SIGTERM)
        assert run.ended() == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.alone
def test_films_alone_play_without_torch(tmp_path: Path) -> None:
    show = short_show(tmp_path / "show")
    films_folder(show).mkdir()
    for ballad_id in show.ballad_ids:
        facts = facts_for(show, ballad_id)
        make_film(film_path(show, ballad_id), numbers(facts.frames, 16, 16), facts=facts)
    show.generator_path.unlink()  # nor is there a generator
    (tmp_path / "torch.py").write_text("raise ImportError('torch is not installed here')")
    report, front = tmp_path / "report.json", tmp_path / "front"
    words = ("--show", show.folder, "--outputs", "headless", "--size", "64x64", "--mode", "film")
    with Installation(
        *words, "--frames", 60, "--report", report, "--snapshot", front, PYTHONPATH=str(tmp_path)
    ) as run:
        assert run.ended() == 0, run.text
    told = json.loads(report.read_text())
    assert set(told["frames_by_source"]) == {"film"} and told["frames_presented"] > 50
    last = np.asarray(Image.open(front / "screen-1-screen-1.png"))
    assert number_of(last) == told["last_frame"] % 40


def role_of(pid: int) -> str:
    """Of a process that the player has started: "live", "film", or empty."""
    words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    roles = [word.partition(b"=")[2] for word in words if word.startswith(b"INSPACE_ROLE=")]
    return roles[0].decode() if roles else ""
