"""`share` as a process, with NDI itself: what a receiver sees is what the player shows."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pytest

from player.wall.front_buffer import FrontBuffer, read_front_buffer
from tests.installation_process import ROOT, Installation
from tests.tick_helpers import wait_for

Pixels = np.ndarray

has_ndi = pytest.mark.skipif(
    importlib.util.find_spec("cyndilib") is None,
    reason="the extra `ndi` is not installed: pip install '.[ndi]'",
)
# NDI's own compression is lossy, and its colours are those of video
ATOL = 6


@pytest.fixture
def loopback(tmp_path: Path) -> dict[str, str]:
    """NDI looks for sources on this machine by itself: discovery by multicast takes Avahi."""
    (tmp_path / "ndi-config.v1.json").write_text('{"ndi": {"networks": {"ips": "127.0.0.1"}}}')
    return {**os.environ, "NDI_CONFIG_DIR": str(tmp_path)}


class Share:
    """One run of the verb. Use as a context: it is not left running."""

    def __init__(self, environment: dict[str, str], *words: object) -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, ROOT / "run_installation.py", "share", *map(str, words)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        self.lines.extend(line.rstrip() for line in self._process.stdout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._listener.join(5)

    def said(self, words: str, times: int = 1) -> bool:
        return wait_for(lambda: sum(words in line for line in self.lines) >= times, seconds=30)

    def ended(self, number: signal.Signals | None = None) -> int:
        """Its exit status, after a signal if one is given."""
        if number is not None:
            self._process.send_signal(number)
        assert wait_for(lambda: self._process.poll() is not None, seconds=20), self.lines
        self._listener.join(5)
        return self._process.returncode


class Showing:
    """A player's front buffer, filled 30 times a second with one value a screen until told to
    stop."""

    def __init__(self, path: Path, screens: int, size_px: tuple[int, int]) -> None:
        self.values = [40 + 60 * screen for screen in range(screens)]
        self._front, self._size_px = FrontBuffer(path, screens, size_px), size_px
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        width, height = self._size_px
        while not self._stop.wait(1 / 30):
            self._front.show(
                [np.full((height, width, 3), value, np.uint8) for value in self.values]
            )

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


def received(
    name: str, folder: Path, environment: dict[str, str]
) -> tuple[Pixels, dict[str, object]]:
    """What a receiver of its own process got last, [H, W, 3], and what it says of it."""
    out = folder / "received.npy"
    done = subprocess.run(
        [sys.executable, "-m", "tests.ndi_receiver", name, str(out)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return np.load(out), json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def showing(tmp_path: Path) -> Iterator[Showing]:
    player = Showing(tmp_path / "front", 3, (64, 36))
    yield player
    player.stop()


@has_ndi
@pytest.mark.slow
def test_ndi_carries_all_screens_and_single_ones(
    tmp_path: Path, loopback: dict[str, str], showing: Showing
) -> None:
    name, path = f"ballads {os.getpid()}", tmp_path / "front"
    words = ("--to", "ndi", "--name", name, "--front-buffer", path)
    with Share(loopback, *words) as sharing:
        assert sharing.said("192x36")
        picture, facts = received(f"({name})", tmp_path, loopback)
        assert picture.shape == (36, 192, 3) and facts["rate"] == [30, 1]
        for screen, value in enumerate(showing.values):
            part = picture[4:-4, 64 * screen + 8 : 64 * screen + 56].astype(int)
            np.testing.assert_allclose(part, value, atol=ATOL)
        assert sharing.ended(signal.SIGINT) == 0
        assert "the show goes on" in sharing.lines[-1]
    with Share(loopback, *words, "--screen", 3, 2, "--fps", "15") as sharing:
        assert sharing.said("64x36")
        for screen in (2, 3):
            picture, facts = received(f"({name} {screen})", tmp_path, loopback)
            assert picture.shape == (36, 64, 3) and facts["rate"] == [15, 1]
            wanted = showing.values[screen - 1]
            np.testing.assert_allclose(picture.astype(int), wanted, atol=ATOL)
        assert sharing.ended(signal.SIGTERM) == 0
        assert "the show goes on" in sharing.lines[-1]


@has_ndi
@pytest.mark.slow
def test_the_last_picture_is_held_and_another_player_is_followed(
    tmp_path: Path, loopback: dict[str, str]
) -> None:
    name, path = f"held {os.getpid()}", tmp_path / "front"
    first = Showing(path, 3, (64, 36))
    with Share(loopback, "--to", "ndi", "--name", name, "--front-buffer", path) as sharing:
        assert sharing.said("192x36")
        first.stop()
        path.unlink()
        assert sharing.said("until the player is back")
        picture, facts = received(f"({name})", tmp_path, loopback)
        np.testing.assert_allclose(picture[4:-4, 8:56].astype(int), 40, atol=ATOL)
        assert int(str(facts["count"])) > 10, "it is sent again and again"
        second = Showing(path, 2, (48, 48))
        try:
            assert sharing.said("The player is there.") and sharing.said("96x48")
            picture, _ = received(f"({name})", tmp_path, loopback)
            assert picture.shape == (48, 96, 3)
            np.testing.assert_allclose(picture[4:-4, 56:88].astype(int), 100, atol=ATOL)
        finally:
            second.stop()


@has_ndi
@pytest.mark.slow
def test_a_receiver_sees_the_show_and_its_blackout(
    tmp_path: Path, loopback: dict[str, str]
) -> None:
    name, path = f"show {os.getpid()}", tmp_path / "front"
    player_words = ("--mode", "slate", "--outputs", "headless", "--size", "256x144")
    with (
        Installation(*player_words, "--front-buffer", path) as player,
        Share(loopback, "--to", "ndi", "--name", name, "--screen", 4, "--front-buffer", path) as it,
    ):
        player.said("Playing")
        player.ask("/pause")
        assert it.said("256x144")
        picture, _ = received(f"({name} 4)", tmp_path, loopback)
        away = np.abs(read_front_buffer(path).astype(int) - picture).mean(axis=(1, 2, 3))
        assert away[3] < ATOL, "it is the fourth screen's painting"
        assert np.delete(away, 3).min() > 3 * ATOL, "and none of the others"
        player.ask("/blackout", 1)
        assert wait_for(lambda: not read_front_buffer(path)[3].any(), seconds=10)
        picture, _ = received(f"({name} 4)", tmp_path, loopback)
        assert picture.max() <= ATOL
        it.__exit__(None, None, None)  # killed
        before = player.frame()
        player.ask("/play")
        assert player.reaches(before + 5), "the show goes on"
        player.signal(signal.SIGINT)
        assert player.ended() == 0


@has_ndi
def test_a_screen_that_the_player_has_not_is_a_sentence(
    tmp_path: Path, loopback: dict[str, str], showing: Showing
) -> None:
    words = ("--to", "ndi", "--screen", 5, "--front-buffer", tmp_path / "front")
    with Share(loopback, *words) as sharing:
        assert sharing.ended() == 1
        assert sharing.lines[-1].endswith("front has 3 screens: there is no screen 5.")


@pytest.mark.skipif(importlib.util.find_spec("cyndilib") is not None, reason="NDI is installed")
def test_without_the_package_it_says_how_to_get_it() -> None:
    with Share(dict(os.environ), "--to", "ndi") as sharing:
        assert sharing.ended() == 1
        assert sharing.lines == [
            "run_installation.py share: --to ndi needs the package cyndilib: install the extra "
            "`ndi`, as in pip install '.[ndi]'."
        ]
