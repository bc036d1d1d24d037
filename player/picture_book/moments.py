"""Four moments of an evening. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from shows.show import Show
from shows.timeline import Cue, Cues, add_cue, opening_cues


@dataclass(frozen=True)
class Moment:
    """What is on, and by what share of the light."""

    words: str
    frame: int
    cues: Cues
    light: float = 1.0


def moments(show: Show) -> tuple[Moment, ...]:
    """The opening, a seventh stop, the middle of a morph, and late at night, dimmed, all screens on
    their way to one ballad."""
    settings, opening = show.settings, opening_cues(show)
    loop = settings.stops * settings.frames_per_stop
    late = 3 * show.segment_frames
    change = Cue(show.ballad_ids[2], late, settings.ballad_change_frames)
    unison = tuple(add_cue(cues, change, late) for cues in opening)
    return (
        Moment("opening: every window on its own ballad", 0, opening),
        Moment("after seven seconds: the seventh stop", loop, opening),
        Moment("half way to the next painting", loop + settings.morph_frames // 2, opening),
        Moment(
            "late, at half the light: all windows on their way to one ballad",
            late + 2 * settings.ballad_change_frames // 3,
            unison,
            0.5,
        ),
    )
