"""Play the installation: `python run_installation.py [play] [options]`; --help tells the rest."""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

DEFAULT_SHOW = Path(__file__).resolve().parent / "shows" / "inspace"


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="run_installation.py",
        description="Shows a set of ballads on several screens, drawn live by a generator.",
        epilog="Without a display it plays headless. Esc, q, Ctrl-C and SIGTERM end it.",
    )
    parser.add_argument(
        "command",
        nargs="?",
        choices=["play", "monitors"],
        default="play",
        help="play the show (default), or list this machine's monitors for a machine file",
    )
    parser.add_argument("--show", type=Path, default=DEFAULT_SHOW, help="folder of the show")
    parser.add_argument(
        "--mode",
        choices=["auto", "live", "film", "slate"],
        default="auto",
        help="auto: live, and stills when that fails; live: end if the engine cannot start; "
        "film: from films; slate: the paintings as stills (default: auto)",
    )
    parser.add_argument(
        "--outputs",
        choices=["windows", "span", "headless"],
        help="windows: one for each monitor; span: one over all; headless: no display, drawing "
        "all the same (default: windows, headless without a display)",
    )
    parser.add_argument(
        "--size",
        type=_size,
        metavar="WxH",
        help="size of one screen in pixels (default: the monitor's; headless 256x256)",
    )
    parser.add_argument(
        "--machine",
        type=Path,
        metavar="FILE",
        help="what hangs on this machine and where, see docs/machine.md (default: one screen a "
        "monitor, from the left)",
    )
    parser.add_argument(
        "--node",
        metavar="NAME",
        help="play this machine's part of a show on several, as listed in show.yaml: docs/sync.md",
    )
    parser.add_argument(
        "--stamp", action="store_true", help="show the frame number's strip on every picture"
    )
    parser.add_argument(
        "--front-buffer",
        type=Path,
        metavar="FILE",
        help="headless: keep what the screens show in this file, for programs that watch it",
    )
    parser.add_argument("--frames", type=_count, metavar="N", help="end after N frames")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write the frame report as JSON"
    )
    parser.add_argument("--osc-port", type=int, default=9000, metavar="PORT", help="default 9000")
    parser.add_argument("--osc-host", default="127.0.0.1", metavar="HOST", help="default 127.0.0.1")
    parser.add_argument(
        "--snapshot", type=Path, metavar="DIR", help="write what each screen last showed as PNG"
    )
    parser.add_argument(
        "--threads",
        type=_count,
        default=max(1, (os.cpu_count() or 2) // 2),
        metavar="N",
        help="engine threads on a CPU (default: half of the cores, %(default)s; the others draw)",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; returns the exit status: 0 for a clean end, 1 for a sentence on standard error."""
    args = build_parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        from player.application import ApplicationError, Options, monitors, play
    except KeyboardInterrupt:  # nothing has been opened yet
        return 0
    try:
        if args.command == "monitors":
            print(monitors())
            return 0
        play(
            Options(
                show=args.show,
                mode=args.mode,
                outputs=args.outputs,
                size=args.size,
                frames=args.frames,
                machine=args.machine,
                node=args.node,
                stamp=args.stamp,
                front=args.front_buffer,
                report=args.report,
                snapshot=args.snapshot,
                osc_host=args.osc_host,
                osc_port=args.osc_port,
                threads=args.threads,
            )
        )
    except ApplicationError as fault:
        print(f"run_installation.py: {fault}", file=sys.stderr)
        return 1
    return 0


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write it as in 1920x1080")
    return int(match[1]), int(match[2])


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,11}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no count; give a whole number from 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
