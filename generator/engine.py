"""The engine: ws in, 8-bit pictures out, as fast as a plain torch install allows.

What makes it faster than `Generator.synthesis`, with the same weights: everything that does not
depend on w is worked out once (the up-sampling weights with their low-pass, the energies for
demodulation, noise and bias together), activations are channels-last, and the precision is the
fastest of those tried on this machine at start.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

import generator
from generator.networks import Generator, NoiseMode, SynthesisLayer, ToRGBLayer
from generator.operators import (
    DEMODULATION_EPS,
    LEAKY_GAIN,
    leaky_relu,
    upsample_2x,
    upsampling_weight,
)

CALIBRATION_RUNS = 3


@dataclass(frozen=True)
class _PreparedLayer:
    """One convolution with all that is constant about it.

    affine_weight [w_dim, Cin] and affine_bias [Cin] give the styles; weight [Cout(*4), Cin, k, k];
    energy [Cin, Cout] gives the demodulation (None: not demodulated);
    offset [1, Cout, H or 1, W or 1].
    """

    affine_weight: Tensor
    affine_bias: Tensor
    weight: Tensor
    energy: Tensor | None
    offset: Tensor
    up: bool
    clamp: float | None

    def __call__(self, x: Tensor, w: Tensor) -> Tensor:
        styles = torch.addmm(self.affine_bias, w, self.affine_weight)
        x = x * styles[:, :, None, None].to(x.dtype)
        x = F.conv2d(x, self.weight, padding=self.weight.shape[-1] // 2)
        if self.up:
            x = F.pixel_shuffle(x, 2)
        if self.energy is None:
            return x + self.offset
        factor = (styles.square() @ self.energy + DEMODULATION_EPS).rsqrt() * LEAKY_GAIN
        x = torch.addcmul(self.offset, x, factor[:, :, None, None].to(x.dtype))
        return leaky_relu(x, clamp=self.clamp)


class SynthesisEngine:
    """Pictures of one generator. Not thread-safe; one per process.

    max_batch: the most pictures of one call. Calls with fewer are filled up to the next size that
    was warmed up (1 or max_batch), because a new batch size costs a convolution library some
    hundred milliseconds of preparation in the middle of a show.
    """

    def __init__(
        self,
        model: Generator,
        *,
        max_batch: int,
        noise_mode: NoiseMode = "const",
        device: str = "cpu",
        precisions: Sequence[torch.dtype] | None = None,
    ) -> None:
        """Raises ValueError for a noise mode that would flicker ("random")."""
        if noise_mode == "random":
            raise ValueError("noise_mode 'random' flickers; the engine draws 'const' or 'none'")
        self.model, self.noise_mode, self.device = model, noise_mode, device
        self.num_ws, self.w_dim = model.num_ws, model.w_dim
        self.width = self.height = model.img_resolution
        self.batch_sizes = (1, max_batch) if max_batch > 1 else (1,)
        self._dither = _dither_tile(self.height, self.width).to(device)
        measured: dict[torch.dtype, float] = {}
        for precision in precisions or _precisions(device):
            self._prepare(precision)
            measured[precision] = self._measure(max_batch)
        best = min(measured, key=lambda precision: measured[precision])
        if best is not precision:
            self._prepare(best)
        for size in self.batch_sizes:
            self._images(torch.zeros(size, self.num_ws, self.w_dim, device=device))
        self.precision = best
        ms = measured[best] * 1000 / max_batch
        others = ", ".join(
            f"{_short(precision)} {seconds * 1000 / max_batch:.2f}"
            for precision, seconds in measured.items()
            if precision is not best
        )
        self.description = (
            f"{device} {_short(best)} channels-last, {self.width}x{self.height}, "
            f"{ms:.2f} ms a picture in batches of {max_batch}"
            + (f" (tried: {others})" if others else "")
        )

    def render(self, ws: NDArray[np.float32], out: NDArray[np.uint8]) -> None:
        """Draw ws [N, num_ws, w_dim] into out [N, H, W, 4]: RGBA, dithered, alpha 255.

        Raises ValueError when a shape or type is wrong, or N is 0 or above max_batch.
        """
        n = max(len(ws), 1)
        wanted_ws = (n, self.num_ws, self.w_dim)
        wanted_out = (n, self.height, self.width, 4)
        if ws.shape != wanted_ws or out.shape != wanted_out:
            raise ValueError(
                f"ws {ws.shape} and out {out.shape}: wanted ws {wanted_ws} and out {wanted_out}"
            )
        if ws.dtype != np.float32 or out.dtype != np.uint8:
            raise ValueError(f"ws is {ws.dtype} and out {out.dtype}: wanted float32 and uint8")
        size = next((size for size in self.batch_sizes if size >= n), None)
        if size is None:
            raise ValueError(
                f"{n} pictures in one call; this engine draws at most {max(self.batch_sizes)}"
            )
        batch = torch.from_numpy(np.ascontiguousarray(ws))
        if size > n:
            batch = torch.cat([batch, batch[-1:].expand(size - n, -1, -1)])
        levels = self._levels(self._images(batch.to(self.device)))[:n]
        picture = torch.from_numpy(out)
        picture[..., :3] = levels.permute(0, 2, 3, 1).cpu()
        picture[..., 3] = 255

    def _levels(self, images: Tensor) -> Tensor:
        """[N, 3, H, W] in -1..1 -> uint8. The fixed dither pattern (0..1, mean 1/2) before rounding
        down keeps the mean of gradients finer than a level."""
        return (images * 127.5 + 127.5 + self._dither).clamp_(0, 255).to(torch.uint8)

    @torch.inference_mode()
    def _images(self, ws: Tensor) -> Tensor:
        x = self._const.expand(len(ws), -1, -1, -1)
        image: Tensor | None = None
        w = ws.unbind(dim=1)
        position = 0
        for convolutions, torgb in self._blocks:
            for layer in convolutions:
                x = layer(x, w[position])
                position += 1
            rgb = torgb(x, w[position]).float()
            if torgb.clamp is not None:
                rgb = rgb.clamp(-torgb.clamp, torgb.clamp)
            image = rgb if image is None else upsample_2x(image, self._filter) + rgb
        assert image is not None
        return image

    @torch.inference_mode()
    def _prepare(self, precision: torch.dtype) -> None:
        self._blocks: list[tuple[list[_PreparedLayer], _PreparedLayer]] = []
        blocks = self.model.synthesis.blocks()
        for block in blocks:
            layers = [block.conv1] if block.resolution == 4 else [block.conv0, block.conv1]
            prepared = [self._prepared_layer(layer, precision) for layer in layers]
            self._blocks.append((prepared, self._prepared_torgb(block.torgb, precision)))
        self._const = self._placed(blocks[0].const[None], precision)
        self._filter = blocks[0].resample_filter.to(self.device)

    def _prepared_layer(self, layer: SynthesisLayer, precision: torch.dtype) -> _PreparedLayer:
        offset = layer.bias[None, :, None, None] * LEAKY_GAIN
        if self.noise_mode == "const":
            offset = offset + layer.noise_const * (layer.noise_strength * LEAKY_GAIN)
        weight = (
            upsampling_weight(layer.weight, layer.resample_filter) if layer.up else layer.weight
        )
        return _PreparedLayer(
            affine_weight=(layer.affine.weight * layer.affine.weight_gain).t().to(self.device),
            affine_bias=(layer.affine.bias * layer.affine.bias_gain).to(self.device),
            weight=self._placed(weight, precision),
            energy=layer.weight.square().sum(dim=(2, 3)).t().contiguous().to(self.device),
            offset=self._placed(offset, precision),
            up=layer.up,
            clamp=layer.clamp,
        )

    def _prepared_torgb(self, layer: ToRGBLayer, precision: torch.dtype) -> _PreparedLayer:
        gain = layer.affine.weight_gain * layer.weight_gain
        return _PreparedLayer(
            affine_weight=(layer.affine.weight * gain).t().to(self.device),
            affine_bias=(layer.affine.bias * (layer.affine.bias_gain * layer.weight_gain)).to(
                self.device
            ),
            weight=self._placed(layer.weight, precision),
            energy=None,
            offset=self._placed(layer.bias[None, :, None, None], precision),
            up=False,
            clamp=layer.clamp,
        )

    def _placed(self, tensor: Tensor, precision: torch.dtype) -> Tensor:
        return tensor.to(self.device, precision).contiguous(memory_format=torch.channels_last)

    def _measure(self, batch: int) -> float:
        """Seconds of the fastest of a few calls, after one that is not counted."""
        ws = torch.zeros(batch, self.num_ws, self.w_dim, device=self.device)
        best = float("inf")
        for attempt in range(CALIBRATION_RUNS + 1):
            started = time.perf_counter()
            self._levels(self._images(ws)).cpu()
            if attempt:
                best = min(best, time.perf_counter() - started)
        return best


def open_engine(
    path: str | Path, *, screens: int = 7, noise_mode: NoiseMode = "const", threads: int = 2
) -> SynthesisEngine:
    """Load a generator and make it ready for `screens` pictures a call, on CUDA where there is one.

    Raises CheckpointError when the file cannot be used.
    """
    torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return SynthesisEngine(
        generator.load(path), max_batch=screens, noise_mode=noise_mode, device=device
    )


def _precisions(device: str) -> tuple[torch.dtype, ...]:
    if device.startswith("cuda"):
        return (torch.float16,)
    return (torch.bfloat16, torch.float32) if _native_bfloat16() else (torch.float32,)


def _native_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 itself; emulated, it is slower than float32."""
    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(probe is not None and probe())


def _short(precision: torch.dtype) -> str:
    return str(precision).removeprefix("torch.")


def _dither_tile(height: int, width: int) -> Tensor:
    """Ordered noise in 0..1 without visible structure: float32 [H, W] (Jimenez 2014, interleaved
    gradient noise)."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    inner = (0.06711056 * x + 0.00583715 * y) % 1.0
    return torch.from_numpy(((52.9829189 * inner) % 1.0).astype(np.float32))
