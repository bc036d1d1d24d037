"""Paintings into w by gradient descent (StyleGAN2, arXiv 1912.04958, appendix D).

One w for all layers, started at the mean w, with noise that decays; the noise maps are optimised
beside it, so that they take up what is fine and accidental, and are then discarded. In the space
w+ every layer has a w of its own (Image2StyleGAN, arXiv 1904.03189, section 3); all else is alike.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from generator.networks import Generator
from training.errors import TrainingError
from training.latents.perceptual import Distance
from training.latents.w_statistics import WStatistics, w_statistics
from training.shown_picture import ShownAs, draw

SMALLEST_NOISE_PX = 8

Noise = dict[str, Tensor]
Space = Literal["w", "w+"]
SPACES: tuple[Space, ...] = ("w", "w+")


@dataclass(frozen=True)
class ProjectionOptions:
    """Appendix D's numbers. Ramps and w_noise_ramp are parts of the run; w_noise is in units of
    w's standard deviation; batch is how many paintings are worked on at once, which changes the
    result by rounding only."""

    steps: int = 400
    seed: int = 1
    batch: int = 8
    learning_rate: float = 0.1
    ramp_up: float = 0.05
    ramp_down: float = 0.25
    w_noise: float = 0.05
    w_noise_ramp: float = 0.75
    noise_weight: float = 1e5
    space: Space = "w"

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1 or self.seed < 0:
            raise TrainingError("--steps and --batch must be 1 or more, --seed 0 or more.")

    def learning_rate_at(self, step: int) -> float:
        """Linear up, then level, then down along a half cosine."""
        t = step / self.steps
        down = min(1.0, (1.0 - t) / self.ramp_down)
        return (
            self.learning_rate * (0.5 - 0.5 * math.cos(math.pi * down)) * min(1.0, t / self.ramp_up)
        )

    def w_noise_at(self, step: int) -> float:
        """In units of w's standard deviation; falls quadratically to 0 at w_noise_ramp."""
        return self.w_noise * max(0.0, 1.0 - step / self.steps / self.w_noise_ramp) ** 2


@dataclass(frozen=True, eq=False)
class Draws:
    """All random numbers of a projection, N(0, 1): w_noise float32 [steps, N, w_dim]; noise maps
    by buffer name, [N, 1, R_k, R_k]."""

    w_noise: NDArray[np.float32]
    noise: Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Projection:
    """What became of P paintings; distances to them.

    ws: float32 [P, w_dim], in w+ [P, num_ws, w_dim]. step_distances: float32 [steps, P], before
    each step, with the noise maps of that moment. shown: float32 [P], drawn as the show draws it;
    mean_shown: the same of the mean w. trail: [P, moments, ...], ws on the way from the start to
    the end; no moments where none were asked for.
    """

    ws: NDArray[np.float32]
    step_distances: NDArray[np.float32]
    shown: NDArray[np.float32]
    mean_shown: NDArray[np.float32]
    trail: NDArray[np.float32]


