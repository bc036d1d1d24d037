"""Which films, at which of their frames, a screen would show at a frame of the show. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shows.show import Show
from shows.timeline import Cue, cue_weights

MOST_PARTS = 3


@dataclass(frozen=True)
class FilmPart:
    """A frame of a ballad's film and its share of the light, above 0 and up to 1."""

    ballad_id: str
    index: int
    weight: float


def film_parts(
    show: Show, screen_cues: tuple[Cue, ...], frame: int, lengths: Mapping[str, int]
) -> tuple[FilmPart, ...]:
    """Up to three parts, oldest first, weights summing to 1; none if the newest has no film.

    lengths: frames of the films there are, by ballad id. There is no film of a morph between two
    ballads: their films are cross-faded over its length instead.
    """
    mixed = cue_weights(show, screen_cues, frame)
    if mixed[-1][0].ballad_id not in lengths:
        return ()
    kept = [(cue, weight) for cue, weight in mixed if cue.ballad_id in lengths][-MOST_PARTS:]
    total = sum(weight for _, weight in kept)
    return tuple(
        FilmPart(cue.ballad_id, cue.film_frame(frame) % lengths[cue.ballad_id], weight / total)
        for cue, weight in kept
    )
