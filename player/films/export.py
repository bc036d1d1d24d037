"""`run_installation.py export`: ballads to films, by the show's own timeline and engine."""

from __future__ import annotations

import argparse
import ctypes
import errno
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, get_args

from tqdm import tqdm

from player.clock import HouseClock
from player.films.codecs import CodecName, bytes_needed
from player.films.contact import make_press_film, press_films
from player.films.export_plan import (
    ExportError,
    ExportOptions,
    Place,
    Plan,
    place_of,
    plan_of,
    visible_device,
)
from player.films.export_report import ExportReport
from player.films.film_facts import FilmError
from player.films.film_maker import FilmMaker
from player.films.film_parts import FolderLock
from player.live.worker_process import WORKER_ENVIRONMENT

__all__ = ["ExportError", "ExportOptions", "ExportReport", "add_arguments", "export", "run"]

_SPARE_BYTES = 64 * 2**20
_IDLE_PRIORITY_CLASS = 0x40  # SetPriorityClass, Windows
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4  # mallopt(3)


def export(options: ExportOptions, *, stop: Callable[[], bool]) -> ExportReport:
    """Make films, and whatever else the options ask for; finished parts and films stay whatever
    happens, and the same call goes on from there.

    stop: asked between batches of pictures; after True it ends soon and cleanly.
    Raises ExportError with a sentence.
    """
    place = place_of(os.environ)
    if place.world > 1 and not options.resume:
        raise ExportError(
            "--fresh works in one process only: delete the folder .parts and the films instead."
        )
    plan = plan_of(options)
    try:
        (plan.folder / ".parts").mkdir(parents=True, exist_ok=True)
        with FolderLock(plan.folder / ".parts", place.rank):
            return _export(plan, options, place, stop)
    except ExportError:
        raise
    except FilmError as fault:
        raise ExportError(str(fault)) from fault
    except OSError as fault:
        raise ExportError(_disk_sentence(plan.folder, fault)) from fault


