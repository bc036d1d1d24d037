"""FID, KID, precision and recall of two sets of features.

FID and KID are those of the package torchmetrics; it has no precision and recall, which are a
few lines.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

from training.errors import TrainingError

KID_SUBSETS, KID_SUBSET_SIZE = 100, 1000
NEIGHBOUR = 3
ROWS_AT_ONCE = 4096


class _Given(nn.Module):
    """Stands where torchmetrics wants a feature network: the features are there already."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


def frechet_distance(real: Tensor, fake: Tensor) -> float:
    """FID: |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) (arXiv 1706.08500, section 2, equation 6).

    real: [N, D]; fake: [M, D]; at least two of each. Raises TrainingError without torchmetrics.
    """
    require_torchmetrics()
    from torchmetrics.image.fid import FrechetInceptionDistance

    metric = FrechetInceptionDistance(feature=_Given(real.shape[1]))
    metric.update(real.double(), real=True)
    metric.update(fake.double(), real=False)
    return float(metric.compute())


def kernel_distance(real: Tensor, fake: Tensor, seed: int = 0) -> tuple[float, float]:
    """KID, the unbiased estimate of MMD^2 with the kernel (x y / D + 1)^3, and its standard
    deviation over subsets of at most 1000 (arXiv 1801.01401, section 4); 0 where the sets are one.

    real, fake: as in `frechet_distance`. Raises TrainingError without torchmetrics.
    """
    require_torchmetrics()
    from torchmetrics.image.kid import KernelInceptionDistance

    size = min(KID_SUBSET_SIZE, len(real), len(fake))
    is_whole = size == len(real) == len(fake)
    with warnings.catch_warnings():
        # it says that features are kept in memory, where they are already
        warnings.simplefilter("ignore", UserWarning)
        metric = KernelInceptionDistance(
            feature=_Given(real.shape[1]),
            subsets=1 if is_whole else KID_SUBSETS,
            subset_size=size,
        )
    # a polynomial of the third degree: the differences are lost in 32 bits
    metric.update(real.double(), real=True)
    metric.update(fake.double(), real=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        mean, deviation = metric.compute()
    return float(mean), float(deviation)


def precision_recall(real: Tensor, fake: Tensor, neighbour: int = NEIGHBOUR) -> tuple[float, float]:
    """Share of fakes within the reals' manifold, and of reals within the fakes'
    (arXiv 1904.06991, section 2, equations 1 and 2).

    real: [N, D]; fake: [M, D]. A manifold is the union of balls around its points that reach to
    the third neighbour. Raises ValueError when a set has no third neighbour.
    """
    if min(len(real), len(fake)) <= neighbour:
        raise ValueError(f"more than {neighbour} pictures of each set are needed")
    return _covered(fake, real, neighbour), _covered(real, fake, neighbour)


def _covered(points: Tensor, manifold: Tensor, neighbour: int) -> float:
    """The share of points [N, D] in a ball around one of manifold [M, D]."""
    radii = torch.cat(
        [
            # the nearest is the point itself
            torch.cdist(rows, manifold).kthvalue(neighbour + 1, dim=1).values
            for rows in torch.split(manifold, ROWS_AT_ONCE)
        ]
    )
    inside = 0
    for rows in torch.split(points, ROWS_AT_ONCE):
        inside += int((torch.cdist(rows, manifold) <= radii).any(dim=1).sum())
    return inside / len(points)


def require_torchmetrics() -> None:
    """Raises TrainingError without the package, before an hour is spent on features."""
    try:
        import torchmetrics.image.fid
        import torchmetrics.image.kid  # noqa: F401
    except ImportError as fault:
        raise TrainingError(
            "FID and KID need the package torchmetrics: pip install -e '.[metrics]'. "
            "Precision, recall and the sliced Wasserstein distance are measured without it."
        ) from fault
