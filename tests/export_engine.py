"""Exports in tests: a show that is short enough, and a process that exports it."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from player.films.export import ExportOptions
from shows.show import Show
from shows.show_file import load_show, save_settings
from tests.live_show import make_live_show

ROOT = Path(__file__).resolve().parents[1]
FAKE = "tests.export_fake:open_fake"
REAL = "tests.export_engine:open_real"


def open_real(**arguments: Any) -> Any:
    """The generator's own, that leaves no trace in the user's cache."""
    from generator.engine import open_engine

    return open_engine(**arguments, remember=False)


def make_short_show(folder: Path, *, ballads: int = 2) -> Show:
    """Five paintings of 20 frames a ballad; pictures of 16 pixels."""
    show = make_live_show(folder)
    kept = show.settings.ballads[:ballads]
    update = {
        "frames_per_stop": 2,
        "morph_frames": 6,
        "ballad_change_frames": 10,
        "ballads": kept,
        "screens": tuple(s for s in show.settings.screens if s.ballad in kept),
    }
    save_settings(folder, show.settings.model_copy(update=update))
    return load_show(folder)


def options(show: Show, **more: Any) -> ExportOptions:
    return ExportOptions(**{"show": show.folder, "factory": FAKE, **more})


def start_export(
    show: Path, *arguments: str, before: str = "", **environment: str
) -> subprocess.Popen[str]:
    """An export in a process of its own, with the fake engine."""
    code = (
        "import argparse, sys\n"
        f"{before}\n"
        "from player.films.export import add_arguments, run\n"
        "parser = argparse.ArgumentParser()\n"
        "add_arguments(parser)\n"
        "args = parser.parse_args(sys.argv[1:])\n"
        f"args.factory = {FAKE!r}\n"
        "sys.exit(run(args))\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, "--show", str(show), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def decoded(path: Path) -> NDArray[np.uint8]:
    """All frames of a film, RGB [N, H, W, 3]."""
    with av.open(str(path)) as film:
        return np.stack([f.to_ndarray(format="rgb24") for f in film.decode(video=0)])


def packets_of(path: Path) -> list[tuple[Fraction, bool]]:
    """Time in seconds and whether it is a keyframe, of every packet of a film."""
    with av.open(str(path)) as film:
        video = film.streams.video[0]
        return [
            (Fraction(p.pts) * Fraction(p.time_base), bool(p.is_keyframe))
            for p in film.demux(video)
            if p.size
        ]
