"""Pictures per second of the engine, beside the plain network of the same weights, in one run.

    python -m generator.bench FILE [--batch 7] [--rounds 9] [--json FILE]

The two take turns, round by round, so that a machine whose speed drifts treats them alike.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

import generator
from generator.checkpoint import CheckpointError
from generator.engine import SynthesisEngine

SECONDS_PER_ROUND = 0.5


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m generator.bench", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", type=Path, help="a generator, .safetensors or .pkl")
    parser.add_argument("--batch", type=int, default=7, help="pictures a call (default 7)")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of each (default 9)")
    parser.add_argument("--threads", type=int, default=2, help="threads on a CPU (default 2)")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args(arguments)
    torch.set_num_threads(args.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        model = generator.load(args.file, device)
    except CheckpointError as fault:
        print(f"generator.bench: {fault}", file=sys.stderr)
        return 2
    engine = SynthesisEngine(model, max_batch=args.batch, device=device)
    rng = np.random.default_rng(0)
    z = torch.from_numpy(rng.standard_normal((args.batch, model.z_dim), dtype=np.float32))
    with torch.inference_mode():
        ws = model.mapping(z.to(device))
    ws_host = ws.cpu().numpy()
    out = np.empty((args.batch, engine.height, engine.width, 4), np.uint8)

    def plain() -> None:
        with torch.inference_mode():
            image = model.synthesis(ws)
            (image * 127.5 + 128).clamp(0, 255).to(torch.uint8).cpu()

    def fast() -> None:
        engine.render(ws_host, out)

    rates: dict[str, list[float]] = {"engine": [], "plain": []}
    for _ in range(args.rounds):
        rates["engine"].append(pictures_per_second(fast, args.batch))
        rates["plain"].append(pictures_per_second(plain, args.batch))
    ratios = [a / b for a, b in zip(rates["engine"], rates["plain"], strict=True)]
    result = {
        "file": args.file.name,
        "machine": f"{platform.machine()}, {args.threads} threads, torch {torch.__version__}",
        "engine_path": engine.description,
        "batch": args.batch,
        "pictures_per_second": {name: spread(values) for name, values in rates.items()},
        "ratio": spread(ratios),
    }
    print(json.dumps(result, indent=2))
    if args.json is not None:
        args.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


def pictures_per_second(call: Callable[[], None], batch: int) -> float:
    """The rate over half a second of calls, after one that is not counted."""
    call()
    calls = 0
    started = time.perf_counter()
    while (elapsed := time.perf_counter() - started) < SECONDS_PER_ROUND:
        call()
        calls += 1
    return calls * batch / elapsed


def spread(values: Sequence[float]) -> dict[str, float]:
    """Minimum, median and maximum."""
    return {
        "min": round(min(values), 3),
        "median": round(statistics.median(values), 3),
        "max": round(max(values), 3),
    }


if __name__ == "__main__":
    sys.exit(main())
