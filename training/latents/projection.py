"""Find the w of each painting of a show.

Writes ballads/<id>/projection.safetensors and a sheet to look at, work/<id>/projection.png: the
painting as the projector saw it beside its projection, drawn with the show's own noise mode and
truncation. Ballads that are up to date are skipped, so an interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from generator.networks import Generator
from shows.schema import Ballad
from shows.show import Show
from training.contact_sheet import Row, projection_sheet, save_sheet
from training.errors import TrainingError
from training.latents.perceptual import Distance, open_distance
from training.latents.projection_file import (
    ProjectionFile,
    projection_path,
    read_projection,
    write_projection,
)
from training.latents.projector import Projection, ProjectionOptions, keyed_generator, project
from training.latents.w_statistics import WStatistics, w_statistics
from training.learning.codes_file import load_codes
from training.learning.reconstruction import LinearCodes
from training.show_folder import (
    Target,
    add_show_arguments,
    chosen_ballads,
    generator_hash,
    open_generator,
    open_show,
    read_target,
    work_folder,
)
from training.shown_picture import ShownAs, draw_pixels

__all__ = ["Projection", "ProjectionOptions", "add_arguments", "project", "run"]

DISCRIMINATOR = "discriminator.safetensors"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `project`."""
    defaults = ProjectionOptions()
    add_show_arguments(parser)
    parser.add_argument(
        "--discriminator",
        type=Path,
        help=f"the discriminator whose features measure (default SHOW/{DISCRIMINATOR})",
    )
    parser.add_argument(
        "--vgg", type=Path, help="measure with VGG16: torchvision's weights, .safetensors or .pth"
    )
    parser.add_argument(
        "--codes",
        type=Path,
        metavar="FILE",
        help="begin at the w of each painting's own code, with the codes.safetensors that `train "
        "--reconstruct-kimg` wrote beside the generator (default: at the mean w)",
    )
    parser.add_argument("--steps", type=int, default=defaults.steps, help="(default %(default)s)")
    parser.add_argument("--seed", type=int, default=defaults.seed, help="(default %(default)s)")
    parser.add_argument(
        "--batch",
        type=int,
        default=defaults.batch,
        help="paintings at once; fewer need less memory (default %(default)s)",
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default cpu)")
    parser.add_argument("--force", action="store_true", help="project what is up to date as well")


def run(args: argparse.Namespace) -> int:
    """Carry out `project`. Raises TrainingError."""
    options = ProjectionOptions(steps=args.steps, seed=args.seed, batch=args.batch)
    show = open_show(args.show)
    ballads = chosen_ballads(show, args.ballad)
    if args.device.startswith("cuda") and not torch.cuda.is_available():
        raise TrainingError(f"--device {args.device}: torch finds no such device; leave it out.")
    generator = open_generator(show, args.device)
    distance = _open_distance(show, generator, args)
    shown_as = ShownAs.of(show.settings)
    settings = {
        **{k: v for k, v in asdict(options).items() if k != "batch"},
        "distance": distance.description,
        "noise_mode": shown_as.noise_mode,
        "truncation_psi": shown_as.truncation_psi,
        **({} if args.codes is None else {"start": "codes"}),
    }
    codes = None if args.codes is None else load_codes(args.codes)
    # all paintings are read before the long work starts: a bad crop shows at once
    targets = {ballad.id: _targets(show, ballad, generator) for ballad in ballads}
    digest = generator_hash(show)
    todo = {
        ballad.id
        for ballad in ballads
        if args.force or not _is_up_to_date(show, ballad, digest, targets[ballad.id], settings)
    }
    session = Session(show, generator, digest, distance, options, settings, codes)
    with tqdm(total=_steps(targets, todo, options), unit="step", disable=not todo) as progress:
        for ballad in ballads:
            if ballad.id in todo:
                progress.set_description(f"project {ballad.id}")
                found = session.project(ballad, targets[ballad.id], progress)
                write_projection(projection_path(show, ballad.id), found)
                progress.write(describe(found))
            if ballad.id in todo or not session.sheet_path(ballad).is_file():
                session.draw_sheet(ballad, targets[ballad.id])
    kept = len(ballads) - len(todo)
    if kept:
        print(f"{kept} ballads were up to date (--force projects them again).")
    print(f"{len(todo)} ballads projected; the sheets are {show.folder / 'work'}/*/projection.png.")
    return 0


def _open_distance(show: Show, generator: Generator, args: argparse.Namespace) -> Distance:
    discriminator: Path | None = args.discriminator
    if discriminator is None and args.vgg is None:
        discriminator = show.folder / DISCRIMINATOR
        if not discriminator.is_file():
            raise TrainingError(
                f"{discriminator} is missing: copy the one that `train` wrote beside the "
                "generator, name it with --discriminator, or give VGG16's weights with --vgg."
            )
    return open_distance(generator.img_resolution, discriminator, args.vgg, args.device)


