"""The sheets of a run, made small enough for a page that holds all of them."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from PIL import Image, UnidentifiedImageError

REALS_FILE = "reals.png"
FAKES_NAME = re.compile(r"fakes-(\d+)\.png")
MOST_STRIPS, MOST_SHEETS = 12, 6
STRIP_PX, SHEET_PX, LARGE_PX = 960, 720, 1280
# all pictures together: base64 makes four bytes of three, and the page stays below 5 MB
BUDGET_BYTES = 3_000_000

Item = TypeVar("Item")


@dataclass(frozen=True)
class Shown:
    """A picture of the page; data: JPEG in base64; width, height: its pixels."""

    label: str
    data: str
    width: int
    height: int


@dataclass(frozen=True)
class RunPictures:
    """reals, fakes: the training pictures and the last samples, or None. strips: the first row of
    every sheet, the same codes again and again. sheets: some of them whole, the last left out."""

    reals: Shown | None
    fakes: Shown | None
    strips: tuple[Shown, ...]
    sheets: tuple[Shown, ...]
    notes: tuple[str, ...] = ()


def run_pictures(folder: Path, cell_px: int | None) -> RunPictures:
    """Pictures of a run folder. cell_px: of one sample on a sheet; None: not known, no strips.

    A sheet that cannot be read, as while it is written by hand, is left out and told.
    """
    for quality, share in ((85, 1.0), (75, 1.0), (70, 0.75), (60, 0.5)):
        found = _gathered(folder, cell_px, quality, share)
        if sum(len(shown.data) for shown in _all(found)) <= BUDGET_BYTES * 4 // 3:
            break
    return found


def _all(pictures: RunPictures) -> list[Shown]:
    single = [shown for shown in (pictures.reals, pictures.fakes) if shown is not None]
    return [*single, *pictures.strips, *pictures.sheets]


def _gathered(folder: Path, cell_px: int | None, quality: int, share: float) -> RunPictures:
    names = sorted(path for path in folder.iterdir() if FAKES_NAME.fullmatch(path.name))
    notes: list[str] = []
    strips, sheets = [], []
    in_strips, whole = spread(names, MOST_STRIPS), spread(names[:-1], MOST_SHEETS)
    for path in sorted({*in_strips, *whole}):
        image = _opened(path, notes)
        if image is None:
            continue
        label = f"{kimg_of(path)} kimg"
        if path in in_strips and cell_px is not None and image.height >= cell_px:
            row = image.crop((0, 0, image.width, cell_px))
            strips.append(_shown(row, label, int(STRIP_PX * share), quality))
        if path in whole:
            sheets.append(_shown(image, label, int(SHEET_PX * share), quality))
    reals = _opened(folder / REALS_FILE, notes) if (folder / REALS_FILE).exists() else None
    fakes = _opened(names[-1], notes) if names else None
    large = int(LARGE_PX * share)
    return RunPictures(
        None if reals is None else _shown(reals, "Training pictures", large, quality),
        None
        if fakes is None
        else _shown(fakes, f"Samples at {kimg_of(names[-1])} kimg", large, quality),
        tuple(strips),
        tuple(sheets),
        tuple(dict.fromkeys(notes)),
    )


def kimg_of(path: Path) -> int:
    """In thousands of pictures, of a file named as `train` names its sheets."""
    match = FAKES_NAME.fullmatch(path.name)
    assert match is not None
    return int(match[1])


def spread(items: Sequence[Item], most: int) -> list[Item]:
    """At most `most` of them, evenly, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(index * (len(items) - 1) / (most - 1))] for index in range(most)]


def _opened(path: Path, notes: list[str]) -> Image.Image | None:
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as fault:
        notes.append(f"{path.name} cannot be read as a picture ({fault.__class__.__name__}).")
        return None


def _shown(image: Image.Image, label: str, widest: int, quality: int) -> Shown:
    small = image
    if image.width > widest:
        height = max(round(image.height * widest / image.width), 1)
        small = image.resize((widest, height), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=quality, subsampling=0)
    return Shown(label, base64.b64encode(buffer.getvalue()).decode(), small.width, small.height)
