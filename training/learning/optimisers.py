"""Steps of Adam: with lazy regularisation, in rounds, over several workers, resumed."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from training.learning.data_parallel import Workers


def lazy_adam(
    groups: list[dict[str, object]], learning_rate: float, interval: int
) -> torch.optim.Adam:
    """Adam (0, 0.99) with rate and decay corrected for a regulariser every `interval` steps
    (StyleGAN2, appendix B)."""
    ratio = interval / (interval + 1)
    betas = (0.0, math.pow(0.99, ratio))
    return torch.optim.Adam(groups, lr=learning_rate * ratio, betas=betas, eps=1e-8)


def descend(
    optimiser: torch.optim.Adam,
    network: nn.Module,
    losses: Iterable[Tensor],
    rounds: int,
    workers: Workers,
) -> None:
    """One step down the mean of so many losses and of all workers; each loss's graph is gone
    before the next is made."""
    optimiser.zero_grad(set_to_none=True)
    for loss in losses:
        (loss if rounds == 1 else loss / rounds).backward()  # type: ignore[no-untyped-call]
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    workers.average(gradients)
    for gradient in gradients:
        torch.nan_to_num(gradient, nan=0, posinf=1e5, neginf=-1e5, out=gradient)
    optimiser.step()


def update_average(average: nn.Module, network: nn.Module, beta: float) -> None:
    """Keep beta of the average's parameters and take the rest, and all buffers, from network."""
    with torch.no_grad():
        averages: list[Tensor] = list(average.parameters())
        torch._foreach_lerp_(averages, list(network.parameters()), 1.0 - beta)
        for kept, current in zip(average.buffers(), network.buffers(), strict=True):
            kept.copy_(current)


def restore_moments(optimiser: torch.optim.Adam, state: object) -> None:
    """Take over what Adam has gathered, but not its learning rate and decay.

    Raises TypeError or ValueError for what is no state of this optimiser.
    """
    if not isinstance(state, dict):
        raise TypeError(f"an optimiser's state is a dict, not a {type(state).__name__}")
    kept = [
        {name: value for name, value in group.items() if name != "params"}
        for group in optimiser.param_groups
    ]
    optimiser.load_state_dict(state)
    for group, own in zip(optimiser.param_groups, kept, strict=True):
        group.update(own)
