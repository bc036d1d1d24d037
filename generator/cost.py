"""What a picture costs: operations and bytes, counted from a generator's shape."""

from __future__ import annotations

from generator.networks import GeneratorConfig


def gflop_per_picture(config: GeneratorConfig) -> float:
    """10^9 floating-point operations of one picture's convolutions, low-passes and affine layers.

    A multiply-add counts two. An up-sampling convolution counts at its low resolution, as a
    transposed convolution makes it; noise and activations are not counted.
    """
    total = 0.0
    for resolution in config.resolutions:
        channels = config.channels(resolution)
        if resolution > 4:
            below = config.channels(resolution // 2)
            total += 2 * 9 * below * channels * (resolution // 2) ** 2
            total += 2 * 16 * (channels + config.img_channels) * resolution**2
            total += 2 * config.w_dim * below
        total += 2 * 9 * channels * channels * resolution**2
        total += 2 * channels * config.img_channels * resolution**2
        total += 2 * 2 * config.w_dim * channels
    return total / 1e9


def fused_megabytes_per_picture(config: GeneratorConfig, bytes_per_number: int) -> float:
    """10^6 bytes that must move at least if every convolution reads its input and writes its
    output once, and the running image likewise; weights are not counted."""
    numbers = 0
    image_numbers = 0
    for resolution in config.resolutions:
        channels, pixels = config.channels(resolution), resolution**2
        if resolution > 4:
            numbers += config.channels(resolution // 2) * pixels // 4 + channels * pixels
        numbers += 2 * channels * pixels + channels * pixels  # conv1 in and out, ToRGB in
        image_numbers += 2 * config.img_channels * pixels
    return (numbers * bytes_per_number + image_numbers * 4) / 1e6
