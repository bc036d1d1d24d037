"""A dark gradient live and through a film: whether bands are seen."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from player.films.encoder import FilmEncoder, choose_codec, read_frames
from player.picture_book.sheet import Pixels, save, sheet
from player.picture_book.stage import Stage
from player.wall.tiles import dither_thresholds

_DARKEST, _LIGHTEST = 6.0, 14.0  # eight-bit steps
_SHOWN_PX = (960, 160)
_STRETCHED = 20  # on the page, so that a step can be seen at all


def gradient(stage: Stage, out: Path) -> dict[str, object]:
    """Eight steps of darkness across a screen: rounded, dithered as live, and after a film."""
    side = stage.side_px
    exact = np.linspace(_DARKEST, _LIGHTEST, side)[None, :, None].repeat(side, 0).repeat(3, 2)
    rounded = _rgba(np.rint(exact))
    thresholds = dither_thresholds()[..., :3] / 255
    tile = np.tile(thresholds, (-(-side // 64), -(-side // 64), 1))[:side, :side]
    live = _rgba(np.floor(exact + tile))
    ways = {
        "rounded to eight bits, then enlarged": rounded,
        "live: dithered, then enlarged and dithered": live,
        "film: the same, encoded and decoded": _through_a_film(live),
    }
    rows, told = [], {}
    for name, picture in ways.items():
        shown = stage.shown(picture[None], _SHOWN_PX, fit="stretch")
        rows.append([(f"{name} (contrast times {_STRETCHED})", _stretched(shown))])
        told[name.split(":")[0].split(" ")[0]] = _banding(shown)
    save(sheet(rows), out / "dark-gradient.png")
    return {"rms_of_column_means_from_the_gradient_in_steps": told}


def _rgba(values: NDArray[np.float64]) -> Pixels:
    picture = np.full((*values.shape[:2], 4), 255, np.uint8)
    picture[..., :3] = values.clip(0, 255)
    return picture


def _through_a_film(picture: Pixels) -> Pixels:
    side = picture.shape[0]
    codec = choose_codec("h264", (side, side), "libx264")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gradient.mp4"
        encoder = FilmEncoder(path, codec, (side, side), Fraction(30), {})
        encoder.add(np.stack([picture] * 8))
        encoder.close()
        return _rgba(read_frames(path, [7])[7].astype(np.float64))


def _banding(shown: Pixels) -> float:
    """How far the mean of each column lies from the straight line: bands are far from it."""
    columns = shown.astype(float).mean(axis=(0, 2))
    at = np.arange(len(columns))
    inner = slice(len(columns) // 16, -len(columns) // 16)  # where nothing is held at an edge
    line = np.polyval(np.polyfit(at[inner], columns[inner], 1), at)
    return round(float(np.sqrt(((columns - line)[inner] ** 2).mean())), 3)


def _stretched(picture: Pixels) -> Pixels:
    middle = (_DARKEST + _LIGHTEST) / 2
    stretched = (picture.astype(float) - middle) * _STRETCHED + 128
    return stretched.clip(0, 255).astype(np.uint8)
