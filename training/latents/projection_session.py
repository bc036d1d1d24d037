"""Project the paintings of several ballads in common batches, and write what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generator.networks import Generator
from shows.schema import Ballad
from shows.show import Show
from training.contact_sheet import Pixels, Row, projection_sheet, save_sheet
from training.latents.earlier_starts import WORD, EarlierStart
from training.latents.perceptual import Distance
from training.latents.projection_file import ProjectionFile, read_projection
from training.latents.projection_table import is_far, missed_shares
from training.latents.projector import (
    OnStep,
    ProjectionOptions,
    keyed_generator,
    project,
)
from training.latents.w_statistics import WStatistics, w_statistics
from training.learning.reconstruction import LinearCodes
from training.show_folder import Target, work_folder
from training.shown_picture import ShownAs, draw_pixels

# of w's distance from the mean: where further restarts begin
RESTART_PSI = 0.5


@dataclass(frozen=True, eq=False)
class Task:
    """A ballad to project. settings: for its file. start: earlier ws to begin at."""

    ballad: Ballad
    targets: list[Target]
    settings: dict[str, Any]
    start: EarlierStart | None = None


@dataclass(frozen=True)
class Attempt:
    """One painting from one start. restart: 0 begins where was asked for, others at a random w."""

    task: Task
    index: int
    restart: int

    @property
    def key(self) -> tuple[str, ...]:
        """What its random numbers follow from, whatever stands beside it in a batch."""
        ids = (self.task.ballad.id, self.task.ballad.painting_ids[self.index])
        return (*ids, f"restart {self.restart}") if self.restart else ids


@dataclass(frozen=True, eq=False)
class Outcome:
    """Of an attempt. w: [w_dim] or [num_ws, w_dim]; trail: [moments, ...]. start: in words."""

    w: NDArray[np.float32]
    trail: NDArray[np.float32]
    start: str
    restart: int
    own_noise: float
    shown: float
    mean_shown: float


@dataclass(frozen=True, eq=False)
class Projected:
    """A ballad that is done. trail: float32 [P, moments, ...], of the attempts that were kept."""

    task: Task
    file: ProjectionFile
    trail: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Session:
    """One run over a show. moments: how many ws on the way to keep for a film."""

    show: Show
    generator: Generator
    digest: str
    distance: Distance
    options: ProjectionOptions
    restarts: int = 1
    codes: LinearCodes | None = None
    moments: int = 0

    @cached_property
    def statistics(self) -> WStatistics:
        return w_statistics(self.generator)

    @property
    def shown_as(self) -> ShownAs:
        return ShownAs.of(self.show.settings)

    def attempts(self, tasks: list[Task]) -> list[Attempt]:
        """In the order of the show, so that its first ballads are complete first."""
        return [
            Attempt(task, index, restart)
            for task in tasks
            for index in range(len(task.targets))
            for restart in range(self.restarts)
        ]

    def steps(self, tasks: list[Task]) -> int:
        """How often `on_step` will be called."""
        return -(-len(self.attempts(tasks)) // self.options.batch) * self.options.steps

    def run(self, tasks: list[Task], on_step: OnStep | None = None) -> Iterator[Projected]:
        """Every ballad as soon as all of its paintings are done; batches go across ballads.
        Raises TrainingError."""
        attempts = self.attempts(tasks)
        done: dict[str, list[Outcome]] = {task.ballad.id: [] for task in tasks}
        for first in range(0, len(attempts), self.options.batch):
            batch = attempts[first : first + self.options.batch]
            for attempt, outcome in zip(batch, self._outcomes(batch, on_step), strict=True):
                task, outcomes = attempt.task, done[attempt.task.ballad.id]
                outcomes.append(outcome)
                if len(outcomes) == len(task.targets) * self.restarts:
                    yield self._projected(task, done.pop(task.ballad.id))

    def _outcomes(self, batch: list[Attempt], on_step: OnStep | None) -> list[Outcome]:
        images = to_images(np.stack([each.task.targets[each.index].pixels for each in batch]))
        starts = [self._start(each, images[n : n + 1]) for n, each in enumerate(batch)]
        found = project(
            self.generator,
            images.to(self.generator.mapping.w_avg.device),
            self.distance,
            self.options,
            self.shown_as,
            [each.key for each in batch],
            statistics=self.statistics,
            on_step=on_step,
            starts=np.stack([w for w, _ in starts]),
            moments=self.moments,
        )
        return [
            Outcome(
                w=found.ws[n],
                trail=found.trail[n],
                start=starts[n][1],
                restart=each.restart,
                own_noise=float(found.step_distances[-1, n]),
                shown=float(found.shown[n]),
                mean_shown=float(found.mean_shown[n]),
            )
            for n, each in enumerate(batch)
        ]

    def _start(self, attempt: Attempt, image: Tensor) -> tuple[NDArray[np.float32], str]:
        """Where an attempt begins, [w_dim] or in w+ [num_ws, w_dim], and what that is in words."""
        painting_id = attempt.task.ballad.painting_ids[attempt.index]
        own = attempt.task.start
        earlier = None if own is None else own.ws.get(painting_id)
        if attempt.restart:
            w = self._mapped(self._z("projection-start-1", attempt))
            mean = self.statistics.mean
            layers, words = (mean + np.float32(RESTART_PSI) * (w - mean))[None], "random w"
        elif earlier is not None:
            layers, words = earlier.layers, WORD
        elif self.codes is not None:
            z = self.codes.of(image, self._z("projection-code-1", attempt))
            layers, words = self._mapped(z)[None], "codes"
        else:
            layers, words = self.statistics.mean[None], "mean w"
        if self.options.space == "w":
            return layers.mean(axis=0), words
        return np.broadcast_to(layers, (self.generator.num_ws, layers.shape[1])), words

    def _z(self, purpose: str, attempt: Attempt) -> Tensor:
        random = keyed_generator(purpose, self.options.seed, *attempt.key)
        return torch.from_numpy(random.standard_normal((1, self.generator.z_dim), np.float32))

    @torch.no_grad()
    def _mapped(self, z: Tensor) -> NDArray[np.float32]:
        mapping = self.generator.mapping
        w: NDArray[np.float32] = mapping(z.to(mapping.w_avg.device))[0, 0].cpu().numpy()
        return w

    def _projected(self, task: Task, outcomes: list[Outcome]) -> Projected:
        per_painting = [
            outcomes[first : first + self.restarts]
            for first in range(0, len(outcomes), self.restarts)
        ]
        best = [min(tried, key=lambda outcome: outcome.shown) for tried in per_painting]
        ws = np.stack([kept.w for kept in best])
        pixels = np.stack([target.pixels for target in task.targets])
        missed = missed_shares(draw_pixels(self.generator, ws, self.shown_as), pixels)
        paintings = tuple(
            {
                **target.facts,
                "distance_of_mean": round(kept.mean_shown, 5),
                "distance_with_own_noise": round(kept.own_noise, 5),
                "distance_as_shown": round(kept.shown, 5),
                "start": kept.start,
                "restart": kept.restart,
                "restarts": [round(each.shown, 5) for each in tried],
                "missed": round(missed[index], 4),
            }
            for index, (target, kept, tried) in enumerate(
                zip(task.targets, best, per_painting, strict=True)
            )
        )
        std = self.statistics.std
        file = ProjectionFile(task.ballad.id, self.digest, ws, std, paintings, task.settings)
        return Projected(task, file, np.stack([kept.trail for kept in best]))

    def sheet_path(self, ballad: Ballad) -> Path:
        return work_folder(self.show, ballad.id) / "projection.png"

    def draw_sheet(self, ballad: Ballad, targets: list[Target]) -> None:
        """Every painting beside its projection, from the file as it was written."""
        found = read_projection(self.show, ballad.id)
        pictures = draw_pixels(self.generator, found.ws, self.shown_as)
        rows = []
        for index, target in enumerate(targets):
            painting = found.paintings[index]
            words = f"distance {painting['distance_as_shown']:.3f}"
            words += ", far" if is_far(painting) else ""
            rows.append(Row(target.pixels, pictures[index], f"{index + 1} {painting['id']}", words))
        title = f"{ballad.title}: {self.shown_as}"
        save_sheet(projection_sheet(rows, title), self.sheet_path(ballad))

    def film_path(self, ballad: Ballad) -> Path:
        return work_folder(self.show, ballad.id) / "projection.mp4"

    def draw_film(self, projected: Projected) -> None:
        """The way of every projection, drawn as the show draws. Raises TrainingError."""
        # PyAV only where a film is asked for
        from training.latents.projection_film import Film, write_film

        task, moments = projected.task, projected.trail.shape[1]
        numbers = np.linspace(0, self.options.steps - 1, moments).round().astype(int)

        def drawn() -> Iterator[tuple[str, Pixels]]:
            for moment, number in enumerate(numbers):
                pictures = draw_pixels(self.generator, projected.trail[:, moment], self.shown_as)
                yield f"step {number + 1} of {self.options.steps}", pictures

        film = Film(
            np.stack([target.pixels for target in task.targets]),
            task.ballad.painting_ids,
            f"{task.ballad.title}: {self.shown_as}",
        )
        write_film(self.film_path(task.ballad), film, drawn())


def to_images(pixels: NDArray[np.uint8]) -> Tensor:
    """uint8 [N, R, R, 3] -> float32 [N, 3, R, R] in -1..1."""
    images = torch.from_numpy(pixels.astype(np.float32) / 127.5 - 1.0)
    return images.permute(0, 3, 1, 2).contiguous()
