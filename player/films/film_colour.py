"""By which matrix and range a film's colours are read. Pure."""

from __future__ import annotations

from dataclasses import dataclass

BT709, BT601, BT2020 = 1, 5, 9  # as FFmpeg's scaler numbers them
FCC, SMPTE240M = 4, 7
# What a stream says (ITU-T H.273, table 4, matrix coefficients) to the scaler's numbers.
_MATRICES = {1: BT709, 4: FCC, 5: BT601, 6: BT601, 7: SMPTE240M, 9: BT2020, 10: BT2020}
_NAMES = {BT709: "BT.709", BT601: "BT.601", BT2020: "BT.2020", FCC: "FCC", SMPTE240M: "SMPTE 240M"}
_FULL_RANGE = 2  # H.273's flag as FFmpeg numbers it
HD_FROM_PX = 720


@dataclass(frozen=True)
class FilmColour:
    """matrix: one of this module's numbers. is_full: 0 to 255, not 16 to 235."""

    matrix: int
    is_full: bool
    is_tagged: bool

    def __str__(self) -> str:
        words = f"{_NAMES[self.matrix]}, {'full' if self.is_full else 'limited'} range"
        return words if self.is_tagged else f"{words} (not tagged: taken so by its size)"


def colour_of(space: int, range_: int, pixel_format: str, height_px: int) -> FilmColour:
    """space, range_: the stream's tags as numbers. What is not tagged is taken as limited, and
    as BT.709 or BT.601 by the picture's height, as players of films do."""
    guess = BT709 if height_px >= HD_FROM_PX else BT601
    is_full = range_ == _FULL_RANGE or pixel_format.startswith("yuvj")
    return FilmColour(_MATRICES.get(space, guess), is_full, space in _MATRICES)
