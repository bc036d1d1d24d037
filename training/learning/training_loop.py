"""The training loop of StyleGAN2 with adaptive augmentation, one step at a time.

Sources: StyleGAN2 (1912.04958) appendix B: lazy regularisation, path length, EMA generator;
ADA (2006.06676) section 3 and appendix C for the adaptive probability and defaults.
All that a step draws follows from the seed, the number of steps before it and the worker's rank.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from generator.discriminator import Discriminator
from generator.networks import Generator, GeneratorConfig
from training.learning.augment import Augmentation, AugmentationController
from training.learning.data_parallel import ALONE, Workers
from training.learning.discriminator_file import new_discriminator
from training.learning.fakes import Fakes
from training.learning.freezing import learning_parameters
from training.learning.half_precision import half_type, reduce_discriminator, reduce_synthesis
from training.learning.losses import (
    discriminator_loss,
    fake_loss,
    generator_loss,
    path_length_penalty,
    r1_penalty,
    real_loss,
)
from training.learning.optimisers import descend, lazy_adam, update_average
from training.learning.options import TrainingOptions
from training.learning.picture_feed import PictureFeed, Pictures
from training.learning.reconstruction import LinearCodes, feature_distance, laplacian_distance
from training.learning.sampler import EmphasisSampler, Sampler
from training.learning.samples import samples, to_uint8
from training.learning.statistics import StepStatistics

__all__ = [
    "StepStatistics",
    "Training",
    "TrainingOptions",
    "new_discriminator",
    "samples",
    "to_uint8",
]

ADA_INTERVAL_STEPS = 4
# From codes the mapping learns as fast as the rest. Its own rate, a hundredth (StyleGAN, appendix
# C), keeps it where it began for as short a phase as that.
MAPPING_RATE_FROM_CODES = 30.0


class Training:
    """Networks, optimisers and counters of one run; `step()` trains on one batch."""

    def __init__(
        self,
        pictures: Pictures,
        generator_config: GeneratorConfig,
        options: TrainingOptions,
        device: str = "cpu",
        workers: Workers = ALONE,
        discriminator: Discriminator | None = None,
        emphasised: int = 0,
    ) -> None:
        """pictures: uint8 [N, 3, R, R]; they stay in host memory. Every worker is given the same;
        the last `emphasised` of them are `emphasis_share` of all that is shown.

        discriminator: the one to begin with; None: a new one of the generator's channels.

        Raises ValueError for a batch that the workers, or the discriminator's groups, cannot share.
        """
        self.workers = workers
        self.at_once = options.pictures_at_once(workers.count)
        self.batch = options.batch // workers.count
        self.rounds = self.batch // self.at_once
        torch.manual_seed(options.seed)
        self.pictures, self.options, self.device = pictures, options, device
        config = generator_config
        self.G = Generator(config).to(device)
        self.codes: LinearCodes | None = None
        if options.reconstruct_kimg > 0:
            self.codes = LinearCodes.of_pictures(pictures, config.z_dim)
            self.codes.open_mapping(self.G.mapping.get_parameter("fc0.weight"))
        self.D = (discriminator or new_discriminator(config)).to(device).train()
        group = self.D.config.group_size(self.at_once)
        if self.at_once % group:
            raise ValueError(f"a batch of {self.at_once} cannot be split into groups of {group}")
        for network in (self.G.synthesis, self.D):
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.G_ema = copy.deepcopy(self.G).eval().requires_grad_(False)
        if options.reduced_from is not None:
            reduce_synthesis(self.G.synthesis, options.reduced_from, half_type(device))
            reduce_discriminator(self.D, options.reduced_from, half_type(device))
        self._learning_in_D = learning_parameters(self.D, options.freeze_d)
        self._judge_learns(True)
        self.fakes = Fakes(self.G, options, device)
        self.images_shown = 0
        self.steps = 0
        self.G_optimiser = self.new_generator_optimiser()
        self.D_optimiser = lazy_adam(
            [{"params": self.D.parameters()}], options.learning_rate, options.r1_interval
        )
        fixed_p = options.augment_p if options.augment == "fixed" else 0.0
        self.augment = Augmentation(
            fixed_p, supersampled=options.supersampled_warp, pipe=options.augment_pipe
        )
        self.controller = AugmentationController(options.ada_target, options.ada_kimg)
        self.sampler: Sampler | EmphasisSampler = Sampler(len(pictures), options.seed)
        if emphasised:
            self.sampler = EmphasisSampler(
                len(pictures) - emphasised, emphasised, options.emphasis_share, options.seed
            )
        self.statistics = StepStatistics()
        self.pl_mean = torch.zeros([], device=device)
        self.signs: list[Tensor] = []
        self._seed_draws()

    def step(self) -> None:
        """Generator, path length, discriminator, R1 (the lazy ones on their interval), EMA, ADA."""
        options = self.options
        self._seed_draws()
        real = self._real_batch()
        if self.from_codes_alone:
            self._reconstruction_step(real)
        else:
            if self.G_optimiser.param_groups[0]["lr"] > self.G_optimiser.param_groups[1]["lr"]:
                # the adversary's gradients are of another size: no running estimate is kept
                self.G_optimiser = self.new_generator_optimiser()
            self._adversarial_step(real)
        self.images_shown += options.batch
        self.steps += 1
        self._update_ema()

    @property
    def from_codes_alone(self) -> bool:
        """Whether the adversary has not yet begun."""
        return self.images_shown < self.options.reconstruct_kimg * 1000

    def new_generator_optimiser(self) -> torch.optim.Adam:
        """As the phase that `images_shown` lies in wants it."""
        groups: list[dict[str, object]] = [
            {"params": self.G.mapping.parameters()},
            {"params": self.G.synthesis.parameters()},
        ]
        options = self.options
        optimiser = lazy_adam(groups, options.learning_rate, options.pl_interval)
        if self.from_codes_alone:
            optimiser.param_groups[0]["lr"] *= MAPPING_RATE_FROM_CODES
        return optimiser

    def silence_noise(self) -> None:
        """Trained without noise, a generator draws the same with noise const and none."""
        if self.options.noise_mode == "none":
            for network in (self.G, self.G_ema):
                for name, parameter in network.named_parameters():
                    if name.endswith(".noise_strength"):
                        parameter.detach().zero_()

    def _seed_draws(self) -> None:
        """Nothing random is carried from step to step, so that a resumed run, of any number of
        workers, needs none of it; after that many steps each worker draws its own."""
        words = [self.options.seed, self.steps, self.workers.rank]
        (seed,) = np.random.SeedSequence(words).generate_state(1, np.uint64)
        torch.manual_seed(int(seed >> np.uint64(1)))

    def _adversarial_step(self, real: Tensor) -> None:
        options = self.options
        fakes = self._generator_step(real)
        if self.steps % options.pl_interval == 0 and options.pl_weight > 0:
            self._path_length_step()
        self._discriminator_step(real, fakes)
        if self.steps % options.r1_interval == 0:
            self._r1_step(real)
        if (self.steps + 1) % ADA_INTERVAL_STEPS == 0:
            mean = float(torch.stack(self.signs).mean())
            self.signs.clear()
            self.statistics.add("r_t", mean)
            if options.augment == "ada":
                images = options.batch * ADA_INTERVAL_STEPS
                self.augment.p = self.controller.updated(self.augment.p, mean, images)

    def _real_batch(self) -> Tensor:
        """This worker's part of the batch, on its device: [batch, 3, R, R] in -1..1."""
        options = self.options
        mine = slice(self.workers.rank * self.batch, (self.workers.rank + 1) * self.batch)
        batch = self.pictures[self.sampler.indices(self.images_shown, options.batch)[mine]]
        if isinstance(self.pictures, PictureFeed):
            following = self.images_shown + options.batch
            self.pictures.ask(self.sampler.indices(following, options.batch)[mine])
        if options.mirror:
            rng = np.random.Generator(np.random.Philox([options.seed, self.steps, 7]))
            flipped = (rng.random(options.batch) < 0.5)[mine]
            batch[flipped] = batch[flipped, :, :, ::-1]
        return torch.from_numpy(batch).to(self.device).float() / 127.5 - 1.0

    def _in_rounds(self, batch: Tensor) -> tuple[Tensor, ...]:
        return torch.split(batch, self.at_once)

    def _judge_learns(self, learns: bool) -> None:
        self.D.requires_grad_(False)
        for parameter in self._learning_in_D:
            parameter.requires_grad_(learns)

    def _logits(self, images: Tensor) -> Tensor:
        logits: Tensor = self.D(self.augment(images))
        return logits

    def _generator_step(self, real: Tensor) -> list[Tensor]:
        """Returns the pictures that it judged, a tensor for each round.

        They serve for the discriminator's step too: a new set costs 7 % of the time.
        """
        fakes: list[Tensor] = []

        def losses() -> Iterator[Tensor]:
            latents = self._in_rounds(self.fakes.latents(self.batch))
            for z, wanted in zip(latents, self._in_rounds(real), strict=True):
                images, loss = self._generator_loss(z, wanted[: len(wanted) // 2])
                fakes.append(images.detach())
                yield loss

        self._judge_learns(False)
        self._descend_generator(losses())
        self._judge_learns(True)
        return fakes

    def _generator_loss(self, z: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures and loss of random z; with codes, the first are those of the pictures wanted,
        and the adversary judges them as well."""
        if not self.codes:
            ws = self.fakes.random_ws(z, updates_w_avg=True)
        else:
            ws = self.fakes.ws_from_codes(self.codes, wanted, z)
        images = self.fakes.pictures(ws, recompute=self.options.recompute)
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
        return images, loss

    def _reconstruction_step(self, real: Tensor) -> None:
        assert self.codes is not None
        codes = self.codes

        def losses() -> Iterator[Tensor]:
            latents = self._in_rounds(self.fakes.latents(self.batch))
            for z, wanted in zip(latents, self._in_rounds(real), strict=True):
                images = self.fakes.pictures(self.fakes.ws_from_codes(codes, wanted, z))
                distance = laplacian_distance(images, wanted)
                self.statistics.add("reconstruction", distance)
                yield distance

        self._descend_generator(losses())

    def _path_length_step(self) -> None:
        options = self.options

        def losses() -> Iterator[Tensor]:
            for _ in range(self.rounds):
                n = max(self.at_once // options.pl_batch_shrink, 1)
                ws = self.fakes.random_ws(self.fakes.latents(n))
                images = self.fakes.pictures(ws)
                noise = torch.randn_like(images)
                penalty, self.pl_mean = path_length_penalty(images, ws, noise, self.pl_mean)
                self.statistics.add("pl_penalty", penalty)
                yield penalty * (options.pl_weight * options.pl_interval)

        self._descend_generator(losses())
        self.workers.average([self.pl_mean])
        self.statistics.add("pl_mean", self.pl_mean)

    def _discriminator_step(self, real: Tensor, fakes: list[Tensor]) -> None:
        signs: list[Tensor] = []

        def losses() -> Iterator[Tensor]:
            for fake, true in zip(fakes, self._in_rounds(real), strict=True):
                # one after the other, so that only one graph is in memory
                fake_logits = self._logits(fake)
                yield fake_loss(fake_logits)
                real_logits = self._logits(true)
                yield real_loss(real_logits)
                fake_logits, real_logits = fake_logits.detach(), real_logits.detach()
                self.statistics.add("d_loss", discriminator_loss(real_logits, fake_logits))
                self.statistics.add("real_logit", real_logits.mean())
                self.statistics.add("fake_logit", fake_logits.mean())
                signs.append(real_logits.sign().mean())

        descend(self.D_optimiser, self.D, losses(), self.rounds, self.workers)
        sign = torch.stack(signs).mean()
        self.workers.average([sign])
        self.signs.append(sign)

    def _r1_step(self, real: Tensor) -> None:
        def losses() -> Iterator[Tensor]:
            for true in self._in_rounds(real):
                # with respect to the augmented pictures, what D sees: bilinear sampling has no
                # second derivative in torch, and the penalty is meant for D's input
                augmented = self.augment(true).detach().requires_grad_(True)
                penalty = r1_penalty(self.D(augmented), augmented, self.options.r1_gamma)
                self.statistics.add("r1", penalty)
                yield penalty * self.options.r1_interval

        descend(self.D_optimiser, self.D, losses(), self.rounds, self.workers)

    def _descend_generator(self, losses: Iterator[Tensor]) -> None:
        descend(self.G_optimiser, self.G, losses, self.rounds, self.workers)

    def _update_ema(self) -> None:
        options = self.options
        half_life = options.ema_kimg * 1000.0
        if options.ema_rampup is not None:
            half_life = min(half_life, self.images_shown * options.ema_rampup)
        beta = 0.5 ** (options.batch / max(half_life, 1e-8))
        update_average(self.G_ema, self.G, beta)
