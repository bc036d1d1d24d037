"""Live, films and stills together in a real loop on an offline clock: who is on, and how fast."""

from __future__ import annotations

from pathlib import Path

import pytest

from player.frame_loop import Presented
from player.governor import Level
from player.source_policy import HOLD_FRAMES, RETURN_TICKS
from shows.show import Show
from tests.loop_fakes import FakeFilms, FakeSource, Shown
from tests.loop_rig import SCREENS, Rig, frames
from tests.tiny_show import make_tiny_show


@pytest.fixture
def show(tmp_path: Path) -> Show:
    return make_tiny_show(tmp_path, screens=SCREENS, ballads=3)


@pytest.fixture
def rig(show: Show) -> Rig:
    """Live, and films beside it, after some ticks."""
    rig = Rig(show, films=FakeFilms(show))
    rig.preroll()
    rig.run(60)
    assert rig.loop._sources.showing == "live"
    return rig


def films(rig: Rig) -> FakeFilms:
    assert rig.films is not None
    return rig.films


def weights(shown: list[Shown], source: str, screen: int = 0) -> list[float]:
    return [one.weight_of(source, screen) for one in shown]


def test_a_dead_engines_film_is_on_within_two_frames(rig: Rig) -> None:
    rig.engine.vanish()
    shown = rig.run(40)
    film = weights(shown, "film")
    first = film.index(1.0)
    live = frames(shown[:first])
    at = 60
    late = [at + n - frame for n, frame in enumerate(live) if frame is not None]
    assert max(late) <= HOLD_FRAMES, "until then the pictures were those due, or one frame old"
    assert set(film[first:]) == {1.0} and set(weights(shown, "slate")) == {0.0}
    assert "The screens show films." in rig.events[-1][1]


def test_the_film_shows_the_frame_that_is_due(rig: Rig) -> None:
    rig.engine.vanish()
    rig.run(40)
    for frame, wanted in films(rig).asked.items():
        assert [[part.index for part in one] for one in wanted] == [[frame % 1800]] * SCREENS


def test_live_returns_by_a_fade_once_it_is_steady(rig: Rig) -> None:
    rig.engine.vanish()
    rig.run(40)
    rig.engine.come_back()
    live = weights(rig.run(RETURN_TICKS + 30), "live")
    risen = next(n for n, weight in enumerate(live) if weight)
    assert risen >= RETURN_TICKS - 1
    assert live[risen : risen + 11] == pytest.approx([n / 10 for n in range(1, 11)] + [1.0])


def test_a_film_that_fails_leaves_that_screen_alone_on_its_painting(rig: Rig) -> None:
    rig.engine.vanish()
    rig.run(20)
    films(rig).failing.add("ballad-2")
    shown = rig.run(20)
    assert weights(shown, "slate", 1)[-1] == 1.0
    assert weights(shown, "film", 0)[-1] == weights(shown, "film", 2)[-1] == 1.0
    rig.say("/status")
    rig.run(1)
    assert "source film, screen 2 slate" in rig.answers[-1][2]


def test_films_that_stop_give_way_to_the_paintings(rig: Rig) -> None:
    rig.engine.vanish()
    rig.run(20)
    films(rig).stopped = True
    shown = rig.run(60)
    assert weights(shown, "slate")[-1] == 1.0
    assert all(
        sum(layer.weight for layer in one.shots[0].layers) == pytest.approx(1) for one in shown
    )


def test_a_change_of_ballad_on_films_is_a_cross_fade_over_the_morph(show: Show) -> None:
    rig = Rig(show, None, films=FakeFilms(show))
    rig.preroll()
    rig.run(10)
    rig.say("/ballad", 2)
    shown = rig.run(200)
    second = []
    for one in shown:
        layers = [layer for layer in one.shots[0].layers if layer.source == "film"]
        assert sum(layer.weight for layer in layers) == pytest.approx(1.0)
        second.append(layers[-1].weight if len(layers) == 2 else None)
    fading = [weight for weight in second if weight is not None]
    assert len(fading) == 149
    assert fading == pytest.approx([n / 150 for n in range(1, 150)])
    assert second[-1] is None and {
        wanted[0][-1].ballad_id for wanted in (films(rig).asked[205],)
    } == {"ballad-2"}


