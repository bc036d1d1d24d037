"""TensorBoard's own reader finds what was written, once."""

from __future__ import annotations

import io
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.tiny_networks import striped_pictures
from training.learning.run_folder import sheet
from training.learning.tensorboard_log import FOLDER, WIDEST_SHEET_PX, TensorBoardLog

ROOT = Path(__file__).resolve().parent.parent


def read(run: Path) -> EventAccumulator:
    events = EventAccumulator(str(run / FOLDER))
    events.Reload()
    return events


def points(run: Path, tag: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in read(run).Scalars(tag)]


def test_a_line_becomes_points_in_groups(tmp_path: Path) -> None:
    with TensorBoardLog(tmp_path) as log:
        log.write({"kimg": 2.016, "g_loss": 0.75, "augment_p": 0.25, "swd": 40.5})
        log.write({"kimg": 4.0, "g_loss": 0.5, "augment_p": 0.5, "fid": 12.0})
    assert points(tmp_path, "loss/G") == [(2016, 0.75), (4000, 0.5)]
    assert points(tmp_path, "augmentation/p") == [(2016, 0.25), (4000, 0.5)]
    assert points(tmp_path, "metrics/swd") == [(2016, 40.5)]
    assert points(tmp_path, "other/fid") == [(4000, 12.0)]
    assert sorted(read(tmp_path).Tags()["scalars"]) == [
        "augmentation/p", "loss/G", "metrics/swd", "other/fid",
    ]  # fmt: skip


def test_a_loss_that_ran_away_is_kept_as_it_is(tmp_path: Path) -> None:
    with TensorBoardLog(tmp_path) as log:
        log.write({"kimg": 1.0, "g_loss": float("nan"), "d_loss": float("inf")})
    assert math.isnan(points(tmp_path, "loss/G")[0][1])
    assert points(tmp_path, "loss/D") == [(1000, math.inf)]


def test_the_sheet_is_the_sheet(tmp_path: Path) -> None:
    png = sheet(striped_pictures(60))
    with TensorBoardLog(tmp_path) as log:
        log.sheet("fakes", png, 3.0)
    (event,) = read(tmp_path).Images("fakes")
    assert event.step == 3000
    encoded = io.BytesIO(event.encoded_image_string)
    with Image.open(encoded) as found, Image.open(io.BytesIO(png)) as wanted:
        assert np.array_equal(np.asarray(found), np.asarray(wanted))


def test_a_wide_sheet_is_made_smaller(tmp_path: Path) -> None:
    with TensorBoardLog(tmp_path) as log:
        log.sheet("fakes", sheet(striped_pictures(60, 256)), 3.0)
    (event,) = read(tmp_path).Images("fakes")
    assert event.width == WIDEST_SHEET_PX and event.height == WIDEST_SHEET_PX * 6 // 10


def test_after_a_resume_no_point_stands_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at 4 kimg, its last state of 2 kimg: what came after that is written again."""
    with TensorBoardLog(tmp_path) as log:
        for kimg in (1.0, 2.0, 3.0, 4.0):
            log.write({"kimg": kimg, "g_loss": kimg})
        log.sheet("fakes", sheet(striped_pictures(1)), 4.0)
    # the files are read by name, which begins with the second they were made in
    later = SimpleNamespace(time=lambda: time.time() + 10)
    monkeypatch.setattr("tensorboard.summary.writer.event_file_writer.time", later)
    with TensorBoardLog(tmp_path, 2.0) as log:
        log.write({"kimg": 3.0, "g_loss": -3.0})
    assert points(tmp_path, "loss/G") == [(1000, 1.0), (2000, 2.0), (3000, -3.0)]
    assert read(tmp_path).Images("fakes") == []


@pytest.mark.slow
def test_points_outlive_a_kill(tmp_path: Path) -> None:
    """SIGKILL right after a line: no process had time to close its file."""
    program = (
        "import sys; from pathlib import Path\n"
        "from training.learning.tensorboard_log import TensorBoardLog\n"
        "log = TensorBoardLog(Path(sys.argv[1]))\n"
        "log.write({'kimg': 1.0, 'g_loss': 0.5})\n"
        "print('written', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "written\n"
        process.send_signal(signal.SIGKILL)
    assert points(tmp_path, "loss/G") == [(1000, 0.5)]
