"""What plays stays where it is when the show is read anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from player.commands import HoldLine, SetBallad, SetScreenBallad
from player.reload.cues import carried_cues
from player.transport import apply_command, opening_transport
from shows.show import Show
from shows.timeline import Cue, Cues, position_at
from tests.reload_shows import (
    with_ballad,
    with_latents,
    with_paintings,
    with_screen_ballad,
    with_settings,
    without_ballad,
)
from tests.tiny_show import make_tiny_show


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    return make_tiny_show(tmp_path_factory.mktemp("show"), screens=3, ballads=4, paintings=4)


def opened(show: Show) -> Cues:
    return opening_transport(show).cues


def after(show: Show, *commands: tuple[int, object]) -> Cues:
    """The cues after these commands, each on its tick."""
    t = opening_transport(show)
    for tick, command in commands:
        t = apply_command(show, t, command, tick)  # type: ignore[arg-type]
    return t.cues


def test_new_words_and_latents_keep_every_cue(show: Show) -> None:
    cues = after(show, (100, SetScreenBallad(1, "ballad-4")), (130, HoldLine(True)))
    new = with_latents(with_ballad(show, "ballad-4", title="New"), "ballad-1")
    new = with_settings(new, title="New", noise_strength=0.5, path="smooth", phases="wave")
    assert carried_cues(show, new, cues, 160) == cues


def test_a_ballad_that_is_gone_gives_way_to_the_screens_own(show: Show) -> None:
    cues = after(show, (100, SetBallad("ballad-4")))
    new = without_ballad(show, "ballad-4", instead="ballad-1")
    carried = carried_cues(show, new, cues, 400)
    assert carried == tuple(
        (Cue(own, 400, 150, 0),) for own in ("ballad-1", "ballad-2", "ballad-3")
    )
    assert position_at(new, carried[0], 401).in_morph
    assert carried_cues(show, without_ballad(show, "ballad-2", instead="ballad-3"), cues, 400) == (
        cues[0],
        tuple(cue for cue in cues[1] if cue.ballad_id != "ballad-2"),
        cues[2],
    ), "what has been left for another ballad needs none instead"


def test_screens_that_played_their_own_ballads_follow_the_file(show: Show) -> None:
    new = with_screen_ballad(show, 2, "ballad-4")
    assert carried_cues(show, new, opened(show), 50) == (
        *opened(show)[:2],
        (Cue("ballad-4", 50, 150, 0),),
    )
    cues = after(show, (10, SetScreenBallad(0, "ballad-2")))
    assert carried_cues(show, new, cues, 50) == cues, "an operator arranged this otherwise"


@pytest.mark.parametrize(("stops", "frames_per_stop", "morph"), [(7, 60, 150), (3, 30, 300)])
@pytest.mark.parametrize("frame", [0, 17, 209, 210, 299, 400, 1500, 1800 + 700])
def test_with_other_lengths_a_screen_stays_with_its_painting(
    show: Show, frame: int, stops: int, frames_per_stop: int, morph: int
) -> None:
    new = with_settings(show, stops=stops, frames_per_stop=frames_per_stop, morph_frames=morph)
    carried = carried_cues(show, new, opened(show), frame)
    before = position_at(show, opened(show)[0], frame)
    now = position_at(new, carried[0], frame)
    assert (now.painting_index, now.in_morph) == (before.painting_index, before.in_morph)
    loop, new_loop = 7 * 30, stops * frames_per_stop
    into = before.cycle_frame % show.segment_frames
    wanted = into / loop if into < loop else 1 + (into - loop) / 150
    new_into = now.cycle_frame % new.segment_frames
    got = new_into / new_loop if new_into < new_loop else 1 + (new_into - new_loop) / morph
    assert got == pytest.approx(wanted, abs=0.02)
    later = position_at(new, carried[0], frame + 1)
    assert later.local_frame == now.local_frame + 1, "it goes on while it comes in"


def test_paintings_in_another_order_are_followed(show: Show) -> None:
    frame = 360 + 100  # the second painting
    new = with_paintings(show, "ballad-1", (3, 2, 1, 0))
    carried = carried_cues(show, new, opened(show), frame)
    at = position_at(new, carried[0], frame)
    assert new.ballad("ballad-1").paintings[at.painting_index].id == "p2"
    assert at.cycle_frame % new.segment_frames == 100
    assert carried[1:] == opened(show)[1:], "the other screens' ballads are as they were"


def test_of_a_painting_that_is_gone_the_last_one_is_shown(show: Show) -> None:
    new = with_paintings(show, "ballad-1", (0, 1))
    carried = carried_cues(show, new, opened(show), 3 * 360 + 100)
    assert position_at(new, carried[0], 3 * 360 + 100).painting_index == 1


def test_a_line_that_is_held_stays_held_under_other_lengths(show: Show) -> None:
    cues = after(show, (380, HoldLine(True)))
    new = with_settings(show, frames_per_stop=60)
    carried = carried_cues(show, new, cues, 500)
    hold = carried[0][0].hold
    assert hold is not None and hold.end_frame is None and hold.loop_frames == 420
    held = {position_at(new, carried[0], frame).painting_index for frame in range(500, 4000, 7)}
    assert held == {1}


def test_an_older_cue_is_not_kept_where_it_would_mean_another_place(show: Show) -> None:
    cues = after(show, (100, SetScreenBallad(0, "ballad-4")))
    assert len(cues[0]) == 2
    new = with_paintings(show, "ballad-1", (1, 0, 2, 3))
    assert carried_cues(show, new, cues, 120)[0] == (cues[0][1],)


def test_cues_of_a_show_without_latents_are_carried_too(show: Show) -> None:
    stills = replace(show, latents={})
    assert carried_cues(stills, with_settings(stills, title="x"), opened(show), 5) == opened(show)
