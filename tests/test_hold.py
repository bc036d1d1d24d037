"""Holding a painting: the loop forth and back without a corner, and on again."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shows.hold import Hold, held_from
from shows.timeline import Cue

LOOP, SEGMENT = 210, 360


def held_cue(at: int, offset: int = 0) -> Cue:
    cue = Cue("a", 0, 0, offset)
    hold = held_from(at, cue.counted_frame(at), SEGMENT, LOOP)
    return Cue("a", 0, 0, offset, hold)


def released(cue: Cue, frame: int) -> Cue:
    assert cue.hold is not None
    return Cue("a", 0, 0, cue.offset_frames, cue.hold.released(frame, cue.counted_frame))


def test_it_stays_in_the_loop_of_its_painting_for_hours() -> None:
    cue = held_cue(400)
    places = [cue.local_frame(frame) for frame in range(400, 400 + 30 * 3600)]
    assert min(places[300:]) == SEGMENT + 7.5 and max(places) == SEGMENT + LOOP - 7.5
    assert places[0] == 400


def test_a_hold_in_a_morph_holds_the_painting_it_leads_to() -> None:
    cue = held_cue(300)
    assert cue.hold == Hold(300, SEGMENT, LOOP)
    assert [cue.local_frame(frame) for frame in (299, 300, 360, 400)] == [299, 300, 360, 400]


@given(at=st.integers(0, 2000), held=st.integers(0, 3000), offset=st.integers(0, 1799))
def test_no_frame_goes_further_than_one_and_the_pace_changes_gently(
    at: int, held: int, offset: int
) -> None:
    cue = released(held_cue(at, offset), at + held)
    end = at + held
    after = [cue.local_frame(frame) for frame in range(max(at - 5, 0), end + 600)]
    steps = [later - earlier for earlier, later in pairwise(after)]
    changes = [abs(b - a) for a, b in pairwise(steps)]
    assert max(map(abs, steps)) <= 1 and max(changes) <= 1 / 15 + 1e-9
    assert steps[-1] == 1  # it has gone on


def test_before_its_first_turn_it_is_let_go_as_if_it_had_never_been_held() -> None:
    assert released(held_cue(30), 150).hold is None


def test_its_film_never_runs_backwards_and_never_jumps() -> None:
    cue = released(held_cue(100), 1000)
    frames = [cue.film_frame(frame) for frame in range(1600)]
    steps = {later - earlier for earlier, later in pairwise(frames)}
    assert steps == {0, 1}
    live = [cue.local_frame(frame) for frame in range(1400, 1600)]
    assert frames[1400:] == live  # in step again from the last stop on


@pytest.mark.parametrize("loop", [0, 1, 3, 4, 7])
def test_a_loop_of_few_frames_is_held_too(loop: int) -> None:
    hold = Hold(0, 0, loop)
    places = [hold.local_frame(frame, frame, lambda n: n) for frame in range(50)]
    assert all(0 <= place <= max(loop, 0) for place in places)
