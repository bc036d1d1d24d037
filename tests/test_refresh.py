"""Which refresh shows which frame: a table over an hour, and what holds for every rate."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.wall.refresh import (
    Cadence,
    cadence,
    describe,
    exact_hz,
    frame_of_refresh,
    frames_with,
    refreshes_of_frame,
    short_frames,
)

FPS = Fraction(30)
NTSC = Fraction(60000, 1001)
HOUR_FRAMES = 30 * 3600

# Hz: (frames, refreshes) of a period, and how many of its frames get how many refreshes
TABLE: dict[Fraction, tuple[int, int, dict[int, int]]] = {
    Fraction(24): (5, 4, {0: 1, 1: 4}),
    Fraction(25): (6, 5, {0: 1, 1: 5}),
    Fraction(30): (1, 1, {1: 1}),
    Fraction(50): (3, 5, {1: 1, 2: 2}),
    NTSC: (1001, 2000, {1: 2, 2: 999}),
    Fraction(60): (1, 2, {2: 1}),
    Fraction(75): (2, 5, {2: 1, 3: 1}),
    Fraction(120): (1, 4, {4: 1}),
    Fraction(144): (5, 24, {4: 1, 5: 4}),
}
PHASES = (Fraction(0), Fraction(1, 2), Fraction(7, 10))
RATE = st.fractions(Fraction(1), Fraction(400), max_denominator=2000)
PHASE = st.fractions(Fraction(0), Fraction(99, 100), max_denominator=100)


def hour_of_refreshes(hz: Fraction, phase: Fraction) -> np.ndarray:
    """The frame of every refresh of an hour, int64, by the definition and in integers."""
    count = int(3600 * hz)
    refresh = np.arange(count, dtype=np.int64)
    ratio = FPS / hz
    over = ratio.denominator * phase.denominator
    up = refresh * phase.denominator + phase.numerator
    return up * ratio.numerator // over


@pytest.mark.parametrize("phase", PHASES, ids=str)
@pytest.mark.parametrize("hz", TABLE, ids=str)
def test_an_hour_at_every_rate(hz: Fraction, phase: Fraction) -> None:
    frames, refreshes, shares = TABLE[hz]
    pattern = cadence(FPS, hz)
    assert (pattern.frames, pattern.refreshes) == (frames, refreshes)
    shown = hour_of_refreshes(hz, phase)
    for refresh in range(0, len(shown), 9973):
        assert frame_of_refresh(refresh, FPS, hz, phase) == shown[refresh]
    # whole periods only, so that the counts are exact
    periods = (HOUR_FRAMES - 2) // frames
    counts = np.bincount(shown, minlength=HOUR_FRAMES)[1 : 1 + periods * frames]
    assert Counter(counts.tolist()) == {n: share * periods for n, share in shares.items()}
    span = range(1, 1 + periods * frames)
    for n in shares:
        predicted = frames_with(n, span, FPS, hz, phase)
        assert predicted == (np.flatnonzero(counts == n) + 1).tolist()


@pytest.mark.parametrize("hz", [Fraction(24), Fraction(25)])
def test_slower_panels_skip_the_frames_said(hz: Fraction) -> None:
    every = {24: 5, 25: 6}[int(hz)]
    skipped = frames_with(0, range(30), FPS, hz)
    assert skipped == list(range(every - 1, 30, every))
    assert skipped == short_frames(range(30), FPS, hz)
    for frame in skipped:
        assert len(refreshes_of_frame(frame, FPS, hz)) == 0


def test_5994_has_one_single_refresh_every_16_7_seconds() -> None:
    single = frames_with(1, range(HOUR_FRAMES), FPS, NTSC)
    assert single[:5] == [500, 1000, 1501, 2001, 2502]
    assert single == short_frames(range(HOUR_FRAMES), FPS, NTSC)
    assert {b - a for a, b in pairwise(single)} == {500, 501}
    # 60 - 60000/1001 refreshes are missing a second
    assert len(single) == int(3600 * (60 - NTSC))
    assert frames_with(0, range(HOUR_FRAMES), FPS, NTSC) == []


@pytest.mark.parametrize("hz", [Fraction(30), Fraction(60), Fraction(120)])
def test_whole_multiples_have_no_short_frame(hz: Fraction) -> None:
    assert cadence(FPS, hz).even
    assert short_frames(range(1000), FPS, hz, Fraction(1, 3)) == []


@given(st.integers(-(10**9), 10**9), RATE, RATE, PHASE)
def test_frames_never_go_back_and_none_is_skipped_where_the_panel_is_fast_enough(
    refresh: int, fps: Fraction, hz: Fraction, phase: Fraction
) -> None:
    step = frame_of_refresh(refresh + 1, fps, hz, phase) - frame_of_refresh(refresh, fps, hz, phase)
    assert step >= 0
    if hz >= fps:
        assert step <= 1


@given(st.integers(-(10**9), 10**9), RATE, RATE, PHASE)
def test_refreshes_of_a_frame_are_those_that_show_it(
    frame: int, fps: Fraction, hz: Fraction, phase: Fraction
) -> None:
    refreshes = refreshes_of_frame(frame, fps, hz, phase)
    pattern = cadence(fps, hz)
    assert len(refreshes) in (pattern.fewest, pattern.fewest + 1)
    assert refreshes_of_frame(frame + 1, fps, hz, phase).start == refreshes.stop
    for refresh in refreshes[:1], refreshes[-1:]:
        for one in refresh:
            assert frame_of_refresh(one, fps, hz, phase) == frame
    assert frame_of_refresh(refreshes.start - 1, fps, hz, phase) < frame
    assert frame_of_refresh(refreshes.stop, fps, hz, phase) > frame


@given(RATE, RATE)
def test_the_counts_of_a_period_sum(fps: Fraction, hz: Fraction) -> None:
    pattern = cadence(fps, hz)
    long = pattern.frames - pattern.short
    assert 0 < pattern.short <= pattern.frames
    assert pattern.short * pattern.fewest + long * (pattern.fewest + 1) == pattern.refreshes
    assert Fraction(pattern.refreshes, pattern.frames) == hz / fps


@given(
    st.fractions(Fraction(10), Fraction(80), max_denominator=7),
    st.fractions(Fraction(10), Fraction(200), max_denominator=7),
    PHASE,
    st.integers(-1000, 1000),
)
def test_the_frames_found_are_those_counted_one_by_one(
    fps: Fraction, hz: Fraction, phase: Fraction, first: int
) -> None:
    frames = range(first, first + 50)
    for n in range(4):
        found = frames_with(n, frames, fps, hz, phase)
        assert found == [f for f in frames if len(refreshes_of_frame(f, fps, hz, phase)) == n]


@pytest.mark.parametrize(
    ("hz", "line"),
    [
        (
            Fraction(24),
            "24 Hz: slower than the show's 30 frames a second; 1 of 5 frames is never shown (one "
            "every 167 ms)",
        ),
        (Fraction(30), "30 Hz: every frame has 1 refresh"),
        (
            Fraction(50),
            "50 Hz: every frame has 2 refreshes, but 1 of 3 has 1 (one every 100 ms); none is "
            "dropped",
        ),
        (
            NTSC,
            "59.94 Hz: every frame has 2 refreshes, but 2 of 1001 have 1 (one every 16.7 s); none "
            "is dropped",
        ),
        (Fraction(60), "60 Hz: every frame has 2 refreshes"),
        (
            Fraction(40),
            "40 Hz: every frame has 1 refresh, but 1 of 3 has 2 (one every 100 ms); none is "
            "dropped",
        ),
    ],
)
def test_the_line_for_the_log(hz: Fraction, line: str) -> None:
    assert describe(FPS, hz) == line


@pytest.mark.parametrize(
    ("told", "exact"),
    [
        (59.94, NTSC),
        (59.9401, NTSC),
        (23.976, Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        (119.88, Fraction(120000, 1001)),
        (60.0, Fraction(60)),
        (59.997, Fraction(60)),
        (59.95, Fraction(1199, 20)),
        (75.025, Fraction(3001, 40)),
    ],
)
def test_a_rounded_rate_stands_for_an_exact_one(told: float, exact: Fraction) -> None:
    assert exact_hz(told) == exact


@pytest.mark.parametrize("told", [0.0, -60.0, float("nan"), float("inf"), 1e9])
def test_what_is_no_rate_is_refused(told: float) -> None:
    with pytest.raises(ValueError, match="times a second"):
        exact_hz(told)


def test_nonsense_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="above 0"):
        cadence(FPS, Fraction(0))
    with pytest.raises(ValueError, match="above 0"):
        frame_of_refresh(0, Fraction(-1), FPS)
    with pytest.raises(ValueError, match="phase"):
        refreshes_of_frame(0, FPS, NTSC, Fraction(1))
    with pytest.raises(ValueError, match="without gaps"):
        frames_with(1, range(0, 10, 2), FPS, NTSC)
    assert cadence(FPS, FPS) == Cadence(1, 1, 1, 1)
