"""A folder of pictures as the paintings of a new show."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from shows.picture_file import PictureError, read_picture
from shows.schema import ShowError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif")
FEWEST = 2


@dataclass(frozen=True)
class FoundPicture:
    """One picture. painting_id: made of its name. line: its name in words, until somebody writes
    the ballad's line there. file: its name in the show, relative to the ballad's folder."""

    path: Path
    painting_id: str
    line: str
    file: str


def pictures_in(folder: Path) -> tuple[tuple[FoundPicture, ...], tuple[str, ...]]:
    """The pictures of a folder in the order of their names (2 before 10), and the names of files
    that are none. Every picture is opened once. Raises ShowError for fewer than two pictures, and
    with a line for each that cannot be read.
    """
    try:
        paths = sorted(folder.iterdir(), key=lambda path: natural_key(path.name))
    except OSError as fault:
        raise ShowError(f"--pictures: {folder} cannot be read: {fault.strerror}.") from fault
    files = [path for path in paths if path.is_file() and not path.name.startswith(".")]
    pictures = [path for path in files if path.suffix.lower() in SUFFIXES]
    others = tuple(path.name for path in files if path not in pictures)
    if len(pictures) < FEWEST:
        raise ShowError(
            f"--pictures: {folder} has {len(pictures)} pictures, and a ballad needs at least "
            f"{FEWEST}; these are taken: {', '.join(SUFFIXES)}."
        )
    faults = []
    for path in pictures:
        try:
            read_picture(path)
        except PictureError as fault:
            faults.append(f"--pictures: {path}: {fault}; mend it or take it out of the folder.")
    if faults:
        raise ShowError("\n".join(faults))
    return named(pictures), others


def named(paths: Sequence[Path]) -> tuple[FoundPicture, ...]:
    """Ids, lines and files for pictures; no two ids are equal, whatever their capitals."""
    found: list[FoundPicture] = []
    taken: set[str] = set()
    for number, path in enumerate(paths, 1):
        has_words = bool(re.search(r"[^\W\d_]", path.stem))
        base = slug(path.stem) if has_words else ""
        painting_id = base or f"painting-{number}"
        while painting_id in taken:
            painting_id = f"{painting_id[:50]}-{number}"
        taken.add(painting_id)
        words = " ".join(re.split(r"[\s_-]+", path.stem)).strip() if has_words else ""
        line = words[:1].upper() + words[1:] if words else f"Painting {number}"
        file = f"paintings/{painting_id}{path.suffix.lower()}"
        found.append(FoundPicture(path, painting_id, line, file))
    return tuple(found)


def slug(words: str) -> str:
    """Small letters a to z, digits and hyphens, at most 60; empty where none of these is left."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """For sorting: digits count as numbers, capitals do not count."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name.casefold())
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def shared_out(
    pictures: Sequence[FoundPicture], ballads: int
) -> tuple[tuple[FoundPicture, ...], ...]:
    """The pictures in order over so many ballads, in shares as equal as they can be.

    Raises ShowError where a ballad would get fewer than two.
    """
    if len(pictures) < FEWEST * ballads:
        raise ShowError(
            f"--ballads {ballads}: {len(pictures)} pictures are too few; "
            f"a ballad needs at least {FEWEST}."
        )
    bounds = [round(index * len(pictures) / ballads) for index in range(ballads + 1)]
    return tuple(tuple(pictures[first:last]) for first, last in pairwise(bounds))
