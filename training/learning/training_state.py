"""What a resumed run needs of one that was stopped: tensors and plain values only."""

from __future__ import annotations

from dataclasses import asdict

import torch
from torch import Tensor

from training.learning.optimisers import restore_moments
from training.learning.reconstruction import LinearCodes
from training.learning.training_loop import Training


def state_of(training: Training) -> dict[str, object]:
    """Random numbers are not among it: they follow from the seed and the steps."""
    statistics = training.statistics
    return {
        "G": training.G.state_dict(),
        "D": training.D.state_dict(),
        "G_ema": training.G_ema.state_dict(),
        "G_optimiser": training.G_optimiser.state_dict(),
        "D_optimiser": training.D_optimiser.state_dict(),
        "pl_mean": training.pl_mean,
        "augment_p": training.augment.p,
        "signs": [float(sign) for sign in training.signs],
        "images_shown": training.images_shown,
        "steps": training.steps,
        "generator_config": training.G.config.to_dict(),
        "discriminator_config": training.D.config.to_dict(),
        "options": asdict(training.options),
        "pictures": len(training.pictures),
        "codes": [training.codes.mean, training.codes.basis] if training.codes else [],
        "sums": {name: float(total) for name, total in statistics.sums.items()},
        "counts": dict(statistics.counts),
    }


def restore(training: Training, state: dict[str, object]) -> None:
    """Take over a value of `state_of`; the options stay those that `training` was made with.

    Raises KeyError, RuntimeError, TypeError or ValueError when it does not fit.
    """
    pl_mean = state["pl_mean"]
    if not isinstance(pl_mean, Tensor):
        raise TypeError("pl_mean must be a tensor")
    for name in ("G", "D", "G_ema"):
        getattr(training, name).load_state_dict(state[name])
    if training.codes:
        codes = state["codes"]
        if not isinstance(codes, list) or len(codes) != 2:
            raise TypeError("codes must be a mean and a basis")
        training.codes = LinearCodes(*codes)
    training.silence_noise()
    training.pl_mean = pl_mean.to(training.device)
    if training.options.augment == "ada":
        training.augment.p = float(state["augment_p"])  # type: ignore[arg-type]
    training.signs = [
        torch.tensor(sign, device=training.device)
        for sign in state["signs"]  # type: ignore[attr-defined]
    ]
    training.images_shown = int(state["images_shown"])  # type: ignore[call-overload]
    training.steps = int(state["steps"])  # type: ignore[call-overload]
    training.G_optimiser = training.new_generator_optimiser()
    restore_moments(training.G_optimiser, state["G_optimiser"])
    restore_moments(training.D_optimiser, state["D_optimiser"])
    # runs that were stopped before these were kept have none
    training.statistics.sums = dict(state.get("sums", {}))  # type: ignore[call-overload]
    training.statistics.counts = dict(state.get("counts", {}))  # type: ignore[call-overload]
