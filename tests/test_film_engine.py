"""The film process's engine: what it does with films that fail, hang and are asked for at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from player.clock import ManualClock
from player.films.film_board import FilmBoard
from player.films.film_engine import MOST_HEADS, FilmEngine, is_missing
from player.films.film_facts import FilmError
from player.live.shared_segment import SegmentError
from tests.tick_helpers import wait_for


class Disk:
    """What the fake readers read from. bad: paths that fail; hangs: those that wait."""

    def __init__(self) -> None:
        self.bad: dict[str, str] = {}
        self.hangs: set[str] = set()
        self.go_on = threading.Event()
        self.opened: list[str] = []
        self.open_now = 0

    def open(self, path: Path) -> FakeReader:
        self.opened.append(path.name)
        if self.bad.get(path.name) == "open":
            raise FilmError(f"{path} cannot be opened.")
        self.open_now += 1
        return FakeReader(self, path.name)


class FakeReader:
    """Draws the last letter of its film's name and the frame as red and green."""

    def __init__(self, disk: Disk, name: str) -> None:
        self.disk, self.name, self.position = disk, name, -1
        self.held = 0

    def cost(self, index: int) -> int:
        return index - self.position if index >= self.position else 20

    def hold(self, index: int) -> None:
        if self.name in self.disk.hangs:
            assert self.disk.go_on.wait(10)
        if self.disk.bad.get(self.name) == "read":
            raise FilmError(f"{self.name} cannot be read at frame {index}.")
        if self.disk.bad.get(self.name) == "bug":
            raise RuntimeError("a mistake in the library")
        self.position = self.held = index

    def write(self, out: NDArray[np.uint8]) -> None:
        out[...] = (ord(self.name[-1]), self.held % 256, 0, 255)

    def close(self) -> None:
        self.disk.open_now -= 1


@pytest.fixture
def board() -> Iterator[FilmBoard]:
    board = FilmBoard.create()
    board.set_paths(["/films/a", "/films/b", "", "/films/d"])
    yield board
    board.close()


@pytest.fixture
def disk() -> Iterator[Disk]:
    disk = Disk()
    yield disk
    disk.go_on.set()


class Rig:
    def __init__(self, board: FilmBoard, disk: Disk, patience_s: float = 5.0) -> None:
        self.board, self.clock = board, ManualClock(10**9)
        self.engine = FilmEngine(board, disk.open, clock=self.clock, patience_s=patience_s, how="x")

    def render(self, *wanted: tuple[int, int]) -> list[tuple[str, int] | None]:
        ws = np.array(wanted, np.float32)[:, None, :]
        out = np.full((len(wanted), 4, 4, 4), 77, np.uint8)
        self.engine.render(ws, out)
        return [
            None if is_missing(picture) else (chr(picture[1, 1, 0]), int(picture[1, 1, 1]))
            for picture in out
        ]

    def faults(self) -> dict[int, str]:
        found = self.board.faults(newer_than=0)
        assert found is not None
        return found[1]


@pytest.fixture
def rig(board: FilmBoard, disk: Disk) -> Iterator[Rig]:
    rig = Rig(board, disk)
    yield rig
    rig.engine.close()


def test_opens_all_films_at_once_and_draws_what_is_wanted(rig: Rig, disk: Disk) -> None:
    assert sorted(disk.opened) == ["a", "b", "d"]
    assert rig.engine.description == "3 films, x"
    assert rig.render((0, 5), (1, 5), (3, 7)) == [("a", 5), ("b", 5), ("d", 7)]
    assert sorted(disk.opened) == ["a", "b", "d"]


def test_nothing_wanted_no_film_and_unknown_numbers_are_marked(rig: Rig) -> None:
    assert rig.render((-1, -1), (2, 0), (99, 0), (0, 1)) == [None, None, None, ("a", 1)]


def test_the_same_frame_twice_is_decoded_once(rig: Rig, disk: Disk) -> None:
    assert rig.render((0, 5), (0, 5), (0, 5)) == [("a", 5)] * 3
    assert disk.opened.count("a") == 1


def test_one_film_at_two_places_gets_a_reader_for_each_and_no_more(rig: Rig, disk: Disk) -> None:
    for frame in range(30):
        wanted = ((0, frame), (0, 200 + frame))
        assert rig.render(*wanted) == [("a", frame), ("a", 200 + frame)]
    assert disk.opened.count("a") == 2
    assert rig.render((0, 100)) == [("a", 100)]  # a jump seeks with what there is
    assert disk.opened.count("a") == 2


