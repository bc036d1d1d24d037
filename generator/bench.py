"""Pictures per second of the engine, of the plain path of the same weights, and the machine's own
ceiling, in one run.

    python -m generator.bench [--json FILE]            random networks of 64 to 1024 pixels
    python -m generator.bench GENERATOR [--json FILE]  one file, with early stop and other paths

The engine and the plain path take turns, round by round, so that a machine whose speed drifts
treats them alike. Both run with the same allocator settings.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

import generator
from generator.allocator import restart_with_allocator
from generator.calibration import fast_precisions, psnr
from generator.ceiling import ceilings, finish
from generator.checkpoint import CheckpointError
from generator.cost import fused_megabytes_per_picture, gflop_per_picture
from generator.engine import SynthesisEngine
from generator.engine_path import EnginePath, LayerPath
from generator.networks import Generator, GeneratorConfig
from generator.textbook import textbook_synthesis

SECONDS_PER_ROUND = 0.5
BATCHES = (1, 7)
SIZES = {64: (2048, 64), 128: (4096, 128), 256: (16384, 512), 1024: (32768, 512)}
CLAMP = 256.0  # of the published snapshots with layers in half precision
NOISE = 0.1


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m generator.bench", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", type=Path, nargs="?", help="a generator, .safetensors or .pkl")
    parser.add_argument(
        "--sizes", type=int, nargs="+", choices=sorted(SIZES), default=sorted(SIZES)
    )
    parser.add_argument("--batch", type=int, nargs="+", default=list(BATCHES))
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each (default 5)")
    parser.add_argument("--threads", type=int, default=2, help="threads on a CPU (default 2)")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args(arguments)
    torch.set_num_threads(args.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    result: dict[str, Any] = {
        "machine": machine(device, args.threads),
        "date": time.strftime("%Y-%m-%d"),
        "ceiling_gflop_per_s": ceilings(device, fast_precisions(device)),
    }
    try:
        if args.file is not None:
            model = generator.load(args.file, device)
            print(f"{args.file.name}:", flush=True)
            result[args.file.name] = measured(model, args, device)
            result["early_stop"] = early_stop(model, device)
            result["paths"] = other_paths(model, max(args.batch), args.rounds, device)
        else:
            for size in args.sizes:
                print(f"{size} pixels:", flush=True)
                result[str(size)] = measured(random_generator(size, device), args, device)
    except CheckpointError as fault:
        print(f"generator.bench: {fault}", file=sys.stderr)
        return 2
    # before and after, since a shared machine may be slow at one of them
    result["ceiling_gflop_per_s"] = the_better(
        result["ceiling_gflop_per_s"], ceilings(device, fast_precisions(device))
    )
    print(json.dumps({name: result[name] for name in ("machine", "date", "ceiling_gflop_per_s")}))
    for row in table(result):
        print(row)
    if args.json is not None:
        args.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


def random_generator(size: int, device: str) -> Generator:
    """A network of a published shape and clamp; weights, noise and biases are random."""
    torch.manual_seed(size)
    base, most = SIZES[size]
    config = GeneratorConfig(
        img_resolution=size, channel_base=base, channel_max=most, conv_clamp=CLAMP
    )
    model = Generator(config).eval().requires_grad_(False)
    for name, tensor in model.named_parameters():
        if name.endswith("noise_strength"):
            tensor.fill_(NOISE)
        elif name.startswith("synthesis") and name.endswith(".bias") and "affine" not in name:
            tensor.normal_(std=NOISE)
    return model.to(device)


def measured(model: Generator, args: argparse.Namespace, device: str) -> dict[str, Any]:
    """Rates of both paths for every batch size, the ratio, and the share of the ceiling."""
    rng = np.random.default_rng(0)
    gflop = gflop_per_picture(model.config)
    made: dict[str, Any] = {"gflop_per_picture": round(gflop, 3)}
    for batch in args.batch:
        engine = SynthesisEngine(model, max_batch=batch, device=device)
        print(f"  batch {batch}: {engine.description}", flush=True)
        z = torch.from_numpy(rng.standard_normal((batch, model.z_dim), dtype=np.float32))
        with torch.inference_mode():
            ws = model.mapping(z.to(device))
        rates: dict[str, list[float]] = {"engine": [], "plain": []}
        for _ in range(args.rounds):
            rates["engine"].append(pictures_per_second(_drawing(engine, ws), batch))
            rates["plain"].append(pictures_per_second(_plain(model, ws, device), batch))
        ratios = [a / b for a, b in zip(rates["engine"], rates["plain"], strict=True)]
        best = max(rates["engine"])
        number_bytes = engine.path.dtype.itemsize if engine.path else 4
        made[f"batch_{batch}"] = {
            "path": engine.description,
            "pictures_per_second": {name: spread(values) for name, values in rates.items()},
            "ratio": spread(ratios),
            "gflop_per_second": round(best * gflop, 1),
            "fused_megabytes_per_picture": round(
                fused_megabytes_per_picture(model.config, number_bytes), 2
            ),
            "psnr_db": engine.calibration.psnr_db if engine.calibration else None,
            "precision": engine.path.precision if engine.path else "float32",
        }
    return made


def early_stop(model: Generator, device: str) -> dict[str, Any]:
    """For every resolution: milliseconds a picture, and how alike the early picture and the whole
    one at that size are (PSNR in dB, mean of 16), with the whole one's mean and contrast
    taken over, and without."""
    engine = SynthesisEngine(model, max_batch=7, device=device)
    generator_ = torch.Generator().manual_seed(0)
    z = torch.randn(16, model.z_dim, generator=generator_).to(device)
    made: dict[str, Any] = {}
    with torch.inference_mode():
        ws = model.mapping(z)
        whole = model.synthesis(ws).clamp(-1, 1).cpu()
        for resolution in engine.resolutions[1:]:
            early = model.synthesis(ws, resolution=resolution).cpu()
            small = F.adaptive_avg_pool2d(whole, resolution)
            draw = _drawing(engine, ws[:7], resolution)
            rate = max(pictures_per_second(draw, 7) for _ in range(3))
            made[str(resolution)] = {
                "ms_per_picture": round(1000 / rate, 3),
                "psnr_db": round(_mean_psnr(early, small), 1),
                "psnr_db_levelled": round(_mean_psnr(_levelled(early, small), small), 1),
            }
    return made


def _mean_psnr(images: Tensor, wanted: Tensor) -> float:
    return statistics.mean(psnr(a, b) for a, b in zip(images, wanted, strict=True))


def _levelled(images: Tensor, wanted: Tensor) -> Tensor:
    """Images with the channels' mean and standard deviation of others, over the whole set."""
    axes = (0, 2, 3)
    spread_ = wanted.std(dim=axes, keepdim=True) / images.std(dim=axes, keepdim=True)
    return (images - images.mean(dim=axes, keepdim=True)) * spread_ + wanted.mean(
        dim=axes, keepdim=True
    )


