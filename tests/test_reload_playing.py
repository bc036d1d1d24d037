"""A show is edited while the installation plays it: real processes, real OSC, what is seen."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import run_installation
from generator.checkpoint import save_generator
from player.clock import HouseClock
from player.wall.front_buffer import FrontBufferReader
from shows.latent_set import write_latent_set
from shows.schema import Node
from shows.show import Show
from shows.show_file import load_show, save_ballad, save_settings
from tests.installation_process import Installation
from tests.live_show import make_live_show
from tests.reload_shows import with_latents
from tests.tick_helpers import wait_for
from tests.tiny_networks import random_generator
from tests.tiny_show import make_tiny_show

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="needs POSIX signals and /proc"),
    pytest.mark.slow,
]

NEW_TITLE = "The ballad with a new title"


def play(show: Show, *arguments: object, **environment: str) -> Installation:
    basics = ("--show", show.folder, "--outputs", "headless", "--threads", 1, "--size", "48x48")
    return Installation(*basics, *arguments, **environment)


def retitle(show: Show, title: str = NEW_TITLE) -> None:
    save_ballad(show.folder, show.ballads[0].model_copy(update={"title": title}))


def title(run: Installation) -> str:
    return run.ask("/screen/1/title")


def misspell(show: Show) -> None:
    path = show.folder / "show.yaml"
    path.write_text(path.read_text().replace("title:", "titel:"))


def publish(show: Show, ballad_id: str, seed: int) -> None:
    """As the light table does: the whole file is put in the place of the one before."""
    write_latent_set(
        show.latents_path(ballad_id), with_latents(show, ballad_id, seed=seed).latents[ballad_id]
    )


class Watched:
    """Looks at a front buffer as often as it can, on a thread, and keeps what it sees."""

    def __init__(self, path: Path) -> None:
        self._reader, self._clock = FrontBufferReader(path), HouseClock()
        self.seen: list[tuple[int, NDArray[np.uint8]]] = []  # (ns, [screens, H, W, 3])
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *fault: object) -> None:
        self._ending.set()
        self._thread.join()

    def screen(self, number: int) -> list[NDArray[np.float64]]:
        """What one screen (from 1) showed, without what it showed again."""
        shown = [pixels[number - 1].astype(np.float64) for _, pixels in self.seen]
        return shown[:1] + [b for a, b in pairwise(shown) if not np.array_equal(a, b)]

    def longest_gap_s(self) -> float:
        return max(b - a for (a, _), (b, _) in pairwise(self.seen)) / 1e9

    def _look(self) -> None:
        while not self._ending.wait(0.002):
            glimpse = self._reader.poll()
            if glimpse is not None:
                self.seen.append((self._clock.now_ns(), glimpse.pixels))


def apart(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Mean over pixels and channels, in levels of 255."""
    return float(np.abs(a - b).mean())


def test_a_title_is_read_anew_and_a_fault_changes_nothing(tmp_path: Path) -> None:
    show = make_tiny_show(tmp_path / "show")
    journal = tmp_path / "journal"
    with play(show, "--mode", "slate", "--journal", journal) as run:
        assert title(run) == "Ballad number 1"
        retitle(show)
        if shutil.which("oscsend"):
            subprocess.run(["oscsend", "127.0.0.1", str(run.osc_port), "/reload"], check=True)
        else:
            run.ask("/reload")
        assert wait_for(lambda: title(run) == NEW_TITLE, seconds=20)
        run.said("The show was read anew: ballad-1: title.")

        misspell(show)
        outcome, text = run.answer("/reload")
        assert (outcome, title(run)) == ("error", NEW_TITLE)
        assert text == (
            "show.yaml: title: is missing. show.yaml: titel: is not a word this file knows; check "
            "its spelling, or take it out."
        )
        assert f"files not taken over: {text}" in run.ask("/status")

        save_settings(show.folder, show.settings.model_copy(update={"fps": 25}))
        outcome, text = run.answer("/reload")
        assert outcome == "error"
        assert text == (
            "show.yaml: fps: is changed, and the clock runs at it; restart the player for it."
        )

        save_settings(show.folder, show.settings)
        assert run.ask("/reload") == "read anew; no word and no latents have changed"
        assert "files not taken over" not in run.ask("/status")
        assert "show read anew 1 times" in run.ask("/status")
        run.signal(signal.SIGTERM)
        assert run.ended() == 0
    kept = [json.loads(line) for path in journal.glob("*.jsonl") for line in path.open()]
    told = [entry for entry in kept if "reload" in entry.values()]
    assert len(told) == 3


