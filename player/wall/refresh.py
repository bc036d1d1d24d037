"""Which refresh of a panel shows which frame. Pure; exact integers and Fraction only.

A panel refreshes `hz` times a second, a show has `fps` frames a second. Refresh r happens at
(r + phase) / hz seconds after frame 0 was due and shows the newest frame that is then due, so

    frame = floor((r + phase) * fps / hz)

Each frame gets the floor or the ceiling of hz / fps refreshes. Which frame gets how many depends
on the phase; how many frames of a period (`Cadence`) get how many does not. At 30 frames a second:

    Hz               refreshes of a frame        what is seen
    24               0 or 1                      every 5th frame is never shown
    25               0 or 1                      every 6th frame is never shown
    30               1                           even
    50               1 or 2                      1 of 3 frames is shorter
    60000/1001       2, 2 of 1001 frames 1       even; one short frame in 16.7 s
    60               2                           even
    75               2 or 3                      every 2nd frame is shorter
    120              4                           even
    144              4 or 5                      1 of 5 frames is shorter

Where the phase is so near 0 or 1 that jitter decides which of the two comes first, a real panel may
show a frame once more and the next once less than said here.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

# Rates that video calls by their rounded names: n means n * 1000/1001.
_NTSC_WHOLE_HZ = (24, 30, 48, 60, 72, 120, 144, 240)


@dataclass(frozen=True)
class Cadence:
    """How refreshes are shared out among frames, whatever the phase.

    Every `frames` frames, which take `refreshes` refreshes, the pattern repeats: `short` of them
    get `fewest` refreshes, the others `fewest` + 1. Where hz / fps is whole, `short` is 1 of 1.
    """

    frames: int
    refreshes: int
    fewest: int
    short: int

    @property
    def even(self) -> bool:
        """Whether all frames get the same number of refreshes."""
        return self.short == self.frames


def cadence(fps: Fraction, hz: Fraction) -> Cadence:
    """The pattern of a show of `fps` on a panel of `hz`. Raises ValueError unless both are > 0."""
    _demand_rates(fps, hz)
    ratio = hz / fps
    fewest = ratio.numerator // ratio.denominator
    long = ratio.numerator - fewest * ratio.denominator
    return Cadence(ratio.denominator, ratio.numerator, fewest, ratio.denominator - long)


def frame_of_refresh(
    refresh: int, fps: Fraction, hz: Fraction, phase: Fraction = Fraction(0)
) -> int:
    """The frame that a refresh shows.

    phase: how long after frame 0 was due refresh 0 happens, in refreshes, 0 up to but not 1.
    Raises ValueError for rates that are not above 0, or a phase outside.
    """
    _demand_rates(fps, hz)
    _demand_phase(phase)
    due = (refresh + phase) * fps / hz
    return due.numerator // due.denominator


def refreshes_of_frame(
    frame: int, fps: Fraction, hz: Fraction, phase: Fraction = Fraction(0)
) -> range:
    """The refreshes that show a frame, in order; empty if it is skipped. Phase as above."""
    _demand_rates(fps, hz)
    _demand_phase(phase)
    first = _ceil(frame * hz / fps - phase)
    return range(first, _ceil((frame + 1) * hz / fps - phase))


def frames_with(
    refreshes: int, frames: range, fps: Fraction, hz: Fraction, phase: Fraction = Fraction(0)
) -> list[int]:
    """Those of `frames` (rising, without gaps) that get exactly this many refreshes.

    0: the frames that are never shown. 1, on a panel of 60000/1001 Hz with 30 fps: the frames that
    are predicted to stand for a single refresh. An hour of frames takes some tens of
    milliseconds. Raises ValueError as above.
    """
    _demand_rates(fps, hz)
    _demand_phase(phase)
    if frames.step != 1:
        raise ValueError(f"frames without gaps are needed, not every {frames.step}th")
    # first refresh of a frame = ceil((frame * up - late) / down), in integers for speed
    ratio = hz / fps
    up = ratio.numerator * phase.denominator
    late = phase.numerator * ratio.denominator
    down = ratio.denominator * phase.denominator
    found = []
    first = -((late - frames.start * up) // down)
    for frame in frames:
        following = -((late - (frame + 1) * up) // down)
        if following - first == refreshes:
            found.append(frame)
        first = following
    return found


def short_frames(
    frames: range, fps: Fraction, hz: Fraction, phase: Fraction = Fraction(0)
) -> list[int]:
    """Those of `frames` that get one refresh less than the others (0: never shown).

    None where all get as many.
    """
    pattern = cadence(fps, hz)
    return [] if pattern.even else frames_with(pattern.fewest, frames, fps, hz, phase)


def exact_hz(told_hz: float) -> Fraction:
    """The refresh rate that a rounded figure stands for.

    Within 0.006 Hz of n * 1000/1001 (23.976, 29.97, 59.94, 119.88 ...) that; within 0.006 of a
    whole number, the whole number; otherwise the figure to a thousandth. A figure already rounded
    to a whole number (GLFW's) stays it: 60 may well be 59.94, and only the system's own list tells.
    Raises ValueError for what is no rate between 1 and 1000 Hz.
    """
    if not 1 <= told_hz <= 1000:
        raise ValueError(f"a panel refreshes 1 to 1000 times a second, not {told_hz}")
    for whole in _NTSC_WHOLE_HZ:
        exact = Fraction(whole * 1000, 1001)
        if abs(told_hz - float(exact)) <= 0.006:
            return exact
    if abs(told_hz - round(told_hz)) <= 0.006:
        return Fraction(round(told_hz))
    return Fraction(round(told_hz * 1000), 1000)


def describe(fps: Fraction, hz: Fraction) -> str:
    """One line for the log and the report, such as "60 Hz: every frame has 2 refreshes"."""
    pattern = cadence(fps, hz)
    rate = f"{_figure(hz)} Hz"
    if pattern.even:
        return f"{rate}: every frame has {_refreshes(pattern.fewest)}"
    if pattern.fewest == 0:
        every_s = Fraction(pattern.frames, pattern.short) / fps
        return (
            f"{rate}: slower than the show's {_figure(fps)} frames a second; {pattern.short} of "
            f"{pattern.frames} frames {'is' if pattern.short == 1 else 'are'} never shown (one "
            f"every {_seconds(every_s)})"
        )
    fewest, most = pattern.fewest, pattern.fewest + 1
    usual, rare, rare_frames = most, fewest, pattern.short
    # the rarer kind is named: it is what an eye or a counter notices
    if 2 * pattern.short > pattern.frames:
        usual, rare, rare_frames = fewest, most, pattern.frames - pattern.short
    every_s = Fraction(pattern.frames, rare_frames) / fps
    return (
        f"{rate}: every frame has {_refreshes(usual)}, but {rare_frames} of {pattern.frames} "
        f"{'has' if rare_frames == 1 else 'have'} {rare} (one every {_seconds(every_s)}); none is "
        "dropped"
    )


def _refreshes(count: int) -> str:
    return f"{count} refresh" if count == 1 else f"{count} refreshes"


def _seconds(duration_s: Fraction) -> str:
    value = float(duration_s)
    return f"{value:.1f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def _figure(rate: Fraction) -> str:
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")


def _ceil(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)


def _demand_rates(fps: Fraction, hz: Fraction) -> None:
    if fps <= 0 or hz <= 0:
        raise ValueError(f"rates are above 0, not {fps} frames a second on {hz} Hz")


def _demand_phase(phase: Fraction) -> None:
    if not 0 <= phase < 1:
        raise ValueError(f"a phase is 0 up to but not 1 refresh, not {phase}")
