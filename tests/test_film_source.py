"""Films over a real film process that is killed, stopped and given broken films."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from player.clock import HouseClock
from player.films.film_source import (
    FILM_LIMITS,
    PARTS,
    FilmFrame,
    FilmPictures,
    FilmSource,
    _without_missing,
)
from player.films.library import Film
from player.films.mp4_boxes import read_mp4
from player.frame_source import Pictures
from player.live.ring_layout import MAX_LOOKAHEAD_FRAMES
from player.live.shared_segment import Segment, SegmentError, segment_folder
from player.live.worker_watch import Limits
from tests.film_maker import make_film, number_of, numbers
from tests.test_film_decoder import FACTS
from tests.tick_helpers import wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs POSIX signals and /proc")

SCREENS = 3
SIDE = 32
# A machine busy with other tests may hold a process up for long; only where a hang is meant, a
# short limit holds.
QUICK = replace(
    FILM_LIMITS, hung_ns=10_000_000_000, first_pause_ns=20_000_000, longest_pause_ns=80_000_000
)
Make = Callable[..., FilmSource]


def film(ballad_id: str, path: Path, frames: int) -> Film:
    return Film(ballad_id, path, frames, None, "foreign")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Film]:
    """Ballads a, b and c; their pictures carry the frame plus 0, 1000 and 2000."""
    folder = tmp_path_factory.mktemp("films")
    found = {}
    for place, (ballad_id, frames) in enumerate([("a", 60), ("b", 45), ("c", 60)]):
        pictures = numbers(1000 * place + frames, SIDE, SIDE)[1000 * place :]
        path = make_film(folder / f"{ballad_id}.mp4", pictures)
        found[ballad_id] = film(ballad_id, path, frames)
    return found


@pytest.fixture
def make(films: dict[str, Film]) -> Iterator[Make]:
    sources: list[FilmSource] = []

    def open_source(wanted: dict[str, Film] | None = None, limits: Limits = QUICK) -> FilmSource:
        chosen = films if wanted is None else wanted
        source = FilmSource(chosen, screens=SCREENS, size_px=(SIDE, SIDE), limits=limits)
        sources.append(source)
        source.start()
        return source

    yield open_source
    for source in sources:
        source.close()
    assert [path.name for path in segment_folder().glob(f"inspace-{os.getpid()}-*")] == []


def one_each(frame: int) -> list[list[FilmFrame]]:
    return [[FilmFrame(ballad_id, frame)] for ballad_id in "abc"]


class Playing:
    """Drives a source as the frame loop would, without its pace."""

    def __init__(
        self,
        source: FilmSource,
        wanted: Callable[[int], Sequence[Sequence[FilmFrame]]] = one_each,
        first: int = 0,
    ) -> None:
        self.source, self.wanted = source, wanted
        self.clock = HouseClock()
        self.frame, self.asked = first, first - 1

    def tick(self) -> FilmPictures | None:
        self.source.play(self.frame)
        while self.asked < self.frame + MAX_LOOKAHEAD_FRAMES:
            self.asked += 1
            self.source.request(self.asked, self.wanted(self.asked))
        self.source.tend(self.clock.now_ns())
        return self.source.pictures(self.frame)

    def exactly(self) -> list[list[int]] | None:
        """One tick; the numbers that each screen's pictures carry, once the frame is there."""
        shown = self.tick()
        if shown is None or shown.frame != self.frame:
            return None
        self.frame += 1
        return seen(shown)

    def next(self, seconds: float = 20.0) -> list[list[int]]:
        found: list[list[list[int]]] = []

        def look() -> bool:
            numbers_seen = self.exactly()
            found.extend([] if numbers_seen is None else [numbers_seen])
            return bool(found)

        assert wait_for(look, seconds=seconds), self.source.status()
        return found[0]


def seen(shown: FilmPictures) -> list[list[int]]:
    return [[number_of(shown.pixels[index]) for index in screen] for screen in shown.picture_of]


def due(frame: int) -> list[list[int]]:
    return [[frame % 60], [1000 + frame % 45], [2000 + frame % 60]]


def test_plays_every_frame_exactly_over_the_seams(make: Make) -> None:
    source = make()
    assert source.status().state == "starting"
    playing = Playing(source, first=30)
    for frame in range(30, 130):
        assert playing.next() == due(frame)
    status = source.status()
    assert status.state == "ready" and status.restarts == 0
    assert status.detail == "3 of 3 films can be played."
    assert "3 films, FFmpeg" in status.engine
    assert source.has("a") and not source.has("d") and list(source.films) == ["a", "b", "c"]


