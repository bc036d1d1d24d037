"""The observer on a front buffer written by a pretended player, with times made by hand."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from player.chaos.judge import FAULT_TOLERANCE, longest_run, states
from player.chaos.observer import Observer, is_lit
from player.chaos.picture_match import PLACES, VALUES, Reference
from player.wall.front_buffer import FrontBuffer, FrontBufferReader
from tests.test_chaos_matching import FRAMES, moving_pictures

FPS = Fraction(30)
FRAME_NS = 33_333_333
BALLADS = ("left", "middle", "right")


class Player:
    """Presents frames of three films on screens of 64 pixels, at a time told to it."""

    def __init__(self, path: Path) -> None:
        self.films = {name: moving_pictures(seed) for seed, name in enumerate(BALLADS)}
        self._path = path
        self._reader = FrontBufferReader(path, 2)
        self.observer = Observer(
            {name: Reference(film.reshape(FRAMES, VALUES)) for name, film in self.films.items()},
            BALLADS,
            FPS,
        )
        self.restart()

    def restart(self) -> None:
        self._front = FrontBuffer(self._path, 3, (2 * PLACES, 2 * PLACES))

    def shows(
        self, tick: int, frame: int, gain: float = 1.0, order: tuple[str, ...] = BALLADS
    ) -> None:
        noise = np.random.default_rng(tick)
        pictures = []
        for name in order:
            picture = self.films[name][frame % FRAMES] * gain + noise.normal(
                0, 2.5, (PLACES, PLACES, 3)
            )
            small = np.clip(picture, 0, 255).astype(np.uint8)
            pictures.append(small.repeat(2, 0).repeat(2, 1))
        self.presents(tick, pictures)

    def presents(self, tick: int, pictures: list[NDArray[np.uint8]]) -> None:
        self._front.show(pictures)
        glimpse = self._reader.poll()
        assert glimpse is not None and self._reader.poll() is None
        self.observer.see(glimpse, tick * FRAME_NS)

    def wrong(self, from_tick: int, to_tick: int) -> int:
        from_ns, to_ns = from_tick * FRAME_NS, to_tick * FRAME_NS
        seen = self.observer.since(from_ns)
        return longest_run(states(seen, to_ns, FPS, FAULT_TOLERANCE, from_ns))


@pytest.fixture
def player(tmp_path: Path) -> Player:
    player = Player(tmp_path / "front")
    for tick in range(60):  # in the middle of the films, and over their end later
        player.shows(tick, 150 + tick)
    assert player.observer.has_course and player.observer.settle(59 * FRAME_NS)
    return player


def test_a_healthy_player_is_right_over_the_films_end(player: Player) -> None:
    for tick in range(60, 150):
        player.shows(tick, 150 + tick)
    assert player.wrong(60, 150) == 0
    assert max(max(map(abs, one.off)) for one in player.observer.seen) <= 1


def test_late_frozen_and_black_pictures_are_caught(player: Player) -> None:
    for tick in range(60, 90):
        player.shows(tick, 150 + min(tick, 65))  # stands from 65 on
    assert player.wrong(60, 90) == 90 - 67
    for tick in range(90, 120):
        player.shows(tick, 146 + tick)
    assert player.wrong(90, 120) == 30
    for tick in range(120, 150):
        player.shows(tick, 150 + tick, gain=0.0 if tick == 130 else 1.0)
    assert player.wrong(121, 150) == 1
    assert sum(one.black for one in player.observer.seen) == 3


def test_screens_that_show_each_others_film_are_caught(player: Player) -> None:
    for tick in range(60, 90):
        player.shows(tick, 150 + tick, order=("left", "right", "middle"))
    assert player.wrong(60, 90) == 30
    assert not player.observer.fit(89 * FRAME_NS)


def test_the_course_outlives_the_player(player: Player) -> None:
    player.restart()
    for tick in range(90, 120):
        player.shows(tick, 150 + tick)
    assert [one.file for one in player.observer.seen][-1] == 2
    assert player.wrong(95, 120) == 0


def test_other_ballads_are_found_anew(player: Player) -> None:
    order = ("right", "left", "middle")
    player.observer.changed_to(order)
    assert not player.observer.has_course
    for tick in range(60, 130):
        player.shows(tick, 40 + tick, order=order)
    assert player.observer.settle(129 * FRAME_NS) and player.wrong(70, 130) == 0


def test_a_show_that_slips_or_runs_ahead_does_not_take_its_judge_along(player: Player) -> None:
    for step, least in ((-1, 60), (1, 30)):  # a frame in two seconds, and never back
        first = player.observer.seen[-1].time_ns // FRAME_NS + 1
        for tick in range(first, first + 300):
            player.shows(tick, 150 + tick + step * (tick - first) // 60)
            if tick % 60 == 0:
                player.observer.fit(tick * FRAME_NS)
        assert player.wrong(first, first + 300) >= least
        for tick in range(first + 300, first + 420):
            player.shows(tick, 150 + tick)
            if tick % 60 == 0:
                player.observer.fit(tick * FRAME_NS)
        assert player.wrong(first + 305, first + 420) == 0


def test_a_first_picture_that_misled_on_some_screens_is_put_right(tmp_path: Path) -> None:
    player = Player(tmp_path / "front")
    mixed = [player.films[name][30 + more] for name, more in zip(BALLADS, (0, 1, 2), strict=True)]
    player.presents(0, [picture.repeat(2, 0).repeat(2, 1) for picture in mixed])
    settled = []
    for tick in range(1, 150):
        player.shows(tick, 30 + tick)
        settled.append(player.observer.settle(tick * FRAME_NS))
    assert settled[-1] and not any(settled[:60])
    assert set(player.observer.seen[-1].off) == {0}


def test_what_is_like_no_film_sets_no_course(tmp_path: Path) -> None:
    player = Player(tmp_path / "front")
    grey = [np.full((64, 64, 3), 128, np.uint8)] * 3
    player.presents(0, grey)
    assert not player.observer.has_course and not player.observer.seen
    assert not player.observer.fit(0)


def test_the_first_picture_is_one_that_can_be_seen(tmp_path: Path) -> None:
    front = FrontBuffer(tmp_path / "front", 2, (32, 32))
    reader = FrontBufferReader(tmp_path / "front")
    for value, is_seen in ((0, False), (90, True)):
        front.show([np.full((32, 32, 3), 90, np.uint8), np.full((32, 32, 3), value, np.uint8)])
        glimpse = reader.poll()
        assert glimpse is not None and is_lit(glimpse) == is_seen
