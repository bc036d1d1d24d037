"""Frames and nanoseconds, exactly: integers and Fraction only."""

from __future__ import annotations

from fractions import Fraction

NS_PER_SECOND = 1_000_000_000


def frame_to_ns(frame: int, fps: Fraction) -> int:
    """The first whole nanosecond that belongs to a frame (frame 0 begins at 0).

    Rounded up, so that ns_to_frame(frame_to_ns(f)) == f for every f at any rate below 10^9 a
    second; rounded down it would fall into the frame before.
    """
    return -(-frame * NS_PER_SECOND * fps.denominator // fps.numerator)


def ns_to_frame(ns: int, fps: Fraction) -> int:
    """The frame that a nanosecond belongs to."""
    return ns * fps.numerator // (NS_PER_SECOND * fps.denominator)
