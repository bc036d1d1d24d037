"""Several processes that train one network: gradients are averaged, everything else is equal.

Started with `torchrun --nproc-per-node N -m training train ...`, one for each GPU. On a CPU two
processes of one thread each train faster than one of two, because small layers do not fill two
threads.
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
    """This process among `count`; `rank` counts from 0, and 0 alone writes files. device: where
    the tensors are that they send each other."""

    rank: int
    count: int
    device: str = "cpu"

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
        cell = torch.tensor([value], dtype=torch.float64, device=self.device)
        dist.all_reduce(cell)
        return float(cell) / self.count


ALONE = Workers(0, 1)


def own_device(device: str) -> str:
    """The GPU of this process where torchrun started one for each; else `device` as it is."""
    rank = os.environ.get("LOCAL_RANK")
    return f"cuda:{rank}" if device == "cuda" and rank is not None else device


@contextmanager
def joined_workers(device: str = "cpu") -> Iterator[Workers]:
    """The workers that torchrun started, joined for the time of the context; alone without it."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield ALONE
        return
    on_gpu = device.startswith("cuda")
    if on_gpu:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield Workers(dist.get_rank(), count, device)
    finally:
        dist.destroy_process_group()
