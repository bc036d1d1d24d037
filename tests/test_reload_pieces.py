"""What the parts of a player do when their show was read anew: each by itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from player.commands import Pause, SetBallad
from player.films.film_cues import FilmPart, blended_parts
from player.films.film_facts import FilmFacts
from player.films.film_source import FilmSource
from player.films.library import Film, FilmCheck
from player.live.shared_segment import segment_folder
from player.live.synthesized_source import SynthesizedSource
from player.missing_films import LOOK_EVERY_TICKS, MissingFilms
from player.osc.feedback import Feedback
from player.schedule_desk import LARGEST_STEP, ScheduleDesk
from player.slate_source import SlateSource
from player.transport import apply_command, opening_transport
from player.upkeep.saved_state import state_of
from player.upkeep.state_file import StateKeeper
from player.upkeep.tell_message import Message
from player.upkeep.telling import Teller
from shows.fingerprint import show_fingerprint
from shows.notify_schema import Notify
from shows.schedule_schema import Schedule
from shows.show import Show
from tests.reload_shows import with_latents, with_settings
from tests.test_schedule_desk import HOURS, Rig, S, wall
from tests.test_synthesized_source import GEOMETRY, QUICK, Playing
from tests.tick_helpers import wait_for
from tests.tiny_show import make_tiny_show


@pytest.fixture
def show(tmp_path: Path) -> Show:
    return make_tiny_show(tmp_path / "show", screens=1, ballads=2, paintings=2, size=4)


# ---- the worker


@pytest.fixture
def source(tmp_path: Path) -> Iterator[SynthesizedSource]:
    source = SynthesizedSource(
        GEOMETRY, factory="tests.fake_engine:open_engine", factory_args={}, limits=QUICK
    )
    source.start()
    yield source
    source.close()
    assert [path.name for path in segment_folder().glob(f"inspace-{os.getpid()}-*")] == []


@pytest.mark.slow
def test_a_renewed_worker_is_another_process_with_the_new_arguments(
    source: SynthesizedSource,
) -> None:
    playing = Playing(source)
    assert playing.play(10)
    before = source.worker_pid
    source.renew({"load_s": 0.2, "early": True})
    states, held = set(), []

    def is_back() -> bool:
        held.append(playing.tick())
        states.add(source.status().state)
        return source.worker_pid not in (0, before) and source.status().state == "ready"

    assert wait_for(is_back, seconds=20)
    assert states == {"starting", "ready"}, "nothing has failed"
    assert None not in held, "what was made before stays until there is something newer"
    assert playing.play(10)
    assert source.status().restarts == 1 and "Last fault" not in source.status().detail
    assert wait_for(lambda: playing.exact() and source.status().early_sides_px == (4,))


@pytest.mark.slow
def test_a_worker_that_could_not_start_is_started_with_the_new_arguments(tmp_path: Path) -> None:
    source = SynthesizedSource(
        GEOMETRY,
        factory="tests.fake_engine:open_engine",
        factory_args={"fault": "no such generator"},
        limits=replace(QUICK, first_pause_ns=10**12, longest_pause_ns=10**12),
    )
    source.start()
    playing = Playing(source)
    try:
        assert wait_for(lambda: playing.tick() is None and source.worker_pid == 0, seconds=20)
        assert source.status().state == "failed"
        source.renew({})
        assert playing.play(5, seconds=20), "it does not wait for the pause of the one that failed"
    finally:
        source.close()


# ---- films


def test_the_films_of_two_shows_are_mixed() -> None:
    a, b = FilmPart("a", 7, 1.0), FilmPart("b", 3, 1.0)
    assert blended_parts([((a,), 1.0)]) == (a,)
    assert blended_parts([((a,), 0.25), ((b,), 0.75)]) == (
        FilmPart("a", 7, 0.25),
        FilmPart("b", 3, 0.75),
    )
    assert blended_parts([((a,), 0.25), ((a,), 0.75)]) == (a,), "the same frame is one part"
    assert blended_parts([((), 0.25), ((b,), 0.75)]) == (b,)
    assert blended_parts([((a,), 0.25), ((), 0.75)]) == (), "the newest has no film"
    assert blended_parts([]) == ()


def test_of_many_films_the_newest_three_are_mixed() -> None:
    sides = [((FilmPart(name, 0, 1.0),), 0.25) for name in "abcd"]
    parts = blended_parts(sides)
    assert [part.ballad_id for part in parts] == ["b", "c", "d"]
    assert sum(part.weight for part in parts) == pytest.approx(1)


def facts(fingerprint: str) -> FilmFacts:
    words: dict[str, Any] = dict.fromkeys(FilmFacts.model_fields)
    return FilmFacts.model_construct(**{**words, "ballad": "a", "fingerprint": fingerprint})


def test_a_film_that_only_became_one_of_another_show_is_not_opened_again(tmp_path: Path) -> None:
    good = Film("a", tmp_path / "a.mp4", 60, facts("1"), "good")
    films = FilmSource({"a": good}, screens=1, size_px=(16, 16))
    try:
        number = films._numbers["a"]
        films.adopt({"a": replace(good, state="other", note="of another version")})
        assert films.films["a"].state == "other"
        assert films._numbers["a"] == number
        films.adopt({"a": replace(good, facts=facts("2"))})
        assert films._numbers["a"] != number, "made anew, it is another film"
    finally:
        films.close()


class Taken:
    def __init__(self) -> None:
        self.checks: list[dict[str, Film]] = []

    def adopt(self, films: Any) -> None:
        self.checks.append(dict(films))


def test_films_judged_by_the_show_before_are_not_taken_up(show: Show, tmp_path: Path) -> None:
    taken = Taken()
    making = MissingFilms(show, taken, tmp_path / "none.py", lambda kind, sentence: None)
    making._check = show, FilmCheck({}, {}, ())
    new = with_settings(show, title="New")
    making.take_over(new)
    making.tend(0)
    assert taken.checks == []
    making._check = new, FilmCheck({}, {}, ())
    making.tend(LOOK_EVERY_TICKS)
    assert taken.checks == [{}]


# ---- stills


def test_stills_are_read_again_only_where_their_file_is_another(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = SlateSource(show, 4)
    first.start()
    Image.new("RGB", (4, 4), (9, 8, 7)).save(show.painting_path("ballad-1", 1))
    read: list[Path] = []
    from player import slate_source

    real = slate_source.read_painting

    def counted(path: Path, *args: Any) -> Any:
        read.append(path)
        return real(path, *args)

    monkeypatch.setattr(slate_source, "read_painting", counted)
    second = first.followed_by(replace(show))
    second.start()
    assert read == [show.painting_path("ballad-1", 1)]
    keys = [("ballad-1", 0), ("ballad-1", 1)]
    before, after = first.pictures_for(keys).pixels, second.pictures_for(keys).pixels
    np.testing.assert_array_equal(before[0], after[0])
    assert after[1, 0, 0].tolist() == [9, 8, 7, 255]
    assert before[1, 0, 0].tolist() != [9, 8, 7, 255]


# ---- schedule, state file, subscribers


def scheduled(show: Show, **words: Any) -> Show:
    schedule = Schedule.model_validate({"timezone": "Europe/London", **words})
    return with_settings(show, schedule=schedule)


def test_a_new_schedule_changes_no_ballad_before_its_next_border(tiny_show: Show) -> None:
    rig = Rig(tiny_show, "2026-11-20T12:00:00")
    assert rig.run(3) == []
    ballads = [{"at": "11:00", "ballad": "ballad-2"}, {"at": "12:01", "ballad": "ballad-3"}]
    rig.desk.take_over(scheduled(tiny_show, ballads=ballads))
    assert rig.run(50) == []
    assert rig.run(10) == [SetBallad("ballad-3")]


def test_the_light_goes_to_a_new_schedule_no_faster_than_ever(tiny_show: Show) -> None:
    rig = Rig(tiny_show, "2026-11-20T20:00:00")
    rig.run(1)
    rig.desk.take_over(scheduled(tiny_show, **HOURS))
    rig.run(3)
    steps = np.abs(np.diff(rig.lights))
    assert rig.lights[0] == 1.0 and rig.lights[-1] == 0.0
    assert steps.max() <= LARGEST_STEP + 1e-9
    assert rig.desk.is_open is False
    rig.desk.take_over(tiny_show)
    rig.run(1)
    assert rig.lights[-1] == 1.0 and rig.desk.describe() == "no schedule"


def test_a_desk_without_a_schedule_takes_one_over(tiny_show: Show) -> None:
    desk = ScheduleDesk(tiny_show, wall_ns=lambda: wall("2026-11-20T20:00:00"))
    assert desk.brightness_at(5 * S) == 1.0
    desk.take_over(scheduled(tiny_show, **HOURS))
    assert desk.brightness_at(5 * S + 1) == pytest.approx(1 - LARGEST_STEP)


def test_the_state_that_is_kept_belongs_to_the_show_that_plays(show: Show, tmp_path: Path) -> None:
    path, new = tmp_path / "state.json", with_latents(show, "ballad-1")
    keeper = StateKeeper(path, show_fingerprint(show), Fraction(30))
    keeper.start()
    transport = opening_transport(show)
    keeper.keep(transport, 1, 1000)
    assert wait_for(path.exists)
    keeper.take_over(show_fingerprint(new))
    keeper.keep(transport, 2, 1000)

    def is_kept() -> bool:
        return state_of(path.read_bytes()).show == show_fingerprint(new)

    assert wait_for(is_kept), "at once, with everything else as it was"
    keeper.keep(apply_command(show, transport, Pause(), 3), 3, 1000)
    keeper.close()
    assert is_kept()


def test_messages_are_about_the_new_title() -> None:
    sent: list[Message] = []
    notify = Notify(webhook_env="HOOK")
    teller = Teller(notify, "Old", {}, wall_ns=lambda: S, ways=[sent.append])
    teller.start()
    teller.take_title("New")
    teller.tell("red", "Red.")
    assert wait_for(lambda: bool(sent))
    teller.close()
    assert sent[0].show == "New"


def test_who_is_always_told_can_be_others(show: Show) -> None:
    feedback = Feedback(lambda data, to: None, ("a", "b"))
    feedback.subscribe("guest", 60.0, 0)
    feedback.always_tell(("b", "c"))
    assert set(feedback._subscribers) == {"b", "c", "guest"}
    assert feedback._subscribers["guest"].until_ns is not None
    feedback.always_tell(())
    assert set(feedback._subscribers) == {"guest"}
