"""Which path is fastest on this machine: every convolution is tried in each way and timed.

Nothing is assumed: which way wins changes with size, processor and version of the libraries, and
some shapes are slower by a factor of a hundred in one of them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from generator.checkpoint import content_hash, write_atomically
from generator.engine_path import EnginePath, LayerPath
from generator.networks import Generator, NoiseMode, SynthesisLayer
from generator.prepared import (
    Factors,
    PreparedLayer,
    PreparedSynthesis,
    fusion_is_possible,
    modulation,
)

TIMED_RUNS = 3
SLOW_RUN_S = 0.08  # from here on one run is timing enough
CLAMP_MARGIN = 4.0  # activations must stay below this part of the clamp to leave it out
LEAST_PSNR_DB = 40.0
TRIED_PICTURES = 4
FORMAT = 2  # of the cache; a change of what is measured changes it


@dataclass(frozen=True)
class Calibration:
    """The chosen path and what was measured of it.

    psnr_db: mean and least of `TRIED_PICTURES` pictures of random w against float32.
    """

    path: EnginePath
    psnr_db: tuple[float, float]
    seconds: float  # what calibration took
    from_cache: bool = False

    @property
    def sentence(self) -> str:
        """One line for the log."""
        mean, least = self.psnr_db
        how = "known from before" if self.from_cache else f"calibrated in {self.seconds:.1f} s"
        return f"{self.path}; {mean:.0f} dB against float32 (least {least:.0f}), {how}"


def calibrated(
    model: Generator,
    *,
    batch: int,
    noise_mode: NoiseMode,
    device: str,
    precisions: Sequence[str] | None = None,
    cache: Path | None = None,
) -> Calibration:
    """The fastest path for `batch` pictures a call whose pictures are within 40 dB of float32.

    precisions: those to try; None: what the device is good at. cache: a JSON file to look into
    and to add to; one that cannot be read or written is done without.
    """
    names = tuple(precisions or fast_precisions(device))
    key = _key(model, batch, noise_mode, device, names)
    known = _read(cache).get(key) if cache else None
    if known is not None:
        try:
            mean, least = known["psnr_db"]
            path = EnginePath.from_dict(known["path"])
            return Calibration(path, (float(mean), float(least)), 0.0, from_cache=True)
        except (KeyError, TypeError, ValueError):
            pass  # of another version, or edited: measured again
    started = time.perf_counter()
    with torch.inference_mode():
        path, psnr_db = _chosen(model, batch, noise_mode, device, names)
    made = Calibration(path, psnr_db, time.perf_counter() - started)
    if cache:
        _remember(cache, key, {"path": path.to_dict(), "psnr_db": list(psnr_db)})
    return made


def fast_precisions(device: str) -> tuple[str, ...]:
    """Those worth trying, the exact one last."""
    if device.startswith("cuda"):
        return ("float16", "bfloat16", "float32")
    return ("bfloat16", "float32") if _native_bfloat16() else ("float32",)


def _native_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 itself; emulated, it is slower than float32."""
    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(probe is not None and probe())


def _chosen(
    model: Generator, batch: int, noise_mode: NoiseMode, device: str, names: Sequence[str]
) -> tuple[EnginePath, tuple[float, float]]:
    rng = torch.Generator().manual_seed(0)
    z = torch.randn(max(batch, TRIED_PICTURES), model.z_dim, generator=rng)
    c = torch.zeros(len(z), model.c_dim) if model.c_dim else None
    host = next(model.parameters()).device
    ws = model.mapping(z.to(host), None if c is None else c.to(host))
    wanted = model.synthesis(ws[:TRIED_PICTURES], noise_mode=noise_mode).cpu()
    keeps_clamp = _reaches_clamp(model, ws[:TRIED_PICTURES], noise_mode)
    ws = ws.to(device)
    best: tuple[float, EnginePath, tuple[float, float]] | None = None
    for name in names:
        path, seconds = _fastest(model, name, ws[:batch], noise_mode, device, keeps_clamp)
        made = PreparedSynthesis(model, path, noise_mode, device)(ws[:TRIED_PICTURES]).cpu()
        errors = [psnr(ours, exact) for ours, exact in zip(made, wanted, strict=True)]
        psnr_db = (sum(errors) / len(errors), min(errors))
        good_enough = min(errors) >= LEAST_PSNR_DB or name == names[-1]
        if good_enough and (best is None or seconds < best[0]):
            best = (seconds, path, psnr_db)
    assert best is not None
    return best[1], best[2]


def psnr(image: Tensor, wanted: Tensor) -> float:
    """Peak signal to noise ratio in dB of images in -1..1, cut to that range; at most 120."""
    error = (image.clamp(-1, 1) - wanted.clamp(-1, 1)).double().square().mean()
    return min(10 * math.log10(4.0 / max(float(error), 1e-30)), 120.0)


