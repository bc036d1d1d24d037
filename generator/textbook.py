"""The plain path: StyleGAN2's synthesis as its paper writes it down, float32, operator by operator.

What a benchmark compares the engine with, and a second opinion for tests: every sample gets its
own modulated and demodulated weights (equations 1 and 3), the batch is one grouped convolution,
noise, bias, activation and gain are passes of their own.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from generator.networks import Generator, SynthesisLayer, ToRGBLayer
from generator.operators import DEMODULATION_EPS, LEAKY_GAIN, LEAKY_SLOPE, upsample_2x


def textbook_synthesis(model: Generator, ws: Tensor) -> Tensor:
    """ws [N, num_ws, w_dim] -> images [N, C, R, R], noise const; for skip generators."""
    blocks = model.synthesis.blocks()
    x = blocks[0].const[None].repeat(len(ws), 1, 1, 1)
    image: Tensor | None = None
    position = 0
    for block in blocks:
        for layer in [block.conv1] if block.resolution == 4 else [block.conv0, block.conv1]:
            x = _layer(layer, x, ws[:, position])
            position += 1
        assert block.torgb is not None
        colours = _to_rgb(block.torgb, x, ws[:, position])
        image = colours if image is None else upsample_2x(image, block.resample_filter) + colours
    assert image is not None
    return image


def _layer(layer: SynthesisLayer, x: Tensor, w: Tensor) -> Tensor:
    n, c_in, height, width = x.shape
    weight = layer.weight[None] * layer.affine(w)[:, None, :, None, None]
    factors = (weight.square().sum(dim=(2, 3, 4)) + DEMODULATION_EPS).rsqrt()
    weight = weight * factors[:, :, None, None, None]
    c_out = weight.shape[1]
    x = x.reshape(1, n * c_in, height, width)
    if layer.up:
        transposed = weight.transpose(1, 2).reshape(n * c_in, c_out, 3, 3)
        x = F.conv_transpose2d(x, transposed, stride=2, groups=n)
        low_pass = (layer.resample_filter.flip(0, 1) * 4.0).expand(n * c_out, 1, -1, -1)
        x = F.conv2d(x, low_pass, padding=1, groups=n * c_out)
    else:
        x = F.conv2d(x, weight.reshape(n * c_out, c_in, 3, 3), padding=1, groups=n)
    x = x.reshape(n, c_out, *x.shape[2:])
    x = x.add_(layer.noise_const * layer.noise_strength)
    x = x + layer.bias[None, :, None, None]
    x = F.leaky_relu(x, LEAKY_SLOPE) * LEAKY_GAIN
    return x if layer.clamp is None else x.clamp(-layer.clamp, layer.clamp)


def _to_rgb(layer: ToRGBLayer, x: Tensor, w: Tensor) -> Tensor:
    n, c_in, height, width = x.shape
    weight = layer.weight[None] * (layer.affine(w) * layer.weight_gain)[:, None, :, None, None]
    x = F.conv2d(x.reshape(1, n * c_in, height, width), weight.flatten(0, 1), groups=n)
    x = x.reshape(n, -1, height, width) + layer.bias[None, :, None, None]
    return x if layer.clamp is None else x.clamp(-layer.clamp, layer.clamp)
