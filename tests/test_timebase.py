from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shows.timebase import frame_to_ns, ns_to_frame

RATES = st.sampled_from([Fraction(30), Fraction(24), Fraction(60), Fraction(30000, 1001)])


def test_frames_at_30_a_second() -> None:
    assert [frame_to_ns(frame, Fraction(30)) for frame in (0, 1, 2, 3, 30)] == [
        0,
        33_333_334,
        66_666_667,
        100_000_000,
        1_000_000_000,
    ]


def test_one_nanosecond_before_a_frame_is_the_frame_before() -> None:
    assert ns_to_frame(33_333_333, Fraction(30)) == 0
    assert ns_to_frame(33_333_334, Fraction(30)) == 1
    assert ns_to_frame(-1, Fraction(30)) == -1


@given(st.integers(-(2**62), 2**62), RATES)
def test_round_trip_is_exact(frame: int, fps: Fraction) -> None:
    ns = frame_to_ns(frame, fps)
    assert ns_to_frame(ns, fps) == frame
    assert ns_to_frame(ns - 1, fps) == frame - 1


@pytest.mark.parametrize("years", [1, 100])
def test_ntsc_does_not_drift(years: int) -> None:
    seconds = 1001 * 86400 * 365 * years
    assert frame_to_ns(30000 * 86400 * 365 * years, Fraction(30000, 1001)) == seconds * 10**9