def _targets(show: Show, ballad: Ballad, generator: Generator) -> list[Target]:
    return [
        read_target(show, ballad, index, generator.img_resolution)
        for index in range(len(ballad.paintings))
    ]


def _is_up_to_date(
    show: Show, ballad: Ballad, digest: str, targets: list[Target], settings: dict[str, Any]
) -> bool:
    if not projection_path(show, ballad.id).is_file():
        return False
    try:
        found = read_projection(show, ballad.id)
    except TrainingError as fault:
        print(f"{fault} It is made anew.")
        return False
    return (
        found.generator_hash == digest
        and found.settings == settings
        and found.shows_the_same([target.facts for target in targets])
    )


def _steps(targets: dict[str, list[Target]], todo: set[str], options: ProjectionOptions) -> int:
    return sum(-(-len(targets[ballad_id]) // options.batch) for ballad_id in todo) * options.steps


@dataclass(frozen=True, eq=False)
class Session:
    """One run over a show."""

    show: Show
    generator: Generator
    digest: str
    distance: Distance
    options: ProjectionOptions
    settings: dict[str, Any]
    codes: LinearCodes | None = None

    @cached_property
    def statistics(self) -> WStatistics:
        return w_statistics(self.generator)

    @property
    def shown_as(self) -> ShownAs:
        return ShownAs.of(self.show.settings)

    def project(self, ballad: Ballad, targets: list[Target], progress: tqdm[Any]) -> ProjectionFile:
        """The projections of one ballad, with their distances on record."""

        def on_step(step: int, mean_distance: float) -> None:
            progress.update()
            if step % 10 == 0:
                progress.set_postfix(distance=f"{mean_distance:.3f}", refresh=False)

        images = to_images(np.stack([target.pixels for target in targets]))
        keys = [(ballad.id, painting_id) for painting_id in ballad.painting_ids]
        found = project(
            self.generator,
            images.to(self.generator.mapping.w_avg.device),
            self.distance,
            self.options,
            self.shown_as,
            keys,
            statistics=self.statistics,
            on_step=on_step,
            starts=None if self.codes is None else self._starts(self.codes, images, keys),
        )
        paintings = tuple(
            {
                **target.facts,
                "distance_of_mean": round(float(found.mean_shown[index]), 5),
                "distance_with_own_noise": round(float(found.step_distances[-1, index]), 5),
                "distance_as_shown": round(float(found.shown[index]), 5),
            }
            for index, target in enumerate(targets)
        )
        std = self.statistics.std
        return ProjectionFile(ballad.id, self.digest, found.ws, std, paintings, self.settings)

    @torch.no_grad()
    def _starts(
        self, codes: LinearCodes, images: Tensor, keys: Sequence[Sequence[str]]
    ) -> NDArray[np.float32]:
        """[P, w_dim]: of the paintings' codes; what of a z is no code is drawn for each."""
        z = np.stack(
            [
                keyed_generator("projection-code-1", self.options.seed, *key).standard_normal(
                    self.generator.z_dim, np.float32
                )
                for key in keys
            ]
        )
        mapping = self.generator.mapping
        ws = mapping(codes.of(images, torch.from_numpy(z)).to(mapping.w_avg.device))
        starts: NDArray[np.float32] = ws[:, 0].cpu().numpy()
        return starts

    def sheet_path(self, ballad: Ballad) -> Path:
        return work_folder(self.show, ballad.id) / "projection.png"

    def draw_sheet(self, ballad: Ballad, targets: list[Target]) -> None:
        """Every painting beside its projection, from the file as it was written."""
        found = read_projection(self.show, ballad.id)
        pictures = draw_pixels(self.generator, found.ws, self.shown_as)
        rows = [
            Row(
                target.pixels,
                pictures[index],
                f"{index + 1} {target.facts['id']}",
                f"distance {found.paintings[index]['distance_as_shown']:.3f}",
            )
            for index, target in enumerate(targets)
        ]
        title = f"{ballad.title}: {self.shown_as}"
        save_sheet(projection_sheet(rows, title), self.sheet_path(ballad))


def to_images(pixels: NDArray[np.uint8]) -> Tensor:
    """uint8 [N, R, R, 3] -> float32 [N, 3, R, R] in -1..1."""
    images = torch.from_numpy(pixels.astype(np.float32) / 127.5 - 1.0)
    return images.permute(0, 3, 1, 2).contiguous()


def describe(found: ProjectionFile) -> str:
    """The distances to each painting as a table."""
    width = max(len(found.ballad_id), *(len(name) + 3 for name in found.painting_ids))
    lines = [f"{found.ballad_id:<{width}}  {'mean w':>8}  {'own noise':>9}  {'as shown':>8}"]
    for place, painting in enumerate(found.paintings, 1):
        lines.append(
            f"{f'{place:2} ' + painting['id']:<{width}}  {painting['distance_of_mean']:8.3f}  "
            f"{painting['distance_with_own_noise']:9.3f}  {painting['distance_as_shown']:8.3f}"
        )
    return "\n".join(lines)
