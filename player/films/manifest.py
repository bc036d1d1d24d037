"""The list of films in their folder: what each is, and the bytes it had when made. No codec."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from player.films.film_facts import FilmError, FilmFacts
from shows.atomic_file import write_atomically
from shows.schema import ShowError, StrictModel

MANIFEST_NAME = "manifest.json"
_LARGEST_BYTES = 16 * 2**20
_HASHED_AT_ONCE_BYTES = 2**20


class ManifestFilm(StrictModel):
    """One film. file: its name in the folder, or the folder's of an image sequence. sha256: of the
    file; of a sequence's pictures, one after the other. worst_psnr_db: of the pictures of it that
    were compared with the engine's, RGB; None for a picture without any loss.
    """

    file: str
    sha256: str
    bytes: Annotated[int, Field(ge=0)]
    codec: str
    encoder: str
    pixel_format: str
    worst_psnr_db: float | None = None
    facts: FilmFacts


class Manifest(StrictModel):
    """All films of a folder by `ManifestFilm.file`, and how the pictures of the newest were made
    (`EnginePath.to_dict`)."""

    format: Literal["inspace-films/1"] = "inspace-films/1"
    generator_hash: str = ""
    engine_path: dict[str, Any] | None = None
    films: dict[str, ManifestFilm] = Field(default_factory=dict)

    def with_film(self, film: ManifestFilm) -> Manifest:
        """The same with one film more, or another one in its place."""
        films = {**self.films, film.file: film}
        update = {
            "films": dict(sorted(films.items())),
            "generator_hash": film.facts.generator_hash,
            "engine_path": film.facts.engine_path,
        }
        return self.model_copy(update=update)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder of films; None where none is. Raises FilmError for a bad one."""
    path = folder / MANIFEST_NAME
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise FilmError(f"{path} is too large for a list of films; delete it and export again.")
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise FilmError(f"{path} cannot be read: {fault.strerror or fault}.") from fault
    try:
        return Manifest.model_validate_json(text)
    except (ValidationError, ValueError, RecursionError) as fault:
        raise FilmError(
            f"{path} is no list of films of this program; delete it and export again."
        ) from fault


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write it so that the old or the new one stands, whole. Raises FilmError."""
    content = json.dumps(manifest.model_dump(mode="json"), indent=1) + "\n"
    try:
        write_atomically(folder / MANIFEST_NAME, content.encode())
    except ShowError as fault:
        raise FilmError(str(fault)) from fault


def sha256_of(path: Path) -> tuple[str, int]:
    """SHA-256 (hexadecimal) and size in bytes of a film, or of a sequence's pictures in order of
    their names. Raises OSError."""
    digest, size = hashlib.sha256(), 0
    for file_path in sorted(path.glob("*.png")) if path.is_dir() else [path]:
        with file_path.open("rb") as file:
            while block := file.read(_HASHED_AT_ONCE_BYTES):
                digest.update(block)
                size += len(block)
    return digest.hexdigest(), size
