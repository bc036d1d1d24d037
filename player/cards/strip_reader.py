"""Reads the frame strip of a screen from a screenshot or a photograph. Pure.

Where the strip stands and how it looks is in `frame_strip.py`. A picture may have been scaled,
turned, mirrored, blurred, compressed, or cut a little beside the screen's edge; what it shows is
found by trying places and sizes of the parts that never change, and believed only if all of those
are seen and the check of the number holds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from player.cards.frame_strip import (
    ACROSS_BLOCKS,
    BLOCKS_PER_SIDE,
    CODE_DOWN_BLOCKS,
    block_px,
    code_frame,
)
from player.cards.strip_code import StripError, decode_word
from player.wall.monitors import Area

__all__ = ["Reading", "StripError", "decode", "decode_wall"]

Grey = NDArray[np.float32]

# Block sizes tried, as shares of a sixtieth of the picture's shorter side: blocks are rounded
# down to whole dots (from 1/2), doubled on an identify card, and larger below 120 pixels.
_SMALLEST, _LARGEST = 0.48, 2.1
_SIZE_STEP = 1.015
# places tried, in blocks to each side of the corner
_FURTHEST_BLOCKS, _PLACE_STEP_BLOCKS = 1.5, 0.25
_TRIED_CLOSELY = 16
# least difference of the levels of white and black, of 255
_LEAST_CONTRAST = 20.0
# how near the middle of white and black a block may be and still count, as a share of the two's
# difference: nearer ones are taken to be caught while they change
_UNDECIDED = 0.06

_FRAME = code_frame()
_FIXED = _FRAME >= 0
_SIGNS = np.where(_FRAME[_FIXED] == 1, 1.0, -1.0).astype(np.float32)
# the lines and turns without the rim: black and white ones suffer from blur as the word does
_TURNS = np.zeros(_FRAME.shape, bool)
_TURNS[1, 2:-1] = True
_TURNS[2:-2, -2] = True
_PLACES = np.indices(_FRAME.shape)
_ROWS: NDArray[np.intp] = _PLACES[0]
_COLUMNS: NDArray[np.intp] = _PLACES[1]


@dataclass(frozen=True)
class Reading:
    """What one screen showed: its frame, or None and a sentence that says why not."""

    frame: int | None
    fault: str = ""


@dataclass(frozen=True)
class _Place:
    """Where the code stands: its left and bottom edge and the side of a block, in pixels."""

    left: float
    bottom: float
    block: float


def decode(picture: NDArray[np.uint8]) -> int:
    """The frame number (0 to 2^32 - 1) that a screen shows.

    picture: [H, W, 3] or [H, W, 4], top row first, all of one screen and nothing else; scaled by
    0.5 to 3 against the screen, turned by quarters, mirrored. Raises StripError if there is no
    strip, or it cannot be read without doubt.
    """
    _demand_picture(picture)
    for attempt in (_read_as_drawn, _read_by_search):
        for corner, short_px in _corners(picture):
            frame = attempt(corner, short_px)
            if frame is not None:
                return frame
    height, width = picture.shape[:2]
    raise StripError(
        f"There is no frame strip in a corner of this picture of {width}x{height} pixels. Was the "
        "player started with --stamp, and is the picture cut to exactly one screen?"
    )


def decode_wall(screenshot: NDArray[np.uint8], areas: Sequence[Area]) -> tuple[Reading, ...]:
    """What every screen of a screenshot shows.

    screenshot: [H, W, 3 or 4]; areas: the screens in pixels of it. A screen that cannot be read,
    or that lies outside, is a reading with a fault.
    """
    _demand_picture(screenshot)
    return tuple(_read_area(screenshot, area) for area in areas)


def _read_area(screenshot: NDArray[np.uint8], area: Area) -> Reading:
    height, width = screenshot.shape[:2]
    right, below = area.x + area.width, area.y + area.height
    if min(area.x, area.y) < 0 or right > width or below > height:
        return Reading(
            None,
            f"The area {area.x},{area.y},{area.width},{area.height} reaches beyond the "
            f"screenshot, which is {width}x{height} pixels.",
        )
    try:
        return Reading(decode(screenshot[area.y : below, area.x : right]))
    except StripError as fault:
        return Reading(None, str(fault))


def _demand_picture(picture: NDArray[np.uint8]) -> None:
    if (
        picture.ndim != 3
        or picture.shape[2] not in (3, 4)
        or picture.dtype != np.uint8
        or min(picture.shape[:2]) < 1
    ):
        raise StripError(
            f"A picture is uint8 [height, width, 3 or 4]; this is {picture.dtype} "
            f"{list(picture.shape)}."
        )


def _corners(picture: NDArray[np.uint8]) -> Iterator[tuple[Grey, int]]:
    """The bottom left corner of the picture turned and mirrored in all eight ways, upright first,
    as grey 0..255, with the picture's shorter side in pixels."""
    short_px = min(picture.shape[:2])
    reach = 2 * _FURTHEST_BLOCKS + ACROSS_BLOCKS
    side_px = math.ceil(reach * _LARGEST * short_px / BLOCKS_PER_SIDE) + 2
    luma = np.array([0.2126, 0.7152, 0.0722], np.float32)
    for mirrored in (picture, picture[:, ::-1]):
        for quarters in range(4):
            turned = np.rot90(mirrored, quarters)
            yield turned[-side_px:, :side_px, :3].astype(np.float32) @ luma, short_px


