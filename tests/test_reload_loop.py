"""A show is read anew in the middle of a frame loop, on a clock that costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from player.caretaker import Caretaker
from player.films.library import FilmCheck
from player.options import Options
from player.projectors import ProjectorDesk
from player.reload.changes import changes_between
from player.reload.morph import MOST_EDITIONS, Editions
from player.reload.parts import ShowParts
from player.reload.reading import Playing, Reading
from player.schedule_desk import ScheduleDesk
from player.slate_source import SlateSource
from player.wall.look import Look
from shows.fingerprint import show_fingerprint
from shows.schema import OscOut, OscTarget
from shows.show import Show
from shows.timeline import latents_at, opening_cues
from tests.loop_fakes import FakeFilms, FakeSource, Shown
from tests.loop_rig import SCREENS, Rig, frames
from tests.reload_shows import (
    with_ballad,
    with_latents,
    with_screen_ballad,
    with_settings,
    without_ballad,
)
from tests.tiny_show import make_tiny_show

CHANGE = 150  # frames of the morph


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    folder: Path = tmp_path_factory.mktemp("show")
    return make_tiny_show(folder, screens=SCREENS, ballads=4, paintings=2, size=4)


class House:
    """A rig past its preroll, and all that is told when its show is read anew."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.show = rig, rig.show
        schedule = rig.schedule or ScheduleDesk(rig.show, wall_ns=rig.wall_ns)
        self.parts = ShowParts(
            options=Options(rig.show.folder),
            editions=Editions(rig.show),
            conductor=rig.conductor,
            sources=rig.sources,
            composer=rig.composer,
            wall=rig.wall,
            desk=rig.desk,
            control=rig.control,
            schedule=schedule,
            projectors=ProjectorDesk(rig.show, wall_ns=rig.wall_ns, environment={}),
            caretaker=Caretaker(rig.show, "live", state=None, journal=None),
        )
        self.prerolled = rig.preroll()

    def reads(self, new: Show, *, told: tuple[object, ...] = ()) -> Callable[[], None]:
        """What puts `new` in the place of the present show, on the tick that comes next."""

        def take_over() -> None:
            changes = changes_between(self.show, new, None, None)
            assert not changes.refused
            slates = SlateSource(new, 4)
            slates.start()
            now = Playing(new, None, slates, FilmCheck({}, {}, ()), show_fingerprint(new), told)
            tick = self.prerolled + len(self.rig.wall.shown)  # a present a tick: none is dropped
            self.parts.take_over(Reading(now, changes), tick)
            self.show = new

        return take_over

    def run(self, ticks: int, *reloads: tuple[int, Show]) -> list[Shown]:
        """reloads: on which tick which show is taken over."""
        for tick, new in reloads:
            self.rig.wall.at_poll[tick] = self.reads(new)
        return self.rig.run(ticks)

    def asked(self, screen: int = 0) -> dict[int, np.ndarray]:
        """The latents last asked for, by frame: what is shown."""
        return {frame: latents[screen] for frame, latents in self.rig.engine.asked}


def house(show: Show, **words: object) -> House:
    return House(Rig(show, **words))  # type: ignore[arg-type]


def test_no_frame_is_lost_and_the_pictures_morph_from_one_show_to_the_other(show: Show) -> None:
    new = with_latents(with_settings(show, noise_strength=0.6), "ballad-1")
    playing = house(show)
    shown = playing.run(400, (100, new))
    assert frames(shown) == list(range(400))
    assert playing.rig.counts() == (400, 0, 0, 0)
    assert {one.live_weight for one in shown} == {1.0}
    asked, cues = playing.asked(), opening_cues(show)
    for frame in (0, 99, 100):
        np.testing.assert_array_equal(asked[frame], latents_at(show, cues, 0, frame))
    for frame in (100 + CHANGE, 399):
        np.testing.assert_array_equal(asked[frame], latents_at(new, cues, 0, frame))
    between = range(100, 101 + CHANGE)
    apart = max(
        np.abs(latents_at(new, cues, 0, n) - latents_at(show, cues, 0, n)).max() for n in between
    )
    own = max(
        np.abs(latents_at(one, cues, 0, n + 1) - latents_at(one, cues, 0, n)).max()
        for one in (show, new)
        for n in between
    )
    steps = [np.abs(asked[after] - asked[before]).max() for before, after in pairwise(between)]
    assert max(steps) < 1.5 * apart / CHANGE + own + 1e-5


