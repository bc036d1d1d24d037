"""When a show is read anew, who is answered what, and that a fault changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from player.films.library import FilmCheck
from player.reload.changes import ShowChanges
from player.reload.desk import NoReloads, ReloadDesk
from player.reload.reading import Playing, Reading
from player.slate_source import SlateSource
from shows.schema import ShowError
from shows.show import Show
from tests.tick_helpers import wait_for
from tests.tiny_show import make_tiny_show


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    return make_tiny_show(tmp_path_factory.mktemp("show"), screens=1, ballads=1, size=4)


def playing(show: Show, fingerprint: str = "first") -> Playing:
    return Playing(show, None, SlateSource(show, 4), FilmCheck({}, {}, ()), fingerprint)


@dataclass
class House:
    """A reload desk whose readings end when the test lets them."""

    show: Show
    results: list[Callable[[Playing], Reading]] = field(default_factory=list)
    room: bool = True

    def __post_init__(self) -> None:
        self.begun: list[Playing] = []
        self.go_on = threading.Semaphore(0)
        self.taken: list[tuple[Reading, int]] = []
        self.events: list[tuple[str, str]] = []
        self.answers: list[tuple[str, bool, str]] = []
        self.desk = ReloadDesk(
            playing(self.show),
            read=self.read,
            take_over=lambda reading, tick: self.taken.append((reading, tick)),
            has_room=lambda tick: self.room,
            event=lambda kind, sentence: self.events.append((kind, sentence)),
        )
        self.tick = 0

    def read(self, before: Playing) -> Reading:
        self.begun.append(before)
        assert self.go_on.acquire(timeout=10)
        return self.results.pop(0)(before)

    def ask(self, name: str) -> None:
        self.desk.ask(lambda ok, text: self.answers.append((name, ok, text)))

    def tick_on(self) -> None:
        self.tick += 1
        self.desk.tend(self.tick)

    def is_answered(self, count: int) -> bool:
        def answered() -> bool:
            self.tick_on()
            return len(self.answers) >= count

        return wait_for(answered)


def found(*taken: str, refused: tuple[str, ...] = ()) -> Callable[[Playing], Reading]:
    def read(before: Playing) -> Reading:
        now = replace(before, fingerprint=f"after {before.fingerprint}")
        return Reading(now, ShowChanges(taken, refused))

    return read


def raising(fault: Exception) -> Callable[[Playing], Reading]:
    def read(before: Playing) -> Reading:
        raise fault

    return read


def test_it_is_read_beside_the_show_and_taken_over_on_one_tick(show: Show) -> None:
    house = House(show, [found("title", "tam-lin: latents")])
    house.tick_on()
    house.ask("a")
    house.tick_on()
    assert wait_for(lambda: bool(house.begun))
    for _ in range(50):
        house.tick_on()
    assert (house.answers, house.taken) == ([], []), "nobody waits for it"
    house.go_on.release()
    assert house.is_answered(1)
    assert house.answers == [("a", True, "read anew: title; tam-lin: latents")]
    assert [tick for _, tick in house.taken] == [house.tick]
    assert house.events == [("reload", "The show was read anew: title; tam-lin: latents.")]
    assert house.desk.status() == "show read anew 1 times"


def test_who_asks_during_a_reading_gets_one_that_began_later(show: Show) -> None:
    house = House(show, [found("title"), found("groups")])
    house.ask("a")
    house.tick_on()
    assert wait_for(lambda: len(house.begun) == 1)
    house.ask("b")
    house.ask("c")
    house.go_on.release()
    assert house.is_answered(1)
    house.go_on.release()
    assert house.is_answered(3)
    assert house.answers == [
        ("a", True, "read anew: title"),
        ("b", True, "read anew: groups"),
        ("c", True, "read anew: groups"),
    ]
    assert [before.fingerprint for before in house.begun] == ["first", "after first"]


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (raising(ShowError("show.yaml: title: is missing.")), "show.yaml: title: is missing."),
        (raising(ShowError("show.yaml: a.\nshow.yaml: b.")), "show.yaml: a. show.yaml: b."),
        (raising(OSError("the disk is gone")), "the disk is gone"),
        (found("title", refused=("fps: no.", "nodes: no.")), "fps: no. nodes: no."),
    ],
)
def test_a_fault_changes_nothing_and_is_told(
    show: Show, result: Callable[[Playing], Reading], said: str
) -> None:
    house = House(show, [result, found("title")])
    house.go_on.release(2)
    house.ask("a")
    assert house.is_answered(1)
    assert house.answers == [("a", False, said)]
    assert house.taken == []
    assert house.events[0][0] == "reload" and "it plays on as before" in house.events[0][1]
    assert house.desk.status() == f"files not taken over: {said}"
    house.ask("b")
    assert house.is_answered(2)
    assert house.desk.status() == "show read anew 1 times"
    assert house.begun[1].fingerprint == "first", "compared with what plays"


def test_a_defect_of_the_players_own_costs_one_answer(
    show: Show, caplog: pytest.LogCaptureFixture
) -> None:
    house = House(show, [raising(RuntimeError("oh")), found("title")])
    house.go_on.release(2)
    house.ask("a")
    assert house.is_answered(1)
    assert house.answers[0][1:] == (False, "the player failed on this: RuntimeError('oh')")
    assert "Reading the show anew failed" in caplog.text
    house.ask("b")
    assert house.is_answered(2) and house.answers[1][1]


def test_files_that_changed_are_read_with_nobody_to_answer(show: Show) -> None:
    house = House(show, [found("title"), found()])
    house.go_on.release(2)
    house.desk.files_changed()

    def is_taken() -> bool:
        house.tick_on()
        return bool(house.taken)

    assert wait_for(is_taken)
    assert (house.answers, len(house.events)) == ([], 1)
    house.ask("a")
    assert house.is_answered(1)
    assert house.answers == [("a", True, "read anew; no word and no latents have changed")]
    assert len(house.events) == 1, "nothing is no event"
    assert len(house.taken) == 2, "stills and films may have changed all the same"


def test_what_was_read_waits_for_room(show: Show) -> None:
    house = House(show, [found("title")], room=False)
    house.go_on.release()
    house.ask("a")
    house.tick_on()
    assert wait_for(lambda: not house.results)
    for _ in range(100):
        house.tick_on()
    assert house.taken == []
    house.room = True
    assert house.is_answered(1)


def test_a_warning_about_the_show_comes_with_the_answer(show: Show) -> None:
    odd = replace(show, warnings=("The latents are of another generator.", "And so on."))
    house = House(show, [lambda before: Reading(playing(odd), ShowChanges(("title",)))])
    house.go_on.release()
    house.ask("a")
    assert house.is_answered(1)
    assert house.answers[0][2] == "read anew: title. The latents are of another generator."


def test_a_painting_that_cannot_be_read_comes_with_the_answer(tmp_path: Path) -> None:
    show = make_tiny_show(tmp_path, screens=1, ballads=1, paintings=1, size=4)
    show.painting_path("ballad-1", 0).write_bytes(b"no picture")
    slates = SlateSource(show, 4)
    slates.start()
    now = replace(playing(show), slates=slates)
    house = House(show, [lambda before: Reading(now, ShowChanges())])
    house.go_on.release()
    house.ask("a")
    assert house.is_answered(1)
    _, ok, text = house.answers[0]
    assert ok and "changed. Painting 1 of ballad-1 cannot be shown as a still" in text


def test_one_of_several_machines_refuses(tmp_path: Path) -> None:
    answers: list[tuple[bool, str]] = []
    none = NoReloads("not here")
    none.tend(1)
    none.ask(lambda ok, text: answers.append((ok, text)))
    assert answers == [(False, "not here")] and none.status() == ""
