"""How an engine makes its pictures: the choices that calibration takes, as plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch

Modulation = Literal["inputs", "weights"]
Upsampling = Literal["transposed", "composite"]
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class LayerPath:
    """How one convolution is made.

    modulation: `inputs`: the feature maps are scaled by the styles, convolved with one weight for
        all samples and scaled again (StyleGAN2, section 2.2, equal by linearity); `weights`: every
        sample gets weights of its own (equations 1 and 3).
    up: `transposed`: transposed convolution, then the low-pass; `composite`: both in one
        convolution at the low resolution, four phases wide, then a pixel shuffle. None: no
        up-sampling.
    fused: bias and activation are done by the last convolution itself, without a pass of their own.
    """

    modulation: Modulation = "inputs"
    up: Upsampling | None = None
    fused: bool = False


@dataclass(frozen=True)
class EnginePath:
    """All choices of an engine.

    precision: of the feature maps; the running image is float32.
    singly_from: from the block of this resolution up, samples are drawn one after the other.
    layers: one path for each convolution in order (conv1 of 4x4, conv0 and conv1 of 8x8, ...).
    keeps_clamp: False where no activation of the calibration came near the network's clamp.
    """

    precision: str
    singly_from: int
    layers: tuple[LayerPath, ...]
    keeps_clamp: bool = True

    @property
    def dtype(self) -> torch.dtype:
        return PRECISIONS[self.precision]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> EnginePath:
        """Inverse of `to_dict`. Raises KeyError, TypeError or ValueError for anything else."""
        layers = tuple(LayerPath(**layer) for layer in raw["layers"])
        if raw["precision"] not in PRECISIONS:
            raise ValueError(f"unknown precision {raw['precision']!r}")
        for layer in layers:
            known = layer.modulation in ("inputs", "weights")
            if not known or layer.up not in (None, "transposed", "composite"):
                raise ValueError(f"unknown path {layer}")
        return cls(raw["precision"], int(raw["singly_from"]), layers, bool(raw["keeps_clamp"]))

    def __str__(self) -> str:
        own_weights = sum(layer.modulation == "weights" for layer in self.layers)
        transposed = sum(layer.up == "transposed" for layer in self.layers)
        composite = sum(layer.up == "composite" for layer in self.layers)
        parts = [f"{self.precision} channels-last"]
        parts.append(f"one sample at a time from {self.singly_from} px")
        parts.append(f"{own_weights} of {len(self.layers)} layers with weights per sample")
        parts.append(f"{transposed} transposed and {composite} composite up-samplings")
        if not self.keeps_clamp:
            parts.append("clamp never reached, left out")
        return ", ".join(parts)
