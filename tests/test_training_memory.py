"""What a step at the published size keeps for its gradients, counted without a GPU.

Tensors of the meta device have sizes and no content; what autograd saves of them is added up.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from generator.networks import Generator, GeneratorConfig
from training.learning.configurations import CONV_CLAMP, configuration
from training.learning.fakes import Fakes
from training.learning.half_precision import reduce_discriminator, reduce_synthesis
from training.learning.losses import fake_loss, generator_loss, path_length_penalty, r1_penalty
from training.learning.options import TrainingOptions
from training.learning.training_loop import new_discriminator

SIZE = 1024
AT_ONCE = 4
GIB = 2**30
# weights, gradients and two moments of Adam; the averaged generator besides
BYTES_OF_A_PARAMETER, BYTES_OF_AN_AVERAGE = 16, 4


def kept_gib(step: Callable[[], Tensor]) -> float:
    """What a graph holds until its gradient is taken."""
    kept: dict[int, torch.UntypedStorage] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor):
        step()
    return sum(storage.nbytes() for storage in kept.values()) / GIB


@pytest.mark.slow
def test_four_pictures_of_paper1024_leave_room_on_a_card_of_eleven_gigabytes() -> None:
    numbers = configuration("paper1024", SIZE, 1)
    config = GeneratorConfig(
        img_resolution=SIZE,
        channel_base=numbers.channel_base,
        num_mapping_layers=numbers.mapping_layers,
        conv_clamp=CONV_CLAMP,
    )
    with torch.device("meta"):
        G = Generator(config)
        D = new_discriminator(config, mbstd_group=numbers.mbstd_group)
        parameters = [sum(p.numel() for p in network.parameters()) for network in (G, D)]
        reduce_synthesis(G.synthesis, numbers.reduced_from, torch.float16)
        reduce_discriminator(D, numbers.reduced_from, torch.float16)
        fakes = Fakes(G, TrainingOptions(style_mixing=0.0), "meta")

        def drawn() -> Tensor:
            return fakes.pictures(fakes.random_ws(fakes.latents(AT_ONCE)))

        def judged() -> Tensor:
            return generator_loss(D(torch.empty(AT_ONCE, 3, SIZE, SIZE, requires_grad=True)))

        def path_length() -> Tensor:
            ws = fakes.random_ws(fakes.latents(AT_ONCE // 2))
            images = fakes.pictures(ws)
            return path_length_penalty(images, ws, images.detach(), torch.zeros([]))[0]

        def discriminator() -> Tensor:
            return fake_loss(D(torch.empty(AT_ONCE, 3, SIZE, SIZE)))

        def gradient_penalty() -> Tensor:
            images = torch.empty(AT_ONCE, 3, SIZE, SIZE, requires_grad=True)
            return r1_penalty(D(images), images, 1.0)

        steps = (drawn, judged, path_length, discriminator, gradient_penalty)
        kept = {step.__name__: kept_gib(step) for step in steps}
    constant = (sum(parameters) * BYTES_OF_A_PARAMETER + parameters[0] * BYTES_OF_AN_AVERAGE) / GIB
    told = ", ".join(f"{name} {gib:.2f}" for name, gib in kept.items())
    print(f"GiB: networks {constant:.2f}; {told}")
    assert max(kept.values()) + constant < 8, "of 10.6; the rest is what the operators work in"
    assert kept["drawn"] + kept["judged"] + constant > 9, "without --recompute it is too much"
