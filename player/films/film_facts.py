"""What a film says of itself, and where films lie. Pure; no codec in here."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from player.made_folder import made_folder
from shows.schema import Fps, StrictModel
from shows.show import Show

FILM_FORMAT = "inspace-film/1"
KEYFRAME_EVERY = 15  # frames; the most that a jump has to decode


class FilmError(Exception):
    """A film that cannot be made, read or trusted; the text is a sentence that names it."""


class FilmFacts(StrictModel):
    """Written into the film as JSON, in the container's `comment`.

    fingerprint: `shows.fingerprint.ballad_fingerprint` of what was rendered. first_frame: the
    ballad's own frame of the film's first picture. frames: how many there are, a whole number of
    cycles. engine_path: how the pictures were made, as in `EnginePath.to_dict`; None for an engine
    without choices.
    """

    format: Literal["inspace-film/1"] = "inspace-film/1"
    ballad: str
    fingerprint: str
    generator_hash: str
    first_frame: int
    frames: Annotated[int, Field(ge=1)]
    cycles: Annotated[int, Field(ge=1)]
    fps: Fps = Fraction(30)
    width_px: Annotated[int, Field(ge=1)]
    height_px: Annotated[int, Field(ge=1)]
    engine: str = ""
    engine_path: dict[str, Any] | None = None


def facts_text(facts: FilmFacts) -> str:
    """One line of JSON."""
    return facts.model_dump_json()


def facts_of(text: str) -> FilmFacts | None:
    """Inverse of `facts_text`; None for anything else, as in a film made elsewhere."""
    try:
        return FilmFacts.model_validate_json(text)
    except (ValidationError, ValueError):
        return None


def films_folder(show: Show) -> Path:
    """Where a show's own films lie."""
    return made_folder(show.folder) / "films"


def film_path(show: Show, ballad_id: str) -> Path:
    """The film that `export` makes of a ballad; raises ShowError for an unknown one."""
    return films_folder(show) / f"{show.ballad(ballad_id).id}.mp4"


def film_frames(show: Show, ballad_id: str) -> int:
    """Frames until the ballad's pictures repeat exactly, its noise included: a film's length."""
    return show.cycle_frames(ballad_id) * show.settings.noise_cycles
