"""Several processes that train one network: gradients are averaged, everything else is equal.

Started with `torchrun --nproc-per-node N -m training train ...`. On a CPU two processes of one
thread each train faster than one of two, because small layers do not fill two threads.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class Workers:
    """This process among `count`; `rank` counts from 0, and 0 alone writes files."""

    rank: int
    count: int

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its mean over the workers; in place."""
        if self.count == 1 or not tensors:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        dist.all_reduce(flat)
        flat /= self.count
        means = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, mean in zip(tensors, means, strict=True):
            tensor.copy_(mean.view_as(tensor))

    def mean(self, value: float) -> float:
        """The mean of a number over the workers."""
        if self.count == 1:
            return value
        cell = torch.tensor([value], dtype=torch.float64)
        dist.all_reduce(cell)
        return float(cell) / self.count


ALONE = Workers(0, 1)


@contextmanager
def joined_workers() -> Iterator[Workers]:
    """The workers that torchrun started, joined for the time of the context; alone without it."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield ALONE
        return
    dist.init_process_group("gloo")
    try:
        yield Workers(dist.get_rank(), count)
    finally:
        dist.destroy_process_group()
