"""The straightforward training loop that `bench` compares with: what the papers say, step by step.

The same networks, losses, augmentation and options as `Training`, in float32 and torch's usual
memory format; new pictures for each of the two players; a regulariser, when it is due, in the pass
of its loss, on the whole batch.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor

from generator.discriminator import Discriminator
from generator.networks import Generator
from training.learning.losses import (
    discriminator_loss,
    generator_loss,
    path_length_penalty,
    r1_penalty,
)
from training.learning.optimisers import lazy_adam
from training.learning.training_loop import Training


class TextbookLoop:
    """`step()` trains on one batch, as that of the Training it was made after does."""

    def __init__(self, training: Training) -> None:
        """Takes over networks, pictures, options and augmentation; nothing is shared but the last
        three."""
        self.options, self.device = training.options, training.device
        self.pictures, self.augment = training.pictures, training.augment
        self.at_once, self.rounds = training.at_once, training.rounds
        self.G = Generator(training.G.config).to(self.device)
        self.D = Discriminator(training.D.config).to(self.device).train()
        self.G.load_state_dict(training.G.state_dict())
        self.D.load_state_dict(training.D.state_dict())
        self.G_ema = copy.deepcopy(self.G).eval().requires_grad_(False)
        rate = self.options.learning_rate
        self.G_optimiser = lazy_adam(
            [{"params": self.G.parameters()}], rate, self.options.pl_interval
        )
        self.D_optimiser = lazy_adam(
            [{"params": self.D.parameters()}], rate, self.options.r1_interval
        )
        self.pl_mean = torch.zeros([], device=self.device)
        self.rng = np.random.default_rng(self.options.seed)
        self.steps = 0

    def step(self) -> None:
        """Discriminator, generator, average."""
        self.D_optimiser.zero_grad()
        for _ in range(self.rounds):
            (self._discriminator_loss() / self.rounds).backward()  # type: ignore[no-untyped-call]
        self.D_optimiser.step()
        self.G_optimiser.zero_grad()
        for _ in range(self.rounds):
            (self._generator_loss() / self.rounds).backward()  # type: ignore[no-untyped-call]
        self.G_optimiser.step()
        self._update_average()
        self.steps += 1

    def _discriminator_loss(self) -> Tensor:
        options = self.options
        with torch.no_grad():
            fakes, _ = self._fakes()
        reals = self.augment(self._reals()).detach()
        regularised = self.steps % options.r1_interval == 0
        reals.requires_grad_(regularised)
        real_logits: Tensor = self.D(reals)
        loss = discriminator_loss(real_logits, self.D(self.augment(fakes)))
        if regularised:
            loss = loss + r1_penalty(real_logits, reals, options.r1_gamma) * options.r1_interval
        return loss

    def _generator_loss(self) -> Tensor:
        options = self.options
        images, ws = self._fakes()
        loss = generator_loss(self.D(self.augment(images)))
        if options.pl_weight > 0 and self.steps % options.pl_interval == 0:
            penalty, self.pl_mean = path_length_penalty(
                images, ws, torch.randn_like(images), self.pl_mean
            )
            loss = loss + penalty * (options.pl_weight * options.pl_interval)
        return loss

    def _reals(self) -> Tensor:
        batch = self.pictures[self.rng.integers(0, len(self.pictures), self.at_once)]
        if self.options.mirror:
            flipped = self.rng.random(len(batch)) < 0.5
            batch[flipped] = batch[flipped, :, :, ::-1]
        return torch.from_numpy(batch).to(self.device).float() / 127.5 - 1.0

    def _fakes(self) -> tuple[Tensor, Tensor]:
        z = torch.randn(self.at_once, self.G.z_dim, device=self.device)
        ws = self.G.mapping(z, update_w_avg=True)
        if self.options.style_mixing > 0 and torch.rand([]) < self.options.style_mixing:
            cutoff = int(torch.randint(1, self.G.num_ws, []))
            other = self.G.mapping(torch.randn_like(z))
            ws = torch.cat([ws[:, :cutoff], other[:, cutoff:]], dim=1)
        return self.G.synthesis(ws, noise_mode=self.options.noise_mode), ws

    def _update_average(self) -> None:
        beta = 0.5 ** (self.options.batch / max(self.options.ema_kimg * 1000.0, 1e-8))
        with torch.no_grad():
            pairs = zip(self.G_ema.parameters(), self.G.parameters(), strict=True)
            for average, current in pairs:
                average.copy_(current.lerp(average, beta))
            for kept, now in zip(self.G_ema.buffers(), self.G.buffers(), strict=True):
                kept.copy_(now)
