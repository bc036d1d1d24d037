"""The judge on sequences made by hand: late, frozen, black and stuttering ones are caught."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.chaos.judge import (
    FAULT_TOLERANCE,
    UNLIKE,
    Course,
    Seen,
    Tally,
    back_after_ns,
    longest_run,
    states,
)

FPS = Fraction(30)
FRAME_NS = 33_333_333
SCREENS = 7


def present(
    tick: int, off: int = 0, *, file: int = 1, sequence: int | None = None, black: int = 0
) -> Seen:
    number = tick + 1 if sequence is None else sequence
    off_all, far, due = (off,) * SCREENS, (2.0,) * SCREENS, (tick,) * SCREENS
    return Seen(tick * FRAME_NS, file, number, off_all, far, black, due)


def healthy(ticks: range) -> list[Seen]:
    return [present(tick) for tick in ticks]


def run_of(seen: list[Seen], end_tick: int) -> int:
    return longest_run(states(seen, end_tick * FRAME_NS, FPS, FAULT_TOLERANCE))


def test_a_healthy_run_has_no_wrong_frame() -> None:
    assert run_of(healthy(range(90)), 90) == 0


def test_late_pictures_are_caught_beyond_the_tolerance() -> None:
    late_by_one = [present(tick, -1 if 30 <= tick < 40 else 0) for tick in range(90)]
    assert run_of(late_by_one, 90) == 0
    late_by_two = [present(tick, -2 if 30 <= tick < 40 else 0) for tick in range(90)]
    assert run_of(late_by_two, 90) == 10
    early = [present(tick, 2 if 30 <= tick < 33 else 0) for tick in range(90)]
    assert run_of(early, 90) == 3


def test_a_frozen_picture_presented_again_and_again_is_caught() -> None:
    frozen = [present(tick, min(0, 30 - tick) if tick < 45 else 0) for tick in range(90)]
    assert run_of(frozen, 90) == 13  # frames 32 to 44: two or more behind


@pytest.mark.parametrize("until", [45, 90])
def test_a_wall_that_presents_nothing_any_more_is_caught(until: int) -> None:
    seen = healthy(range(31)) + [
        present(tick, sequence=tick - until + 32) for tick in range(until, 90)
    ]
    assert run_of(seen, 90) == until - 32


def test_a_black_picture_is_wrong_and_counted() -> None:
    seen = [present(tick, black=2 if tick == 50 else 0) for tick in range(90)]
    assert run_of(seen, 90) == 1
    tally = Tally(FPS)
    for one in seen:
        tally.see(one, judged=True)
    assert (tally.black, tally.wrong, tally.presents, tally.unseen) == (2, 1, 90, 0)


def test_another_picture_is_wrong_whatever_frame_it_is_nearest_to() -> None:
    one = present(5)
    assert not replace(one, distance=(2.0,) * 6 + (UNLIKE + 1,)).is_right(2)


def test_one_screen_may_be_told_wrong_by_a_little_and_not_by_much() -> None:
    assert present(5).is_right(1)
    assert replace(present(5), off=(0,) * 6 + (3,)).is_right(1)
    assert not replace(present(5), off=(0,) * 6 + (4,)).is_right(1)
    assert not replace(present(5), off=(0,) * 6 + (-20,)).is_right(2)


def test_presents_that_nobody_saw_are_neither_right_nor_wrong_of_themselves() -> None:
    seen = [present(tick) for tick in range(60) if not 20 <= tick < 26]
    found = states(seen, 60 * FRAME_NS, FPS, FAULT_TOLERANCE)
    assert found.count("unseen") == 6 and longest_run(found) == 0
    tally = Tally(FPS)
    for one in seen:
        tally.see(one, judged=True)
    assert (tally.unseen, tally.wrong) == (6, 0)


def test_an_unseen_frame_between_wrong_ones_lengthens_their_run() -> None:
    assert longest_run(["right", "wrong", "unseen", "unseen", "wrong", "right"]) == 4
    assert longest_run(["unseen", "wrong", "unseen", "right", "wrong"]) == 1
    assert longest_run([]) == 0


def test_frames_before_the_fault_do_not_count() -> None:
    seen = [present(tick, -9 if tick < 30 else 0) for tick in range(60)]
    found = states(seen, 60 * FRAME_NS, FPS, FAULT_TOLERANCE, 30 * FRAME_NS)
    assert len(found) == 30 and set(found) == {"right"}


@given(start=st.integers(2, 60), frames=st.integers(1, 25), jitter=st.integers(0, 4_000_000))
def test_the_longest_run_is_what_was_wrong(start: int, frames: int, jitter: int) -> None:
    seen = [
        replace(
            present(tick, -5 if start <= tick < start + frames else 0),
            time_ns=tick * FRAME_NS + (jitter if tick % 2 else 0),
        )
        for tick in range(100)
    ]
    assert run_of(seen, 100) == frames


def test_a_player_is_back_with_the_first_of_five_right_pictures() -> None:
    fault_ns = 30 * FRAME_NS
    before = healthy(range(31))
    astray = [present(tick, -9, file=2) for tick in range(70, 75)]
    back = [present(tick, file=2) for tick in range(75, 90)]
    assert back_after_ns(before, fault_ns, 1) is None
    assert back_after_ns(before + astray + back[:4], fault_ns, 1) is None
    assert back_after_ns(before + astray + back, fault_ns, 1) == 45 * FRAME_NS
    assert back_after_ns(before + back, fault_ns, 2) is None, "a third player was waited for"


@given(
    time_ns=st.integers(0, 10**15),
    frame=st.integers(0, 5000),
    later=st.integers(0, 10**6),
    fps=st.sampled_from([Fraction(30), Fraction(25), Fraction(30000, 1001)]),
)
def test_a_course_tells_what_is_due(time_ns: int, frame: int, later: int, fps: Fraction) -> None:
    course = Course.through(time_ns, (frame, frame + 7), fps)
    then_ns = time_ns + round(later * 1_000_000_000 / fps)
    assert course.due(then_ns, 0) == frame + later
    assert course.due(then_ns, 1) == frame + later + 7


def test_a_course_is_laid_along_the_punctual_ones() -> None:
    course = Course.through(0, (0,) * SCREENS, FPS)
    # presented and seen 9 ms late, each frame: the course moves by that
    late = [replace(present(tick), time_ns=tick * FRAME_NS + 9_000_000) for tick in range(60)]
    assert course.ahead(late) == pytest.approx(-0.27, abs=0.01)
    assert course.moved(-0.27).due(100 * FRAME_NS + 9_000_000, 3) == 100
    # most of them late by a frame or two: the others count
    busy = [present(tick, -(tick % 3)) for tick in range(60)]
    assert course.ahead(busy) == pytest.approx(0, abs=0.01)
    assert course.ahead([]) == 0


def test_wrong_frames_are_told_in_words_and_single_screens_counted() -> None:
    tally = Tally(FPS)
    for one in [present(0), present(1, -6), present(2), replace(present(3), off=(0,) * 6 + (3,))]:
        tally.see(one, judged=True)
    tally.see(present(4), judged=True)
    assert tally.wrong == 1 and tally.astray == 1
    assert len(tally.worst) == 1 and "-6" in tally.worst[0]
    tally.see(present(5, -20), judged=False)
    assert tally.wrong == 1
