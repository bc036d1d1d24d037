"""What a show is, as plain facts: for a table and for programs. Nothing is drawn or decoded."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from player.films.library import FilmCheck, validate_films
from shows.generator_file import read_generator_info
from shows.latent_set import LatentSet, read_latent_set
from shows.safetensors_header import read_safetensors_header
from shows.schema import Ballad, ShowError
from shows.show import Show

Facts = dict[str, Any]
_OF_TRAINING = ("license", "licence", "training", "provenance", "source", "images", "kimg")
LICENCE_FILES = ("LICENSE", "LICENCE", "LICENSE.md", "LICENSE.txt", "NOTICE", "NOTICE.md")


def facts_of_show(show: Show) -> Facts:
    """Plain JSON. A file that cannot be read has `fault`, a sentence, in place of its facts.

    show: read without latents, so that one that is being made can be told too.
    """
    settings = show.settings
    films = validate_films(show)
    return {
        "folder": str(show.folder),
        "title": settings.title,
        "fps": str(settings.fps),
        "path": settings.path,
        "noise_strength": settings.noise_strength,
        "seconds_a_painting": round(float(show.segment_frames / settings.fps), 2),
        "screens": [
            {"name": screen.name, "ballad": screen.ballad, "fit": screen.fit}
            for screen in settings.screens
        ],
        "generator": _generator(show),
        "licences": [name for name in LICENCE_FILES if (show.folder / name).is_file()],
        "ballads": [_ballad(show, ballad, films) for ballad in show.ballads],
    }


def _generator(show: Show) -> Facts:
    path = show.generator_path
    facts: Facts = {"file": path.relative_to(show.folder).as_posix()}
    try:
        info = read_generator_info(path)
        metadata = read_safetensors_header(path, path.name).metadata
    except ShowError as fault:
        return {**facts, "fault": str(fault)}
    said = {name: metadata[name] for name in _OF_TRAINING if name in metadata}
    return {
        **facts,
        "bytes": path.stat().st_size,
        "pixels": info.img_resolution,
        "w_dim": info.w_dim,
        "layers": info.num_ws,
        "content_hash": info.content_hash,
        "of_training": said,
    }


def _ballad(show: Show, ballad: Ballad, films: FilmCheck) -> Facts:
    latents, fault = _latents(show, ballad)
    chosen: Facts = {}
    if latents is not None:
        chosen = dict(zip(latents.painting_ids, latents.provenance, strict=True))
    facts: Facts = {
        "id": ballad.id,
        "title": ballad.title,
        "child": ballad.child,
        "seconds": round(float(show.cycle_frames(ballad.id) / show.settings.fps), 2),
        "film": _film(ballad, films),
        "latents": {"fault": fault} if latents is None else _about_latents(latents),
        "paintings": [
            {
                "id": painting.id,
                "line": painting.line,
                "file": painting.file,
                "is_there": show.painting_path(ballad.id, index).is_file(),
                "chosen": how_chosen(chosen[painting.id]) if painting.id in chosen else None,
            }
            for index, painting in enumerate(ballad.paintings)
        ],
    }
    return facts


def _latents(show: Show, ballad: Ballad) -> tuple[LatentSet | None, str]:
    path = show.latents_path(ballad.id)
    if not path.is_file():
        return None, "none yet: project and publish this ballad."
    try:
        return read_latent_set(path), ""
    except ShowError as fault:
        return None, str(fault)


def _about_latents(latents: LatentSet) -> Facts:
    return {
        "generator_hash": latents.generator_hash,
        "space": "w" if latents.ws.shape[1] == 1 else "w+",
        "chosen": dict(
            Counter(str(entry.get("by", "unknown"))[:40] for entry in latents.provenance)
        ),
    }


def how_chosen(entry: Facts) -> str:
    """In words, out of a latent set's provenance of one painting, whatever that holds."""
    by, number, strength = entry.get("by"), entry.get("number"), entry.get("strength")
    distance = _mapping(entry.get("painting")).get("distance_as_shown")
    near = f", distance {distance:.2f}" if isinstance(distance, float) else ""
    if by == "file":
        origin = _mapping(entry.get("from"))
        return f"as it stands in {str(origin.get('file'))[:80]} ({str(origin.get('kind'))[:40]})"
    who = {"person": "chosen by a person", "auto": "chosen by the machine"}.get(str(by))
    if who is None:
        return json.dumps(entry, sort_keys=True)[:80]
    what = "the projection" if number == 0 else f"neighbour {number} of strength {strength}"
    return f"{what}, {who}{near}"


def _mapping(value: object) -> Facts:
    return value if isinstance(value, dict) else {}


def _film(ballad: Ballad, films: FilmCheck) -> str:
    if ballad.id in films.films:
        film = films.films[ballad.id]
        state = {"good": "in date", "other": "out of date", "foreign": "made elsewhere"}
        return f"{_name(film.path)}, {state[film.state]}"
    return films.refused.get(ballad.id, "none")


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