def _export(
    plan: Plan, options: ExportOptions, place: Place, stop: Callable[[], bool]
) -> ExportReport:
    clock = HouseClock()
    bar: tqdm[Any] = tqdm(desc="films", unit="frame", disable=None, dynamic_ncols=True)
    with bar, ExitStack() as tidying:
        maker = FilmMaker(plan, options, place, clock=clock, stop=stop, rendered=_count_on(bar))
        tidying.callback(maker.parts.sweep, place.world)
        maker.parts.sweep(place.world)
        films = [film for film in plan.films if not maker.is_finished(film)]
        skipped = tuple(film.facts.ballad for film in plan.films if film not in films)
        if not films and not options.edit and not options.contact:
            return ExportReport(skipped=skipped, folder=str(plan.folder))
        _require_room(plan, options, sum(film.facts.frames for film in films))
        codec = maker.agree()
        if codec is None:
            return ExportReport(skipped=skipped, folder=str(plan.folder), stopped=True)
        bar.reset(total=sum(film.facts.frames for film in films) // place.world)
        started_ns = clock.now_ns()
        done = maker.make(films, codec) if films else []
        press: tuple[str, ...] = ()
        if place.rank == 0 and not stop():
            press = _press(maker, options, bar)
        seconds = (clock.now_ns() - started_ns) / 1e9
    drawing = maker.drawing if maker.has_drawn else None
    worst_db = maker.worst_psnr_db
    return ExportReport(
        films=tuple(film.facts.ballad for film in done),
        skipped=skipped,
        press=press,
        frames=drawing.frames if drawing else 0,
        seconds=seconds,
        engine_seconds=drawing.engine_ns / 1e9 if drawing else 0.0,
        worst_psnr_db=worst_db if worst_db != float("inf") else None,
        codec=codec.settings,
        engine=maker.engine_words,
        folder=str(plan.folder),
        stopped=stop(),
    )


def _press(maker: FilmMaker, options: ExportOptions, bar: tqdm[Any]) -> tuple[str, ...]:
    films = press_films(maker.plan, edit=options.edit, contact=options.contact)
    bar.total = (bar.total or 0) + sum(film.frames for film in films)
    return tuple(film.name for film in films if make_press_film(maker, film, _count_on(bar)))


def _count_on(bar: tqdm[Any]) -> Callable[[int], None]:
    def count(frames: int) -> None:
        bar.update(frames)

    return count


def _require_room(plan: Plan, options: ExportOptions, frames: int) -> None:
    # every film once, and the longest twice while its parts are joined
    longest = max((film.facts.frames for film in plan.films), default=0)
    parts = (plan.folder / ".parts").iterdir()
    there = sum(part.stat().st_size for part in parts if part.is_file())
    needed = bytes_needed(options.codec, plan.size_px, frames + longest) + _SPARE_BYTES - there
    free = shutil.disk_usage(plan.folder).free
    if free < needed:
        raise ExportError(
            f"The disk of {plan.folder} has {free / 1e9:.1f} GB left, and the films may need "
            f"{needed / 1e9:.1f} GB; make room, or choose another disk with --out."
        )


def _disk_sentence(folder: Path, fault: OSError) -> str:
    words = fault.strerror or str(fault)
    if fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return (
            f"The disk of {folder} is full ({words}); make room and run the same command again: "
            "finished parts are kept."
        )
    where = f" ({fault.filename})" if fault.filename else ""
    return (
        f"{folder} cannot be written: {words}{where}; make it writable, or choose another folder "
        "with --out."
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb `export`. The caller sets the default of `show`."""
    parser.add_argument("--show", type=Path, metavar="DIR", help="folder of the show")
    parser.add_argument(
        "--ballad",
        action="extend",
        nargs="+",
        default=[],
        metavar="NAME",
        help="only these: ids, titles or numbers from 1 (default: all)",
    )
    parser.add_argument(
        "--cycles",
        type=_count,
        metavar="N",
        help="cycles of a film (default: as many as live pictures repeat after)",
    )
    again = parser.add_mutually_exclusive_group()
    again.add_argument(
        "--resume",
        action="store_true",
        default=True,
        help="go on from what an earlier run has finished (this is the default)",
    )
    again.add_argument(
        "--fresh", action="store_true", help="render anew, whatever is there already"
    )
    parser.add_argument(
        "--codec",
        choices=get_args(CodecName),
        default="h264",
        help="png: a folder of pictures; prores: a .mov for editing (default: h264)",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of the films (default: films in the show's)"
    )
    parser.add_argument(
        "--threads",
        type=_count,
        default=max(1, (os.cpu_count() or 2) // 2),
        metavar="N",
        help="engine threads on a CPU (default: half of the cores, %(default)s)",
    )
    parser.add_argument("--idle", action="store_true", help="work only when nothing else does")
    parser.add_argument(
        "--edit", action="store_true", help="also edit.mp4: 55 s through all ballads, for the press"
    )
    parser.add_argument(
        "--contact", action="store_true", help="also contact.mp4: all screens in one film of 60 s"
    )
    parser.add_argument(
        "--missing", action="store_true", help="only what the player has no film of"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")


def run(args: argparse.Namespace) -> int:
    """The verb: 0; 1 with a sentence on standard error; 130 after Ctrl-C or SIGTERM."""
    options = ExportOptions(
        show=args.show,
        ballads=tuple(args.ballad),
        cycles=args.cycles,
        resume=not args.fresh,
        codec=args.codec,
        out=args.out,
        threads=args.threads,
        idle=args.idle,
        edit=args.edit,
        contact=args.contact,
        missing=args.missing,
        factory=getattr(args, "factory", None) or ExportOptions.factory,
    )
    stopped = _stop_on_signals()
    _prepare_process(options)
    try:
        report = export(options, stop=stopped)
        if args.json is not None:
            args.json.write_text(json.dumps(report.as_dict(), indent=1) + "\n", encoding="utf-8")
    except ExportError as fault:
        print(fault, file=sys.stderr)
        return 1
    except OSError as fault:
        print(f"{args.json} cannot be written: {fault.strerror or fault}.", file=sys.stderr)
        return 1
    print(report.sentence(), file=sys.stderr)
    return 130 if report.stopped else 0


def _prepare_process(options: ExportOptions) -> None:
    """What has to be so before the engine's libraries are loaded."""
    if options.idle:
        _become_idle()
    device = visible_device(os.environ)
    if device is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = device
    for name, value in WORKER_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # the allocator has read its own of these at the start of the process: tell it now
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        for option, value in (
            (_M_MMAP_MAX, "MALLOC_MMAP_MAX_"),
            (_M_TRIM_THRESHOLD, "MALLOC_TRIM_THRESHOLD_"),
            (_M_TOP_PAD, "MALLOC_TOP_PAD_"),
        ):
            if mallopt is not None:
                mallopt(option, int(WORKER_ENVIRONMENT[value]))


def _become_idle() -> None:
    if sys.platform == "win32":
        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), _IDLE_PRIORITY_CLASS)
        return
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except (AttributeError, OSError):  # no Linux, or forbidden in here
        os.nice(19)


def _stop_on_signals() -> Callable[[], bool]:
    """True from the first SIGINT or SIGTERM on; a second one ends the process as ever."""
    received: list[int] = []

    def note(number: int, _frame: object) -> None:
        received.append(number)
        signal.signal(number, signal.SIG_DFL)

    signal.signal(signal.SIGINT, note)
    signal.signal(signal.SIGTERM, note)
    return lambda: bool(received)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)
