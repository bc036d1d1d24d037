"""The morph from a show as it was to the show as it was read anew."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from player.reload.morph import MOST_EDITIONS, Editions, Share, mixed_focus, mixed_latents
from shows.show import Show
from shows.timeline import AS_WRITTEN, Tuning, latents_at, opening_cues
from tests.reload_shows import with_ballad, with_latents, with_settings
from tests.tiny_show import make_tiny_show


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    return make_tiny_show(tmp_path_factory.mktemp("show"), screens=2, ballads=3, size=4)


CHANGED = {
    "stops": 5,
    "frames_per_stop": 31,
    "morph_frames": 149,
    "noise_strength": 0.3,
    "path": "smooth",
    "easing": "smoothstep",
    "noise_cycles": 2,
    "truncation_psi": 0.9,
}


def tuned(shares: tuple[Share, ...]) -> list[tuple[Share, Tuning]]:
    return [(share, AS_WRITTEN) for share in shares]


def weights(editions: Editions, show: Show, frame: int) -> list[float]:
    return [share.weight for share in editions.shares(opening_cues(show), frame)]


def test_without_a_change_a_show_is_all_of_every_frame(show: Show) -> None:
    (only,) = Editions(show).shares(opening_cues(show), -3)
    assert (only.show, only.weight) == (show, 1.0)


def test_the_new_show_comes_in_over_the_length_of_a_change_of_ballad(show: Show) -> None:
    new = with_settings(show, ballad_change_frames=100, noise_strength=0.5)
    editions = Editions(show).followed_by(new, opening_cues(show), opening_cues(show), 1000)
    assert weights(editions, show, 1000) == [1.0], "this frame is still as before"
    assert weights(editions, show, 1050) == pytest.approx([0.5, 0.5])
    assert weights(editions, show, 1100) == [1.0]
    shares = [editions.shares(opening_cues(new), frame)[-1] for frame in (1000, 1001, 1100)]
    assert [share.show for share in shares] == [show, new, new]


def test_new_latents_come_in_without_a_step(show: Show) -> None:
    new = with_latents(show, show.ballad_ids[0])
    cues = opening_cues(show)
    editions = Editions(show).followed_by(new, cues, cues, 40)
    shown = [mixed_latents(tuned(editions.shares(cues, f)), 0, f) for f in range(40, 191)]
    np.testing.assert_array_equal(shown[0], latents_at(show, cues, 0, 40))
    np.testing.assert_array_equal(shown[-1], latents_at(new, cues, 0, 190))
    apart = max(
        np.abs(latents_at(new, cues, 0, f) - latents_at(show, cues, 0, f)).max()
        for f in range(40, 191)
    )
    own = max(
        np.abs(latents_at(one, cues, 0, f + 1) - latents_at(one, cues, 0, f)).max()
        for one in (show, new)
        for f in range(40, 190)
    )
    step = max(np.abs(after - before).max() for before, after in pairwise(shown))
    assert apart > 5 * own, "else this proves nothing"
    assert step < 1.5 * apart / 150 + own + 1e-5, "the steepest of a smooth step, and the loops"


def test_a_screen_whose_latents_are_the_same_keeps_every_bit(show: Show) -> None:
    new = with_latents(show, show.ballad_ids[0])
    cues = opening_cues(show)
    editions = Editions(show).followed_by(new, cues, cues, 40)
    for frame in (40, 41, 115, 189, 190):
        mixed = mixed_latents(tuned(editions.shares(cues, frame)), 1, frame)
        np.testing.assert_array_equal(mixed, latents_at(show, cues, 1, frame))


def test_a_focus_moves_with_it(show: Show) -> None:
    ballad = show.ballads[0]
    moved = tuple(one.model_copy(update={"focus": (0.9, 0.1)}) for one in ballad.paintings)
    new = with_ballad(show, ballad.id, paintings=moved)
    editions = Editions(show).followed_by(new, opening_cues(show), opening_cues(show), 0)
    at = [mixed_focus(editions.shares(opening_cues(show), f), 0, f) for f in (0, 75, 150)]
    assert at[0] == (0.5, 0.5) and at[2] == (0.9, 0.1)
    assert at[1] == pytest.approx((0.7, 0.3))


def test_in_a_pause_the_newest_of_several_is_the_one_that_comes(show: Show) -> None:
    editions = Editions(show)
    for seed in range(3 * MOST_EDITIONS):
        assert not editions.is_full(500)
        newest = with_latents(show, show.ballad_ids[0], seed=seed)
        editions = editions.followed_by(newest, opening_cues(show), opening_cues(show), 500)
    assert weights(editions, show, 500) == [1.0]
    shares = editions.shares(opening_cues(show), 575)
    assert [share.show for share in shares] == [show, newest]


def test_many_at_once_have_to_wait_until_one_is_through(show: Show) -> None:
    editions, frame = Editions(show), 0
    while not editions.is_full(frame):
        new = with_latents(show, show.ballad_ids[0], seed=frame)
        editions = editions.followed_by(new, opening_cues(show), opening_cues(show), frame)
        frame += 2
    assert len(editions.earlier) == MOST_EDITIONS - 1
    assert editions.is_full(140)
    assert not editions.is_full(152), "the second one covers the first"


def test_where_a_cut_is_wanted_nothing_is_mixed(show: Show) -> None:
    new = with_latents(show, show.ballad_ids[0])
    editions = Editions(show).followed_by(new, opening_cues(show), opening_cues(show), 40, cut=True)
    assert [one.show for one in editions.shares(opening_cues(new), 40)] == [new]


def test_however_long_changes_of_ballad_take_this_takes_ten_seconds_at_most(show: Show) -> None:
    new = with_settings(show, ballad_change_frames=90_000, noise_strength=0.5)
    editions = Editions(show).followed_by(new, opening_cues(show), opening_cues(show), 40)
    assert weights(editions, show, 40 + 299)[-1] < 1
    assert weights(editions, show, 40 + 300) == [1.0]


def test_where_no_picture_changes_there_is_nothing_to_morph(show: Show) -> None:
    cues = opening_cues(show)
    titled = with_settings(show, title="New", seed=9)
    words = with_ballad(titled, show.ballad_ids[0], colour="#111111")
    other = with_latents(words, show.ballad_ids[2])  # it does not play
    editions = Editions(show).followed_by(other, cues, cues, 40)
    assert editions == Editions(other)
    changed = [
        *(with_settings(show, **{name: value}) for name, value in CHANGED.items()),
        with_ballad(show, show.ballad_ids[1], loop_strength=0.7),
        with_latents(show, show.ballad_ids[1]),
    ]
    for new in changed:
        assert Editions(show).followed_by(new, cues, cues, 40).earlier, new.settings
    moved = (cues[0], (replace(cues[1][0], offset_frames=5),))
    assert Editions(show).followed_by(words, cues, moved, 40).earlier
    stills = replace(show, latents={})
    assert not Editions(stills).followed_by(replace(stills), cues, cues, 40).earlier
    assert Editions(stills).followed_by(show, cues, cues, 40).earlier


def test_no_frames_are_a_cut(show: Show) -> None:
    new = with_settings(show, ballad_change_frames=0, noise_strength=0.5)
    editions = Editions(show).followed_by(new, opening_cues(show), opening_cues(show), 40)
    assert [one.show for one in editions.shares(opening_cues(new), 40)] == [new]


@settings(max_examples=100, deadline=None)
@given(
    frames=st.lists(st.integers(0, 60), min_size=1, max_size=MOST_EDITIONS - 2),
    at=st.integers(0, 400),
)
def test_whatever_is_read_when_the_shares_are_a_whole_and_move_smoothly(
    show: Show, frames: list[int], at: int
) -> None:
    editions, frame, shows = Editions(show), 0, [show]
    for gap in frames:
        frame += gap
        shows.append(with_latents(show, show.ballad_ids[0], seed=frame))
        editions = editions.followed_by(shows[-1], opening_cues(show), opening_cues(show), frame)
    at = max(at, frame)

    def by_show(now: int) -> dict[int, float]:
        shares = editions.shares(opening_cues(show), now)
        return {id(share.show): share.weight for share in shares}

    before, after = by_show(at), by_show(at + 1)
    assert sum(before.values()) == pytest.approx(1)
    assert min(before.values()) > 0
    for one in shows:
        step = abs(after.get(id(one), 0.0) - before.get(id(one), 0.0))
        assert step <= len(frames) * 1.5 / 150 + 1e-9
