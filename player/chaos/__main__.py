"""Break the installation on purpose: `python -m player.chaos [--seconds N] [--json FILE]`.

It plays the show without a display, kills and stops its processes at random times, and judges what
the seven screens show by pixels alone: docs/reliability.md.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from player.chaos.drill import Drill, Settings
from player.chaos.faults import planned
from player.chaos.house import House, HouseError, free_port, make_missing_films
from player.chaos.observer import Observer
from player.chaos.picture_match import every
from player.chaos.references import FilmReferenceError, references
from player.chaos.report import judged, table, worst
from player.chaos.trend import slope
from player.clock import HouseClock
from player.wall.front_buffer import FrontBufferReader
from shows.schema import ShowError
from shows.show_file import load_show

SCREEN_PX = 256
DEFAULT_SHOW = Path(__file__).resolve().parents[2] / "shows" / "inspace"
# A player's memory settles for so long: shaders, buffers, the allocator's own.
SETTLES_S = 600.0
ROLES = ("player", "live", "film")
INTERRUPTED = 130


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m player.chaos",
        description="Plays the show headless, kills and stops its processes at random times, and "
        "judges by the pixels of all screens whether the right frame was on. The exit status is "
        "1 if a figure misses its target. Linux only.",
    )
    parser.add_argument(
        "--seconds", type=_whole(5, 10**6), default=40, metavar="N", help="of play (default 40)"
    )
    parser.add_argument("--kills", type=_whole(0, 10**5), default=3, metavar="N", help="default 3")
    parser.add_argument("--hangs", type=_whole(0, 10**5), default=2, metavar="N", help="default 2")
    parser.add_argument(
        "--player-kills", type=_whole(0, 10**5), default=1, metavar="N", help="default 1"
    )
    parser.add_argument(
        "--ballad-changes",
        type=_whole(0, 10**5),
        default=0,
        metavar="N",
        help="with the worker killed in the middle; counted apart (default 0)",
    )
    parser.add_argument("--seed", type=_whole(0, 2**31), default=1, metavar="N", help="default 1")
    parser.add_argument("--show", type=Path, default=DEFAULT_SHOW, help="folder of the show")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="DIR",
        help="work in this folder and leave all there: log, journal, state, read films",
    )
    parser.add_argument(
        "--sabotage",
        action="store_true",
        help="play with the fallback switched off: this must fail",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """0: every figure is reached; 1: one is not, or it cannot be tried; 130: interrupted."""
    args = build_parser().parse_args(arguments)
    if sys.platform != "linux":
        print("player.chaos: it reads /proc, so it runs on Linux only.", file=sys.stderr)
        return 1
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    folder = args.keep or Path(tempfile.mkdtemp(prefix="inspace-chaos-"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        figures = _figures(args, folder, stop)
        if args.json is not None and figures is not None:
            args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    except (HouseError, FilmReferenceError, ShowError, OSError, ValueError) as fault:
        print(f"player.chaos: {fault}", file=sys.stderr)
        return 1
    finally:
        if args.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    if figures is None or stop.is_set():
        print("player.chaos: interrupted; nothing is judged.", file=sys.stderr)
        return INTERRUPTED
    return 0 if figures["passed"] else 1


def _figures(
    args: argparse.Namespace, folder: Path, stop: threading.Event
) -> dict[str, Any] | None:
    """The report; None if told to stop before the end. Prints the table."""
    show = load_show(args.show, latents=False)
    make_missing_films(args.show, stop)
    if stop.is_set():
        return None
    plan = planned(args.kills, args.hangs, args.player_kills, args.ballad_changes, args.seed)
    with tqdm(total=len(plan), unit="fault", disable=not sys.stderr.isatty()) as bar:

        def told(text: str) -> None:
            if text.startswith("fault"):
                bar.update()
            bar.set_postfix_str(text)

        films = references(show, SCREEN_PX, folder, told)
        clock, port = HouseClock(), free_port()
        front = folder / "front-buffer"
        front.unlink(missing_ok=True)
        (folder / "state.json").unlink(missing_ok=True)  # of an earlier run
        settings = show.settings
        fps = settings.fps
        drill_settings = Settings(
            seconds=args.seconds,
            plan=plan,
            seed=args.seed,
            fps=fps,
            change_s=float(settings.ballad_change_frames / fps),
            ballad_ids=show.ballad_ids,
        )
        with House(_words(args, folder, front, port), folder / "log.txt", port) as house:
            drill = Drill(
                drill_settings,
                house,
                FrontBufferReader(front, every(SCREEN_PX)),
                Observer(films, [screen.ballad for screen in settings.screens], fps),
                clock,
                told,
            )
            spent_s = own_cpu_s()
            drill.run(stop)
            seconds = drill.seconds
            spent_s = own_cpu_s() - spent_s
    if stop.is_set():
        return None
    figures = report(drill, seconds, args)
    figures["observer_cpu_share"] = round(spent_s / max(drill.elapsed_s, 0.001), 4)
    lines = judged(figures, len(plan))
    figures["passed"] = all(line.is_met is not False for line in lines)
    print(table(figures, lines))
    for words in drill.tally.worst[:5]:
        print(f"  wrong: {words}")
    if drill.tally.worst and args.keep is None:
        print("  with --keep DIR the log stays, to find out why")
    return figures


def _words(args: argparse.Namespace, folder: Path, front: Path, port: int) -> list[str]:
    size = f"{SCREEN_PX}x{SCREEN_PX}"
    words = [
        "supervise",
        "--show",
        str(args.show),
        "--outputs",
        "headless",
        "--size",
        size,
        "--plain",
    ]
    words += ["--front-buffer", str(front), "--osc-port", str(port)]
    words += ["--state", str(folder / "state.json"), "--journal", str(folder / "journal")]
    return [*words, "--no-fallback"] if args.sabotage else words


def own_cpu_s() -> float:
    """What this process has taken of the processors."""
    spent = os.times()
    return spent.user + spent.system


def report(drill: Drill, seconds: float, args: argparse.Namespace) -> dict[str, Any]:
    """All figures, without `passed`."""
    measured = drill.measured
    first, last = (measured[0].footprint, measured[-1].footprint) if measured else (None, None)
    tally = drill.tally
    return {
        **worst(drill.faults, drill.was_live_at_first),
        "black_frames": tally.black,
        "wrong_frames": tally.wrong,
        "wrong_frames_told": tally.worst,
        "single_screens_astray": tally.astray,
        "differing_frames": drill.differing,
        "frames_seen": tally.presents,
        "frames_unseen": tally.unseen,
        "start_to_first_picture_s": drill.first_picture_s,
        "rss_mb_slope_per_hour": slope([one.of() for one in measured], SETTLES_S).as_dict(),
        **{
            f"{role}_rss_mb_slope_per_hour": slope(
                [one.of(role) for one in measured], SETTLES_S
            ).as_dict()
            for role in ROLES
        },
        "rss_mb_first": first.rss_mb if first else None,
        "rss_mb_last": last.rss_mb if last else None,
        "descriptors_first": first.descriptors if first else None,
        "descriptors_last": last.descriptors if last else None,
        "shm_first": first.segments if first else None,
        "shm_last": last.segments if last else None,
        "measured": [
            {
                "run": one.run,
                "age_s": round(one.age_s, 1),
                "faults": one.faults,
                "rss_mb": one.footprint.rss_mb,
                "by_role": one.footprint.by_role,
            }
            for one in measured
        ],
        "seconds": round(seconds, 1),
        "seed": args.seed,
        "show": str(args.show),
        "sabotage": args.sabotage,
        "faults": [fault.as_dict() for fault in drill.faults],
    }


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if re.fullmatch(r"\d{1,12}", text) and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")

    return read


if __name__ == "__main__":
    sys.exit(main())
