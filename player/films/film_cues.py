"""Which films, at which of their frames, a screen would show at a frame of the show. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def blended_parts(
    sides: Sequence[tuple[tuple[FilmPart, ...], float]],
) -> tuple[FilmPart, ...]:
    """Up to three parts out of the parts of several shows and their shares of the light, oldest
    first: the same frame of the same film is one part. None if the newest show has none."""
    if not sides or not sides[-1][0]:
        return ()
    weights: dict[tuple[str, int], float] = {}
    for parts, share in sides:
        for part in parts:
            key = (part.ballad_id, part.index)
            weights[key] = weights.pop(key, 0.0) + part.weight * share
    kept = list(weights.items())[-MOST_PARTS:]
    total = sum(weight for _, weight in kept)
    return tuple(FilmPart(*key, weight / total) for key, weight in kept)
