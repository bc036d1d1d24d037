"""The figures and sheets of a run as TensorBoard reads them: `tensorboard --logdir RUN`.

Steps are pictures shown, so that runs of different batches lie over each other.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import numpy as np
from PIL import Image
from torch.utils.tensorboard import SummaryWriter

FOLDER = "tensorboard"
# TensorBoard puts tags of one group into one row of plots
GROUPS = {
    "g_loss": "loss/G",
    "d_loss": "loss/D",
    "r1": "loss/R1",
    "pl_penalty": "paths/penalty",
    "pl_mean": "paths/mean length",
    "reconstruction": "loss/reconstruction",
    "features": "loss/features",
    "augment_p": "augmentation/p",
    "r_t": "augmentation/r_t",
    "real_logit": "discriminator/real",
    "fake_logit": "discriminator/fake",
    "swd": "metrics/swd",
    "sec_per_kimg": "speed/s per kimg",
}
WIDEST_SHEET_PX = 1920


class TensorBoardLog:
    """Event files in RUN/tensorboard, written through after each call.

    A run that is resumed at `kimg` takes back what an earlier process had written beyond it, so
    that no point stands there twice. One process of a run may write.
    """

    def __init__(self, run: Path, kimg: float = 0.0) -> None:
        self._writer = SummaryWriter(str(run / FOLDER), purge_step=_step(kimg) + 1)

    def __enter__(self) -> TensorBoardLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, line: Mapping[str, float]) -> None:
        """A line of log.jsonl, which has `kimg`; every other number becomes a point."""
        step = _step(line["kimg"])
        for name, value in line.items():
            if name != "kimg":
                self._writer.add_scalar(GROUPS.get(name, f"other/{name}"), value, step)
        self._writer.flush()

    def sheet(self, name: str, png: bytes, kimg: float) -> None:
        """A picture, such as the sheet of samples, made smaller where it is very wide."""
        with Image.open(io.BytesIO(png)) as image:
            small = image.convert("RGB")
            small.thumbnail((WIDEST_SHEET_PX, WIDEST_SHEET_PX), Image.Resampling.LANCZOS)
            pixels = np.asarray(small)
        self._writer.add_image(name, pixels, _step(kimg), dataformats="HWC")
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


def _step(kimg: float) -> int:
    return round(kimg * 1000)