def test_what_changes_no_picture_is_not_asked_of_the_engine_again(show: Show) -> None:
    plain = house(show)
    plain.run(300)
    playing = house(show)
    titled = with_ballad(
        with_settings(show, title="New"), "ballad-1", title="New", colour="#123456"
    )
    playing.run(300, (50, titled), (51, with_settings(titled, title="Newer")))
    assert [frame for frame, _ in playing.rig.engine.asked] == [
        frame for frame, _ in plain.rig.engine.asked
    ]


def test_an_operator_reads_and_commands_the_new_show_at_once(show: Show) -> None:
    playing = house(without_ballad(show, "ballad-4", instead="ballad-1"))
    rig = playing.rig
    rig.say("/ballad", "ballad-4")
    assert rig.answers[-1][1] == "error"
    playing.run(11, (10, with_ballad(show, "ballad-1", title="The new one")))
    rig.say("/screen/1/title")
    rig.say("/screen/2/ballad", "the new one")
    rig.say("/screen/3/ballad", "ballad-4")
    rig.run(2)
    assert [answer[1] for answer in rig.answers[-3:]] == ["ok"] * 3
    assert rig.answers[-3][2] == "The new one"
    assert [cues[-1].ballad_id for cues in rig.conductor.transport_at(50).cues] == [
        *("ballad-1", "ballad-1", "ballad-4")
    ]


def test_a_ballad_that_plays_and_is_gone_is_left_by_a_morph(show: Show) -> None:
    playing = house(show)
    playing.rig.say("/ballad", "ballad-4")
    playing.run(250)
    new = without_ballad(show, "ballad-4", instead="ballad-1")
    playing.rig.wall.at_poll.clear()
    shown = playing.run(300, (300, new))
    assert frames(shown) == list(range(250, 550))
    assert playing.rig.counts() == (550, 0, 0, 0)
    asked = playing.asked(1)
    steps = [np.abs(asked[n + 1] - asked[n]).max() for n in range(250, 549)]
    assert max(steps) < 4 * max(steps[:40]) + 0.1
    np.testing.assert_array_equal(asked[300 + CHANGE], latents_at(new, opening_cues(new), 1, 0))


def test_in_a_pause_the_pictures_stand_and_the_new_show_comes_when_it_plays_on(show: Show) -> None:
    playing = house(show)
    rig = playing.rig
    playing.run(50)
    rig.say("/pause")
    new = with_latents(show, "ballad-1")
    playing.run(100, (80, with_latents(show, "ballad-1", seed=5)), (100, new))
    stands = int(frames(rig.wall.shown)[-1] or 0)
    np.testing.assert_array_equal(
        playing.asked()[stands], latents_at(show, opening_cues(show), 0, stands)
    )
    rig.say("/play")
    rig.run(200)
    np.testing.assert_array_equal(
        playing.asked()[stands + CHANGE],
        latents_at(new, opening_cues(new), 0, stands + CHANGE),
    )


def test_reloads_one_upon_the_other_stay_smooth_and_bounded(show: Show) -> None:
    playing = house(show)
    times = range(20, 20 + 3 * (MOST_EDITIONS - 1), 3)
    playing.run(20)
    reloads = [(tick, with_latents(show, "ballad-1", seed=tick)) for tick in times]
    playing.run(400, *reloads)
    last = playing.prerolled + times[-1]
    assert not playing.parts.has_room(last + 1)
    assert playing.parts.has_room(last + CHANGE)
    asked = playing.asked()
    steps = [np.abs(asked[n + 1] - asked[n]).max() for n in range(410)]
    apart = max(np.abs(one.latents["ballad-1"].ws).max() for _, one in reloads) * 2
    assert max(steps) < 1.5 * apart / CHANGE * len(reloads) / 2
    assert playing.rig.counts() == (420, 0, 0, 0)
    np.testing.assert_array_equal(
        asked[times[-1] + CHANGE],
        latents_at(reloads[-1][1], opening_cues(show), 0, times[-1] + CHANGE),
    )


