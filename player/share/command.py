"""`run_installation.py share`: send what the screens show to other programs.

A process of its own, which reads what the player keeps in its front buffer. It may end, or be
ended, and the show goes on; if the player ends, the last picture is sent until it is back.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from fractions import Fraction
from functools import partial
from pathlib import Path

from player.clock import HouseClock
from player.share.outlets import WAYS, OutletError, opened, way
from player.share.pace import Pace
from player.share.sharing import Outlets, Stream, share
from player.stop_signals import stop_on_signals
from player.wall.front_buffer import FrontBufferError, FrontBufferReader, usual_path
from shows.schema import ShowError
from shows.show_file import load_show

MOST_FPS = 240
BEHIND_THE_PLAYER = 5  # niceness: where processors are few, the show has them


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb `share`. The caller sets the default of `show`."""
    parser.add_argument(
        "--to",
        required=True,
        choices=WAYS,
        help="ndi: the network; v4l2: a virtual camera of Linux; spout: programs on this Windows "
        "machine; syphon: on this Mac. Spout and Syphon were never tried with this player",
    )
    parser.add_argument(
        "--screen",
        type=_number,
        nargs="+",
        metavar="N",
        help="these screens, from 1, each as a stream of its own (default: all, side by side)",
    )
    parser.add_argument(
        "--fps",
        type=_fps,
        metavar="N",
        help="pictures a second, 30 or 30000/1001 (default: the show's)",
    )
    parser.add_argument(
        "--name",
        help="by which receivers find it, with the screen's number after it (default: the show's "
        "title); with v4l2 a device as /dev/video10 (default: the first free one)",
    )
    parser.add_argument(
        "--front-buffer",
        type=Path,
        metavar="FILE",
        help="of the player, which is started with --front-buffer too (default: where a player on "
        "OSC port 9000 keeps it)",
    )
    parser.add_argument("--show", type=Path, metavar="DIR", help="folder of the show")


def run(args: argparse.Namespace) -> int:
    """Share until Ctrl-C or SIGTERM: 0; 1 with a sentence on standard error."""
    try:
        _run(args)
    except (OutletError, FrontBufferError, ShowError) as fault:
        print(f"run_installation.py share: {fault}", file=sys.stderr)
        return 1
    return 0


def streams_of(title: str, name: str | None, screens: list[int] | None, to: str) -> list[Stream]:
    """screens: from 1; None: all in one. Raises OutletError."""
    if screens is None:
        return [Stream(name or title, None)]
    if to == "v4l2":
        if name is not None and len(screens) > 1:
            raise OutletError("--name is one device and --screen names several screens.")
        return [Stream(name or title, place) for place in range(len(screens))]
    return [Stream(f"{name or title} {n}", place) for place, n in enumerate(screens)]


def _run(args: argparse.Namespace) -> None:
    chosen = way(args.to)
    settings = load_show(args.show, latents=False).settings
    player_fps = settings.fps
    fps: Fraction = args.fps or player_fps
    screens = list(dict.fromkeys(args.screen)) if args.screen else None
    streams = streams_of(settings.title, args.name, screens, args.to)
    path = args.front_buffer or usual_path(9000)
    places = None if screens is None else [number - 1 for number in screens]
    outlets = Outlets(streams, partial(opened, chosen, fps))
    stopped = stop_on_signals()
    if hasattr(os, "nice"):
        os.nice(BEHIND_THE_PLAYER)
    _tell(f"Sharing by {chosen.title}, {float(fps):g} pictures a second; Ctrl-C ends it.")
    with contextlib.closing(outlets):
        reader = FrontBufferReader(path, places=places)
        counts = share(reader, outlets, Pace.of(fps, player_fps), HouseClock(), _tell, stopped)
    _tell(f"{counts.sent} pictures sent, {counts.again} of them again; the show goes on.")


def _tell(sentence: str) -> None:
    print(sentence, flush=True)


def _number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no screen; they count from 1")
    return int(text)


def _fps(text: str) -> Fraction:
    try:
        fps = Fraction(text)
    except (ValueError, ZeroDivisionError):
        fps = Fraction(0)
    if not 0 < fps <= MOST_FPS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no rate up to {MOST_FPS}; write it as in 30 or 30000/1001"
        )
    return fps
