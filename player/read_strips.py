"""`python -m player.read_strips`: which frame every screen of a screenshot shows."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from player.cards.strip_reader import Reading, decode_wall
from player.wall.monitors import Area, columns
from shows.picture_file import PictureError, read_picture

MOST_COLUMNS = 64


@dataclass(frozen=True)
class ScreenReading:
    """One screen of one picture: `screen` counts from 1 within its picture."""

    picture: str
    screen: int
    frame: int | None
    fault: str


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m player.read_strips",
        description="Reads the frame strips (--stamp, /identify) in screenshots or photographs.",
        epilog="Exit status: 0 if every screen was read and all show one frame, 1 if not, 2 if a "
        "picture or an argument cannot be used.",
    )
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE", help="PNG, JPEG ...")
    layout = parser.add_mutually_exclusive_group()
    layout.add_argument(
        "--columns",
        type=_count,
        default=1,
        metavar="N",
        help="each picture is N screens side by side, equally wide (default: one screen)",
    )
    layout.add_argument(
        "--areas",
        type=_area,
        nargs="+",
        metavar="X,Y,W,H",
        help="where in each picture the screens are, in pixels from the top left",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the readings as JSON")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Read and print; returns the exit status."""
    args = build_parser().parse_args(arguments)
    readings: list[ScreenReading] = []
    try:
        for path in args.pictures:
            picture = np.asarray(read_picture(path).image, np.uint8)
            found = read_wall(picture, args.areas, args.columns)
            readings += [
                ScreenReading(str(path), number, one.frame, one.fault)
                for number, one in enumerate(found, start=1)
            ]
    except (PictureError, ValueError) as fault:
        print(f"{path}: {fault}", file=sys.stderr)
        return 2
    print(as_text(readings))
    if args.json is not None:
        try:
            args.json.write_text(as_json(readings), encoding="utf-8")
        except OSError as fault:
            print(f"{args.json}: could not be written ({fault.strerror})", file=sys.stderr)
            return 2
    return 0 if agree(readings) else 1


def read_wall(
    picture: NDArray[np.uint8], areas: Sequence[Area] | None, count: int
) -> tuple[Reading, ...]:
    """The readings of a picture [H, W, 3], by areas or else in `count` equal columns.

    Raises ValueError if the picture is narrower than its columns.
    """
    height, width = picture.shape[:2]
    if areas is None and count > width:
        raise ValueError(f"{width} pixels across cannot hold {count} screens")
    return decode_wall(picture, areas or columns(Area(0, 0, width, height), count))


def agree(readings: Sequence[ScreenReading]) -> bool:
    """Whether every screen was read and all show one frame."""
    frames = {one.frame for one in readings}
    return len(frames) == 1 and None not in frames


def as_text(readings: Sequence[ScreenReading]) -> str:
    """A line for each screen and one for them all."""
    several = len({one.picture for one in readings}) > 1
    lines = [
        (f"{one.picture}: " if several else "")
        + f"screen {one.screen}: "
        + (one.fault if one.frame is None else f"frame {one.frame}")
        for one in readings
    ]
    return "\n".join([*lines, _summary(readings)])


def as_json(readings: Sequence[ScreenReading]) -> str:
    """The readings as JSON: `agree`, `frame` (the common one or null), `screens`."""
    screens = [
        {"picture": one.picture, "screen": one.screen, "frame": one.frame}
        | ({"fault": one.fault} if one.frame is None else {})
        for one in readings
    ]
    common = agree(readings)
    frame = readings[0].frame if common else None
    return json.dumps({"agree": common, "frame": frame, "screens": screens}, indent=2) + "\n"


def _summary(readings: Sequence[ScreenReading]) -> str:
    frames = [one.frame for one in readings if one.frame is not None]
    unread = len(readings) - len(frames)
    if agree(readings):
        return f"{len(readings)} of {len(readings)} screens show frame {frames[0]}"
    if not frames:
        return f"none of {len(readings)} screens could be read"
    spread = max(frames) - min(frames)
    said = "all that were read show one frame" if not spread else f"they differ by {spread} frames"
    return f"{said}; {unread} of {len(readings)} screens could not be read"


def _area(text: str) -> Area:
    match = re.fullmatch(r"(\d{1,6}),(\d{1,6}),([1-9]\d{0,5}),([1-9]\d{0,5})", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is no area; write it as in 1920,0,1080,1920")
    x, y, width, height = map(int, match.groups())
    return Area(x, y, width, height)


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d?", text) or int(text) > MOST_COLUMNS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no count of screens from 1 to {MOST_COLUMNS}"
        )
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
