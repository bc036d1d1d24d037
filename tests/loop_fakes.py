"""A recording wall and a deterministic live source, to play a show without GL, process or time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from player.clock import OfflineClock
from player.films.film_facts import film_frames
from player.films.film_source import FilmFrame, FilmPictures
from player.films.library import Film
from player.frame_source import Pictures, SourceState, SourceStatus
from player.wall.calibration import ScreenCalibration
from player.wall.contract import Standing
from player.wall.look import Look
from player.wall.shots import Shot
from shows.show import Show

FilmState = Literal["good", "other", "foreign"]

ENGINE_MS = 2.5


@dataclass(frozen=True)
class Shown:
    """One present. live_frame: whose pictures the live layer showed, None without that layer."""

    began_ns: int
    presented_ns: int
    shots: tuple[Shot, ...]
    live_frame: int | None

    @property
    def live_weight(self) -> float:
        return self.weight_of("live")

    def weight_of(self, source: str, screen: int = 0) -> float:
        """The share of a screen's light; `source` begins the names of what it uploads."""
        layers = self.shots[screen].layers
        return sum(layer.weight for layer in layers if layer.source.startswith(source))


class FakeWall:
    """Records what is shown. `costs_ns[i]`: how long the i-th drawing takes on its clock."""

    def __init__(self, clock: OfflineClock, screens: int) -> None:
        self.clock, self.screens = clock, screens
        self.costs_ns: dict[int, int] = {}
        self.at_poll: dict[int, Callable[[], object]] = {}  # by number of presents so far
        self.open = True
        self.shown: list[Shown] = []
        self.uploads: list[str] = []
        self.hz: Fraction | None = None
        self.calibrations: dict[int, ScreenCalibration] = {}
        self.looks: dict[int, Look] = {}
        self._pixels: dict[str, NDArray[np.uint8]] = {}
        self._drawn: tuple[Shot, ...] = ()
        self._began_ns = 0

    def size_of(self, screen: int) -> tuple[int, int]:
        return (8, 8)

    def logical_size_of(self, screen: int) -> tuple[int, int]:
        return (8, 8)

    def set_calibration(self, screen: int, calibration: ScreenCalibration) -> None:
        self.calibrations[screen] = calibration

    @property
    def is_software(self) -> bool:
        return True

    def set_look(self, screen: int, look: Look) -> None:
        self.looks[screen] = look

    def standing_of(self, screen: int) -> Standing:
        return Standing("paper", "no refresh")

    def screens_status(self) -> tuple[str, ...]:
        return ("on paper",) * self.screens

    def refresh_hz(self) -> Fraction | None:
        return self.hz

    def take_keys(self) -> tuple[str, ...]:
        return ()

    def warm_up_next(self, layers: int = 3) -> bool:
        return False

    def upload(self, source: str, pixels: NDArray[np.uint8]) -> None:
        self.uploads.append(source)
        self._pixels[source] = pixels.copy()

    def draw(self, shots: Sequence[Shot]) -> None:
        assert len(shots) == self.screens
        for shot in shots:
            assert all(layer.picture < len(self._pixels[layer.source]) for layer in shot.layers)
        self._drawn = tuple(shots)

    def finish(self) -> None:
        cost_ns = self.costs_ns.get(len(self.shown), 0)
        self.clock.wait_until_ns(self.clock.now_ns() + cost_ns)

    def present(self) -> None:
        sources = [layer.source for layer in self._drawn[0].layers]
        live = [source for source in sources if source.startswith("live")]
        live_frame = frame_in(self._pixels[live[0]]) if live else None
        self.shown.append(Shown(self._began_ns, self.clock.now_ns(), self._drawn, live_frame))

    def poll(self) -> bool:
        self._began_ns = self.clock.now_ns()
        self.at_poll.get(len(self.shown), lambda: None)()
        return self.open

    def read(self, screen: int) -> NDArray[np.uint8]:
        return np.zeros((8, 8, 3), np.uint8)

    def describe(self) -> str:
        return "a wall on paper"

    def close(self) -> None:
        self.open = False