def other_paths(model: Generator, batch: int, rounds: int, device: str) -> dict[str, Any]:
    """What each choice is worth: pictures per second with one choice undone, in turns."""
    engines = {"as calibrated": SynthesisEngine(model, max_batch=batch, device=device)}
    chosen = engines["as calibrated"].path
    if chosen is None:
        return {}
    variants = {
        "float32": replace(chosen, precision="float32"),
        "all together": replace(
            chosen,
            singly_from=2 * model.img_resolution,
            layers=tuple(_inputs(layer) for layer in chosen.layers),
        ),
        "all transposed": replace(chosen, layers=_upsampled(chosen, "transposed")),
        "all composite": replace(chosen, layers=_upsampled(chosen, "composite")),
        "weights per sample": replace(
            chosen,
            singly_from=4,
            layers=tuple(
                LayerPath("weights", None if layer.up is None else "transposed")
                for layer in chosen.layers
            ),
        ),
    }
    for name, path in variants.items():
        if path != chosen:
            engines[name] = SynthesisEngine(model, max_batch=batch, device=device, path=path)
    z = torch.randn(batch, model.z_dim, generator=torch.Generator().manual_seed(1)).to(device)
    with torch.inference_mode():
        ws = model.mapping(z)
    rates: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(rounds):
        for name, engine in engines.items():
            rates[name].append(pictures_per_second(_drawing(engine, ws), batch))
    return {name: spread(values) for name, values in rates.items()}


