"""The engine: ws in, 8-bit pictures out in the caller's memory, as fast as this machine allows.

Live play, export and curation draw with it. How it draws is an `EnginePath`, found by
`generator.calibration`, or given.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from platformdirs import user_cache_path
from torch import Tensor

import generator
from generator.calibration import Calibration, calibrated
from generator.captured import CapturedPictures
from generator.dither import dither
from generator.early_stop import EarlyStopTrial
from generator.engine_path import EnginePath
from generator.networks import Generator, NoiseMode
from generator.prepared import PreparedSynthesis

WARM_UP_S = 1.0  # what warming up every batch size may cost; else the first and the largest only
TIMED_RUNS = 3
FINITE_SAMPLES = 16  # rows, and columns, of a picture that are looked at for numbers not finite


class SynthesisEngine:
    """Pictures of one generator. Not thread-safe; one per process.

    max_batch: the most pictures of one call. Equal ws of a call are drawn once. A number of
    pictures that was not warmed up is filled up to the next that was, because a new batch size
    costs a convolution library some hundred milliseconds in the middle of a show.
    """

    def __init__(
        self,
        model: Generator,
        *,
        max_batch: int,
        noise_mode: NoiseMode = "const",
        device: str = "cpu",
        precisions: Sequence[str] | None = None,
        path: EnginePath | None = None,
        cache: Path | None = None,
    ) -> None:
        """path: pins how pictures are made; None: calibrates, among `precisions` where given.
        cache: a file that remembers calibrations.

        Raises ValueError for a noise mode that would flicker ("random"), a path that misfits, or
        pictures that are neither grey nor RGB.
        """
        if noise_mode == "random":
            raise ValueError("noise_mode 'random' flickers; the engine draws 'const' or 'none'")
        if model.img_channels not in (1, 3):
            raise ValueError(f"pictures of {model.img_channels} channels are no colours")
        self.model, self.noise_mode, self.device = model, noise_mode, device
        self.num_ws, self.w_dim = model.num_ws, model.w_dim
        self.width = self.height = model.img_resolution
        self.calibration: Calibration | None = None
        self._draw: Callable[[Tensor, int], Tensor]
        self.path = path
        # where a picture can be had: early ones need the running image of the skip architecture
        self.resolutions = model.config.resolutions
        if model.config.architecture != "skip":
            self.path = None
            self.resolutions = self.resolutions[-1:]
            self._draw = self._plain
            how = f"plain float32 network, slow: no fast path for {model.config.architecture!r}"
        else:
            if path is None:
                self.calibration = calibrated(
                    model,
                    batch=max_batch,
                    noise_mode=noise_mode,
                    device=device,
                    precisions=precisions,
                    cache=cache,
                )
                self.path = self.calibration.path
            assert self.path is not None
            self._draw = PreparedSynthesis(model, self.path, noise_mode, device)
            how = self.calibration.sentence if self.calibration else f"{self.path}; pinned"
        self._tiles = {r: dither(r, r).to(device) + 127.5 for r in self.resolutions}
        self._captured: dict[tuple[int, int], CapturedPictures] = {}
        self.batch_sizes = self._warmed_up(max_batch)
        self.ms_per_picture = self._measured_ms(max_batch)
        self.description = (
            f"{device} {self.width}x{self.height}, {self.ms_per_picture:.2f} ms a picture in "
            f"batches of {max_batch}: {how}"
        )

    def render(self, ws: NDArray[np.float32], out: NDArray[np.uint8]) -> None:
        """Draw ws [N, num_ws, w_dim] into out [N, R, R, 4]: RGBA, dithered, alpha 255.

        R: the picture's size, or a smaller resolution of the network, where it then stops early.
        Raises ValueError when a shape or type is wrong, or N is 0 or above max_batch, and
        FloatingPointError when a picture is not made of finite numbers.
        """
        n = max(len(ws), 1)
        size = out.shape[1] if out.ndim == 4 and out.shape[1] in self.resolutions else self.height
        wanted_ws, wanted_out = (n, self.num_ws, self.w_dim), (n, size, size, 4)
        if ws.shape != wanted_ws or out.shape != wanted_out:
            raise ValueError(
                f"ws {ws.shape} and out {out.shape}: wanted ws {wanted_ws} and out {wanted_out}"
            )
        if ws.dtype != np.float32 or out.dtype != np.uint8:
            raise ValueError(f"ws is {ws.dtype} and out {out.dtype}: wanted float32 and uint8")
        if n > self.batch_sizes[-1]:
            raise ValueError(
                f"{n} pictures in one call; this engine draws at most {self.batch_sizes[-1]}"
            )
        different, of = _different(ws)
        if len(different) == n:
            self._render_different(ws, out, size)
        else:
            once = np.empty((len(different), *out.shape[1:]), np.uint8)
            self._render_different(ws[different], once, size)
            out[:] = once[of]
        if not out[:, 0, 0, 3].all():
            raise FloatingPointError("its pictures are not made of finite numbers")

    def early_stop_trial(self) -> EarlyStopTrial:
        """Finds out whether pictures of half the side match the full ones."""
        return EarlyStopTrial(self)

    def _render_different(
        self, ws: NDArray[np.float32], out: NDArray[np.uint8], resolution: int
    ) -> None:
        n = len(ws)
        size = next(size for size in self.batch_sizes if size >= n)
        batch = torch.from_numpy(np.ascontiguousarray(ws))
        if size > n:
            batch = torch.cat([batch, batch[-1:].expand(size - n, -1, -1)])
        if self.device.startswith("cuda"):
            key = (size, resolution)
            if key not in self._captured:
                self._captured[key] = CapturedPictures(
                    lambda ws: self._pictures(ws, resolution), batch.shape, self.device
                )
            torch.from_numpy(out).copy_(self._captured[key](batch)[:n])
        elif size == n:
            self._pictures(batch, resolution, torch.from_numpy(out))
        else:
            torch.from_numpy(out).copy_(self._pictures(batch, resolution)[:n])

    @torch.inference_mode()
    def _pictures(self, ws: Tensor, resolution: int, out: Tensor | None = None) -> Tensor:
        """RGBA of ws on the device: uint8 [N, R, R, 4], in `out` where it is given."""
        return to_rgba(self._draw(ws, resolution), self._tiles[resolution], out)

    def _plain(self, ws: Tensor, resolution: int) -> Tensor:
        del resolution  # the whole picture is all that there is
        images: Tensor = self.model.synthesis(ws, noise_mode=self.noise_mode)
        return images

    def _warmed_up(self, max_batch: int) -> tuple[int, ...]:
        ws = np.zeros((max_batch, self.num_ws, self.w_dim), np.float32)
        # all different, or they would be drawn once
        ws[:, 0, 0] = np.arange(max_batch)
        out = np.empty((max_batch, self.height, self.width, 4), np.uint8)
        self.batch_sizes = (1, max_batch) if max_batch > 1 else (1,)
        for n in self.batch_sizes:
            self.render(ws[:n], out[:n])
        started = time.perf_counter()
        self.render(ws, out)
        if (time.perf_counter() - started) * max_batch < WARM_UP_S:
            self.batch_sizes = tuple(range(1, max_batch + 1))
            for n in self.batch_sizes[1:-1]:
                self.render(ws[:n], out[:n])
        return self.batch_sizes

    def _measured_ms(self, batch: int) -> float:
        """Milliseconds a picture: the fastest of a few full calls."""
        ws = np.zeros((batch, self.num_ws, self.w_dim), np.float32)
        ws[:, 0, 0] = np.arange(batch)
        out = np.empty((batch, self.height, self.width, 4), np.uint8)
        seconds = []
        for _ in range(TIMED_RUNS):
            started = time.perf_counter()
            self.render(ws, out)
            seconds.append(time.perf_counter() - started)
            if seconds[0] > WARM_UP_S:
                break
        return min(seconds) * 1000 / batch


def to_rgba(images: Tensor, tile: Tensor, out: Tensor | None = None) -> Tensor:
    """Images float32 [N, 3, H, W] in -1..1 -> uint8 [N, H, W, 4], alpha 255.

    The first pixel of a picture with numbers that are not finite has alpha 0: a recorded graph can
    raise nothing.
    tile: float32 [H, W, 3], 127.5 and a threshold of 0..1 with mean 1/2: added before rounding
    down, it keeps the mean of gradients finer than a level.
    """
    if out is None:
        n, _, height, width = images.shape
        out = torch.empty(n, height, width, 4, dtype=torch.uint8, device=images.device)
    levels = torch.add(tile, images.permute(0, 2, 3, 1), alpha=127.5).clamp_(0, 255)
    out[..., :3] = levels
    out[..., 3] = 255
    apart = max(1, images.shape[2] // FINITE_SAMPLES)
    out[:, 0, 0, 3] = images[:, :, ::apart, ::apart].sum(dim=(1, 2, 3)).isfinite() * 255
    return out


def open_engine(
    path: str | Path,
    *,
    screens: int = 7,
    noise_mode: NoiseMode = "const",
    threads: int = 2,
    remember: bool = True,
    engine_path: dict[str, Any] | None = None,
) -> SynthesisEngine:
    """Load a generator and make it ready for `screens` pictures a call, on CUDA where there is one.

    remember: keep what calibration finds in the user's cache folder. engine_path: pins how pictures
    are made (`EnginePath.to_dict`, as another engine's `path` gave it) instead of calibrating.
    Raises CheckpointError when the file cannot be used; KeyError, TypeError or ValueError for an
    engine_path that is none.
    """
    torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    cache = user_cache_path("inspace-ballads") / "engine-paths.json" if remember else None
    return SynthesisEngine(
        generator.load(path, device),
        max_batch=screens,
        noise_mode=noise_mode,
        device=device,
        path=None if engine_path is None else EnginePath.from_dict(engine_path),
        cache=cache,
    )


def _different(ws: NDArray[np.float32]) -> tuple[list[int], list[int]]:
    """The first places of ws that differ, and for every place which of those it equals."""
    first: dict[bytes, int] = {}
    places: list[int] = []
    of = []
    for place, row in enumerate(ws):
        key = row.tobytes()
        if key not in first:
            first[key] = len(places)
            places.append(place)
        of.append(first[key])
    return places, of