class FakeSource:
    """Makes each frame `delay_ticks` after the tick that asked for it, except those in `never`.

    Its pictures have their frame's number written into them. `vanish` is a dead worker: what was
    made stays, nothing comes; `come_back` is the next worker, which knows the last 16 requests.
    """

    name = "live"

    def __init__(self, screens: int, *, delay_ticks: int = 1, state: SourceState = "ready") -> None:
        self.screens = screens
        self.delay_ticks = delay_ticks
        self.state: SourceState = state
        self.detail = "As a fake can be."
        self.restarts = 0
        self.never: set[int] = set()
        self.asked: list[tuple[int, list[NDArray[np.float32]]]] = []
        self.ticks = 0
        self._ready_at: dict[int, int] = {}
        self._held: dict[int, Pictures] = {}
        self._serial = 0
        self.playhead = 0
        self.render_ms = 0.0

    def start(self) -> None:
        """Nothing takes time here."""

    def request(
        self, frame: int, latents: Sequence[NDArray[np.float32]], side_px: int | None = None
    ) -> None:
        self.asked.append((frame, list(latents)))
        self._make(frame)

    def play(self, frame: int) -> None:
        self.playhead = frame

    def pictures(self, frame: int) -> Pictures | None:
        made = [n for n, at in self._ready_at.items() if n <= frame and at <= self.ticks]
        if not made:
            return None
        newest = max(made)
        if newest not in self._held:
            pixels = np.full((self.screens, 1, 1, 4), 255, np.uint8)
            pixels[:, 0, 0, :3] = newest % 256, newest // 256 % 256, (newest >> 16) % 256
            self._serial += 1
            serial = self._serial
            self._held = dict(list(self._held.items())[-3:])
            self._held[newest] = Pictures(newest, pixels, tuple(range(self.screens)), serial)
        return self._held[newest]

    def tend(self, now_ns: int) -> None:
        self.ticks += 1

    def status(self) -> SourceStatus:
        return SourceStatus(
            self.state, self.detail, "fake engine", ENGINE_MS, self.restarts, self.render_ms
        )

    def close(self) -> None:
        """Nothing is left behind."""

    def vanish(self) -> None:
        self.state, self.detail = "failed", "The worker was ended by SIGKILL."
        self._ready_at = {n: at for n, at in self._ready_at.items() if at <= self.ticks}

    def come_back(self) -> None:
        self.state, self.detail = "ready", "Live."
        self.restarts += 1
        for frame, _ in self.asked[-16:]:
            self._make(frame)

    def _make(self, frame: int) -> None:
        if self.state != "failed" and frame not in self.never:
            self._ready_at.setdefault(frame, self.ticks + 1 + self.delay_ticks)


def frame_in(pixels: NDArray[np.uint8]) -> int:
    """The frame number a FakeSource wrote into its pictures [P, H, W, 4]."""
    red, green, blue = (int(value) for value in pixels[0, 0, 0, :3])
    return red + 256 * green + 65536 * blue


class FakeFilms:
    """Films of every ballad, each picture ready `delay_ticks` after the tick that asked for it.

    `fail` takes a ballad's pictures away while the film goes on being listed.
    """

    def __init__(self, show: Show, *, delay_ticks: int = 1, state: FilmState = "good") -> None:
        self.films = {
            ballad_id: Film(
                ballad_id, Path(f"{ballad_id}.mp4"), film_frames(show, ballad_id), None, state
            )
            for ballad_id in show.ballad_ids
        }
        self.delay_ticks = delay_ticks
        self.ticks = 0
        self.playhead = 0
        self.failing: set[str] = set()
        self.stopped = False
        self.asked: dict[int, list[list[FilmFrame]]] = {}
        self._ready_at: dict[int, int] = {}

    def request(self, frame: int, wanted: Sequence[Sequence[FilmFrame]]) -> None:
        self.asked[frame] = [list(one) for one in wanted]
        if not self.stopped:
            self._ready_at.setdefault(frame, self.ticks + 1 + self.delay_ticks)

    def play(self, frame: int) -> None:
        self.playhead = frame

    def pictures(self, frame: int) -> FilmPictures | None:
        made = [n for n, at in self._ready_at.items() if n <= frame and at <= self.ticks]
        if not made:
            return None
        newest = max(made)
        flat = [part for one in self.asked[newest] for part in one]
        pixels = np.full((max(len(flat), 1), 1, 1, 4), 255, np.uint8)
        index, picture_of = 0, []
        for one in self.asked[newest]:
            places = range(index, index + len(one))
            index += len(one)
            kept = zip(places, one, strict=True)
            picture_of.append(tuple(n for n, part in kept if part.ballad_id not in self.failing))
        return FilmPictures(newest, pixels, tuple(picture_of), newest + 1)

    def tend(self, now_ns: int) -> None:
        self.ticks += 1

    def status(self) -> SourceStatus:
        return SourceStatus("ready", "3 of 3 films can be played.", "", 0.0, 0)