def test_the_process_says_what_it_is(make: Make) -> None:
    source = make()
    environment = Path(f"/proc/{source.worker_pid}/environ")
    assert wait_for(lambda: b"INSPACE_ROLE=film\0" in environment.read_bytes())


def test_several_parts_of_a_screen_and_screens_without_films(make: Make) -> None:
    def wanted(frame: int) -> list[list[FilmFrame]]:
        parts = [FilmFrame("a", frame), FilmFrame("unknown", frame), FilmFrame("b", frame + 7)]
        return [parts, [], [FilmFrame("unknown", 3)]]

    playing = Playing(make(), wanted)
    for frame in range(20):
        assert playing.next() == [[frame, 1000 + (frame + 7) % 45], [], []]


def test_nothing_wanted_at_all_is_an_answer_too(make: Make) -> None:
    playing = Playing(make(), lambda frame: [[], [], []])
    assert playing.next() == [[], [], []]


def test_the_same_pictures_are_the_same_object(make: Make) -> None:
    playing = Playing(make())
    playing.next()
    playing.next()
    first, second = playing.source.pictures(0), playing.source.pictures(1)
    assert first is not None and second is not None
    assert first.serial != second.serial
    assert playing.source.pictures(0) is first and playing.source.pictures(1) is second
    assert playing.source.pictures(-1) is None


def test_wrong_wishes_are_refused(make: Make) -> None:
    source = make()
    with pytest.raises(ValueError, match="3 films for each of 3 screens"):
        source.request(0, [[]])
    with pytest.raises(ValueError, match="3 films for each of 3 screens"):
        source.request(0, [[FilmFrame("a", 0)] * (PARTS + 1), [], []])


def test_killed_it_comes_back_at_the_playing_frame(make: Make) -> None:
    source = make()
    playing = Playing(source)
    for kill in range(3):
        playing.next()
        before = source.worker_pid
        os.kill(before, signal.SIGKILL)
        assert wait_for(
            lambda pid=before: playing.tick() and source.worker_pid not in (0, pid), seconds=20
        )
        playing.frame += 100  # what passed meanwhile
        playing.asked = playing.frame - 1
        frame = playing.frame
        assert playing.next() == due(frame)
        assert source.status().restarts == kill + 1
    assert "SIGKILL" in source.status().detail


def test_stopped_it_is_ended_and_replaced(make: Make) -> None:
    source = make(limits=replace(QUICK, hung_ns=600_000_000))
    playing = Playing(source)
    playing.next()
    pid = source.worker_pid
    os.kill(pid, signal.SIGSTOP)
    assert wait_for(lambda: playing.tick() and source.worker_pid not in (0, pid), seconds=20)
    frame = playing.frame
    assert playing.next() == due(frame)


def test_the_last_pictures_stay_while_it_is_gone(make: Make) -> None:
    source = make()
    playing = Playing(source)
    playing.next()
    os.kill(source.worker_pid, signal.SIGKILL)
    assert wait_for(lambda: source.worker_pid == 0 or not playing.tick())
    shown = source.pictures(5)
    assert shown is not None and seen(shown) == due(shown.frame)


