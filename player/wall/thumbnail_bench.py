"""What the small pictures for the desk cost the player: with and without them in turns, in one run.

    python -m player.wall.thumbnail_bench [--outputs headless|windows|span] [--size 256x256]

Draws new pictures on all screens for every frame, as live play does, as fast as it goes. Prints
processor time, of all the process's threads, and time on the clock; both a frame, and as a share of
the time that a frame of the show has.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np

from player.clock import HouseClock, processor_ns
from player.wall.calibration import ScreenCalibration
from player.wall.contract import OutputError, Wall
from player.wall.outputs import open_wall
from player.wall.shots import Layer, Shot
from player.wall.thumbnails import Thumbnails

FPS = 30.0
BLOCK_FRAMES = 15
WARM_UP_BLOCKS = 2  # of each kind
CALIBRATIONS = {
    "corners": ScreenCalibration(corners=((0.02, 0.03), (0.97, 0.0), (1.0, 0.98), (0.0, 1.0))),
    "blend": ScreenCalibration(blend=(0.1, 0.0, 0.1, 0.0)),
}


class Spent(NamedTuple):
    """ms a frame: of the whole frame, and of the small pictures in it as they were timed. looks: at
    one screen each, a frame."""

    processor: float
    small_processor: float
    small_clock: float
    looks: float


class Bench:
    """A wall that draws something new on every frame, and its small pictures."""

    def __init__(self, wall: Wall, screens: int, picture_px: int, layers: int, file: Path) -> None:
        rng = np.random.default_rng(0)
        shape = (2, screens, picture_px, picture_px, 4)
        self._pictures = rng.integers(0, 256, shape, np.uint8)
        names = ("live", "film")[:layers]
        self._shots = [
            Shot(tuple(Layer(name, n, 1 / layers) for name in names), 1.0, "cover")
            for n in range(screens)
        ]
        self._names, self._wall, self._clock = names, wall, HouseClock()
        self.thumbnails = Thumbnails(wall, file, tuple(range(screens)), screens, FPS)

    def block(self, *, is_on: bool) -> Spent:
        """Some frames, with the small pictures or without."""
        small = [0, 0]
        looks, began_ns = self.thumbnails.looks, processor_ns()
        for number in range(BLOCK_FRAMES):
            for name in self._names:
                self._wall.upload(name, self._pictures[number % 2])
            self._wall.draw(self._shots)
            self._wall.finish()
            self._wall.present()
            if is_on:
                before = processor_ns(), self._clock.now_ns()
                self.thumbnails.presented(None)
                small[0] += processor_ns() - before[0]
                small[1] += self._clock.now_ns() - before[1]
            self._wall.poll()
        return Spent(
            processor=(processor_ns() - began_ns) / BLOCK_FRAMES / 1e6,
            small_processor=small[0] / BLOCK_FRAMES / 1e6,
            small_clock=small[1] / BLOCK_FRAMES / 1e6,
            looks=(self.thumbnails.looks - looks) / BLOCK_FRAMES,
        )


def measured(bench: Bench, pairs: int) -> tuple[list[Spent], list[Spent]]:
    """So many blocks without and with, in turns; which comes first changes too."""
    for _ in range(WARM_UP_BLOCKS):
        bench.block(is_on=True)
        bench.block(is_on=False)
    without: list[Spent] = []
    with_them: list[Spent] = []
    for number in range(pairs):
        for is_on in (number % 2 == 1, number % 2 == 0):
            (with_them if is_on else without).append(bench.block(is_on=is_on))
    return without, with_them


def summary(without: Sequence[Spent], with_them: Sequence[Spent]) -> dict[str, float]:
    """Medians over the blocks, ms a frame and shares of one; ratios of pairs with their spread."""
    ratios = [b.processor / a.processor for a, b in zip(without, with_them, strict=True)]
    told = {
        "frame_ms": float(np.median([s.processor for s in without])),
        "small_ms": float(np.median([s.small_processor for s in with_them])),
        "small_clock_ms": float(np.median([s.small_clock for s in with_them])),
        "ratio": float(np.median(ratios)),
        "ratio_least": min(ratios),
        "ratio_most": max(ratios),
        "looks": float(np.mean([s.looks for s in with_them])),
    }
    told["share"] = told["small_ms"] * FPS / 1000
    told["share_clock"] = told["small_clock_ms"] * FPS / 1000
    return told


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 with a sentence where no wall can be opened."""
    parser = argparse.ArgumentParser(
        prog="python -m player.wall.thumbnail_bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--outputs", choices=["headless", "windows", "span"], default="headless")
    parser.add_argument("--size", default="256x256", metavar="WxH", help="of one screen")
    parser.add_argument("--screens", type=int, default=7)
    parser.add_argument("--picture", type=int, default=256, metavar="PX", help="side of a picture")
    parser.add_argument("--pairs", type=int, default=20, help="of blocks without and with")
    parser.add_argument("--fade", action="store_true", help="two pictures on every screen")
    parser.add_argument(
        "--calibrated", choices=sorted(CALIBRATIONS), help="every screen is, in this way"
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args(arguments)
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", args.size)
    if match is None:
        parser.error(f"{args.size!r} is no size; write it as in 1280x720")
    with tempfile.TemporaryDirectory() as folder:
        try:
            wall = open_wall(args.outputs, args.screens, (int(match[1]), int(match[2])))
        except OutputError as fault:
            print(fault, file=sys.stderr)
            return 1
        with closing(wall):
            for screen in range(args.screens if args.calibrated else 0):
                wall.set_calibration(screen, CALIBRATIONS[args.calibrated])
            layers = 2 if args.fade else 1
            bench = Bench(wall, args.screens, args.picture, layers, Path(folder) / "thumbnails")
            told = summary(*measured(bench, args.pairs))
            bench.thumbnails.close()
            words = ["faded"] * args.fade + [args.calibrated] * bool(args.calibrated)
            print(", ".join([wall.describe(), f"pictures of {args.picture} px", *words]))
    print(
        f"processor, ms a frame: without {told['frame_ms']:.2f}; the small pictures "
        f"{told['small_ms']:.2f}, {told['share']:.1%} of a frame's time "
        f"(on the clock {told['small_clock_ms']:.2f} ms, {told['share_clock']:.1%}); "
        f"with to without {told['ratio']:.3f} ({told['ratio_least']:.3f} to "
        f"{told['ratio_most']:.3f}); every screen in {args.screens / told['looks']:.1f} frames"
    )
    if args.json is not None:
        args.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
