"""What a machine can do at best: a large matrix product, a large convolution, a large copy."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F

from generator.engine_path import PRECISIONS

MATRIX = 2048
CONVOLUTION = (4, 256, 64, 64)  # N, C, H, W
COPY_BYTES = 256 * 2**20  # beyond every cache
RUNS = 7


def ceilings(device: str, precisions: Sequence[str]) -> dict[str, dict[str, float]]:
    """Best of several: {precision: {matmul, convolution: GFLOP/s}}, and the memory's GB/s
    (read and write together) under {"memory": {"copy": ...}}."""
    scale = 4 if device.startswith("cuda") else 1
    made: dict[str, dict[str, float]] = {}
    for precision in precisions:
        dtype = PRECISIONS[precision]
        made[precision] = {
            "matmul": _matrix_rate(MATRIX * scale, dtype, device),
            "convolution": _convolution_rate(scale, dtype, device),
        }
    source = torch.ones(COPY_BYTES // 4, device=device)
    target = torch.empty_like(source)
    seconds = best_seconds(lambda: target.copy_(source), device)
    made["memory"] = {"copy": 2e-9 * COPY_BYTES / seconds}
    return made


def _matrix_rate(side: int, dtype: torch.dtype, device: str) -> float:
    a = torch.randn(side, side, device=device).to(dtype)
    return 2e-9 * side**3 / best_seconds(lambda: a @ a, device)


def _convolution_rate(scale: int, dtype: torch.dtype, device: str) -> float:
    n, c, h, w = CONVOLUTION
    x = torch.randn(n * scale, c, h, w, device=device).to(dtype)
    x = x.contiguous(memory_format=torch.channels_last)
    weight = torch.randn(c, c, 3, 3, device=device).to(dtype)
    weight = weight.contiguous(memory_format=torch.channels_last)
    gflop = 2e-9 * 9 * c * c * n * scale * h * w
    return gflop / best_seconds(lambda: F.conv2d(x, weight, padding=1), device)


def best_seconds(call: Callable[[], object], device: str, runs: int = RUNS) -> float:
    """The fastest of `runs`, after one that is not counted."""
    call()
    best = float("inf")
    for _ in range(runs):
        finish(device)
        started = time.perf_counter()
        call()
        finish(device)
        best = min(best, time.perf_counter() - started)
    return best


def finish(device: str) -> None:
    """Wait until the device has done all that it was given."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()
