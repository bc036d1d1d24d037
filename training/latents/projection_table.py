"""What came of projecting, in figures: the table, work/projection.csv, and what lies too far."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from shows.atomic_file import write_atomically
from shows.schema import ShowError
from shows.show import Show
from training.contact_sheet import Pixels
from training.errors import TrainingError
from training.latents.picture_scores import drift
from training.latents.projection_file import ProjectionFile

# measured: docs/projecting.md
FAR = 0.45
# of a painting with hardly any contrast the eye forgives little more than of one with some
SMALLEST_CONTRAST = 0.01
TABLE_FILE = "projection.csv"
COLUMNS = (
    "ballad", "place", "painting", "file", "distance_of_mean", "distance_with_own_noise",
    "distance_as_shown", "missed", "far", "space", "start", "restart", "generator",
)  # fmt: skip


def missed_shares(pictures: Pixels, paintings: Pixels) -> list[float]:
    """How much of each painting its picture misses: their pixel distance at several scales, over
    the distance of the painting from its own mean colour. 0: the painting; 1: no more like it than
    that flat colour. Both uint8 [P, R, R, 3]."""
    shares = []
    for picture, painting in zip(pictures, paintings, strict=True):
        flat = np.broadcast_to(painting.mean(axis=(0, 1)).round().astype(np.uint8), painting.shape)
        far, contrast = drift(np.stack([picture, flat]), painting)
        shares.append(float(far / max(contrast, SMALLEST_CONTRAST)))
    return shares


def is_far(painting: Mapping[str, Any]) -> bool:
    """Whether the generator, at its best, draws something else. Files of before do not say."""
    return float(painting.get("missed", 0.0)) > FAR


def far_sentence(ballad_id: str, paintings: Sequence[Mapping[str, Any]]) -> str | None:
    """Names the paintings that lie far from what the generator knows; None if there are none."""
    far = [f"{each['id']} ({each['missed']:.0%} missed)" for each in paintings if is_far(each)]
    if not far:
        return None
    return (
        f"{ballad_id}: {', '.join(far)}: the generator has not seen anything like it and cannot "
        "show it. Add pictures like it to the training data and train on, as the artists did with "
        "5,000 paintings; or take another painting or crop."
    )


def describe(found: ProjectionFile) -> str:
    """The distances to each painting as a table."""
    width = max(len(found.ballad_id), *(len(name) + 3 for name in found.painting_ids))
    head = ("mean w", "own noise", "as shown", "missed")
    lines = [f"{found.ballad_id:<{width}}  " + "  ".join(f"{word:>9}" for word in head)]
    for place, painting in enumerate(found.paintings, 1):
        distances = (
            painting["distance_of_mean"],
            painting["distance_with_own_noise"],
            painting["distance_as_shown"],
        )
        figures = "  ".join(f"{number:9.3f}" for number in distances)
        lines.append(
            f"{f'{place:2} ' + painting['id']:<{width}}  {figures}  {painting['missed']:9.0%}"
            f"{'  far' if is_far(painting) else ''}"
        )
    return "\n".join(lines)


def write_table(show: Show, projections: Sequence[ProjectionFile]) -> None:
    """work/projection.csv, a line for each painting. Raises TrainingError."""
    text = io.StringIO(newline="")
    lines = csv.DictWriter(text, COLUMNS, extrasaction="ignore")
    lines.writeheader()
    for found in projections:
        for place, painting in enumerate(found.paintings, 1):
            lines.writerow(
                {
                    **painting,
                    "ballad": found.ballad_id,
                    "place": place,
                    "painting": painting["id"],
                    "far": "yes" if is_far(painting) else "no",
                    "space": found.settings["space"],
                    "start": painting.get("start", found.settings.get("start", "mean w")),
                    "restart": painting.get("restart", 0),
                    "generator": found.generator_hash,
                }
            )
    path = show.folder / "work" / TABLE_FILE
    try:
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, text.getvalue().encode())
    except (OSError, ShowError) as fault:
        raise TrainingError(f"{path} cannot be written ({fault}).") from fault
