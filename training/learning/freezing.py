"""Layers of a discriminator that stay as they are when it goes on to other pictures."""

from __future__ import annotations

from torch import nn

from generator.discriminator import Convolution, Discriminator


def learning_parameters(discriminator: Discriminator, frozen: int) -> list[nn.Parameter]:
    """All parameters but those of the first `frozen` convolutions, counted from the picture on
    (Mo et al. 2020, arXiv 2002.10964: the layers near the picture know what all pictures have).

    A residual block has three of them, and one more where the picture enters.
    Raises ValueError when there are fewer.
    """
    layers = [module for module in discriminator.modules() if isinstance(module, Convolution)]
    if frozen > len(layers):
        raise ValueError(f"{frozen} layers cannot be frozen, because there are {len(layers)}")
    still = {id(parameter) for layer in layers[:frozen] for parameter in layer.parameters()}
    return [parameter for parameter in discriminator.parameters() if id(parameter) not in still]