def test_new_latents_are_morphed_to_and_nothing_is_black_or_frozen(tmp_path: Path) -> None:
    show = make_live_show(tmp_path / "show", moving=False)
    front = tmp_path / "front"
    words = ("--mode", "live", "--front-buffer", front, "--report", tmp_path / "report.json")
    with play(show, *words) as run:
        run.reaches(10)
        with Watched(front) as watched:
            publish(show, "ballad-1", seed=5)
            assert run.ask("/reload") == "read anew: ballad-1: latents"
            run.reaches(run.frame() + show.settings.ballad_change_frames + 30)
        shown, others = watched.screen(1), watched.screen(2)
        run.signal(signal.SIGTERM)
        assert run.ended() == 0
    whole = apart(shown[0], shown[-1])
    assert whole > 10, "the new latents are another picture"
    assert len(others) == 1, "no other screen changes by one level"
    assert min(picture.mean() for picture in shown) > 0.5 * min(shown[0].mean(), shown[-1].mean())
    assert len(shown) > 30, "it goes by many steps"
    steps = [apart(a, b) for a, b in pairwise(shown)]
    assert max(steps) < whole / 3, "and by no jump"
    to_go = [apart(picture, shown[-1]) for picture in shown]
    half = next(place for place, left in enumerate(to_go) if left < whole / 2)
    assert 3 < half < len(shown) - 3
    assert watched.longest_gap_s() < 2
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["frames_by_source"].keys() == {"live"}


def test_with_watch_an_edited_file_needs_no_command(tmp_path: Path) -> None:
    show = make_tiny_show(tmp_path / "show")
    with play(show, "--mode", "slate", "--watch") as run:
        assert title(run) == "Ballad number 1"
        retitle(show)
        assert wait_for(lambda: title(run) == NEW_TITLE, seconds=20)
        misspell(show)
        run.said("The show's files are not taken over; it plays on as before. show.yaml: title")
        assert title(run) == NEW_TITLE
        save_settings(show.folder, show.settings)
        retitle(show, "And back")
        assert wait_for(lambda: title(run) == "And back", seconds=20)
        run.signal(signal.SIGTERM)
        assert run.ended() == 0


def test_another_generator_starts_the_engine_again_while_stills_bridge(tmp_path: Path) -> None:
    show = make_live_show(tmp_path / "show", moving=False)
    front = tmp_path / "front"
    with play(show, "--mode", "auto", "--front-buffer", front) as run:
        run.status_with("source live;")
        run.reaches(run.frame() + 5)
        with Watched(front) as watched:
            content_hash = save_generator(
                random_generator(resolution=16, seed=7), show.generator_path
            )
            for ballad_id, latents in show.latents.items():
                path = show.latents_path(ballad_id)
                write_latent_set(path, replace(latents, generator_hash=content_hash))
            assert run.ask("/reload") == "read anew: generator"
            run.status_with("source slate")
            run.status_with("source live;.*worker restarts 1")
            run.status_with("source live;")
            run.reaches(run.frame() + 30)
        shown = watched.screen(1)
        run.signal(signal.SIGTERM)
        assert run.ended() == 0
    assert apart(shown[0], shown[-1]) > 5, "the new generator makes another picture"
    darkest = min(picture.mean() for picture in shown)
    assert darkest > 0.3 * min(shown[0].mean(), shown[-1].mean()), "never black"
    assert watched.longest_gap_s() < 2


def test_a_player_that_is_killed_goes_on_with_the_show_that_was_read_anew(tmp_path: Path) -> None:
    show = make_tiny_show(tmp_path / "show")
    state = tmp_path / "state.json"
    with play(show, "--mode", "slate", "--state", state) as run:
        run.reaches(10)
        before = state.read_bytes()
        save_settings(show.folder, show.settings.model_copy(update={"noise_strength": 0.5}))
        assert run.ask("/reload") == "read anew: noise_strength"
        assert wait_for(lambda: state.read_bytes() != before)
        frame = run.frame()
        run.signal(signal.SIGKILL)
    with play(show, "--mode", "slate", "--state", state) as run:
        assert int(run.said(r"The show goes on at frame (\d+)")[1]) >= frame
        run.signal(signal.SIGTERM)
        assert run.ended() == 0


def test_one_of_several_machines_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show = make_tiny_show(tmp_path / "show")
    names = tuple(screen.name for screen in show.settings.screens)
    node = Node(name="a", host="127.0.0.1", port=9710, screens=names)
    save_settings(show.folder, show.settings.model_copy(update={"nodes": (node,)}))
    with play(load_show(show.folder), "--mode", "slate", "--node", "a") as run:
        outcome, text = run.answer("/reload")
        assert outcome == "error" and "put the new files on all of them" in text
        run.signal(signal.SIGTERM)
        assert run.ended() == 0
    words = ["--show", str(show.folder), "--node", "a", "--watch"]
    assert run_installation.main(words) == 1
    assert "--watch does not go with --node: this machine is one of" in capsys.readouterr().err
