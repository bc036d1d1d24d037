"""Sheets to look at: pictures in cells, each with its number or words under it, never on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from shows.picture_file import srgb_tag
from training.errors import TrainingError

Pixels = NDArray[np.uint8]
GROUND = (24, 24, 28)
INK = (235, 235, 235)
MARK = (255, 196, 0)
GAP_PX = 8
SMALLEST_CELL_PX = 64
RECORD_KEY = "inspace-sheet"

# in cells: the painting and number 0 stand three cells wide and high at the top left
COLUMNS = 12
LARGE = 3


@dataclass(frozen=True)
class Frame:
    """A place on a sheet: left, top and side in pixels of the picture; a strip for words below."""

    left: int
    top: int
    side: int


class Sheet:
    """A dark page that pictures are put on. strip_px: height of the words under each picture."""

    def __init__(self, width_px: int, height_px: int, strip_px: int) -> None:
        self.image = Image.new("RGB", (width_px, height_px), GROUND)
        self._draw = ImageDraw.Draw(self.image)
        self._strip_px = strip_px
        self._font = ImageFont.load_default(strip_px * 0.78)

    def put(self, pixels: Pixels, frame: Frame, words: str, *, marked: bool = False) -> None:
        """pixels: uint8 [H, W, 3], resized (bicubic, as the player's shader) to the frame."""
        picture = Image.fromarray(pixels).resize((frame.side, frame.side), Image.Resampling.BICUBIC)
        self.image.paste(picture, (frame.left, frame.top))
        bottom = frame.top + frame.side
        strip = (frame.left, bottom, frame.left + frame.side - 1, bottom + self._strip_px - 1)
        if marked:
            edge = (frame.left - 4, frame.top - 4, frame.left + frame.side + 3, strip[3])
            self._draw.rectangle(edge, outline=MARK, width=4)
        # also over the words of an earlier picture at this place
        self._draw.rectangle(strip, fill=MARK if marked else GROUND)
        middle = (frame.left + frame.side / 2, bottom + self._strip_px / 2)
        colour = GROUND if marked else INK
        self._draw.text(middle, words, fill=colour, font=self._font, anchor="mm")

    def title(self, words: str) -> None:
        """One line at the top left."""
        middle = GAP_PX + self._strip_px / 2
        self._draw.text((GAP_PX, middle), words, fill=INK, font=self._font, anchor="lm")


@dataclass(frozen=True, eq=False)
class Row:
    """A painting and its projection, uint8 [R, R, 3], and the words under them."""

    painting: Pixels
    projected: Pixels
    painting_words: str
    projected_words: str


def cell_side_px(picture_px: int, usual_px: int) -> int:
    """Side of a cell: the usual one, which small pictures fill up to fourfold and large ones
    exceed up to twofold, and at least 64 pixels for the number to be read."""
    side = max(min(4 * picture_px, usual_px), picture_px, SMALLEST_CELL_PX)
    return min(side, 2 * usual_px)


def projection_sheet(rows: Sequence[Row], title: str) -> Image.Image:
    """Painting beside projection, a row each."""
    strip = 22
    cell = cell_side_px(rows[0].painting.shape[0], 256)
    row_px = cell + strip + GAP_PX
    sheet = Sheet(2 * cell + 3 * GAP_PX, strip + 2 * GAP_PX + row_px * len(rows), strip)
    sheet.title(title)
    for index, row in enumerate(rows):
        top = strip + 2 * GAP_PX + index * row_px
        sheet.put(row.painting, Frame(GAP_PX, top, cell), row.painting_words)
        sheet.put(row.projected, Frame(2 * GAP_PX + cell, top, cell), row.projected_words)
    return sheet.image


def neighbours_sheet(
    painting: Pixels, pictures: Pixels, title: str, chosen: int | None = None
) -> Image.Image:
    """The painting and number 0 large at the top left, numbers 1.. around and below.

    pictures: uint8 [n, R, R, 3], number 0 first. chosen: this number is framed.
    """
    strip = 30
    cell = cell_side_px(pictures.shape[1], 128)
    step_x, step_y = cell + GAP_PX, cell + strip + GAP_PX
    head = strip + 2 * GAP_PX
    beside = (COLUMNS - 2 * LARGE) * LARGE
    rows = LARGE + -(-max(len(pictures) - 1 - beside, 0) // COLUMNS)
    sheet = Sheet(COLUMNS * step_x + GAP_PX, head + rows * step_y, strip)
    sheet.title(title)
    large = LARGE * step_x - GAP_PX
    sheet.put(painting, Frame(GAP_PX, head, large), "the painting")
    second = Frame(GAP_PX + LARGE * step_x, head, large)
    sheet.put(pictures[0], second, "0  the projection", marked=chosen == 0)
    for number in range(1, len(pictures)):
        row, column = _place(number - 1)
        frame = Frame(GAP_PX + column * step_x, head + row * step_y, cell)
        sheet.put(pictures[number], frame, str(number), marked=chosen == number)
    return sheet.image


def _place(index: int) -> tuple[int, int]:
    """Row and column of the index-th small picture."""
    width = COLUMNS - 2 * LARGE
    if index < width * LARGE:
        return index // width, 2 * LARGE + index % width
    row, column = divmod(index - width * LARGE, COLUMNS)
    return LARGE + row, column


def save_sheet(image: Image.Image, path: Path, record: dict[str, Any] | None = None) -> None:
    """Write a PNG whole or not at all, with a record of what it shows. Raises TrainingError."""
    info = srgb_tag()
    if record is not None:
        info.add_text(RECORD_KEY, json.dumps(record, sort_keys=True))
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            image.save(part, "PNG", pnginfo=info, compress_level=3)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as fault:
        raise TrainingError(f"{path} cannot be written ({fault}).") from fault


def read_record(path: Path) -> dict[str, Any] | None:
    """What a sheet's record says; None where there is no sheet or no record that can be read."""
    try:
        with Image.open(path) as sheet:
            record = json.loads(str(sheet.info[RECORD_KEY]))
    except (OSError, SyntaxError, KeyError, ValueError):
        return None
    return record if isinstance(record, dict) else None
