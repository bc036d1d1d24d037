"""Seconds for a thousand pictures of training, beside a straightforward loop, in one run.

Both train the same networks on the same pictures with the same options, in turns, round by round,
so that a machine whose speed drifts treats them alike; training/learning/textbook_loop.py is the
other loop. A round is a multiple of 16 steps, so that it holds its share of the regularisers.
Memory is the most that the GPU held for a loop; without one it is that of the process, smallest
pictures first. Options of `train` go after two dashes:
    bench --resolution 64 -- --batch 8 --channel-base 2048
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from generator.allocator import restart_with_allocator
from generator.bench import machine
from generator.ceiling import finish
from generator.checkpoint import write_atomically
from training.errors import TrainingError
from training.learning import train_arguments
from training.learning.configurations import NAMES, configuration
from training.learning.textbook_loop import TextbookLoop
from training.learning.training_loop import Training

STEPS = 16
PICTURES = 64
PUBLISHED = {256: "paper256", 512: "paper512", 1024: "paper1024"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    on_gpu = torch.cuda.is_available()
    sizes = [256, 1024] if on_gpu else [64]
    parser.add_argument(
        "--resolution", type=int, nargs="+", default=sizes, help=f"pixels (default here: {sizes})"
    )
    parser.add_argument(
        "--config",
        choices=NAMES,
        help="as for train (default: the paper's for 256 to 1024 pixels, else demo)",
    )
    parser.add_argument("--rounds", type=int, default=5, help="of each loop (default 5)")
    parser.add_argument(
        "--steps", type=int, default=STEPS, help="in a round, a multiple of 16 (default 16)"
    )
    parser.add_argument("--threads", type=int, help="threads on a CPU (default: torch's choice)")
    parser.add_argument("--device", default="cuda" if on_gpu else "cpu")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument("options", nargs="*", metavar="-- OPTIONS", help="options of train")


def run(args: argparse.Namespace) -> int:
    """Measure and print. Raises TrainingError for options that cannot be."""
    if args.rounds < 1 or args.steps < 1 or args.steps % STEPS:
        raise TrainingError(f"--rounds is at least 1, and --steps a multiple of {STEPS}.")
    restart_with_allocator(GOMP_SPINCOUNT="0")
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.backends.cudnn.benchmark = True
    result: dict[str, Any] = {
        "machine": machine(args.device, torch.get_num_threads()),
        "date": time.strftime("%Y-%m-%d"),
        "rounds": args.rounds,
        "steps_a_round": args.steps,
        "sizes": [measured(size, args) for size in sorted(args.resolution)],
    }
    print(f"{result['machine']}, {result['date']}, {args.rounds} rounds of {args.steps} steps")
    for row in table(result["sizes"]):
        print(row)
    if args.json is not None:
        write_atomically(args.json, (json.dumps(result, indent=2) + "\n").encode())
    return 0


def measured(size: int, args: argparse.Namespace) -> dict[str, Any]:
    """Times and memory of both loops at one resolution. Memory is that of each loop alone: the
    first round, which counts for nothing else, is run before the other loop is made."""
    name = args.config or PUBLISHED.get(size, "demo")
    memory = Memory(args.device)
    training = new_training(size, name, args)
    batch = training.options.batch
    seconds_of(training.step, args.steps, args.device)
    peak = memory.peak_mb()
    memory.forget()
    textbook = TextbookLoop(training)
    seconds_of(textbook.step, args.steps, args.device)
    # a process does not give its memory back, so the second loop's is known on a GPU alone
    other_peak = memory.peak_mb() if memory.is_of_gpu else None
    kimg = args.steps * batch / 1000
    paces: dict[str, list[float]] = {"train": [], "textbook": []}
    for _ in tqdm(range(args.rounds), desc=f"{size} px", leave=False):
        paces["train"].append(seconds_of(training.step, args.steps, args.device) / kimg)
        paces["textbook"].append(seconds_of(textbook.step, args.steps, args.device) / kimg)
    ratios = [slow / fast for fast, slow in zip(paces["train"], paces["textbook"], strict=True)]
    options = asdict(training.options)
    del training, textbook
    gc.collect()
    return {
        "resolution": size,
        "config": name,
        "batch": batch,
        "options": options,
        "s_per_kimg": {loop: spread(pace) for loop, pace in paces.items()},
        "ratio": spread(ratios),
        "peak_memory": {
            "of": "GPU" if memory.is_of_gpu else "process",
            "train_mb": peak,
            "textbook_mb": other_peak,
        },
    }


def new_training(size: int, name: str, args: argparse.Namespace) -> Training:
    """As `train` would make it, on pictures of noise; the augmentation's probability is fixed.

    Raises TrainingError for options that cannot be.
    """
    parser = argparse.ArgumentParser(prog="the options of train in bench")
    train_arguments.add_arguments(parser)
    words = ["data", "run", "--config", name, "--device", args.device, "--augment", "fixed"]
    chosen = parser.parse_args([*words, *args.options])
    try:
        numbers = configuration(name, size, 1)
        options = train_arguments.training_options(chosen, numbers, args.device)
        shape = train_arguments.generator_config(chosen, numbers, size, None)
        first = train_arguments.first_discriminator(chosen, numbers, shape, None)
        return Training(noise_pictures(size), shape, options, args.device, discriminator=first)
    except ValueError as fault:
        raise TrainingError(f"{name} at {size} pixels cannot be trained: {fault}.") from fault


def noise_pictures(size: int) -> NDArray[np.uint8]:
    """uint8 [64, 3, R, R]."""
    return np.random.default_rng(0).integers(0, 256, (PICTURES, 3, size, size), dtype=np.uint8)


def seconds_of(step: Callable[[], None], steps: int, device: str) -> float:
    """For so many steps, all that they began on the device included."""
    finish(device)
    began = time.perf_counter()
    for _ in range(steps):
        step()
    finish(device)
    return time.perf_counter() - began


def spread(values: Sequence[float]) -> dict[str, float]:
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


class Memory:
    """The most that was held since `forget`; of the process, which forgets nothing, on a CPU."""

    def __init__(self, device: str) -> None:
        self.is_of_gpu = device.startswith("cuda")
        self._before = 0
        self.forget()

    def forget(self) -> None:
        if self.is_of_gpu:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
            self._before = torch.cuda.memory_allocated()

    def peak_mb(self) -> float:
        """Beyond what was held at `forget`, in millions of bytes."""
        if self.is_of_gpu:
            return (torch.cuda.max_memory_allocated() - self._before) / 1e6
        if sys.platform == "win32":
            import psutil

            return float(psutil.Process().memory_info().peak_wset) / 1e6
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def table(sizes: Sequence[dict[str, Any]]) -> list[str]:
    """The figures as rows of Markdown."""
    rows = [
        "| pixels | config | batch | train, s/kimg (min median max) | textbook | ratio "
        "| peak memory, GB (train, textbook) |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in sizes:
        memory = one["peak_memory"]
        other = memory["textbook_mb"]
        peaks = [memory["train_mb"], *([] if other is None else [other])]
        told = ", ".join(f"{peak / 1e3:.2f}" for peak in peaks)
        rows.append(
            f"| {one['resolution']} | {one['config']} | {one['batch']} "
            f"| {_told(one['s_per_kimg']['train'])} | {_told(one['s_per_kimg']['textbook'])} "
            f"| {_told(one['ratio'])} | {told}{'' if memory['of'] == 'GPU' else ' (process)'} |"
        )
    return rows


def _told(values: dict[str, float]) -> str:
    return f"{values['min']:.3g} **{values['median']:.3g}** {values['max']:.3g}"
