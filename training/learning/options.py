"""What fixes a training run, besides its networks and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from training.learning.augment import PIPES

NoiseInputs = Literal["random", "none"]
Augmenting = Literal["noaug", "fixed", "ada"]


@dataclass(frozen=True)
class TrainingOptions:
    """Names and defaults; `training.learning.configurations` has the published numbers.

    batch: of all workers. batch_gpu: pictures that a worker takes through the networks at once;
    None: its whole part of the batch. recompute: draw the pictures that are judged twice, so that
    generator and discriminator need their memory one after the other. pl_batch_shrink: what the
    batch is divided by for the path length. ema_kimg: half-life of the averaged generator, in
    thousands of pictures; ema_rampup: the most of it, in parts of what was shown; None: no ramp-up.
    augment_pipe: a name of `augment.PIPES`; augment_p: its probability where it is fixed. freeze_d:
    layers of the discriminator that do not learn, from the picture on (arXiv 2002.10964).
    reduced_from: blocks from this resolution up compute in float16 on a GPU and in bfloat16 on a
    CPU; None: none do.
    Raises ValueError for what cannot be.
    """

    batch: int = 32
    batch_gpu: int | None = None
    recompute: bool = False
    learning_rate: float = 0.0025
    r1_gamma: float = 0.05
    r1_interval: int = 16
    pl_weight: float = 2.0
    pl_interval: int = 4
    pl_batch_shrink: int = 2
    style_mixing: float = 0.9
    noise_mode: NoiseInputs = "random"
    ema_kimg: float = 10.0
    ema_rampup: float | None = 0.05
    augment: Augmenting = "ada"
    augment_pipe: str = "bgc"
    augment_p: float = 0.2
    ada_target: float = 0.6
    ada_kimg: float = 500.0
    supersampled_warp: bool = False
    freeze_d: int = 0
    reconstruct_kimg: float = 0.0
    reconstruct_weight: float = 5.0
    feature_weight: float = 0.0
    between_share: float = 0.0
    mirror: bool = True
    emphasis_share: float = 0.5
    reduced_from: int | None = 16
    seed: int = 0

    def __post_init__(self) -> None:
        if self.augment not in get_args(Augmenting) or self.augment_pipe not in PIPES:
            raise ValueError(f"there is no augmentation {self.augment} {self.augment_pipe}")
        if not 0 <= self.augment_p <= 1:
            raise ValueError(f"augment_p must be a probability, not {self.augment_p}")
        if self.freeze_d < 0:
            raise ValueError(f"{self.freeze_d} layers cannot be frozen")

    def pictures_at_once(self, workers: int) -> int:
        """What one of so many workers takes through the networks at once.

        Raises ValueError for a batch that they cannot share, or not in equal rounds.
        """
        if self.batch < 1 or self.batch % workers:
            raise ValueError(f"a batch of {self.batch} cannot be split over {workers}")
        share = self.batch // workers
        at_once = share if self.batch_gpu is None else min(self.batch_gpu, share)
        if at_once < 1 or share % at_once:
            raise ValueError(f"a batch of {share} cannot be split into rounds of {at_once}")
        return at_once
