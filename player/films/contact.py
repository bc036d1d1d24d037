"""Films for the press: a linear cut through all ballads, and all screens side by side."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from player.films.encoder import FilmEncoder, choose_codec
from player.films.export_plan import Plan
from player.films.film_maker import FilmMaker
from player.films.film_parts import Part, remove, settle
from player.films.part_making import Encoding, PartWriter
from shows.show import Show
from shows.timeline import Cue, latents_at, opening_cues

EDIT_S, CONTACT_S = 55, 60
LEAST_PX = 512
CONTACT_WIDTH_PX = 1920
_COLUMNS = 4


@dataclass(frozen=True)
class PressFilm:
    """name: of the file. at_once: frames of one call. ws: (first frame, count) to the ws of
    [count * pictures of a frame]; composed: these pictures, RGBA, to [count, H, W, 4]. source_px,
    size_px: (width, height) as composed, and of the film."""

    name: str
    frames: int
    at_once: int
    pictures_a_frame: int
    ws: Callable[[int, int], NDArray[np.float32]]
    composed: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
    source_px: tuple[int, int]
    size_px: tuple[int, int]


def press_films(plan: Plan, *, edit: bool, contact: bool) -> list[PressFilm]:
    """Those that are wanted."""
    cut = [linear_cut(plan.show, plan.size_px)] if edit else []
    return cut + ([side_by_side(plan.show, plan.size_px)] if contact else [])


def linear_cut(show: Show, size_px: tuple[int, int]) -> PressFilm:
    """All ballads in their order on one screen, each for its share of 55 s."""
    frames = round(EDIT_S * show.settings.fps)
    cues = (cut_cues(show, frames),)

    def ws(first: int, count: int) -> NDArray[np.float32]:
        return np.stack([latents_at(show, cues, 0, first + i) for i in range(count)])

    scale = max(1, math.ceil(LEAST_PX / min(size_px)))
    large = (size_px[0] * scale, size_px[1] * scale)
    return PressFilm("edit.mp4", frames, 8, 1, ws, _as_it_is, size_px, large)


def cut_cues(show: Show, frames: int) -> tuple[Cue, ...]:
    """One cue a ballad: equal shares, joined by the show's own morph between ballads, each begun so
    that the morph to its second painting falls into the middle of its share."""
    count = len(show.ballads)
    share = frames // count
    morph = min(show.settings.ballad_change_frames, share // 3)
    loop_frames = show.settings.stops * show.settings.frames_per_stop
    offset = max(0, loop_frames - (share - morph) // 3)
    return tuple(
        Cue(
            ballad.id,
            index * frames // count,
            morph if index else 0,
            offset if index else max(0, offset - morph),
        )
        for index, ballad in enumerate(show.ballads)
    )


def side_by_side(show: Show, size_px: tuple[int, int]) -> PressFilm:
    """All screens on the ballads they open with, in rows of four."""
    cues, screens = opening_cues(show), len(show.settings.screens)

    def ws(first: int, count: int) -> NDArray[np.float32]:
        frames = range(first, first + count)
        return np.stack(
            [latents_at(show, cues, s, frame) for frame in frames for s in range(screens)]
        )

    def composed(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.stack([grid(pictures[i : i + screens]) for i in range(0, len(pictures), screens)])

    blank = np.zeros((screens, size_px[1], size_px[0], 4), np.uint8)
    height, width = grid(blank).shape[:2]
    scale = max(CONTACT_WIDTH_PX / width, LEAST_PX / height)
    large = (2 * round(width * scale / 2), 2 * round(height * scale / 2))
    frames = round(CONTACT_S * show.settings.fps)
    return PressFilm("contact.mp4", frames, 1, screens, ws, composed, (width, height), large)


def grid(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures [N, H, W, 4] in rows of four on black, a shorter last row in the middle."""
    n, height, width, _ = pictures.shape
    columns = min(n, _COLUMNS)
    rows = math.ceil(n / columns)
    gap = max(2, width // 16)
    sheet = np.zeros((rows * (height + gap) + gap, columns * (width + gap) + gap, 4), np.uint8)
    sheet[..., 3] = 255
    for index in range(n):
        row, column = divmod(index, columns)
        in_row = min(columns, n - row * columns)
        left = gap + column * (width + gap) + (columns - in_row) * (width + gap) // 2
        top = gap + row * (height + gap)
        sheet[top : top + height, left : left + width] = pictures[index]
    return sheet


def _as_it_is(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return pictures


def make_press_film(maker: FilmMaker, film: PressFilm, rendered: Callable[[int], None]) -> bool:
    """Make it in the folder of films; False when stopped meanwhile. Raises FilmError, OSError."""
    plan = maker.plan
    codec = choose_codec("h264", film.size_px)
    path = plan.folder / film.name
    temporary = maker.parts.temporary(path)
    remove(temporary)
    words = {"title": plan.show.settings.title}

    def open_part(_: Part) -> PartWriter:
        return FilmEncoder(temporary, codec, film.size_px, plan.show.settings.fps, words)

    def closed(_: Part) -> None:
        settle(temporary, path)

    part = Part(film.name, 0, 0, film.frames)
    shape = (film.at_once, film.source_px[1], film.source_px[0], 4)
    width, height = plan.size_px
    drawn = np.empty((film.at_once * film.pictures_a_frame, height, width, 4), np.uint8)
    with Encoding(open_part, closed, rendered, shape) as encoding:
        for first in range(0, film.frames, film.at_once):
            if maker.stop():
                break
            count = min(film.at_once, film.frames - first)
            pictures = drawn[: count * film.pictures_a_frame]
            maker.drawing.draw(film.ws(first, count), pictures)
            buffer = encoding.buffer()
            buffer[:count] = film.composed(pictures)
            encoding.put(part, buffer, count)
        else:
            encoding.drained()
            return True
    return False
