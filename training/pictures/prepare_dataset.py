"""Make a data set archive of a folder of pictures.

Pictures under the least size are dropped; the rest are turned upright, converted to sRGB,
flattened, cropped to the centre square and resized (Lanczos with area support) to one size.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import zipfile
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from shows.picture_file import Colour, PictureError, parse_colour, read_picture
from training.errors import TrainingError

SUFFIXES = frozenset(
    ".png .jpg .jpeg .jpe .jfif .webp .tif .tiff .bmp .gif .ppm .pgm .jp2 .avif .tga".split()
)
SOME_DATE = (1980, 1, 1, 0, 0, 0)
LISTED_AT_MOST = 20


@dataclass(frozen=True)
class Recipe:
    """What is done to every picture; sizes in pixels, background as (r, g, b) in 0..255."""

    size_px: int
    min_size_px: int
    background: Colour


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    png: the finished square picture, or None if the file was dropped.
    dropped: "too small" or "broken" if it was dropped, else None; `detail` says more.
    size_px: width and height of the upright picture, or None if it could not be read.
    """

    file: str
    png: bytes | None
    dropped: str | None
    detail: str
    size_px: tuple[int, int] | None
    steps: tuple[str, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `prepare`."""
    parser.add_argument("source", type=Path, help="folder of pictures; folders in it are searched")
    parser.add_argument("out", type=Path, help="the archive to write, for example data/set.zip")
    parser.add_argument("--size", type=int, default=1024, help="side in pixels (default 1024)")
    parser.add_argument(
        "--min-size",
        type=int,
        default=800,
        help="drop what is narrower or lower than this many pixels (default 800)",
    )
    parser.add_argument(
        "--background", default="white", help="colour that alpha is flattened on (default white)"
    )
    parser.add_argument("--jobs", type=int, default=None, help="processes (default: all cores)")


def run(args: argparse.Namespace) -> int:
    """Carry out `prepare`; returns the exit code."""
    try:
        background = parse_colour(args.background)
    except ValueError as fault:
        raise TrainingError(
            f"--background {args.background}: there is no such colour; "
            "use a name such as white, or #rrggbb."
        ) from fault
    report = prepare(
        args.source,
        args.out,
        Recipe(args.size, args.min_size, background),
        jobs=_available_cores() if args.jobs is None else args.jobs,
    )
    print(describe(report))
    return 0


def prepare(source: Path, out: Path, recipe: Recipe, *, jobs: int = 1) -> dict[str, object]:
    """Write the archive `out` and its report `<out>.report.json`; returns the report.

    The archive depends on the pictures and their relative paths only, not on `jobs`. Raises
    TrainingError if the recipe is impossible, the folder is missing, or no picture is left.
    """
    _check(source, recipe, jobs)
    files, ignored = find_pictures(source)
    if not files:
        raise TrainingError(f"{source}: there are no picture files in this folder.")
    kept: list[Outcome] = []
    dropped: list[Outcome] = []
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(out.name + ".partial")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
            outcomes = convert_all(source, files, recipe, jobs)
            for outcome in tqdm(outcomes, total=len(files), unit="picture", desc="prepare"):
                if outcome.png is None:
                    dropped.append(outcome)
                    continue
                _write_entry(archive, archive_name(len(kept)), outcome.png)
                # the encoded picture is let go here: a large set would not fit in memory
                kept.append(replace(outcome, png=None))
            _write_entry(archive, "dataset.json", json.dumps({"labels": None}).encode())
        report = _report(source, out, recipe, kept, dropped, ignored)
        if not kept:
            raise TrainingError(f"{source}: no picture is left.\n{describe(report)}")
        os.replace(partial, out)
    finally:
        partial.unlink(missing_ok=True)
    _write_report(out.with_name(out.name + ".report.json"), report)
    return report


def archive_name(index: int) -> str:
    """The name that the common data set format gives picture `index`."""
    return f"{index // 1000:05d}/img{index:08d}.png"


def find_pictures(source: Path) -> tuple[list[str], list[str]]:
    """Relative paths (with /) of picture files, and of all other files; each sorted.

    Hidden files and folders are passed over.
    """
    pictures: list[str] = []
    others: list[str] = []
    for path in source.rglob("*"):
        relative = path.relative_to(source)
        if any(part.startswith(".") for part in relative.parts) or not path.is_file():
            continue
        is_picture = path.suffix.lower() in SUFFIXES
        (pictures if is_picture else others).append(relative.as_posix())
    return sorted(pictures), sorted(others)


def convert_all(source: Path, files: list[str], recipe: Recipe, jobs: int) -> Iterator[Outcome]:
    """The outcomes of `files`, in their order, made by `jobs` processes.

    Raises TrainingError if a process dies.
    """
    if jobs == 1:
        for file in files:
            yield convert(source, file, recipe)
        return
    # spawn on every system: a forked child inherits the locks of the parent's threads
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_ignore_interrupt)
    waiting: deque[Future[Outcome]] = deque()
    try:
        for file in files:
            waiting.append(pool.submit(convert, source, file, recipe))
            if len(waiting) >= 4 * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as fault:
        raise TrainingError(
            "a process that converts pictures died, most likely for want of memory; "
            "fewer of them may do: --jobs 1."
        ) from fault
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def convert(source: Path, file: str, recipe: Recipe) -> Outcome:
    """Make one file a square PNG of the recipe's size, or say why it is dropped."""
    try:
        picture = read_picture(source / file, recipe.background)
    except PictureError as fault:
        return Outcome(file, None, "broken", str(fault), None, ())
    width, height = picture.image.size
    if min(width, height) < recipe.min_size_px:
        detail = f"{width}x{height} pixels"
        return Outcome(file, None, "too small", detail, (width, height), picture.steps)
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    # cropped first: resize's own `box` lets the filter read pixels from outside it
    square = picture.image.crop((left, top, left + side, top + side)).resize(
        (recipe.size_px, recipe.size_px), Image.Resampling.LANCZOS
    )
    encoded = io.BytesIO()
    square.save(encoded, "PNG")
    return Outcome(file, encoded.getvalue(), None, "", (width, height), picture.steps)


def describe(report: dict[str, object]) -> str:
    """The report as lines for a person; long lists are cut, the file has all."""
    kept, dropped = report["kept"], report["dropped"]
    assert isinstance(kept, list) and isinstance(dropped, list)
    lines = [f"{report['out']}: {len(kept)} pictures of {report['size_px']} px"]
    lines += [f"  {count} {step}" for step, count in _step_counts(kept).items()]
    if enlarged := sum(entry["enlarged"] for entry in kept):
        lines.append(f"  {enlarged} enlarged (they are between the least size and the final one)")
    reasons = Counter(entry["reason"] for entry in dropped)
    if dropped:
        named = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
        lines.append(f"dropped {len(dropped)}: {named}")
    lines += [
        f"  {entry['file']}: {entry['reason']} ({entry['detail']})"
        for entry in dropped[:LISTED_AT_MOST]
    ]
    if len(dropped) > LISTED_AT_MOST:
        lines.append(f"  and {len(dropped) - LISTED_AT_MOST} more, see {report['out']}.report.json")
    ignored = report["not_pictures"]
    assert isinstance(ignored, list)
    if ignored:
        lines.append(f"{len(ignored)} files are not pictures by their name and were left out")
    return "\n".join(lines)


def _check(source: Path, recipe: Recipe, jobs: int) -> None:
    if not source.is_dir():
        raise TrainingError(f"{source}: there is no such folder.")
    if recipe.size_px < 4 or recipe.size_px & (recipe.size_px - 1):
        raise TrainingError(
            f"--size {recipe.size_px}: the networks need a power of two, for example 1024."
        )
    if recipe.min_size_px < 1:
        raise TrainingError(f"--min-size {recipe.min_size_px}: it must be at least 1.")
    if jobs < 1:
        raise TrainingError(f"--jobs {jobs}: it must be at least 1.")


def _report(
    source: Path,
    out: Path,
    recipe: Recipe,
    kept: list[Outcome],
    dropped: list[Outcome],
    ignored: list[str],
) -> dict[str, object]:
    return {
        "source": source.as_posix(),
        "out": out.as_posix(),
        "size_px": recipe.size_px,
        "min_size_px": recipe.min_size_px,
        "background": "#{:02x}{:02x}{:02x}".format(*recipe.background),
        "kept": [
            {
                "picture": archive_name(index),
                "file": outcome.file,
                "size_px": outcome.size_px,
                "steps": outcome.steps,
                "enlarged": min(outcome.size_px or (0, 0)) < recipe.size_px,
            }
            for index, outcome in enumerate(kept)
        ],
        "dropped": [
            {"file": outcome.file, "reason": outcome.dropped, "detail": outcome.detail}
            for outcome in dropped
        ],
        "not_pictures": ignored,
    }


def _step_counts(kept: list[dict[str, object]]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for entry in kept:
        steps = entry["steps"]
        assert isinstance(steps, tuple)
        counts.update(steps)
    return dict(sorted(counts.items()))


def _write_entry(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    # a fixed date: the same pictures give the same archive, byte for byte
    archive.writestr(zipfile.ZipInfo(name, SOME_DATE), content)


def _write_report(path: Path, report: dict[str, object]) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, path)


def _available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _ignore_interrupt() -> None:
    # Ctrl-C goes to the whole group; the parent alone decides what it means
    signal.signal(signal.SIGINT, signal.SIG_IGN)
