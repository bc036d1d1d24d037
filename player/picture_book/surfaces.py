"""Pages of stills: enlarging, linear light, surfaces, what lies around a picture, the focus."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np

from player.picture_book.moments import moments
from player.picture_book.sheet import Pixels, enlarged, save, sheet, smaller
from player.picture_book.stage import Stage, ballad_ws
from player.wall.look import Look
from shows.picture_file import read_square
from shows.schema import Surface, Surround
from shows.timeline import focus_at

_LARGE_PX, _THUMB_PX = 1080, 128
_CROP_PX = 440
_WIDE_PX, _TALL_PX = (960, 540), (304, 540)


def paintings(stage: Stage, out: Path) -> dict[str, object]:
    """Every painting, and beside it what the show begins its loop with, soft and sharp."""
    size_px, rows = (_THUMB_PX, _THUMB_PX), []
    for ballad in stage.show.ballads:
        starts = [n * stage.show.segment_frames for n in range(len(ballad.paintings))]
        drawn = stage.pictures([ballad_ws(stage.show, ballad.id, start) for start in starts])
        row = []
        for index, (painting, picture) in enumerate(zip(ballad.paintings, drawn, strict=True)):
            path = stage.show.painting_path(ballad.id, index)
            three = [
                read_square(path, _THUMB_PX, crop=painting.crop, background=painting.background),
                stage.shown(picture[None], size_px),
                stage.shown(picture[None], size_px, Look(sharp=True)),
            ]
            row.append((painting.id, np.concatenate(three, axis=1)))
        rows.append(row)
    save(sheet(rows), out / "paintings.jpg")
    return {}


def enlarging(stage: Stage, out: Path) -> dict[str, object]:
    """The middle of three screens of 1080 lines, each enlarged in four ways."""
    rows = []
    for screen, picture in enumerate(stage.frame(0)[[3, 1, 4]]):
        size_px = (_LARGE_PX, _LARGE_PX)
        ways = {
            "bicubic, values as they are": enlarged(picture, _LARGE_PX, "bicubic"),
            "Lanczos, values as they are": enlarged(picture, _LARGE_PX, "Lanczos"),
            "soft: Mitchell in linear light": stage.shown(picture[None], size_px),
            "sharp: edges kept": stage.shown(picture[None], size_px, Look(sharp=True)),
        }
        rows.append([(name if not screen else "", _middle(one)) for name, one in ways.items()])
    save(sheet(rows), out / "enlarging.jpg")
    return {}


def surfaces(stage: Stage, out: Path) -> dict[str, object]:
    """A piece of a screen of 1080 lines, pixel for pixel, on each surface."""
    rows = []
    for row, picture in enumerate(stage.frame(0)[[2, 4]]):
        rows.append(
            [
                (
                    name if not row else "",
                    _middle(
                        stage.shown(
                            picture[None],
                            (1920, 1080),
                            Look(sharp=True, surface=name),
                            frame=row,
                        )
                    ),
                )
                for name in get_args(Surface)
            ]
        )
    save(sheet(rows), out / "surfaces.png")
    return {}


def surrounds(stage: Stage, out: Path) -> dict[str, object]:
    """A square picture shown whole on a wide and on a tall screen."""
    pictures = stage.frame(0)
    rows = []
    for size_px, picture in ((_WIDE_PX, pictures[1]), (_TALL_PX, pictures[4])):
        row = [
            (
                name,
                stage.shown(picture[None], size_px, Look(True, "none", name), fit="contain"),
            )
            for name in get_args(Surround)
        ]
        rows += [row[:2], row[2:]] if size_px == _WIDE_PX else [row]
    save(sheet(rows), out / "surrounds.jpg")
    return {}


def focus(stage: Stage, out: Path) -> dict[str, object]:
    """A square picture that covers a tall screen, held at three places."""
    rows = []
    for picture in stage.frame(0)[[3, 6]]:
        whole = stage.shown(picture[None], (_TALL_PX[1], _TALL_PX[1]), Look(sharp=True))
        row = [("the picture", whole)]
        for x in (0.2, 0.5, 0.8):
            covered = stage.shown(picture[None], _TALL_PX, Look(sharp=True), focus=(x, 0.5))
            row.append((f"focus: [{x}, 0.5]", covered))
        rows.append(row)
    save(sheet(rows), out / "focus.jpg")
    return {}


def linear_light(stage: Stage, out: Path) -> dict[str, object]:
    """Half way between two pictures, mixed as light and mixed as stored."""
    pictures = stage.frame(0)
    rows = []
    for first, second in ((3, 4), (6, 4)):
        pair = pictures[[first, second]]
        size_px = (360, 360)
        rows.append(
            [
                ("", stage.shown(pair[:1], size_px)),
                ("", stage.shown(pair[1:], size_px)),
                ("half of each: as light", stage.shown(pair, size_px, weights=(0.5, 0.5))),
                (
                    "half of each: as stored (not done)",
                    stage.shown(
                        np.rint(pair.astype(float).mean(axis=0, keepdims=True)).astype(np.uint8),
                        size_px,
                    ),
                ),
            ]
        )
    save(sheet(rows), out / "linear-light.jpg")
    return {}


def night(stage: Stage, out: Path) -> dict[str, object]:
    """All screens at four moments, large and wide, and large and tall."""
    for name, size_px, width_px in (("wide", (1920, 1080), 320), ("tall", (1080, 1920), 200)):
        rows = []
        for moment in moments(stage.show):
            pictures = stage.frame(moment.frame, moment.cues)
            row = []
            for screen, picture in enumerate(pictures):
                drawn = stage.shown(
                    picture[None],
                    size_px,
                    Look(sharp=True, surface=stage.show.settings.surface),
                    gain=moment.light,
                    frame=moment.frame,
                    focus=focus_at(stage.show, moment.cues[screen], moment.frame),
                )
                row.append((moment.words if not screen else "", smaller(drawn, width_px)))
            rows.append(row)
        save(sheet(rows), out / f"night-{name}.jpg")
    return {}


def _middle(picture: Pixels) -> Pixels:
    top = (picture.shape[0] - _CROP_PX) // 2
    left = (picture.shape[1] - _CROP_PX) // 2
    return picture[top : top + _CROP_PX, left : left + _CROP_PX]
