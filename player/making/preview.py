"""`run_installation.py preview`: one ballad to look at before anybody else does.

A small window that plays it. Or a contact sheet: each painting beside what is shown of it, of its
loop and of the morph to the next; and a film of one cycle, small. All are drawn by the show's own
engine and timeline.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from player.films.film_facts import FilmError
from player.live.synthesis_worker import WorkerError
from player.made_folder import made_folder
from player.making.preview_window import show_window
from player.picture_book.sheet import film, save, sheet
from player.picture_book.stage import Stage, ballad_ws
from player.slate_source import read_painting
from player.stop_signals import stop_on_signals
from player.this_program import program_name
from player.wall.look import Look
from player.wall.outputs import OutputError, has_display
from shows.picture_file import PictureError
from shows.schema import ShowError
from shows.show import Show
from shows.show_file import load_show, resolve_ballad

Pixels = NDArray[np.uint8]
SIDE_PX = 256
WINDOW_PX = 512
EVERY = 2
AT_ONCE = 16  # pictures of one call of the engine
LOOK = Look(sharp=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb `preview`. The caller sets the default of `show`."""
    parser.add_argument(
        "show", nargs="?", type=Path, metavar="DIR", help="folder of the show (default: shipped)"
    )
    parser.add_argument(
        "--ballad", default="1", metavar="NAME", help="id, title or number from 1 (default: 1)"
    )
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--window",
        action="store_true",
        help="play it in a small window: space pauses, the arrows leap from painting to painting, "
        "Esc ends it (default where there is a display)",
    )
    kind.add_argument(
        "--sheet",
        action="store_true",
        help="make a contact sheet and a film (default without a display, and with --out or "
        "--every)",
    )
    parser.add_argument(
        "--size",
        type=_side,
        default=WINDOW_PX,
        metavar="PX",
        help="side of the window to begin with (default: %(default)s)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="FILE.png: the sheet; FILE.mp4: the film; without an ending: both (default: "
        "work/BALLAD/preview in the show's folder)",
    )
    parser.add_argument(
        "--every",
        type=_every,
        metavar="N",
        help=f"every n-th frame, for a film that is made sooner (default: {EVERY})",
    )


def run(args: argparse.Namespace) -> int:
    """The verb: 0; 1 with a sentence on standard error; 130 after Ctrl-C, and nothing is left."""
    threads = max(1, (os.cpu_count() or 2) // 2)
    try:
        show = load_show(args.show)
        ballad = resolve_ballad(show, args.ballad)
        if _is_for_a_window(args):
            stop = stop_on_signals()
            show_window(show, ballad, side_px=args.size, threads=threads, stop=stop)
            return 0
        out = args.out or made_folder(show.folder) / "work" / ballad / "preview"
        _make_files(show, ballad, out, args.every or EVERY, threads)
    except KeyboardInterrupt:
        print("Stopped; an unfinished film is taken away.", file=sys.stderr)
        return 130
    except (ShowError, PictureError, OutputError, WorkerError, FilmError, OSError) as fault:
        print(f"{program_name()} preview: {str(fault).rstrip('.')}.", file=sys.stderr)
        return 1
    return 0


def _is_for_a_window(args: argparse.Namespace) -> bool:
    """Raises ShowError where there can be none, or files are asked for besides."""
    wants_files = args.sheet or args.out is not None or args.every is not None
    if args.window and wants_files:
        raise ShowError("--window makes no files: leave out --out and --every.")
    is_seen = not wants_files and has_display()
    if args.window and not is_seen:
        raise ShowError(
            "there is no display here, so no window can be opened; --sheet makes a contact sheet "
            "and a film."
        )
    return is_seen


def _make_files(show: Show, ballad_id: str, out: Path, every: int, threads: int) -> None:
    if out.suffix not in ("", ".png", ".mp4"):
        raise ShowError(f"--out: {out} must end in .png or .mp4, or in neither for both.")
    out.parent.mkdir(parents=True, exist_ok=True)
    with Stage(show, threads=threads) as stage:
        if out.suffix != ".mp4":
            draw_sheet(stage, ballad_id, out.with_suffix(".png"))
        if out.suffix != ".png":
            make_film(stage, ballad_id, out.with_suffix(".mp4"), every)


def draw_sheet(stage: Stage, ballad_id: str, path: Path) -> None:
    """A row a painting: the picture, its w, the middle and the end of its loop, half of the morph.

    Raises PictureError, OSError.
    """
    show = stage.show
    settings = show.settings
    loop = settings.stops * settings.frames_per_stop
    moments = {
        "shown": 0,
        "half of its loop": loop // 2,
        "end of its loop": loop,
        "half of the morph": loop + settings.morph_frames // 2,
    }
    rows = []
    for index, painting in enumerate(show.ballad(ballad_id).paintings):
        first = index * show.segment_frames
        ws = [ballad_ws(show, ballad_id, first + frame) for frame in moments.values()]
        drawn = [_shown(stage, picture) for picture in stage.pictures(ws)]
        picture = read_painting(show.painting_path(ballad_id, index), painting, SIDE_PX)[..., :3]
        rows.append(
            [(f"{index + 1} {painting.id}"[:30], picture), *zip(moments, drawn, strict=True)]
        )
    save(sheet(rows), path)
    print(path)


def make_film(stage: Stage, ballad_id: str, path: Path, every: int) -> None:
    """One cycle, every n-th frame of it, as long as it is. Raises FilmError, OSError."""
    show = stage.show
    frames = range(0, show.cycle_frames(ballad_id), every)
    with tqdm(total=len(frames), desc=path.name, unit="frame", disable=None) as bar:
        film(path, show.settings.fps / every, _cycle(stage, show, ballad_id, frames, bar))
    print(path)


def _cycle(
    stage: Stage, show: Show, ballad_id: str, frames: range, bar: tqdm[Any]
) -> Iterator[Pixels]:
    for first in range(0, len(frames), AT_ONCE):
        ws = [ballad_ws(show, ballad_id, frame) for frame in frames[first : first + AT_ONCE]]
        for picture in stage.pictures(ws):
            yield _shown(stage, picture)
            bar.update()


def _shown(stage: Stage, picture: Pixels) -> Pixels:
    return stage.shown(picture[None], (SIDE_PX, SIDE_PX), LOOK)


def _every(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 1000):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to 1000")
    return int(text)


def _side(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 64 <= int(text[:9]) <= 4096):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of pixels from 64 to 4096")
    return int(text)
