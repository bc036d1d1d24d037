"""The neighbours of a projection: their ws, their pictures, and the sheets they stand on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generator.networks import Generator
from shows.schema import Ballad
from shows.show import Show
from training.contact_sheet import neighbours_sheet, read_record, save_sheet
from training.errors import TrainingError
from training.latents.address import Ground
from training.latents.choices_file import By, Choice
from training.latents.lineage import Origin, address_w, ground_ws
from training.latents.projection_file import ProjectionFile
from training.show_folder import read_target, work_folder
from training.shown_picture import ShownAs, draw_pixels


@dataclass(frozen=True)
class Drawing:
    """How neighbours are drawn: strength in units of w's standard deviation, and a seed."""

    strength: float = 0.5
    seed: int = 1


def neighbour_ws(projection: ProjectionFile, index: int, drawing: Drawing) -> NDArray[np.float32]:
    """float32 [101, ...]: the projection, then its neighbours, as `lineage.ground_ws`."""
    ground = Ground(seed=drawing.seed, strength=drawing.strength)
    return ground_ws(Origin.of(projection, index), ground)


def chosen_w(projection: ProjectionFile, index: int, choice: Choice) -> NDArray[np.float32]:
    """float32 [w_dim], in w+ [num_ws, w_dim]: what a choice stands for, bred or not."""
    return address_w(Origin.of(projection, index), choice)


@dataclass(frozen=True, eq=False)
class Desk:
    """What a choosing session works with: the show, its generator, projections by ballad id."""

    show: Show
    generator: Generator
    projections: dict[str, ProjectionFile]

    @property
    def shown_as(self) -> ShownAs:
        return ShownAs.of(self.show.settings)

    def sheet_path(self, ballad: Ballad, index: int) -> Path:
        """Where the sheet of a painting (0-based) goes."""
        return work_folder(self.show, ballad.id) / f"neighbours-{ballad.painting_ids[index]}.png"

    def painting(self, ballad: Ballad, index: int) -> NDArray[np.uint8]:
        """uint8 [R, R, 3], as the projector saw it."""
        return read_target(self.show, ballad, index, self.generator.img_resolution).pixels

    def pictures(self, ballad: Ballad, index: int, drawing: Drawing) -> NDArray[np.uint8]:
        """uint8 [101, R, R, 3], number 0 first, drawn as the show draws."""
        ws = neighbour_ws(self.projections[ballad.id], index, drawing)
        return draw_pixels(self.generator, ws, self.shown_as)

    def draw_sheet(
        self,
        ballad: Ballad,
        index: int,
        pictures: NDArray[np.uint8],
        drawing: Drawing,
        choice: Choice | None,
    ) -> None:
        """Write the sheet; the chosen number is framed if the choice is one of these pictures."""
        title = (
            f"{ballad.title}: {ballad.painting_ids[index]} | strength {drawing.strength:g}, "
            f"seed {drawing.seed} | {self.shown_as}"
        )
        chosen = choice if choice and self.fits(ballad, index, choice, drawing) else None
        image = neighbours_sheet(
            self.painting(ballad, index), pictures, title, chosen.number if chosen else None
        )
        record = {
            **self._situation(ballad, index),
            "strength": drawing.strength,
            "seed": drawing.seed,
        }
        save_sheet(image, self.sheet_path(ballad, index), record)

    def drawing_of_sheet(self, ballad: Ballad, index: int) -> Drawing | None:
        """How the sheet that a person looked at was drawn; None where there is no sheet.

        Raises TrainingError where its numbers now stand for other pictures.
        """
        path = self.sheet_path(ballad, index)
        record = read_record(path)
        if record is None:
            return None
        situation = self._situation(ballad, index)
        if {name: record.get(name) for name in situation} != situation:
            raise TrainingError(
                f"{path} was drawn before the projection, the painting or the way the show draws "
                f"was changed; run `python -m training neighbours {self.show.folder} --ballad "
                f"{ballad.id}` and look again."
            )
        return Drawing(float(record["strength"]), int(record["seed"]))

    def choice(self, ballad: Ballad, index: int, number: int, drawing: Drawing, by: By) -> Choice:
        """A choice of one of the pictures of a drawing."""
        projection = self.projections[ballad.id]
        return Choice(
            number=number,
            by=by,
            seed=drawing.seed,
            strength=drawing.strength,
            generator=projection.generator_hash,
            projection=projection.hash_of(index),
        )

    def fits(
        self, ballad: Ballad, index: int, choice: Choice, drawing: Drawing | None = None
    ) -> bool:
        """Whether a choice is of the projection as it is now (and of this drawing)."""
        return choice.projection == self.projections[ballad.id].hash_of(index) and (
            drawing is None
            or (choice.strength, choice.seed, choice.parents)
            == (drawing.strength, drawing.seed, ())
        )

    def _situation(self, ballad: Ballad, index: int) -> dict[str, Any]:
        projection = self.projections[ballad.id]
        return {
            "projection": projection.hash_of(index),
            "painting": projection.paintings[index]["sha256"],
            "shown_as": str(self.shown_as),
        }