def keyed_generator(purpose: str, seed: int, *ids: str) -> np.random.Generator:
    """A Philox stream that depends on purpose, seed and ids alone, never on a list's order."""
    digest = hashlib.sha256(json.dumps([purpose, seed, *ids]).encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def draw_randoms(
    generator: Generator, options: ProjectionOptions, keys: Sequence[Sequence[str]]
) -> Draws:
    """keys: the ids of each painting; its draws follow from them and the seed alone."""
    shapes = {
        name: tuple(buffer.shape)
        for name, buffer in generator.synthesis.named_buffers()
        if name.endswith("noise_const")
    }
    w_noise, maps = [], []
    for key in keys:
        random = keyed_generator("projection-1", options.seed, *key)
        maps.append({n: random.standard_normal((1, *s), np.float32) for n, s in shapes.items()})
        w_noise.append(random.standard_normal((options.steps, generator.w_dim), np.float32))
    return Draws(
        w_noise=np.stack(w_noise, axis=1),
        noise={name: np.stack([own[name] for own in maps]) for name in shapes},
    )


def noise_regulariser(noise: Mapping[str, Tensor]) -> Tensor:
    """Squared autocorrelation of every map at a shift of one pixel, each way, at its own size and
    at every halving of it down to 8 pixels, summed: [N]. Keeps the maps from carrying a picture."""
    total = torch.zeros(len(next(iter(noise.values()))))
    for level in noise.values():
        total = total.to(level.device)
        while True:
            for axis in (2, 3):
                correlation = (level * level.roll(1, dims=axis)).mean(dim=(1, 2, 3))
                total = total + correlation.square()
            if level.shape[-1] <= SMALLEST_NOISE_PX:
                break
            level = F.avg_pool2d(level, 2)
    return total


@dataclass(frozen=True, eq=False)
class Step:
    """One step of the descent. distances, noise_penalties [N]: before it, at the wobbled w.
    w [N, w_dim] or [N, num_ws, w_dim] and noise: after it; they go on changing with the next."""

    number: int
    distances: Tensor
    noise_penalties: Tensor
    w: Tensor
    noise: Noise


OnStep = Callable[[Step], None]


def descent(
    generator: Generator,
    targets: Tensor,
    distance: Distance,
    options: ProjectionOptions,
    statistics: WStatistics,
    draws: Draws,
    start: NDArray[np.float32] | None = None,
) -> Iterator[Step]:
    """The steps towards targets [N, 3, R, R] in -1..1; changes nothing in the generator.

    start: [N, w_dim], in w+ also [N, num_ws, w_dim], to begin at; None: the mean w.
    The paintings do not touch one another: their losses are summed, and Adam works number by
    number. In w+ the decaying noise is one for all layers.
    """
    device = targets.device
    with torch.no_grad():
        wanted = distance.features(targets)
    if start is None:
        start = np.repeat(statistics.mean[None], len(targets), axis=0)
    if options.space == "w+" and start.ndim == 2:
        start = np.repeat(start[:, None], generator.num_ws, axis=1)
    w = torch.from_numpy(start.copy()).to(device).requires_grad_()
    noise = {
        name: torch.from_numpy(start.copy()).to(device).requires_grad_()
        for name, start in draws.noise.items()
    }
    variables = [w, *noise.values()]
    adam = torch.optim.Adam(variables, betas=(0.9, 0.999))
    for number in range(options.steps):
        wobble = torch.from_numpy(draws.w_noise[number]).to(device)
        layers = w if options.space == "w+" else w[:, None]
        wobbled = layers + wobble[:, None] * (options.w_noise_at(number) * statistics.length)
        ws = wobbled.expand(-1, generator.num_ws, -1)
        images = torch.func.functional_call(
            generator.synthesis, noise, (ws,), {"noise_mode": "const"}
        )
        far = distance.distance(wanted, distance.features(images))
        penalties = noise_regulariser(noise)
        loss = (far + options.noise_weight * penalties).sum()
        gradients = torch.autograd.grad(loss, variables)
        for variable, gradient in zip(variables, gradients, strict=True):
            variable.grad = gradient
        adam.param_groups[0]["lr"] = options.learning_rate_at(number)
        adam.step()
        _renormalise(noise)
        yield Step(number, far.detach(), penalties.detach(), w.detach(), noise)


def optimise(
    generator: Generator,
    targets: Tensor,
    distance: Distance,
    options: ProjectionOptions,
    statistics: WStatistics,
    draws: Draws,
    on_step: OnStep | None = None,
    start: NDArray[np.float32] | None = None,
    moments: int = 0,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """targets [N, 3, R, R] in -1..1 -> ws [N, w_dim] (w+: [N, num_ws, w_dim]), distances
    [steps, N], and the trail [N, moments or fewer, ...].

    Raises TrainingError if the numbers run away.
    """
    distances = np.empty((options.steps, len(targets)), np.float32)
    kept = set(np.linspace(0, options.steps - 1, moments).round().astype(int).tolist())
    trail: list[NDArray[np.float32]] = []
    for step in descent(generator, targets, distance, options, statistics, draws, start):
        distances[step.number] = step.distances.cpu().numpy()
        if step.number in kept:
            trail.append(step.w.cpu().numpy().copy())
        if on_step is not None:
            on_step(step)
    found: NDArray[np.float32] = step.w.cpu().numpy()
    if not np.isfinite(found).all():
        raise TrainingError("The projection ran away to infinity; is this a trained generator?")
    way = np.stack(trail, axis=1) if trail else np.empty((len(found), 0, *found.shape[1:]), "f4")
    return found, distances, way


@torch.no_grad()
def _renormalise(noise: Noise) -> None:
    """Every map back to mean 0 and variance 1."""
    for level in noise.values():
        level -= level.mean(dim=(1, 2, 3), keepdim=True)
        level *= level.square().mean(dim=(1, 2, 3), keepdim=True).rsqrt()


def project(
    generator: Generator,
    targets: Tensor,
    distance: Distance,
    options: ProjectionOptions,
    shown_as: ShownAs,
    keys: Sequence[Sequence[str]],
    *,
    statistics: WStatistics | None = None,
    on_step: OnStep | None = None,
    starts: NDArray[np.float32] | None = None,
    moments: int = 0,
) -> Projection:
    """Project P paintings, `options.batch` at a time.

    targets: float32 [P, 3, R, R] in -1..1, on the generator's device. keys: the ids of each
    painting, which its random numbers follow from. starts: as `descent` takes them, [P, ...].
    moments: how many ws of the way to keep, evenly spread over the steps. Raises TrainingError.
    """
    size = generator.img_resolution
    if tuple(targets.shape[1:]) != (3, size, size) or generator.img_channels != 3:
        raise TrainingError(
            f"Paintings of {list(targets.shape[1:])} do not fit a generator of "
            f"{[generator.img_channels, size, size]}; both must be [3, R, R]."
        )
    if len(keys) != len(targets):
        raise ValueError(f"{len(targets)} paintings need as many keys, not {len(keys)}")
    statistics = statistics or w_statistics(generator)
    parts: list[dict[str, Any]] = []
    for first in range(0, len(targets), options.batch):
        batch = slice(first, first + options.batch)
        draws = draw_randoms(generator, options, keys[batch])
        start = None if starts is None else starts[batch]
        ws, steps, trail = optimise(
            generator, targets[batch], distance, options, statistics, draws, on_step, start, moments
        )
        mean = np.repeat(statistics.mean[None], len(ws), axis=0)
        parts.append(
            {
                "ws": ws,
                "step_distances": steps.T,
                "trail": trail,
                "shown": _distance_as_shown(generator, targets[batch], ws, distance, shown_as),
                "mean_shown": _distance_as_shown(
                    generator, targets[batch], mean, distance, shown_as
                ),
            }
        )
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    joined["step_distances"] = np.ascontiguousarray(joined["step_distances"].T)
    return Projection(**joined)


@torch.no_grad()
def _distance_as_shown(
    generator: Generator,
    targets: Tensor,
    ws: NDArray[np.float32],
    distance: Distance,
    shown_as: ShownAs,
) -> NDArray[np.float32]:
    images = draw(generator, ws, shown_as)
    far = distance.distance(distance.features(targets), distance.features(images))
    numbers: NDArray[np.float32] = far.cpu().numpy()
    return numbers
