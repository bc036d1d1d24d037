"""The training loop of StyleGAN2 with adaptive augmentation, one step at a time.

Sources: StyleGAN2 (1912.04958) appendix B: lazy regularisation, path length, EMA generator;
ADA (2006.06676) section 3 and appendix C for the adaptive probability and defaults.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from generator.discriminator import Discriminator, DiscriminatorConfig
from generator.networks import Generator, GeneratorConfig
from training.learning.augment import Augmentation, AugmentationController
from training.learning.data_parallel import ALONE, Workers
from training.learning.losses import (
    discriminator_loss,
    generator_loss,
    path_length_penalty,
    r1_penalty,
)
from training.learning.reconstruction import LinearCodes, feature_distance, laplacian_distance
from training.learning.sampler import EmphasisSampler, Sampler

ADA_INTERVAL_STEPS = 4
# From codes the mapping learns as fast as the rest. Its own rate, a hundredth (StyleGAN, appendix
# C), keeps it where it began for as short a phase as that.
MAPPING_RATE_FROM_CODES = 30.0


@dataclass(frozen=True)
class TrainingOptions:
    """What fixes a run. Defaults follow the published `auto` configuration at 64 pixels."""

    batch: int = 32
    learning_rate: float = 0.0025
    r1_gamma: float = 0.05
    r1_interval: int = 16
    pl_weight: float = 2.0
    pl_interval: int = 4
    pl_batch_shrink: int = 2
    style_mixing: float = 0.9
    noise_mode: Literal["random", "none"] = "random"
    ema_kimg: float = 10.0
    ema_rampup: float = 0.05
    ada_target: float = 0.6
    ada_kimg: float = 500.0
    supersampled_warp: bool = False
    reconstruct_kimg: float = 0.0
    reconstruct_weight: float = 5.0
    feature_weight: float = 0.0
    between_share: float = 0.0
    mirror: bool = True
    emphasis_share: float = 0.5
    bfloat16_from: int | None = 16
    seed: int = 0


@dataclass
class StepStatistics:
    """Sums since the last reading; `means()` gives the figures of a log line."""

    sums: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, value: Tensor | float) -> None:
        number = float(value.detach()) if isinstance(value, Tensor) else value
        self.sums[name] = self.sums.get(name, 0.0) + number
        self.counts[name] = self.counts.get(name, 0) + 1

    def means(self) -> dict[str, float]:
        result = {name: total / self.counts[name] for name, total in self.sums.items()}
        self.sums.clear()
        self.counts.clear()
        return result


class Training:
    """Networks, optimisers and counters of one run; `step()` trains on one batch."""

    def __init__(
        self,
        images: NDArray[np.uint8],
        generator_config: GeneratorConfig,
        options: TrainingOptions,
        device: str = "cpu",
        workers: Workers = ALONE,
        discriminator: Discriminator | None = None,
        emphasis: NDArray[np.uint8] | None = None,
    ) -> None:
        """discriminator: one that has learned already; None: a new one of the generator's channels.

        images: uint8 [N, 3, R, R]; they stay in host memory. Every worker is given the same.
        emphasis: likewise, pictures that are `emphasis_share` of all that is shown.

        Raises ValueError for a batch that the workers, or the discriminator's groups, cannot share.
        """
        self.workers = workers
        if options.batch % workers.count:
            raise ValueError(f"a batch of {options.batch} cannot be split over {workers.count}")
        self.batch = options.batch // workers.count
        torch.manual_seed(options.seed)
        self.images, self.options, self.device = images, options, device
        config = generator_config
        self.G = Generator(config).to(device)
        self.codes: LinearCodes | None = None
        if options.reconstruct_kimg > 0:
            known = images if emphasis is None else np.concatenate([images, emphasis])
            self.codes = LinearCodes.of_pictures(known, config.z_dim)
            self.codes.open_mapping(self.G.mapping.get_parameter("fc0.weight"))
        self.D = (
            (discriminator or new_discriminator(config)).to(device).requires_grad_(True).train()
        )
        group = self.D.config.group_size(self.batch)
        if self.batch % group:
            raise ValueError(f"a batch of {self.batch} cannot be split into groups of {group}")
        for network in (self.G.synthesis, self.D):
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.G.synthesis.bfloat16_from = options.bfloat16_from
        self.D.bfloat16_from = options.bfloat16_from
        self.G_ema = copy.deepcopy(self.G).eval().requires_grad_(False)
        self.G_ema.synthesis.bfloat16_from = None
        self.images_shown = 0
        self.steps = 0
        self.G_optimiser = self._new_generator_optimiser()
        self.D_optimiser = _lazy_adam(
            [{"params": self.D.parameters()}], options.learning_rate, options.r1_interval
        )
        self.augment = Augmentation(supersampled=options.supersampled_warp)
        self.controller = AugmentationController(options.ada_target, options.ada_kimg)
        self.sampler: Sampler | EmphasisSampler = Sampler(len(images), options.seed)
        if emphasis is not None:
            self.images = np.concatenate([images, emphasis])
            self.sampler = EmphasisSampler(
                len(images), len(emphasis), options.emphasis_share, options.seed
            )
        self.statistics = StepStatistics()
        self.pl_mean = torch.zeros([], device=device)
        self._signs: list[float] = []
        self._fakes = torch.empty(0)
        # the networks above start equal everywhere; from here each worker draws its own noise
        torch.manual_seed(options.seed + 1000 * (workers.rank + 1))

    def step(self) -> None:
        """Generator, path length, discriminator, R1 (the lazy ones on their interval), EMA, ADA."""
        options = self.options
        real = self._real_batch()
        if self.from_codes_alone:
            self._reconstruction_step(real)
        else:
            if self.G_optimiser.param_groups[0]["lr"] > self.G_optimiser.param_groups[1]["lr"]:
                # the adversary's gradients are of another size: no running estimate is kept
                self.G_optimiser = self._new_generator_optimiser()
            self._adversarial_step(real)
        self.images_shown += options.batch
        self.steps += 1
        self._update_ema()

    @property
    def from_codes_alone(self) -> bool:
        """Whether the adversary has not yet begun."""
        return self.images_shown < self.options.reconstruct_kimg * 1000

    def _adversarial_step(self, real: Tensor) -> None:
        options = self.options
        self._generator_step(real)
        if self.steps % options.pl_interval == 0 and options.pl_weight > 0:
            self._path_length_step()
        self._discriminator_step(real)
        if self.steps % options.r1_interval == 0:
            self._r1_step(real)
        if (self.steps + 1) % ADA_INTERVAL_STEPS == 0:
            mean = self.workers.mean(float(np.mean(self._signs)))
            self._signs.clear()
            self.statistics.add("r_t", mean)
            images = options.batch * ADA_INTERVAL_STEPS
            self.augment.p = self.controller.updated(self.augment.p, mean, images)

    def _real_batch(self) -> Tensor:
        options = self.options
        mine = slice(self.workers.rank * self.batch, (self.workers.rank + 1) * self.batch)
        indices = self.sampler.indices(self.images_shown, options.batch)[mine]
        batch = self.images[indices]
        if options.mirror:
            rng = np.random.Generator(np.random.Philox([options.seed, self.steps, 7]))
            flipped = (rng.random(options.batch) < 0.5)[mine]
            batch[flipped] = batch[flipped, :, :, ::-1]
        return torch.from_numpy(batch).to(self.device).float() / 127.5 - 1.0

    def _fake_images(self, n: int, *, updates_w_avg: bool = False) -> tuple[Tensor, Tensor]:
        z = torch.randn(n, self.G.z_dim, device=self.device)
        ws = self.G.mapping(z, update_w_avg=updates_w_avg)
        if self.options.style_mixing > 0 and torch.rand([]) < self.options.style_mixing:
            cutoff = int(torch.randint(1, self.G.num_ws, []))
            other = self.G.mapping(torch.randn_like(z))
            ws = torch.cat([ws[:, :cutoff], other[:, cutoff:]], dim=1)
        return self.G.synthesis(ws, noise_mode=self.options.noise_mode), ws

    def _logits(self, images: Tensor) -> Tensor:
        logits: Tensor = self.D(self.augment(images))
        return logits

    def _generator_step(self, real: Tensor) -> None:
        """Random z; with codes, half of the batch are codes, which the adversary judges as well."""
        self.D.requires_grad_(False)
        if self.codes:
            wanted = real[: self.batch // 2]
            images = self._from_codes(wanted, self.batch)
        else:
            images, _ = self._fake_images(self.batch, updates_w_avg=True)
        self._fakes = images.detach()
        loss = generator_loss(self._logits(images))
        self.statistics.add("g_loss", loss)
        if self.codes:
            distance = laplacian_distance(images[: len(wanted)], wanted)
            self.statistics.add("reconstruction", distance)
            loss = loss + distance * self.options.reconstruct_weight
            if self.options.feature_weight > 0:
                features = feature_distance(self.D, images[: len(wanted)], wanted)
                self.statistics.add("features", features)
                loss = loss + features * self.options.feature_weight
        self._descend(self.G_optimiser, self.G, loss)
        self.D.requires_grad_(True)

    def _reconstruction_step(self, real: Tensor) -> None:
        distance = laplacian_distance(self._from_codes(real, len(real)), real)
        self.statistics.add("reconstruction", distance)
        self._descend(self.G_optimiser, self.G, distance)

    def _from_codes(self, wanted: Tensor, n: int) -> Tensor:
        """n images: from the codes of the pictures wanted, then from random z, and last, with
        `between_share`, from places on the straight way in w between two pictures wanted."""
        assert self.codes is not None
        z = torch.randn(n, self.G.z_dim)
        z[: len(wanted)] = self.codes.of(wanted.cpu(), z[: len(wanted)])
        ws = self.G.mapping(z.to(self.device), update_w_avg=True)
        between = min(int(n * self.options.between_share), n - len(wanted), len(wanted) - 1)
        if between > 0:
            place = torch.rand(between, 1, 1, device=ws.device)
            ways = torch.lerp(ws[:between], ws[1 : between + 1], place)
            ws = torch.cat([ws[: n - between], ways])
        images: Tensor = self.G.synthesis(ws, noise_mode=self.options.noise_mode)
        return images

    def _path_length_step(self) -> None:
        options = self.options
        n = max(self.batch // options.pl_batch_shrink, 1)
        images, ws = self._fake_images(n)
        penalty, mean = path_length_penalty(images, ws, torch.randn_like(images), self.pl_mean)
        self.pl_mean = torch.full_like(mean, self.workers.mean(float(mean)))
        self.statistics.add("pl_penalty", penalty)
        self.statistics.add("pl_mean", mean)
        weight = options.pl_weight * options.pl_interval
        self._descend(self.G_optimiser, self.G, penalty * weight)

    def _discriminator_step(self, real: Tensor) -> None:
        # the pictures of the generator's own step serve here too: a new set costs 7 % of the time
        fake_logits, real_logits = self._logits(self._fakes), self._logits(real)
        loss = discriminator_loss(real_logits, fake_logits)
        self.statistics.add("d_loss", loss)
        self.statistics.add("real_logit", real_logits.mean())
        self.statistics.add("fake_logit", fake_logits.mean())
        self._signs.append(float(real_logits.detach().sign().mean()))
        self._descend(self.D_optimiser, self.D, loss)

    def _r1_step(self, real: Tensor) -> None:
        # with respect to the augmented pictures, what D sees: bilinear sampling has no second
        # derivative in torch, and the penalty is meant for D's input
        augmented = self.augment(real).detach().requires_grad_(True)
        penalty = r1_penalty(self.D(augmented), augmented, self.options.r1_gamma)
        self.statistics.add("r1", penalty)
        self._descend(self.D_optimiser, self.D, penalty * self.options.r1_interval)

    def _descend(self, optimiser: torch.optim.Adam, network: nn.Module, loss: Tensor) -> None:
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        self.workers.average(gradients)
        for gradient in gradients:
            torch.nan_to_num(gradient, nan=0, posinf=1e5, neginf=-1e5, out=gradient)
        optimiser.step()

    def _new_generator_optimiser(self) -> torch.optim.Adam:
        groups: list[dict[str, object]] = [
            {"params": self.G.mapping.parameters()},
            {"params": self.G.synthesis.parameters()},
        ]
        options = self.options
        optimiser = _lazy_adam(groups, options.learning_rate, options.pl_interval)
        if self.from_codes_alone:
            optimiser.param_groups[0]["lr"] *= MAPPING_RATE_FROM_CODES
        return optimiser

    def _update_ema(self) -> None:
        options = self.options
        half_life = options.ema_kimg * 1000.0
        half_life = min(half_life, self.images_shown * options.ema_rampup)
        beta = 0.5 ** (options.batch / max(half_life, 1e-8))
        with torch.no_grad():
            averages: list[Tensor] = list(self.G_ema.parameters())
            torch._foreach_lerp_(averages, list(self.G.parameters()), 1.0 - beta)
            for kept, current in zip(self.G_ema.buffers(), self.G.buffers(), strict=True):
                kept.copy_(current)

    def _silence_noise(self) -> None:
        """Trained without noise, a generator draws the same with noise const and none."""
        if self.options.noise_mode == "none":
            for network in (self.G, self.G_ema):
                for name, parameter in network.named_parameters():
                    if name.endswith(".noise_strength"):
                        parameter.detach().zero_()

    def state(self) -> dict[str, object]:
        """Everything a resumed run needs: tensors and plain values only."""
        return {
            "G": self.G.state_dict(),
            "D": self.D.state_dict(),
            "G_ema": self.G_ema.state_dict(),
            "G_optimiser": self.G_optimiser.state_dict(),
            "D_optimiser": self.D_optimiser.state_dict(),
            "pl_mean": self.pl_mean,
            "augment_p": self.augment.p,
            "signs": list(self._signs),
            "images_shown": self.images_shown,
            "steps": self.steps,
            "generator_config": self.G.config.to_dict(),
            "options": asdict(self.options),
            "codes": [self.codes.mean, self.codes.basis] if self.codes else [],
            "random": torch.get_rng_state(),
        }

    def restore(self, state: dict[str, object]) -> None:
        """Take over a value of `state()`; the options stay those that this object was made with.

        Raises KeyError, RuntimeError, TypeError or ValueError when it does not fit.
        """
        pl_mean, random = state["pl_mean"], state["random"]
        if not (isinstance(pl_mean, Tensor) and isinstance(random, Tensor)):
            raise TypeError("pl_mean and random must be tensors")
        for name in ("G", "D", "G_ema"):
            getattr(self, name).load_state_dict(state[name])
        if self.codes:
            codes = state["codes"]
            if not isinstance(codes, list) or len(codes) != 2:
                raise TypeError("codes must be a mean and a basis")
            self.codes = LinearCodes(*codes)
        self._silence_noise()
        self.pl_mean = pl_mean.to(self.device)
        self.augment.p = float(state["augment_p"])  # type: ignore[arg-type]
        self._signs = list(state["signs"])  # type: ignore[call-overload]
        self.images_shown = int(state["images_shown"])  # type: ignore[call-overload]
        self.steps = int(state["steps"])  # type: ignore[call-overload]
        self.G_optimiser = self._new_generator_optimiser()
        for name in ("G_optimiser", "D_optimiser"):
            _restore_moments(getattr(self, name), state[name])
        if self.workers.count == 1 and self.device == "cpu":
            torch.set_rng_state(random.cpu())
        else:
            torch.manual_seed(self.options.seed + 1000 * (self.workers.rank + 1) + self.steps)


def new_discriminator(config: GeneratorConfig, channel_base: int | None = None) -> Discriminator:
    """An untrained one for this generator's pictures, by default with as many feature maps."""
    return Discriminator(
        DiscriminatorConfig(
            img_resolution=config.img_resolution,
            img_channels=config.img_channels,
            channel_base=channel_base or config.channel_base,
            channel_max=config.channel_max,
        )
    )


