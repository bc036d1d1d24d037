"""What the curating verbs need of a show's folder; every fault a TrainingError."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import generator
from generator.checkpoint import CheckpointError
from generator.networks import Generator
from shows.generator_file import read_generator_info
from shows.picture_file import CropError, PictureError, read_square
from shows.schema import Ballad, Painting, ShowError
from shows.show import Show
from shows.show_file import load_show, resolve_ballad
from training.errors import TrainingError


@dataclass(frozen=True, eq=False)
class Target:
    """A painting as the projector sees it.

    pixels: uint8 [R, R, 3], sRGB. facts: plain JSON that tells whether it is still the same
    picture: id, file, its SHA-256, crop (x, y, width, height) and background.
    """

    pixels: NDArray[np.uint8]
    facts: dict[str, object]


def add_show_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that the curating verbs share."""
    parser.add_argument("show", type=Path, help="the show's folder")
    parser.add_argument(
        "--ballad",
        nargs="+",
        action="extend",
        metavar="ID",
        help="only these ballads, by id, title or place (default: all of the show)",
    )


def open_show(folder: Path) -> Show:
    """The show without its latent sets, which may not be there yet."""
    try:
        return load_show(folder, latents=False)
    except ShowError as fault:
        raise TrainingError(str(fault)) from fault


def chosen_ballads(show: Show, names: Sequence[str] | None) -> tuple[Ballad, ...]:
    """The named ballads, or all, in show order."""
    try:
        wanted = {resolve_ballad(show, name) for name in names} if names else set(show.ballad_ids)
    except ShowError as fault:
        raise TrainingError(f"--ballad: {fault}") from fault
    return tuple(ballad for ballad in show.ballads if ballad.id in wanted)


def generator_hash(show: Show) -> str:
    """The content hash that the show's generator file claims, read from its header."""
    path = show.generator_path
    if not path.is_file():
        raise TrainingError(
            f"{path} is missing: train a generator and copy it there, or name another in "
            "show.yaml: generator."
        )
    try:
        return read_generator_info(path).content_hash
    except ShowError as fault:
        raise TrainingError(str(fault)) from fault


def open_generator(show: Show, device: str = "cpu") -> Generator:
    """The show's generator, checked against its hash."""
    generator_hash(show)
    try:
        return generator.load(show.generator_path, device)
    except CheckpointError as fault:
        raise TrainingError(f"{fault}.") from fault


def read_target(show: Show, ballad: Ballad, index: int, size_px: int) -> Target:
    """A painting, read and cropped square as the stills of the player are."""
    painting = ballad.paintings[index]
    where = f"ballads/{ballad.id}/ballad.yaml: paintings[{index}]"
    path = show.painting_path(ballad.id, index)
    try:
        pixels = read_square(path, size_px, crop=painting.crop, background=painting.background)
    except CropError as fault:
        raise TrainingError(f"{where}.crop: {fault}.") from fault
    except PictureError as fault:
        raise TrainingError(f"{where}.file: {path}: {fault}.") from fault
    return Target(pixels, painting_facts(show, ballad, index))


def painting_facts(show: Show, ballad: Ballad, index: int) -> dict[str, object]:
    """`Target.facts` of a painting, without decoding it."""
    painting: Painting = ballad.paintings[index]
    path = show.painting_path(ballad.id, index)
    try:
        digest = sha256(path.read_bytes()).hexdigest()
    except OSError as fault:
        raise TrainingError(
            f"ballads/{ballad.id}/ballad.yaml: paintings[{index}].file: {path} cannot be read "
            f"({fault.strerror}); paint it or put it there."
        ) from fault
    return {
        "id": painting.id,
        "file": painting.file,
        "sha256": digest,
        "crop": None if painting.crop is None else list(painting.crop),
        "background": painting.background or "#ffffff",
    }


def work_folder(show: Show, ballad_id: str) -> Path:
    """Where sheets to look at go; it can be deleted at any time."""
    return show.folder / "work" / ballad_id