BROKEN = {
    "empty": b"",
    "text": b"this is no film\n" * 100,
    "half": None,
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_film_leaves_the_others_alone(
    kind: str, make: Make, films: dict[str, Film], tmp_path: Path
) -> None:
    content = BROKEN[kind]
    path = tmp_path / "broken.mp4"
    whole = films["b"].path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    source = make({**films, "b": replace(films["b"], path=path)})
    playing = Playing(source)
    for frame in range(10):
        assert playing.next() == [[frame], [], [2000 + frame]]
    detail = source.status().detail
    assert detail.startswith("2 of 3 films can be played.") and str(path) in detail
    assert source.status().state == "ready" and source.status().restarts == 0


@pytest.mark.parametrize("at", [17, 30, 44])
def test_a_film_damaged_in_the_middle_is_never_shown_wrong(
    at: int, make: Make, tmp_path: Path
) -> None:
    facts = FACTS.model_copy(update={"frames": 60})
    path = make_film(tmp_path / "damaged.mp4", numbers(60, SIDE, SIDE), facts=facts)
    video = read_mp4(path)
    assert video is not None
    data = bytearray(path.read_bytes())
    begin, end = int(video.offsets[at]) + 5, int(video.offsets[at] + video.sizes[at])
    data[begin:end] = np.random.default_rng(at).bytes(end - begin)
    path.write_bytes(data)
    playing = Playing(
        make({"a": film("a", path, 60)}), lambda frame: [[FilmFrame("a", frame)], [], []]
    )
    found = [playing.next()[0] for _ in range(60)]
    assert all(numbers_seen in ([], [frame]) for frame, numbers_seen in enumerate(found))
    assert found[at] == [] and found[0] == [0]


def test_films_made_meanwhile_are_adopted_without_a_restart(
    make: Make, films: dict[str, Film], tmp_path: Path
) -> None:
    source = make({"a": films["a"]})
    playing = Playing(source)
    assert playing.next() == [[0], [], []]
    pid = source.worker_pid
    source.adopt(films)
    playing.asked = playing.frame - 1  # the loop asks again
    frame = playing.frame
    assert wait_for(lambda: playing.tick() is not None and len(source.films) == 3)
    playing.frame, playing.asked = frame + 20, frame + 19
    assert playing.next() == due(frame + 20)
    again = make_film(tmp_path / "again.mp4", numbers(3060, SIDE, SIDE)[3000:])
    source.adopt({"a": film("a", again, 60), "b": films["b"]})
    assert not source.has("c")
    playing.frame, playing.asked = frame + 40, frame + 39
    at = frame + 40
    assert playing.next() == [[3000 + at % 60], [1000 + at % 45], []]
    assert source.worker_pid == pid and source.status().restarts == 0


def test_without_films_there_is_no_process_until_the_first_one(
    make: Make, films: dict[str, Film]
) -> None:
    source = make({})
    playing = Playing(source)
    assert playing.tick() is None
    assert source.worker_pid == 0 and source.status().detail == "There are no films."
    source.adopt(films)
    assert source.worker_pid != 0
    playing.asked = -1
    assert playing.next() == due(0)


def test_what_was_missing_of_a_frame_that_stands_comes_later(
    make: Make, films: dict[str, Film], tmp_path: Path
) -> None:
    path = tmp_path / "late.mp4"
    source = make({**films, "b": replace(films["b"], path=path)})
    playing = Playing(source, first=12)
    assert playing.next() == [[12], [], [2012]]
    playing.frame = 12
    (tmp_path / "whole").write_bytes(films["b"].path.read_bytes())
    (tmp_path / "whole").rename(path)

    def is_whole() -> bool:
        shown = playing.tick()
        return shown is not None and seen(shown) == due(12)

    assert wait_for(is_whole, seconds=20)
    assert source.status().detail == "3 of 3 films can be played."


def test_a_film_of_another_size_rate_and_codec(make: Make, tmp_path: Path) -> None:
    path = make_film(
        tmp_path / "own.avi", numbers(30, 64, 64), codec="mpeg4", pixels="yuv420p", fps=24
    )
    wanted = {"a": film("a", path, 30)}
    playing = Playing(make(wanted), lambda frame: [[], [FilmFrame("a", frame)], []])
    for frame in range(40):
        assert playing.next() == [[], [frame % 30], []]


def test_without_shared_memory_it_says_so_and_plays_nothing(
    films: dict[str, Film], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str, size_bytes: int) -> Segment:
        raise SegmentError(f"There is no room for {size_bytes} bytes.")

    monkeypatch.setattr(Segment, "create", refuse)
    source = FilmSource(films, screens=SCREENS, size_px=(SIDE, SIDE))
    source.start()
    source.request(0, one_each(0))
    source.tend(1)
    assert source.pictures(0) is None
    status = source.status()
    assert status.state == "failed" and "no room" in status.detail
    source.close()


def test_pictures_marked_missing_are_left_out() -> None:
    pixels: NDArray[np.uint8] = np.full((3, 4, 4, 4), 255, np.uint8)
    pixels[1, 0, 0, 3] = 0
    of = (0, 1, 2, 1, 1, 1, 2, 0, 1)
    found = _without_missing(Pictures(7, pixels, of, 3), 3)
    assert found.picture_of == ((0, 2), (), (2, 0))
    assert (found.frame, found.serial) == (7, 3)