def samples(generator: Generator, z: Tensor, batch: int = 32) -> Iterator[NDArray[np.uint8]]:
    """Pictures of z [N, z_dim] in batches: uint8 [n, 3, R, R], noise const, no truncation."""
    for part in torch.split(z, batch):
        with torch.no_grad():
            images = generator(part)
        yield to_uint8(images)


def to_uint8(images: Tensor) -> NDArray[np.uint8]:
    """[N, C, H, W] in -1..1 -> uint8, rounded."""
    levels = ((images.float() + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(levels.cpu().numpy())


def _restore_moments(optimiser: torch.optim.Adam, state: object) -> None:
    """Take over what Adam has gathered, but not its learning rate and decay."""
    if not isinstance(state, dict):
        raise TypeError(f"an optimiser's state is a dict, not a {type(state).__name__}")
    kept = [
        {name: value for name, value in group.items() if name != "params"}
        for group in optimiser.param_groups
    ]
    optimiser.load_state_dict(state)
    for group, own in zip(optimiser.param_groups, kept, strict=True):
        group.update(own)


def _lazy_adam(
    groups: list[dict[str, object]], learning_rate: float, interval: int
) -> torch.optim.Adam:
    """Adam (0, 0.99) with rate and decay corrected for a regulariser every `interval` steps
    (StyleGAN2, appendix B)."""
    ratio = interval / (interval + 1)
    betas = (0.0, math.pow(0.99, ratio))
    return torch.optim.Adam(groups, lr=learning_rate * ratio, betas=betas, eps=1e-8)
