"""The references of a show's ballads, made from its films once and kept in a folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from player.chaos.picture_match import VALUES, Reference, Scaler
from player.films.film_facts import FilmError, film_path
from shows.show import Show


class FilmReferenceError(Exception):
    """A film cannot be read to judge by; the text is a sentence."""


def references(
    show: Show, screen_px: int, folder: Path, told: Callable[[str], None]
) -> dict[str, Reference]:
    """By ballad id, of the ballads that some screen opens with or may change to: all of them.

    folder: what has been made stays there. told: hears which film is being read. Raises
    FilmReferenceError where a film is missing or cannot be read.
    """
    found = {}
    for ballad in show.ballads:
        path = film_path(show, ballad.id)
        try:
            facts = os.stat(path)
        except OSError as fault:
            raise FilmReferenceError(
                f"There is no film {path} to judge by ({fault.strerror}); make it with "
                "`python run_installation.py export --missing`."
            ) from fault
        words = f"{path.resolve()} {facts.st_size} {facts.st_mtime_ns} {screen_px} {VALUES} 1"
        kept = folder / f"reference-{hashlib.sha256(words.encode()).hexdigest()[:24]}.npy"
        samples = _kept(kept)
        if samples is None:
            told(f"reading the film of {ballad.title}")
            samples = _samples_of(path, screen_px)
            _keep(kept, samples)
        found[ballad.id] = Reference(samples)
    return found


def _samples_of(path: Path, screen_px: int) -> NDArray[np.uint8]:
    """uint8 [frames, VALUES]."""
    from player.films.decoder import FilmReader  # takes a moment to import

    try:
        film = FilmReader(path)
    except FilmError as fault:
        raise FilmReferenceError(f"A film to judge by cannot be read: {fault}") from fault
    try:
        if film.width_px != film.height_px:
            raise FilmReferenceError(
                f"{path} is {film.width_px}x{film.height_px}; only square films can be judged by."
            )
        scaler = Scaler(film.width_px, screen_px)
        picture = np.empty((film.height_px, film.width_px, 4), np.uint8)
        samples = np.empty((film.frames, VALUES), np.uint8)
        for frame in range(film.frames):
            film.read(frame, picture)
            samples[frame] = scaler.shown(picture)
    except FilmError as fault:
        raise FilmReferenceError(f"A film to judge by cannot be read: {fault}") from fault
    finally:
        film.close()
    return samples


def _kept(path: Path) -> NDArray[np.uint8] | None:
    try:
        samples = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    fits = samples.dtype == np.uint8 and samples.ndim == 2 and samples.shape[1] == VALUES
    return samples if fits and len(samples) else None


def _keep(path: Path, samples: NDArray[np.uint8]) -> None:
    partial = path.with_suffix(f".{os.getpid()}.partial")
    with open(partial, "wb") as file:
        np.save(file, samples, allow_pickle=False)
    os.replace(partial, path)
