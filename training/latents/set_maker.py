"""The latent set of a ballad: its ws, the drawn noise of its loops, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generator.networks import Generator
from shows.latent_set import LatentSet, draw_loop_noise
from shows.schema import Ballad
from shows.show import Show
from training.contact_sheet import Row, projection_sheet, save_sheet
from training.errors import TrainingError
from training.latents.choices_file import Choice
from training.latents.latents_from import Earlier, stack
from training.latents.neighbour_sheets import chosen_w
from training.latents.projection_file import ProjectionFile
from training.latents.projection_table import FAR, missed_shares
from training.latents.w_statistics import w_statistics
from training.show_folder import painting_facts, read_target, work_folder
from training.shown_picture import ShownAs, draw_pixels


@dataclass(frozen=True, eq=False)
class SetMaker:
    """Makes the latent sets of a show for its generator. digest: the generator's content hash."""

    show: Show
    generator: Generator
    digest: str

    def of_choices(self, projection: ProjectionFile, choices: Sequence[Choice]) -> LatentSet:
        """choices: in the order of the paintings. Raises ShowError."""
        ws = np.stack([chosen_w(projection, index, each) for index, each in enumerate(choices)])
        provenance = [
            {
                "painting": projection.paintings[index],
                "projection": projection.settings,
                **each.model_dump(
                    mode="json", exclude_none=True, exclude={"generator", "projection"}
                ),
                **self._circumstances,
            }
            for index, each in enumerate(choices)
        ]
        ballad = self.show.ballad(projection.ballad_id)
        layers = ws[:, None] if ws.ndim == 2 else ws
        return self._made(ballad, layers, projection.w_std, provenance)

    def of_files(self, ballad: Ballad, found: Mapping[str, Earlier]) -> LatentSet:
        """found: by painting id. Raises TrainingError where one is missing, or ShowError."""
        missing = [name for name in ballad.painting_ids if name not in found]
        if missing:
            raise TrainingError(f"{ballad.id}: there are no latents for {', '.join(missing)}.")
        ws = stack([found[name] for name in ballad.painting_ids], self.generator.num_ws)
        provenance = [
            {
                "painting": painting_facts(self.show, ballad, index),
                "by": "file",
                "from": found[name].origin,
                **self._circumstances,
            }
            for index, name in enumerate(ballad.painting_ids)
        ]
        return self._made(ballad, ws, self._w_std, provenance)

    def draw_sheet(self, latents: LatentSet) -> tuple[Path, str | None]:
        """Every painting beside what a set of files has for it, in work/<id>/published.png; and a
        sentence where a picture is not like its painting. Raises TrainingError."""
        ballad, shown_as = self.show.ballad(latents.ballad_id), ShownAs.of(self.show.settings)
        ws = latents.ws.copy()  # torch takes no array that is read-only
        pictures = draw_pixels(self.generator, ws[:, 0] if ws.shape[1] == 1 else ws, shown_as)
        size = self.generator.img_resolution
        places = range(len(ballad.paintings))
        paintings = np.stack([read_target(self.show, ballad, n, size).pixels for n in places])
        missed = missed_shares(pictures, paintings)
        names = ballad.painting_ids
        rows = [
            Row(paintings[n], pictures[n], f"{n + 1} {names[n]}", f"{missed[n]:.0%} missed")
            for n in places
        ]
        path = work_folder(self.show, ballad.id) / "published.png"
        save_sheet(projection_sheet(rows, f"{ballad.title}: {shown_as}"), path)
        unlike = [f"{names[n]} ({missed[n]:.0%} missed)" for n in places if missed[n] > FAR]
        if not unlike:
            return path, None
        return path, (
            f"{ballad.id}: the pictures published for {', '.join(unlike)} are not like the "
            "paintings; are the files of this generator, in the order of the paintings, and w or z "
            "as --as says?"
        )

    @cached_property
    def _w_std(self) -> NDArray[np.float32]:
        return w_statistics(self.generator).std

    @property
    def _circumstances(self) -> dict[str, Any]:
        return {
            "shown_as": str(ShownAs.of(self.show.settings)),
            "loop_noise_seed": self.show.settings.seed,
            "generator": self.digest,
        }

    def _made(
        self,
        ballad: Ballad,
        ws: NDArray[np.float32],
        w_std: NDArray[np.float32],
        provenance: Sequence[dict[str, Any]],
    ) -> LatentSet:
        """ws: float32 [P, 1 or num_ws, w_dim]."""
        settings = self.show.settings
        noise = draw_loop_noise(
            settings.seed,
            ballad.id,
            ballad.painting_ids,
            settings.stops,
            settings.noise_cycles,
            w_std,
            {each.id: each.loop_seed for each in ballad.paintings if each.loop_seed},
        )
        return LatentSet(
            ballad_id=ballad.id,
            painting_ids=ballad.painting_ids,
            ws=ws,
            num_ws=self.generator.num_ws,
            w_avg=self.generator.mapping.w_avg.cpu().numpy().astype(np.float32),
            loop_noise=noise,
            generator_hash=self.digest,
            provenance=tuple(provenance),
        )
