"""Where w lies: its mean and spread over many z."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from generator.networks import Generator
from training.errors import TrainingError

STATISTICS_SAMPLES = 10_000
STATISTICS_SEED = 123


@dataclass(frozen=True, eq=False)
class WStatistics:
    """Of w over 10,000 z: mean and standard deviation per channel, float32 [w_dim], and the
    standard deviation as one length, sqrt(E |w - mean|^2)."""

    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    length: float


def statistics_z(z_dim: int) -> NDArray[np.float64]:
    """The z that the statistics are of: [10000, z_dim]."""
    # the legacy stream is what published projections start from
    return np.random.RandomState(STATISTICS_SEED).randn(STATISTICS_SAMPLES, z_dim)


def w_statistics(generator: Generator) -> WStatistics:
    """Raises TrainingError for a conditional generator, whose w has no one mean."""
    if generator.c_dim:
        raise TrainingError("A conditional generator cannot be projected into; train one without.")
    rows = statistics_z(generator.z_dim).astype(np.float32)
    device = generator.mapping.w_avg.device
    with torch.no_grad():
        parts = [
            generator.mapping(torch.from_numpy(part).to(device))[:, 0].cpu().double().numpy()
            for part in np.array_split(rows, 10)
        ]
    w = np.concatenate(parts)
    variance = w.var(axis=0)
    return WStatistics(
        mean=w.mean(axis=0).astype(np.float32),
        std=np.sqrt(variance).astype(np.float32),
        length=math.sqrt(variance.sum()),
    )
