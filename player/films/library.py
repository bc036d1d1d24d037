"""The films of a show: which there are, which can be trusted, and what is to be said of them.

Nothing is decoded for films that `export` made: their tables of contents tell within milliseconds
whether they are whole, and the process that plays them looks at their pictures. Films made
elsewhere are opened, for which FFmpeg is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from player.films.film_facts import (
    FilmError,
    FilmFacts,
    facts_of,
    film_frames,
    films_folder,
)
from player.films.manifest import read_manifest, sha256_of
from player.films.mp4_boxes import Mp4Video, look_at_frames, read_mp4
from shows.fingerprint import ballad_fingerprint
from shows.generator_file import read_generator_info
from shows.schema import ShowError
from shows.show import Show

if TYPE_CHECKING:
    from player.films.decoder import FilmReader

_SUFFIXES = (".mp4", ".mov")


@dataclass(frozen=True)
class Film:
    """One film that can be played.

    state: good; other: made of another show or model; foreign: made elsewhere by hand. note: a
    sentence that says so, or what else the operator should know; empty if there is nothing.
    """

    ballad_id: str
    path: Path
    frames: int
    facts: FilmFacts | None
    state: Literal["good", "other", "foreign"]
    note: str = ""


@dataclass(frozen=True)
class FilmCheck:
    """films and refused by ballad id; a refusal is a sentence that names the file and the fault.
    missing: ballads that have no film at all."""

    films: Mapping[str, Film]
    refused: Mapping[str, str]
    missing: tuple[str, ...]


def validate_films(show: Show, *, folder: Path | None = None, thorough: bool = False) -> FilmCheck:
    """Look through all films of a show. folder: of the exported ones, `films_folder(show)` if None.

    A film that `ballad.yaml` names comes before the exported one. thorough: compares every file
    with the manifest's sum and decodes every frame, which takes minutes; else nothing is decoded.
    Never raises for what is in a file.
    """
    folder = films_folder(show) if folder is None else Path(folder)
    films: dict[str, Film] = {}
    refused: dict[str, str] = {}
    missing: list[str] = []
    sums = _sums(folder) if thorough else {}
    for ballad in show.ballads:
        by_hand = None if ballad.film is None else show.ballad_folder(ballad.id) / ballad.film
        path = by_hand or _exported(folder, ballad.id)
        try:
            if by_hand is None and not path.exists():
                missing.append(ballad.id)
                continue
            film = _film(show, ballad.id, path, by_hand=by_hand is not None)
            if thorough:
                _look_through(film, sums.get(path.name))
            films[ballad.id] = film
        except FilmError as fault:
            refused[ballad.id] = str(fault)
        except OSError as fault:
            refused[ballad.id] = f"{path} cannot be read: {fault.strerror or fault}."
    return FilmCheck(films, refused, tuple(missing))


def _film(show: Show, ballad_id: str, path: Path, *, by_hand: bool) -> Film:
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "no plain file" if path.exists() else "not there"
        raise FilmError(f"{path} cannot be played: it is {kind}.")
    path = path.resolve()
    video = read_mp4(path)
    facts = facts_of(video.comment) if video is not None else None
    if facts is None and not by_hand:
        raise FilmError(
            f"{path} was not made by `export`: it does not say which ballad it shows. To show it "
            f"anyhow, name it in the ballad's file (film: ...); else export it again."
        )
    if facts is None or video is None:
        return _foreign(ballad_id, path)
    _agrees(path, video, facts)
    look_at_frames(path, video)
    note, is_other = _compared(show, ballad_id, path, facts)
    return Film(ballad_id, path, facts.frames, facts, "other" if is_other else "good", note)


def _foreign(ballad_id: str, path: Path) -> Film:
    reader = _open(path)
    try:
        for index in (0, reader.frames - 1):
            reader.hold(index)
        note = (
            f"{path.name} was made elsewhere: {reader.width_px} x {reader.height_px} px, "
            f"{reader.frames} frames, {reader.codec}, {reader.colour}. Its frames are not those of "
            "the live pictures."
        )
        return Film(ballad_id, path, reader.frames, None, "foreign", note)
    finally:
        reader.close()


def _agrees(path: Path, video: Mp4Video, facts: FilmFacts) -> None:
    """What the file says of itself must be what is in it."""
    pairs: list[tuple[str, object, object]] = [
        ("frames", facts.frames, video.frames),
        ("frames a second", facts.fps, video.fps),
        ("first frame", 0, facts.first_frame),
    ]
    for what, said, found in pairs:
        if said != found:
            raise FilmError(
                f"{path} is damaged: {what}: {said} wanted, {found} found; export it again."
            )


def _compared(show: Show, ballad_id: str, path: Path, facts: FilmFacts) -> tuple[str, bool]:
    """A sentence for the operator, and whether the film is of another show, ballad or model."""
    again = "Its pictures will not match the live ones; export it again."
    if facts.ballad != ballad_id:
        return f"{path.name} is a film of {facts.ballad[:80]!r}, not of {ballad_id}. {again}", True
    if facts.fps != show.settings.fps:
        rates = f"{facts.fps} frames a second, and the show has {show.settings.fps}"
        return f"{path.name} was made for {rates}. {again}", True
    if facts.frames % film_frames(show, ballad_id):
        lengths = f"{facts.frames} frames and the show repeats after {film_frames(show, ballad_id)}"
        return f"{path.name} has {lengths}. {again}", True
    if ballad_id in show.latents:
        if facts.fingerprint != ballad_fingerprint(show, ballad_id):
            return f"{path.name} was made of another version of this show. {again}", True
        return "", False
    try:
        content_hash = read_generator_info(show.generator_path).content_hash
    except (ShowError, OSError):
        return (
            f"{path.name}: whether it is of this very show cannot be told without latents.",
            False,
        )
    if content_hash != facts.generator_hash:
        return f"{path.name} was made with another generator. {again}", True
    return "", False


def _look_through(film: Film, wanted_sum: str | None) -> None:
    if wanted_sum is not None and sha256_of(film.path)[0] != wanted_sum:
        raise FilmError(
            f"{film.path} is not the file that was exported: its sum differs from the manifest's; "
            "export it again or copy it anew."
        )
    reader = _open(film.path)
    try:
        for index in range(reader.frames):
            reader.hold(index)
    finally:
        reader.close()


def _sums(folder: Path) -> dict[str, str]:
    """SHA-256 by file name out of the manifest; empty without a readable one."""
    try:
        manifest = read_manifest(folder)
    except FilmError:
        return {}
    return {} if manifest is None else {film.file: film.sha256 for film in manifest.films.values()}


def _exported(folder: Path, ballad_id: str) -> Path:
    """The first there is of a ballad's film in its possible containers, or where it would be."""
    paths = [folder / f"{ballad_id}{suffix}" for suffix in _SUFFIXES]
    return next((path for path in paths if path.exists()), paths[0])


def _open(path: Path) -> FilmReader:
    # here and not above: FFmpeg takes 80 ms to load, and a show of its own films needs none of it
    from player.films.decoder import FilmReader

    return FilmReader(path)