def test_films_are_mixed_while_a_ballad_goes(show: Show) -> None:
    playing = house(show, live=None, films=FakeFilms(show))
    playing.run(30)
    new = without_ballad(show, "ballad-1", instead="ballad-4")
    shown = playing.run(300, (50, new))
    films = [
        [layer.weight for layer in one.shots[0].layers if layer.source == "film"] for one in shown
    ]
    assert {round(sum(one), 9) for one in films} == {1.0}, "never black, and no still"
    assert [len(one) for one in (films[19], films[20 + 75], films[20 + CHANGE])] == [1, 2, 1]
    steps = [abs(after[0] - before[0]) for before, after in pairwise(films) if len(after) == 2]
    assert max(steps[1:]) < 1.5 / CHANGE + 1e-9
    assert playing.rig.counts()[2:] == (0, 0)
    assert playing.rig.sources.showing == "film"


def test_films_of_what_has_not_changed_are_not_asked_for_again(show: Show) -> None:
    films = FakeFilms(show)
    playing = house(show, live=None, films=films)
    requests: list[int] = []
    request = films.request

    def counted(frame: int, wanted: object) -> None:
        requests.append(frame)
        request(frame, wanted)  # type: ignore[arg-type]

    films.request = counted  # type: ignore[method-assign]
    playing.run(100, (50, with_settings(show, title="New")))
    assert len(requests) == len(set(requests))


def test_the_screens_own_ballads_and_looks_are_followed(show: Show) -> None:
    new = with_screen_ballad(with_settings(show, surface="paper"), 1, "ballad-4")
    playing = house(show)
    playing.run(20, (10, new))
    assert playing.rig.wall.looks == dict.fromkeys(range(SCREENS), Look(surface="paper"))
    transport = playing.rig.conductor.transport_at(50)
    assert [cues[-1].ballad_id for cues in transport.cues] == ["ballad-1", "ballad-4", "ballad-3"]


def test_an_identify_card_shows_the_new_title(show: Show) -> None:
    playing = house(show)
    playing.rig.say("/identify", 1)
    playing.run(10)
    playing.rig.wall.uploads.clear()
    playing.rig.wall.at_poll.clear()
    playing.run(10, (12, with_ballad(show, "ballad-1", title="New", colour="#ff0000")))
    cards = [name for name in playing.rig.wall.uploads if name.startswith("identify")]
    assert cards == [f"identify card {place}" for place in range(SCREENS)]


def test_stills_are_those_of_the_new_files(tmp_path: Path) -> None:
    show = make_tiny_show(tmp_path, screens=SCREENS, ballads=3, paintings=2, size=4)
    playing = house(show, live=None)
    playing.run(10)
    Image.new("RGB", (4, 4), (1, 2, 3)).save(show.painting_path("ballad-1", 0))
    playing.run(10, (12, replace(show)))
    wall = playing.rig.wall
    assert wall._pixels["slate"][0, 0, 0].tolist() == [1, 2, 3, 255]


def test_who_is_sent_what_changes_is_who_the_new_file_names(show: Show) -> None:
    playing = house(show)
    sent: list[object] = []
    playing.rig.control._send = lambda data, to: sent.append(to)
    playing.run(5)
    assert sent == []
    osc = OscOut(send_to=(OscTarget(host="127.0.0.1", port=7000),))
    new = with_settings(show, osc=osc)
    take_over = playing.reads(new, told=(("127.0.0.1", 7000),))
    playing.rig.wall.at_poll[6] = take_over
    playing.rig.run(10)
    assert set(sent) == {("127.0.0.1", 7000)}


def test_a_late_engine_is_not_asked_for_more_than_before(show: Show) -> None:
    playing = house(show, live=FakeSource(SCREENS, delay_ticks=3))
    shown = playing.run(200, (50, with_latents(show, "ballad-2")))
    assert frames(shown) == list(range(200))
    assert playing.rig.counts() == (200, 0, 0, 0)