def test_the_same_in_a_dead_engines_place_is_told_to_be_another_picture(rig: Rig) -> None:
    """There is no film of the morph: the change of source fades, because the pictures differ."""
    rig.say("/ballad", 2)
    rig.run(30)
    rig.engine.vanish()
    film = weights(rig.run(30), "film")
    first = next(n for n, weight in enumerate(film) if weight)
    assert film[first : first + 10] == pytest.approx([n / 10 for n in range(1, 11)])


def test_films_of_another_show_fade_in_too(show: Show) -> None:
    rig = Rig(show, films=FakeFilms(show, state="other"))
    rig.preroll()
    rig.run(60)
    rig.engine.vanish()
    film = weights(rig.run(30), "film")
    first = next(n for n, weight in enumerate(film) if weight)
    assert film[first] == pytest.approx(0.1)


def test_the_show_opens_with_films_and_no_still_is_seen(show: Show) -> None:
    rig = Rig(show, FakeSource(SCREENS, state="starting"), films=FakeFilms(show))
    assert rig.preroll(limit_ns=None) <= 8
    assert weights(rig.opening, "film")[-1] == 1.0
    assert set(weights(rig.opening, "slate")) == {0.0}


def test_films_that_never_come_open_the_show_with_stills(show: Show) -> None:
    rig = Rig(show, FakeSource(SCREENS, state="starting"), films=FakeFilms(show, delay_ticks=9**9))
    rig.preroll()
    assert weights(rig.opening, "slate")[-1] == 1.0


def test_without_fallback_the_last_picture_stays(show: Show) -> None:
    rig = Rig(show, films=FakeFilms(show), falls_back=False)
    rig.preroll()
    rig.run(60)
    rig.engine.vanish()
    assert set(weights(rig.run(60), "live")) == {1.0}


def test_a_slow_engine_makes_every_second_frame_and_two_are_blended(show: Show) -> None:
    rig = Rig(show, films=FakeFilms(show))
    rig.engine.render_ms = 45.0
    rig.preroll()
    rig.run(90)
    assert rig.sources._live is not None
    assert rig.sources._live.governor.level == Level(stride=2)
    shown = rig.run(20)
    for tick, one in enumerate(shown, start=90):
        layers = one.shots[0].layers
        assert [layer.source for layer in layers] in (
            ["live 0", "live 1"],
            ["live 1", "live 0"],
            ["live 0"],
            ["live 1"],
        )
        assert [layer.weight for layer in layers] == ([1.0] if tick % 2 == 0 else [0.5, 0.5])
    assert all(frame % 2 == 0 for frame, _ in rig.engine.asked[-8:])
    assert rig.counts()[2] <= 10, "blended is not repeated"
    assert rig.report.as_dict()["frames_blended"] > 0
    assert any(kind == "governor" for kind, _ in rig.events)


def test_an_engine_far_too_slow_leaves_the_show_to_the_films(show: Show) -> None:
    rig = Rig(show, films=FakeFilms(show))
    rig.preroll()
    rig.engine.render_ms = 400.0
    shown = rig.run(200)
    assert shown[-1].weight_of("film") == 1.0
    assert {screen.weight_of("film") for screen in shown[-50:]} == {1.0}


def test_watchers_hear_of_every_present(show: Show) -> None:
    heard: list[Presented] = []
    rig = Rig(show, films=FakeFilms(show), watchers=[heard.append])
    rig.preroll()
    rig.run(30)
    assert [one.frame for one in heard] == list(range(30))
    one = heard[-1]
    assert one.presented_ns - one.origin_ns == pytest.approx(one.tick * 1e9 / 30, abs=2e6)