def _fastest(
    model: Generator,
    precision: str,
    ws: Tensor,
    noise_mode: NoiseMode,
    device: str,
    keeps_clamp: bool,
) -> tuple[EnginePath, float]:
    """The best way for every layer, together and one by one, then from where one by one pays.

    Returns the path and its seconds for len(ws) pictures, layers only.
    """
    dtype = EnginePath(precision, 4, ()).dtype
    n = len(ws)
    const = model.synthesis.blocks()[0].const
    x = const[None].to(device, dtype).contiguous(memory_format=torch.channels_last)
    together: list[tuple[float, LayerPath]] = []
    singly: list[tuple[float, LayerPath]] = []
    resolutions: list[int] = []
    layers_of_model = _layers(model)
    all_factors = modulation(layers_of_model, device, dtype)(ws[:, : len(layers_of_model)])
    for layer, factors in zip(layers_of_model, all_factors, strict=True):
        one_sample = factors.of(slice(1))
        timed: dict[tuple[LayerPath, int], float] = {}
        for path in _ways(layer, noise_mode, device):
            prepared = PreparedLayer(layer, path, noise_mode, device, dtype, keeps_clamp)
            one = timed[path, 1] = _seconds(device, prepared, x, one_sample)
            if n == 1 or path.modulation == "weights":
                continue
            if one > SLOW_RUN_S:
                timed[path, n] = one * n  # a batch of this size would only take longer to tell
            else:
                batch = x.expand(n, -1, -1, -1).contiguous(memory_format=torch.channels_last)
                timed[path, n] = _seconds(device, prepared, batch, factors)
        choices = {size: [(s, p) for (p, m), s in timed.items() if m == size] for size in (1, n)}
        singly.append(min(choices[1], key=lambda choice: choice[0]))
        together.append(min(choices[n], key=lambda choice: choice[0]))
        resolutions.append(layer.resolution)
        x = PreparedLayer(layer, singly[-1][1], noise_mode, device, dtype)(x, one_sample)
    borders = [*model.config.resolutions, 2 * model.img_resolution]

    def cost(border: int) -> float:
        return sum(
            alone[0] * n if resolution >= border else joint[0]
            for alone, joint, resolution in zip(singly, together, resolutions, strict=True)
        )

    border = min(borders, key=cost)
    layers = tuple(
        alone[1] if resolution >= border else joint[1]
        for alone, joint, resolution in zip(singly, together, resolutions, strict=True)
    )
    return EnginePath(precision, border, layers, keeps_clamp), cost(border)


def _ways(layer: SynthesisLayer, noise_mode: NoiseMode, device: str) -> list[LayerPath]:
    if layer.up:
        ways = [LayerPath("inputs", "transposed"), LayerPath("inputs", "composite")]
        own = LayerPath("weights", "transposed")
    else:
        ways = [LayerPath("inputs")]
        own = LayerPath("weights")
    ways.append(own)
    if fusion_is_possible(layer, noise_mode, device):
        ways.append(LayerPath("weights", own.up, fused=True))
    return ways


def _layers(model: Generator) -> list[SynthesisLayer]:
    layers: list[SynthesisLayer] = []
    for block in model.synthesis.blocks():
        layers += [block.conv1] if block.resolution == 4 else [block.conv0, block.conv1]
    return layers


def _reaches_clamp(model: Generator, ws: Tensor, noise_mode: NoiseMode) -> bool:
    """Whether some activation of these pictures comes near the network's clamp; True without."""
    clamp = model.config.conv_clamp
    if clamp is None:
        return True
    largest = 0.0

    def see(_: object, __: object, made: Tensor) -> None:
        nonlocal largest
        largest = max(largest, float(made.abs().max()))

    blocks = model.synthesis.blocks()
    watched = [*_layers(model), *(block.torgb for block in blocks if block.torgb is not None)]
    handles = [layer.register_forward_hook(see) for layer in watched]
    try:
        model.synthesis(ws, noise_mode=noise_mode)
    finally:
        for handle in handles:
            handle.remove()
    return largest > clamp / CLAMP_MARGIN


def _seconds(device: str, layer: PreparedLayer, x: Tensor, factors: Factors) -> float:
    """The least of a few runs after one that is not counted; of one run where that is slow."""
    first = _timed(device, layer, x, factors)
    if first > 10 * SLOW_RUN_S:
        return first
    runs = 1 if first > SLOW_RUN_S else TIMED_RUNS
    return min(_timed(device, layer, x, factors) for _ in range(runs))


def _timed(device: str, layer: PreparedLayer, x: Tensor, factors: Factors) -> float:
    started = time.perf_counter()
    layer(x, factors)
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - started


def _key(
    model: Generator, batch: int, noise_mode: NoiseMode, device: str, names: Sequence[str]
) -> str:
    if device.startswith("cuda"):
        machine = torch.cuda.get_device_name(device)
    else:
        machine = f"{platform.node()} {torch.backends.cpu.get_cpu_capability()}"
    facts = (FORMAT, machine, device, torch.__version__, torch.get_num_threads(), batch)
    model_hash = content_hash(model.config.to_dict(), model.state_dict())
    return hashlib.sha256(repr((*facts, noise_mode, names, model_hash)).encode()).hexdigest()[:32]


def _read(cache: Path) -> dict[str, Any]:
    try:
        known = json.loads(cache.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _remember(cache: Path, key: str, entry: dict[str, Any]) -> None:
    known = {**_read(cache), key: entry}
    with contextlib.suppress(OSError):  # a start without a cache only takes longer
        write_atomically(cache, (json.dumps(known, indent=1) + "\n").encode())