def _inputs(layer: LayerPath) -> LayerPath:
    return LayerPath("inputs", layer.up)


def _upsampled(path: EnginePath, up: str) -> tuple[LayerPath, ...]:
    changed = LayerPath("inputs", up)  # type: ignore[arg-type]
    return tuple(layer if layer.up is None else changed for layer in path.layers)


def _drawing(
    engine: SynthesisEngine, ws: Tensor, resolution: int | None = None
) -> Callable[[], None]:
    host: NDArray[np.float32] = ws.cpu().numpy()
    side = resolution or engine.height
    out = np.empty((len(host), side, side, 4), np.uint8)
    return lambda: engine.render(host, out)


def _plain(model: Generator, ws: Tensor, device: str) -> Callable[[], None]:
    @torch.inference_mode()
    def draw() -> None:
        image = textbook_synthesis(model, ws)
        (image * 127.5 + 128).clamp(0, 255).to(torch.uint8).cpu()
        finish(device)

    return draw


def pictures_per_second(call: Callable[[], None], batch: int) -> float:
    """The rate over half a second of calls, or one, after one that is not counted."""
    call()
    calls = 0
    started = time.perf_counter()
    while (elapsed := time.perf_counter() - started) < SECONDS_PER_ROUND or calls == 0:
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


def machine(device: str, threads: int) -> str:
    """The device in words, without host names."""
    if device.startswith("cuda"):
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{platform.machine()} {capability}, {threads} threads, torch {torch.__version__}"


def the_better(
    one: dict[str, dict[str, float]], other: dict[str, dict[str, float]]
) -> dict[str, dict[str, float]]:
    """Of each of the machine's ceilings the higher reading."""
    return {
        outer: {name: round(max(value, other[outer][name]), 1) for name, value in inner.items()}
        for outer, inner in one.items()
    }


def table(result: dict[str, Any]) -> list[str]:
    """The figures as rows of Markdown."""
    rows = [
        "| network | batch | engine, pictures/s (min median max) | plain | ratio "
        "| GFLOP/s | of the ceiling | PSNR, dB (mean, least) |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, figures in result.items():
        if not isinstance(figures, dict) or "gflop_per_picture" not in figures:
            continue
        for key, of in figures.items():
            if not key.startswith("batch_"):
                continue
            ceiling = max(result["ceiling_gflop_per_s"][of["precision"]].values())
            rates = of["pictures_per_second"]
            least = "-" if of["psnr_db"] is None else "{:.1f}, {:.1f}".format(*of["psnr_db"])
            rows.append(
                f"| {name} ({figures['gflop_per_picture']} GFLOP) | {key.removeprefix('batch_')} "
                f"| {_three(rates['engine'])} | {_three(rates['plain'])} | {_three(of['ratio'])} "
                f"| {of['gflop_per_second']} | {of['gflop_per_second'] / ceiling:.0%} "
                f"of {ceiling:.0f} ({of['precision']}) | {least} |"
            )
    for title in ("early_stop", "paths"):
        if title in result:
            rows += ["", f"{title}:"]
            rows += [f"  {name}: {figures}" for name, figures in result[title].items()]
    return rows


def _three(figures: dict[str, float]) -> str:
    return f"{figures['min']:.4g} **{figures['median']:.4g}** {figures['max']:.4g}"


if __name__ == "__main__":
    restart_with_allocator()
    sys.exit(main())
