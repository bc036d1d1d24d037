"""Draw 100 Gaussian neighbours of each projected w, and choose one of them.

Number 0 is the projection itself. Sheets go to work/<id>/neighbours-<painting>.png; choices to
ballads/<id>/choices.yaml. Three ways to choose: --pick PAINTING=NUMBER, --auto, or neither: then a
terminal is asked, and without one only the sheets are drawn. --auto takes the most colourful
(Hasler-Suesstrunk) and textured (luma gradient) picture, of the half of all 101 that stays nearest
to the painting.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from generator.networks import Generator
from shows.schema import Ballad
from shows.show import Show
from training.choices_file import NEIGHBOURS, Choice, read_choices, write_choices
from training.contact_sheet import neighbours_sheet, read_record, save_sheet
from training.errors import TrainingError
from training.picture_scores import choose, measure
from training.projection_file import ProjectionFile, current_projection
from training.projector import keyed_generator
from training.show_folder import (
    add_show_arguments,
    chosen_ballads,
    generator_hash,
    open_generator,
    open_show,
    read_target,
    work_folder,
)
from training.shown_picture import ShownAs, draw_pixels

DEFAULT_STRENGTH = 0.5
DEFAULT_SEED = 1
LARGEST_STRENGTH = 10.0
AUTO_NOTE = "most colourful and textured of the half nearest to the painting"

Picks = dict[tuple[str, int], int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `neighbours`."""
    add_show_arguments(parser)
    parser.add_argument(
        "--strength",
        type=float,
        help="in units of w's standard deviation in each channel (default: that of the sheet, "
        f"else {DEFAULT_STRENGTH})",
    )
    parser.add_argument(
        "--seed", type=int, help=f"(default: that of the sheet, else {DEFAULT_SEED})"
    )
    parser.add_argument(
        "--pick",
        nargs="+",
        action="extend",
        metavar="PAINTING=NUMBER",
        help="a person's choice; PAINTING is an id or a place from 1, with BALLAD/ before it where "
        "several ballads are meant",
    )
    parser.add_argument("--auto", action="store_true", help="let the machine choose, and say so")
    parser.add_argument(
        "--force", action="store_true", help="with --auto: also over a person's choice"
    )
    parser.add_argument("--note", default="", help="with --pick: why, for the record")


def run(args: argparse.Namespace) -> int:
    """Carry out `neighbours`. Raises TrainingError."""
    if args.pick and args.auto:
        raise TrainingError("Give either --pick or --auto: a person chooses, or the machine.")
    if args.strength is not None and not 0 <= args.strength <= LARGEST_STRENGTH:
        raise TrainingError(f"--strength must lie between 0 and {LARGEST_STRENGTH:g}.")
    if args.seed is not None and args.seed < 0:
        raise TrainingError("--seed must be 0 or more.")
    show = open_show(args.show)
    ballads = chosen_ballads(show, args.ballad)
    picks = parse_picks(args.pick or (), ballads)
    digest = generator_hash(show)
    if picks:
        ballads = tuple(b for b in ballads if any(b.id == ballad_id for ballad_id, _ in picks))
    projections = {ballad.id: current_projection(show, ballad, digest) for ballad in ballads}
    desk = Desk(show, open_generator(show), projections, args.strength, args.seed)
    if picks:
        return _pick(desk, ballads, picks, args.note)
    return _draw_and_choose(desk, ballads, auto=args.auto, force=args.force)


def neighbour_ws(
    projection: ProjectionFile, index: int, strength: float, seed: int
) -> NDArray[np.float32]:
    """float32 [101, w_dim]: the projection, then its neighbours w + strength * w_std * N(0, 1).

    Keyed by seed, ballad and painting: a number is the same w whenever it is drawn.
    """
    random = keyed_generator(
        "neighbours-1", seed, projection.ballad_id, projection.painting_ids[index]
    )
    w = projection.ws[index].astype(np.float64)
    steps = random.standard_normal((NEIGHBOURS, len(w))) * (strength * projection.w_std)
    return np.concatenate([w[None], w + steps]).astype(np.float32)


def parse_picks(words: Sequence[str], ballads: Sequence[Ballad]) -> Picks:
    """`lady=17`, `3=17` or `twa-corbies/lady=17` -> number by (ballad id, index of the painting).

    An id goes before a place. Raises TrainingError where a painting is unknown or ambiguous.
    """
    picks: Picks = {}
    for word in words:
        name, _, digits = word.rpartition("=")
        if not (digits.isascii() and digits.isdigit() and int(digits) <= NEIGHBOURS and name):
            raise TrainingError(
                f"--pick {word}: write PAINTING=NUMBER with a number from 0 to {NEIGHBOURS}."
            )
        ballad_id, _, painting = name.rpartition("/")
        if ballad_id and ballad_id not in {ballad.id for ballad in ballads}:
            known = ", ".join(ballad.id for ballad in ballads)
            raise TrainingError(f"--pick {word}: there is no ballad {ballad_id!r} among {known}.")
        found = [
            (ballad.id, index)
            for ballad in ballads
            if ballad_id in ("", ballad.id)
            for index in _indices(ballad, painting)
        ]
        if not found:
            known = ", ".join(f"{ballad.id}/{p}" for ballad in ballads for p in ballad.painting_ids)
            raise TrainingError(f"--pick {word}: there is no such painting; there are {known}.")
        if len(found) > 1:
            places = ", ".join(f"{ballad}/{painting}" for ballad, _ in found)
            raise TrainingError(f"--pick {word}: that could be {places}; write which.")
        picks[found[0]] = int(digits)
    return picks


