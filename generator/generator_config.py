"""The arguments that fix a generator's shape, and nothing else; no torch."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Literal, get_args

Architecture = Literal["skip", "resnet", "orig"]
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)


@dataclass(frozen=True)
class GeneratorConfig:
    """Feature maps at resolution r: min(channel_base // r, channel_max).

    architecture (StyleGAN2, arXiv 1912.04958, figure 7): `skip` adds up the pictures of all
    resolutions, `resnet` and `orig` make one picture at the end. layer_features: width of the
    mapping's inner layers, embed_features: width of the embedded label; None: w_dim.
    lr_multiplier: of the mapping's layers. w_avg_beta: decay of w_avg in training.
    Raises ValueError for a resolution or architecture that there is not.
    """

    z_dim: int = 512
    c_dim: int = 0
    w_dim: int = 512
    img_resolution: int = 64
    img_channels: int = 3
    channel_base: int = 32768
    channel_max: int = 512
    num_mapping_layers: int = 8
    conv_clamp: float | None = None
    architecture: Architecture = "skip"
    layer_features: int | None = None
    embed_features: int | None = None
    lr_multiplier: float = 0.01
    w_avg_beta: float = 0.995

    def __post_init__(self) -> None:
        size = self.img_resolution
        if size < 4 or size & (size - 1):
            raise ValueError(f"img_resolution must be a power of two of at least 4, not {size}")
        if self.architecture not in ARCHITECTURES:
            raise ValueError(
                f"architecture must be one of {', '.join(ARCHITECTURES)}, not {self.architecture!r}"
            )

    @property
    def num_ws(self) -> int:
        return 2 * int(math.log2(self.img_resolution)) - 2

    @property
    def resolutions(self) -> tuple[int, ...]:
        return tuple(2**k for k in range(2, int(math.log2(self.img_resolution)) + 1))

    def channels(self, resolution: int) -> int:
        return min(self.channel_base // resolution, self.channel_max)

    def has_torgb(self, resolution: int) -> bool:
        """Whether the block of this resolution adds to the picture."""
        return self.architecture == "skip" or resolution == self.img_resolution

    def has_skip(self, resolution: int) -> bool:
        """Whether the block of this resolution has a convolution around its two others."""
        return self.architecture == "resnet" and resolution > 4

    def to_dict(self) -> dict[str, object]:
        """As JSON. What is as in most generators is left out, so that the content hashes of
        files written before there was a choice stay as they are."""
        return {
            name: value
            for name, value in asdict(self).items()
            if name not in _LEFT_OUT or value != _LEFT_OUT[name]
        }


_LEFT_OUT: dict[str, object] = {
    "architecture": "skip",
    "layer_features": None,
    "embed_features": None,
    "lr_multiplier": 0.01,
    "w_avg_beta": 0.995,
}
