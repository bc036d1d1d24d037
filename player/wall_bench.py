"""What a wall costs, stage by stage, with nothing else going on.

    python -m player.wall_bench [--outputs headless|windows|span] [--size 1280x720] [--json FILE]

Uploads new pictures for every frame, draws them on all screens and presents them, as fast as it
goes, and prints milliseconds a frame for each stage. A presenting window waits for its monitor's
refresh: there `swap` is no cost of ours.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np

from player.clock import HouseClock
from player.frame_report import Spread
from player.wall.contract import Wall
from player.wall.look import Look
from player.wall.outputs import OutputError, open_wall
from player.wall.shots import Layer, Shot
from shows.schema import Surface

STAGES = ("upload", "draw", "swap", "all")


def measured(
    wall: Wall, screens: int, picture_px: int, frames: int, fade: bool
) -> dict[str, Spread]:
    """Milliseconds of each stage. fade: every screen shows two pictures cross-faded."""
    clock = HouseClock()
    rng = np.random.default_rng(0)
    shape = (screens, picture_px, picture_px, 4)
    pictures = [rng.integers(0, 256, shape, np.uint8) for _ in range(2)]
    wall.upload("slate", pictures[0])
    spreads = {stage: Spread() for stage in STAGES}
    for number in range(frames + 10):
        began_ns = clock.now_ns()
        wall.upload("live", pictures[number % 2])
        uploaded_ns = clock.now_ns()
        live = [Layer("live", screen, 0.5 if fade else 1.0) for screen in range(screens)]
        under = [(Layer("slate", screen, 0.5),) if fade else () for screen in range(screens)]
        wall.draw([Shot((*a, b), 1.0, "cover") for a, b in zip(under, live, strict=True)])
        wall.finish()
        drawn_ns = clock.now_ns()
        wall.present()
        presented_ns = clock.now_ns()
        wall.poll()
        if number < 10:
            continue
        marks = (uploaded_ns - began_ns, drawn_ns - uploaded_ns, presented_ns - drawn_ns)
        for stage, ns in zip(STAGES, (*marks, sum(marks)), strict=True):
            spreads[stage].add(ns / 1e6)
    return spreads


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 with a sentence where no wall can be opened."""
    parser = argparse.ArgumentParser(
        prog="python -m player.wall_bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--outputs", choices=["headless", "windows", "span"], default="headless")
    parser.add_argument("--size", default="256x256", metavar="WxH", help="of one screen")
    parser.add_argument("--screens", type=int, default=7)
    parser.add_argument("--picture", type=int, default=256, metavar="PX", help="side of a picture")
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--fade", action="store_true", help="two pictures on every screen")
    parser.add_argument("--sharp", action="store_true", help="enlarged with edges kept")
    parser.add_argument("--surface", choices=get_args(Surface), default="none")
    parser.add_argument("--front-buffer", type=Path, metavar="FILE", help="kept too")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args(arguments)
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", args.size)
    if match is None:
        parser.error(f"{args.size!r} is no size; write it as in 1280x720")
    try:
        size_px = int(match[1]), int(match[2])
        wall = open_wall(args.outputs, args.screens, size_px, front=args.front_buffer)
    except OutputError as fault:
        print(fault, file=sys.stderr)
        return 1
    look = Look(sharp=args.sharp, surface=args.surface)
    for screen in range(args.screens):
        wall.set_look(screen, look)
    spreads = measured(wall, args.screens, args.picture, args.frames, args.fade)
    told = {stage: spread.as_dict() for stage, spread in spreads.items()}
    words = [f"pictures of {args.picture} px"]
    words += ["faded"] * args.fade + ["sharp"] * look.sharp
    words += [look.surface] * (look.surface != "none")
    print(f"{wall.describe()}; {', '.join(words)}")
    wall.close()
    for stage, figures in told.items():
        print(f"{stage:>8}  p50 {figures['p50']} ms, p99 {figures['p99']} ms")
    if args.json is not None:
        args.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