def _indices(ballad: Ballad, painting: str) -> list[int]:
    if painting in ballad.painting_ids:
        return [ballad.painting_ids.index(painting)]
    if painting.isascii() and painting.isdigit() and 1 <= int(painting) <= len(ballad.paintings):
        return [int(painting) - 1]
    return []


class Desk:
    """What a choosing session holds: show, generator, projections, and how neighbours are drawn.

    strength, seed: as given on the command line, or None: those of the sheet that the person
    looked at, else the defaults.
    """

    def __init__(
        self,
        show: Show,
        generator: Generator,
        projections: dict[str, ProjectionFile],
        strength: float | None,
        seed: int | None,
    ) -> None:
        self.show, self.projections = show, projections
        self._generator, self._strength, self._seed = generator, strength, seed
        self._shown_as = ShownAs.of(show.settings)

    def sheet_path(self, ballad: Ballad, index: int) -> Path:
        return work_folder(self.show, ballad.id) / f"neighbours-{ballad.painting_ids[index]}.png"

    def drawing(self, ballad: Ballad, index: int) -> tuple[float, int]:
        """Strength and seed for a painting. Raises TrainingError where its sheet shows other
        pictures than its numbers would now give."""
        strength, seed = self._strength, self._seed
        if strength is None or seed is None:
            path = self.sheet_path(ballad, index)
            record = read_record(path)
            if record is not None:
                wanted = self._record(ballad, index, 0.0, 0)
                if any(record.get(n) != wanted[n] for n in wanted if n not in ("strength", "seed")):
                    raise TrainingError(
                        f"{path} was drawn before the projection, the painting or the way the show "
                        f"draws was changed; run `python -m training neighbours {self.show.folder} "
                        f"--ballad {ballad.id}` and look again."
                    )
                strength = float(record["strength"]) if strength is None else strength
                seed = int(record["seed"]) if seed is None else seed
        return (
            DEFAULT_STRENGTH if strength is None else strength,
            DEFAULT_SEED if seed is None else seed,
        )

    def new_drawing(self) -> tuple[float, int]:
        """Strength and seed for sheets drawn afresh."""
        return (
            DEFAULT_STRENGTH if self._strength is None else self._strength,
            DEFAULT_SEED if self._seed is None else self._seed,
        )

    def pictures(self, ballad: Ballad, index: int, strength: float, seed: int) -> NDArray[np.uint8]:
        """uint8 [101, R, R, 3], drawn as the show draws."""
        ws = neighbour_ws(self.projections[ballad.id], index, strength, seed)
        return draw_pixels(self._generator, ws, self._shown_as)

    def painting(self, ballad: Ballad, index: int) -> NDArray[np.uint8]:
        """uint8 [R, R, 3], as the projector saw it."""
        return read_target(self.show, ballad, index, self._generator.img_resolution).pixels

    def draw_sheet(
        self,
        ballad: Ballad,
        index: int,
        pictures: NDArray[np.uint8],
        strength: float,
        seed: int,
        chosen: int | None,
    ) -> None:
        painting_id = ballad.painting_ids[index]
        title = (
            f"{ballad.title}: {painting_id} | strength {strength:g}, seed {seed} | {self._shown_as}"
        )
        image = neighbours_sheet(self.painting(ballad, index), pictures, title, chosen)
        record = self._record(ballad, index, strength, seed)
        save_sheet(image, self.sheet_path(ballad, index), record)

    def choice(
        self, ballad: Ballad, index: int, number: int, strength: float, seed: int, **more: Any
    ) -> Choice:
        projection = self.projections[ballad.id]
        return Choice(
            number=number,
            seed=seed,
            strength=strength,
            generator=projection.generator_hash,
            projection=projection.hash_of(index),
            **more,
        )

    def _record(self, ballad: Ballad, index: int, strength: float, seed: int) -> dict[str, Any]:
        return {
            "projection": self.projections[ballad.id].hash_of(index),
            "painting": self.projections[ballad.id].paintings[index]["sha256"],
            "shown_as": str(self._shown_as),
            "strength": strength,
            "seed": seed,
        }
