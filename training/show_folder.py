"""What the curating verbs need of a show's folder; every fault a TrainingError."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import generator
from generator.checkpoint import CheckpointError
from generator.networks import Generator
from shows.generator_file import read_generator_info
from shows.schema import Ballad, Painting, ShowError
from shows.show import Show
from shows.show_file import load_show, resolve_ballad
from training.errors import TrainingError
from training.picture_file import PictureError, parse_colour, read_picture

Crop = tuple[int, int, int, int]


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
    """A painting upright, in sRGB, flattened, cropped square and resized (Lanczos, with area
    support). What the crop leaves is cut to its middle square, as the stills of the player are."""
    painting = ballad.paintings[index]
    where = f"ballads/{ballad.id}/ballad.yaml: paintings[{index}]"
    path = show.painting_path(ballad.id, index)
    background = painting.background or "#ffffff"
    try:
        image = read_picture(path, parse_colour(background)).image
    except PictureError as fault:
        raise TrainingError(f"{where}.file: {path}: {fault}.") from fault
    try:
        box = square_box(image.size, painting.crop)
    except ValueError as fault:
        raise TrainingError(f"{where}.crop: {fault}.") from fault
    # cut before resizing: a box given to resize lets its filter read beyond the edge
    square = image.crop(box).resize((size_px, size_px), Image.Resampling.LANCZOS)
    return Target(np.asarray(square, np.uint8), painting_facts(show, ballad, index))


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


def square_box(size_px: tuple[int, int], crop: Crop | None) -> Crop:
    """The middle square, as (left, top, right, bottom), of a crop (x, y, width, height).

    Raises ValueError if the crop reaches beyond the picture: what is missing there would otherwise
    be cut away unasked.
    """
    width, height = size_px
    x, y, crop_width, crop_height = crop or (0, 0, width, height)
    if x + crop_width > width or y + crop_height > height:
        raise ValueError(
            f"{list(crop or ())} is [x, y, width, height] in pixels and reaches beyond the "
            f"picture, which is {width} x {height} once it stands upright"
        )
    side = min(crop_width, crop_height)
    left, top = x + (crop_width - side) // 2, y + (crop_height - side) // 2
    return left, top, left + side, top + side


def work_folder(show: Show, ballad_id: str) -> Path:
    """Where sheets to look at go; it can be deleted at any time."""
    return show.folder / "work" / ballad_id