def _read_as_drawn(corner: Grey, short_px: int) -> int | None:
    """The frame, if the picture has the screen's own pixels; None if no strip is seen so."""
    try:
        return _read_at(corner, _Place(0.0, 0.0, block_px((short_px, short_px))))
    except StripError:
        # seen, but perhaps not exactly where it is
        frame = _read_by_search(corner, short_px)
        if frame is None:
            raise
        return frame


def _read_by_search(corner: Grey, short_px: int) -> int | None:
    """The frame, wherever near the corner the strip is; None if no strip is seen."""
    fault: StripError | None = None
    for place in _likely_places(corner, short_px):
        try:
            frame = _read_at(corner, place)
        except StripError as check_failed:
            fault = check_failed
            continue
        if frame is not None:
            return frame
    if fault:
        raise fault
    return None


def _likely_places(corner: Grey, short_px: int) -> list[_Place]:
    """The places at which one pixel from every block that never changes agrees best."""
    nominal = short_px / BLOCKS_PER_SIDE
    count = math.ceil(math.log(_LARGEST / _SMALLEST, _SIZE_STEP))
    sizes = nominal * _SMALLEST * _SIZE_STEP ** np.arange(count)
    sizes = sizes[sizes >= 0.9]
    if not len(sizes):
        return []
    steps = np.arange(-_FURTHEST_BLOCKS, _FURTHEST_BLOCKS + 0.01, _PLACE_STEP_BLOCKS)
    height, width = corner.shape
    block = sizes[:, None, None]
    # [sizes, places, fixed blocks]
    x = (steps[:, None] + _COLUMNS[_FIXED] + 0.5) * block
    y = height - (steps[:, None] + CODE_DOWN_BLOCKS - _ROWS[_FIXED] - 0.5) * block
    columns = np.clip(x.astype(np.intp), 0, width - 1)
    rows = np.clip(y.astype(np.intp), 0, height - 1)
    # [sizes, places up, places across, fixed blocks]
    seen = corner.ravel()[rows[:, :, None, :] * width + columns[:, None, :, :]]
    agreement = _agreement(seen)
    best = np.argsort(agreement, axis=None)[::-1][:_TRIED_CLOSELY]
    chosen = zip(*np.unravel_index(best, agreement.shape), strict=True)
    return [
        _Place(float(steps[across] * sizes[size]), float(steps[up] * sizes[size]), sizes[size])
        for size, up, across in chosen
    ]


def _agreement(seen: Grey) -> Grey:
    """Correlation, -1 to 1, of what is seen [..., fixed blocks] with what should be."""
    signs = _SIGNS - _SIGNS.mean()
    spread = seen.std(axis=-1) * np.sqrt(np.float32(len(signs)) * (signs**2).sum())
    agreement: Grey = (seen @ signs) / np.maximum(spread, np.float32(1e-3))
    return agreement


def _read_at(corner: Grey, place: _Place) -> int | None:
    """The frame of the strip at a place; None if the parts that never change are not there."""
    seen = _blocks(corner, place)
    white = float(seen[_TURNS & (_FRAME == 1)].mean())
    black = float(seen[_TURNS & (_FRAME == 0)].mean())
    if white - black < _LEAST_CONTRAST:
        return None
    light = (seen - black) / (white - black)
    if not np.array_equal(light[_FIXED] > 0.5, _SIGNS > 0):
        return None
    word = light[~_FIXED]
    if (np.abs(word - 0.5) < _UNDECIDED).any():
        raise StripError(
            "A block of the strip is neither black nor white: it was caught while it changed, or "
            "the picture is blurred. Take the picture again."
        )
    return decode_word(int("".join("1" if lit else "0" for lit in word > 0.5), 2))


def _blocks(corner: Grey, place: _Place) -> Grey:
    """The light of every block, [8, 16]: the mean of nine points around its middle."""
    height, width = corner.shape
    points = np.array([-0.2, 0.0, 0.2])
    x = place.left + (_COLUMNS[0][:, None] + 0.5 + points) * place.block
    up = CODE_DOWN_BLOCKS - _ROWS[:, 0][:, None] - 0.5 + points
    y = height - place.bottom - up * place.block
    columns = np.clip(x.astype(np.intp), 0, width - 1)
    rows = np.clip(y.astype(np.intp), 0, height - 1)
    light: Grey = corner[rows[:, :, None, None], columns[None, None]].mean(axis=(1, 3))
    return light
