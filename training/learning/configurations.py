"""The published configurations by name (StyleGAN2, arXiv 1912.04958; ADA, arXiv 2006.06676,
appendix C), as they are trained, and the one that the demo generator was made with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Architecture = Literal["resnet", "orig"]

NAMES = ("auto", "paper256", "paper512", "paper1024", "stylegan2", "cifar", "demo")
FULL_CHANNEL_BASE = 32768  # "feature maps 1"
REDUCED_BLOCKS = 4  # of the highest resolutions, in half precision
CONV_CLAMP = 256.0
TRANSFER_ADA_KIMG = 100.0  # how fast p may move for networks that have learned already


@dataclass(frozen=True)
class Configuration:
    """batch: of all workers. mbstd_group: pictures whose spread the discriminator sees together.
    channel_base: feature maps times resolution, of both networks. ema_kimg: half-life of the
    averaged generator; ema_rampup: None: none. kimg: thousands of pictures to show. reduced_from:
    blocks from this resolution up compute in half precision, their convolutions limited to
    +-conv_clamp."""

    batch: int
    mbstd_group: int
    channel_base: int
    learning_rate: float
    r1_gamma: float
    ema_kimg: float
    ema_rampup: float | None
    mapping_layers: int
    channel_max: int = 512
    pl_weight: float = 2.0
    style_mixing: float = 0.9
    architecture: Architecture = "resnet"
    kimg: float = 25000.0
    conv_clamp: float | None = CONV_CLAMP
    reduced_from: int = 16


_FIXED = {
    "paper256": Configuration(64, 8, FULL_CHANNEL_BASE // 2, 0.0025, 1.0, 20.0, None, 8),
    "paper512": Configuration(64, 8, FULL_CHANNEL_BASE, 0.0025, 0.5, 20.0, None, 8),
    "paper1024": Configuration(32, 4, FULL_CHANNEL_BASE, 0.002, 2.0, 10.0, None, 8),
    "stylegan2": Configuration(32, 4, FULL_CHANNEL_BASE, 0.002, 10.0, 10.0, None, 8),
    "cifar": Configuration(
        64, 32, FULL_CHANNEL_BASE, 0.0025, 0.01, 500.0, 0.05, 2,
        pl_weight=0.0, style_mixing=0.0, architecture="orig",
    ),
}  # fmt: skip
_DEMO = Configuration(
    32, 4, FULL_CHANNEL_BASE // 2, 0.0025, 0.05, 10.0, 0.05, 2, kimg=400.0, conv_clamp=None
)


def configuration(name: str, resolution: int, workers: int) -> Configuration:
    """The numbers of one of NAMES for pictures of `resolution` pixels and so many workers.

    Raises KeyError for another name.
    """
    if name == "demo":
        return _DEMO
    chosen = _automatic(resolution, workers) if name == "auto" else _FIXED[name]
    smallest_reduced = resolution >> (REDUCED_BLOCKS - 1)
    return replace(chosen, reduced_from=max(smallest_reduced, 8))


def _automatic(resolution: int, workers: int) -> Configuration:
    batch = max(min(workers * min(4096 // resolution, 32), 64), workers)
    return Configuration(
        batch=batch,
        mbstd_group=min(batch // workers, 4),
        channel_base=FULL_CHANNEL_BASE if resolution >= 512 else FULL_CHANNEL_BASE // 2,
        learning_rate=0.002 if resolution >= 1024 else 0.0025,
        r1_gamma=0.0002 * resolution**2 / batch,
        ema_kimg=batch * 10 / 32,
        ema_rampup=0.05,
        mapping_layers=2,
    )
