"""Where a ballad's paintings and stops stand on a line from 0 to 1, and where it is on it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from shows.show import Show


@dataclass(frozen=True)
class Segment:
    """One painting's part of the line, in shares of the whole. stops: of its noise loop."""

    start: float
    loop_end: float
    end: float
    stops: tuple[float, ...]


def segments_of(show: Show, ballad_id: str) -> tuple[Segment, ...]:
    """Of every painting of a ballad, in order. Raises ShowError."""
    settings = show.settings
    whole = show.cycle_frames(ballad_id)
    made = []
    for index in range(len(show.ballad(ballad_id).paintings)):
        first = index * show.segment_frames
        stops = tuple(
            (first + stop * settings.frames_per_stop) / whole for stop in range(settings.stops + 1)
        )
        made.append(Segment(first / whole, stops[-1], (first + show.segment_frames) / whole, stops))
    return tuple(made)


def playhead(show: Show, ballad_id: str, seconds: float) -> float:
    """The share of the line that lies behind. Raises ShowError."""
    whole_s = show.cycle_frames(ballad_id) / float(show.settings.fps)
    return (seconds % whole_s) / whole_s


def seconds_of_painting(show: Show, index: int) -> float:
    """When a painting (from 0) is reached, in seconds from the ballad's beginning."""
    return index * show.segment_frames / float(show.settings.fps)
