"""What a film on the disk says and shows, and whether that is what the engine draws."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from player.films.encoder import FilmTags, film_tags, read_frames
from player.films.export_plan import ExportError, FilmPlan, Plan
from player.films.part_making import Drawing, ballad_ws
from player.films.picture_sequence import picture_path, sequence_tags

CHECKED_PARTS = 8
LEAST_PSNR_DB = 25.0  # below, a film shows something else than what was drawn


def worst_psnr_db(plan: Plan, drawing: Drawing, film: FilmPlan, path: Path) -> float:
    """The worst PSNR (dB, RGB) of some of a film's frames against the engine's pictures: the
    first of a part and its middle, where a joint or an order that went wrong shows.

    Raises ExportError for a film that shows something else, EncoderError, OSError.
    """
    step = max(1, math.ceil(len(film.parts) / CHECKED_PARTS))
    indices = sorted(
        {i for p in film.parts[::step] for i in (p.first_frame, p.first_frame + p.frames // 2)}
    )
    ws = np.concatenate([ballad_ws(plan.show, film.facts.ballad, i, 1) for i in indices])
    width, height = plan.size_px
    drawn = np.empty((len(indices), height, width, 4), np.uint8)
    drawing.compare(ws, drawn)
    shown = pictures_of(path, indices)
    errors = [
        float(np.mean((drawn[k, ..., :3].astype(np.float64) - shown[index]) ** 2))
        for k, index in enumerate(indices)
    ]
    worst_db = 10 * math.log10(255**2 / max(errors)) if max(errors) else math.inf
    if worst_db < LEAST_PSNR_DB:
        raise ExportError(
            f"{film.path.name} does not show what the engine draws ({worst_db:.1f} dB); "
            "run export --fresh, and choose another --codec if it stays so."
        )
    return worst_db


def tags_of(path: Path) -> FilmTags | None:
    """What a film or a sequence says of itself; None where there is no whole one."""
    return sequence_tags(path) if path.is_dir() else film_tags(path)


def size_of(path: Path) -> int:
    """Bytes of a film, or of a sequence's pictures. Raises OSError."""
    files = path.glob("*.png") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)


def pictures_of(path: Path, indices: list[int]) -> dict[int, NDArray[np.uint8]]:
    """Some frames of a film or a sequence, RGB [H, W, 3]. Raises EncoderError, OSError."""
    if path.is_dir():
        return {i: read_frames(picture_path(path, i), [0])[0] for i in indices}
    return read_frames(path, indices)