def test_more_places_than_readers_are_marked_and_the_rest_plays(rig: Rig, disk: Disk) -> None:
    found = rig.render(*((0, 50 * place) for place in range(MOST_HEADS + 2)))
    assert found.count(None) == 2
    assert disk.opened.count("a") == MOST_HEADS


@pytest.mark.parametrize("how", ["open", "read"])
def test_a_film_that_fails_is_closed_told_and_tried_again_later(
    how: str, board: FilmBoard, disk: Disk
) -> None:
    disk.bad["b"] = how
    rig = Rig(board, disk)
    assert rig.render((0, 1), (1, 1)) == [("a", 1), None]
    assert "cannot be" in rig.faults()[1] and list(rig.faults()) == [1]
    assert disk.open_now == 2
    tries = disk.opened.count("b")
    assert rig.render((0, 2), (1, 2)) == [("a", 2), None]
    assert disk.opened.count("b") == tries  # too soon
    disk.bad.clear()
    rig.clock.advance(500_000_000)
    assert rig.render((0, 3), (1, 3)) == [("a", 3), ("b", 3)]
    assert rig.faults() == {}
    rig.engine.close()


def test_pauses_grow_while_a_film_goes_on_failing(rig: Rig, disk: Disk) -> None:
    disk.bad["b"] = "open"
    disk.bad["a"] = "read"
    tries = []
    for _ in range(400):
        before = disk.opened.count("a")
        rig.render((0, 1), (3, 1))
        tries.append(disk.opened.count("a") > before)
        rig.clock.advance(100_000_000)
    at = [place for place, tried in enumerate(tries) if tried]
    pauses = np.diff([0, *at])
    assert pauses[:4].tolist() == [5, 10, 20, 40] and pauses[4:].max() == 80


def test_a_film_that_hangs_is_left_out_and_comes_back(board: FilmBoard, disk: Disk) -> None:
    disk.hangs.add("b")
    rig = Rig(board, disk, patience_s=0.4)
    assert rig.render((0, 1), (1, 1)) == [("a", 1), None]
    assert "has not answered" in rig.faults()[1]
    assert rig.render((0, 2), (1, 2), (3, 2)) == [("a", 2), None, ("d", 2)]
    disk.go_on.set()
    assert wait_for(lambda: rig.render((1, 3)) == [("b", 3)])
    assert rig.faults() == {}
    assert disk.opened.count("b") == 1
    rig.engine.close()


def test_a_picture_given_up_is_never_written(board: FilmBoard, disk: Disk) -> None:
    disk.hangs.add("b")
    rig = Rig(board, disk, patience_s=0.4)
    out = np.full((1, 4, 4, 4), 77, np.uint8)
    rig.engine.render(np.array([[[1, 1]]], np.float32), out)
    out[...] = 33  # the slot belongs to another frame now
    disk.go_on.set()
    assert wait_for(lambda: rig.render((1, 2)) == [("b", 2)])
    assert (out == 33).all()
    rig.engine.close()


def test_an_unforeseen_fault_of_one_film_leaves_the_others_alone(rig: Rig, disk: Disk) -> None:
    disk.bad["a"] = "bug"
    assert rig.render((0, 1), (1, 1)) == [None, ("b", 1)]
    assert rig.faults() == {0: "/films/a cannot be played: RuntimeError: a mistake in the library."}


def test_films_come_and_go_while_it_runs(rig: Rig, board: FilmBoard, disk: Disk) -> None:
    rig.render((0, 1))
    board.set_paths(["", "/films/b", "", "/films/d", "/films/a"])
    assert rig.render((0, 2), (4, 2), (1, 2)) == [None, ("a", 2), ("b", 2)]
    assert disk.open_now == 3
    assert disk.opened.count("b") == 1


def test_the_board_carries_texts_both_ways_and_refuses_what_is_too_long() -> None:
    board = FilmBoard.create()
    other = FilmBoard.attach(board.name)
    assert other.paths(newer_than=0) is None
    assert board.set_paths(["/films/Märchen.mp4", ""])
    version, paths = other.paths(newer_than=0) or (0, [])
    assert paths == ["/films/Märchen.mp4", ""]
    assert other.paths(newer_than=version) is None
    assert not board.set_paths(["x" * (1 << 20)])
    assert other.paths(newer_than=version) is None
    other.set_faults(dict.fromkeys(range(300), "y" * 10000))
    _, faults = board.faults(newer_than=0) or (0, {})
    assert 0 < len(faults) < 300 and len(faults[0]) == 500
    other.close()
    board.close()
    with pytest.raises(SegmentError):
        FilmBoard.attach(board.name)
