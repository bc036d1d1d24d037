"""Training in half precision: the blocks of the highest resolutions (arXiv 2006.06676, appendix).

bfloat16 has the range of float32. float16 has not: there, besides the clamp that the networks'
configuration brings, styles are scaled to a largest value of one before they meet the feature
maps, which the demodulation after the convolution takes out again.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from generator.discriminator import Discriminator
from generator.layers import SynthesisLayer
from generator.networks import SynthesisNetwork


def half_type(device: str) -> torch.dtype:
    """float16 on a GPU, older ones of which compute nothing else quickly; bfloat16 on a CPU."""
    return torch.float16 if device.startswith("cuda") else torch.bfloat16


def reduce_synthesis(synthesis: SynthesisNetwork, from_px: int, dtype: torch.dtype) -> None:
    """Have the blocks from that resolution up, but never the first, compute in `dtype`."""

    def reduced(_: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
        x, *others = given
        return (None if x is None else x.to(dtype), *others)

    for block in synthesis.blocks():
        if block.resolution >= max(from_px, 8):
            block.register_forward_pre_hook(reduced)
            if dtype == torch.float16:
                for layer in block.children():
                    if isinstance(layer, SynthesisLayer):
                        layer.affine.register_forward_hook(_normalised)


def reduce_discriminator(discriminator: Discriminator, from_px: int, dtype: torch.dtype) -> None:
    """As `reduce_synthesis`; the last block, at 4 pixels, stays in float32."""

    def reduced(_: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
        x, images, _float32 = given
        return x, images, dtype

    for resolution in discriminator.config.resolutions:
        if resolution >= from_px:
            discriminator.get_submodule(f"b{resolution}").register_forward_pre_hook(reduced)


def _normalised(_: nn.Module, _given: tuple[Any, ...], styles: Tensor) -> Tensor:
    """Styles [N, C], the largest of each picture 1 or -1."""
    return styles / styles.abs().amax(dim=1, keepdim=True).clamp(min=1e-8)
