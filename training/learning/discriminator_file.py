"""The discriminator beside a generator: untrained, or as learned, for more training and for its
features (`project`)."""

from __future__ import annotations

from pathlib import Path

from generator import checkpoint
from generator.discriminator import Discriminator, DiscriminatorConfig
from generator.networks import GeneratorConfig
from training.errors import TrainingError
from training.learning.configurations import Architecture


def load_discriminator(path: Path, device: str = "cpu") -> tuple[Discriminator, str]:
    """A float32 discriminator in eval mode without gradients, and its content hash.

    Raises TrainingError when the file is missing, is not one of ours, is damaged or misfits.
    """
    try:
        return checkpoint.load_discriminator(path, device)
    except checkpoint.CheckpointError as fault:
        hint = "" if path.exists() else "; `train` writes it with its snapshots"
        raise TrainingError(f"{fault}{hint}.") from fault


def new_discriminator(
    config: GeneratorConfig,
    channel_base: int | None = None,
    *,
    mbstd_group: int = 4,
    architecture: Architecture = "resnet",
) -> Discriminator:
    """An untrained one for this generator's pictures, by default with as many feature maps."""
    return Discriminator(
        DiscriminatorConfig(
            img_resolution=config.img_resolution,
            img_channels=config.img_channels,
            channel_base=channel_base or config.channel_base,
            channel_max=config.channel_max,
            mbstd_group_size=mbstd_group,
            architecture=architecture,
            conv_clamp=config.conv_clamp,
        )
    )
