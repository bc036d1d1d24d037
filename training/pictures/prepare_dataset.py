"""Make a data set archive of a folder of pictures.

Pictures under the least size, near duplicates, and pictures whose licence forbids modification are
dropped; the rest are turned upright, converted to sRGB, flattened, cropped to the centre square and
resized (Lanczos with area support) to one size. What is finished lies in OUT.work until the
archive is complete: stopped or killed, the same command goes on from there.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from shows.picture_file import parse_colour
from training.errors import TrainingError
from training.pictures.near_duplicates import LOOK_BITS, resembling
from training.pictures.prepare_archive import archive_name, write_archive
from training.pictures.prepare_files import written_whole
from training.pictures.prepare_picture import Recipe
from training.pictures.prepare_pool import Job, Outcome, convert_all
from training.pictures.prepare_records import WorkFolder
from training.pictures.prepare_report import Dropped, Kept, Report
from training.pictures.prepare_sources import Sources, find_sources


@dataclass(frozen=True)
class Choice:
    """What may stay. near_duplicates: pictures that differ in no more bits of their hash count as
    the same, None to keep all. any_licence: also what must not be modified."""

    near_duplicates: int | None = 4
    any_licence: bool = False


@dataclass(frozen=True)
class Prepared:
    """A finished archive's report, and the run's own figures: pictures converted, in seconds."""

    report: Report
    fresh: int
    seconds: float


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
    parser.add_argument(
        "--near-duplicates",
        type=int,
        default=4,
        metavar="BITS",
        help="of pictures whose perceptual hashes (64 bits) differ in at most so many bits, keep "
        "the largest (default 4)",
    )
    parser.add_argument("--keep-duplicates", action="store_true", help="keep all of them")
    parser.add_argument(
        "--any-licence",
        action="store_true",
        help="keep pictures too whose provenance names no licence that allows modification",
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
    jobs = _available_cores() if args.jobs is None else args.jobs
    near_duplicates = None if args.keep_duplicates else args.near_duplicates
    prepared = prepare(
        args.source,
        args.out,
        Recipe(args.size, args.min_size, background),
        Choice(near_duplicates, args.any_licence),
        jobs=jobs,
    )
    print(prepared.report.describe())
    print(_figures(prepared, jobs))
    return 0


def prepare(
    source: Path, out: Path, recipe: Recipe, choice: Choice | None = None, *, jobs: int = 1
) -> Prepared:
    """Write the archive `out` and its report `<out>.report.json`.

    Both depend on the pictures, their relative paths and their provenance only: not on `jobs`, nor
    on how often the run was killed. Raises TrainingError if the recipe is impossible, the folder is
    missing, no picture is left, or something cannot be written.
    """
    choice = choice or Choice()
    _check(source, recipe, choice, jobs)
    report_path = out.with_name(out.name + ".report.json")
    work = WorkFolder(out.with_name(out.name + ".work"), recipe.key())
    own = {out, report_path, work.folder}
    own |= {path.with_name(path.name + ".partial") for path in (out, report_path)}
    sources = find_sources(source, own)
    unlicensed = [] if choice.any_licence else _unlicensed(sources)
    barred = {dropped.file for dropped in unlicensed}
    files = [file for file in sources.pictures if file not in barred]

    start = time.perf_counter()
    outcomes = []
    with (
        tqdm(total=len(files), unit="picture", desc="prepare") as bar,
        closing(convert_all(Job(source, recipe, work), files, jobs)) as converted,
    ):
        for outcome in converted:
            outcomes.append(outcome)
            bar.update()
    seconds = time.perf_counter() - start

    unusable = [
        Dropped(outcome.file, outcome.finding.dropped, outcome.finding.detail)
        for outcome in outcomes
        if outcome.finding.dropped is not None
    ]
    usable = [outcome for outcome in outcomes if outcome.finding.dropped is None]
    repeated = _duplicates(usable, choice.near_duplicates)
    superfluous = {dropped.file for dropped in repeated}
    kept = [outcome for outcome in usable if outcome.file not in superfluous]
    report = Report(
        source=source.as_posix(),
        out=out.as_posix(),
        size_px=recipe.size_px,
        min_size_px=recipe.min_size_px,
        background="#{:02x}{:02x}{:02x}".format(*recipe.background),
        near_duplicates=choice.near_duplicates,
        any_licence=choice.any_licence,
        kept=[_kept(index, outcome, sources, recipe) for index, outcome in enumerate(kept)],
        dropped=sorted([*unlicensed, *unusable, *repeated], key=lambda dropped: dropped.file),
        not_pictures=sources.others,
        tables=sources.tables,
        rows_without_picture=sorted(sources.rows.keys() - set(sources.pictures)),
    )
    if not kept:
        work.remove()
        raise TrainingError(f"{source}: no picture is left.\n{report.describe()}")
    pngs = (work.png(outcome.sha256) for outcome in kept)
    write_archive(out, work.folder, pngs, [sources.row(outcome.file) for outcome in kept])
    with written_whole(report_path, work.folder) as file:
        file.write(report.as_json())
    # last of all: a run that is killed before has to write both files again
    work.remove()
    return Prepared(report, sum(outcome.is_fresh for outcome in outcomes), seconds)


def _unlicensed(sources: Sources) -> list[Dropped]:
    faults = ((file, sources.licence_fault(file)) for file in sources.pictures)
    return [Dropped(file, "licence", fault) for file, fault in faults if fault is not None]


def _duplicates(usable: list[Outcome], most_bits: int | None) -> list[Dropped]:
    """Of pictures that are the same or nearly so the largest stays, of equals the first by name."""
    if most_bits is None:
        return []
    found: list[Dropped] = []
    first: dict[str, Outcome] = {}
    for outcome in sorted(usable, key=_rank):
        same = first.setdefault(outcome.sha256, outcome)
        if same is not outcome:
            detail = f"the same file as {same.file}"
            found.append(Dropped(outcome.file, "duplicate", detail, same.file))
    ranked = list(first.values())
    looks = [outcome.finding.look for outcome in ranked]
    for outcome, index in zip(ranked, resembling(looks, most_bits), strict=True):
        if index is not None:
            other = ranked[index]
            bits = ((outcome.finding.look or 0) ^ (other.finding.look or 0)).bit_count()
            detail = f"looks like {other.file}, {bits} of {LOOK_BITS} bits apart"
            found.append(Dropped(outcome.file, "near duplicate", detail, other.file))
    return found


def _rank(outcome: Outcome) -> tuple[int, str]:
    width, height = outcome.finding.size_px or (0, 0)
    return -width * height, outcome.file


def _kept(index: int, outcome: Outcome, sources: Sources, recipe: Recipe) -> Kept:
    size_px = outcome.finding.size_px or (0, 0)
    warning = ""
    if sources.row(outcome.file).sha256.lower() not in ("", outcome.sha256):
        warning = "not the file of its row in the provenance table, whose sha256 is another"
    steps, enlarged = outcome.finding.steps, min(size_px) < recipe.size_px
    return Kept(archive_name(index), outcome.file, size_px, steps, enlarged, warning)


def _check(source: Path, recipe: Recipe, choice: Choice, jobs: int) -> None:
    if not source.is_dir():
        raise TrainingError(f"{source}: there is no such folder.")
    if recipe.size_px < 4 or recipe.size_px & (recipe.size_px - 1):
        raise TrainingError(
            f"--size {recipe.size_px}: the networks need a power of two, for example 1024."
        )
    if recipe.min_size_px < 1:
        raise TrainingError(f"--min-size {recipe.min_size_px}: it must be at least 1.")
    if not 0 <= (choice.near_duplicates or 0) < LOOK_BITS:
        raise TrainingError(
            f"--near-duplicates {choice.near_duplicates}: it must be from 0 to {LOOK_BITS - 1} "
            "bits; --keep-duplicates keeps all."
        )
    if jobs < 1:
        raise TrainingError(f"--jobs {jobs}: it must be at least 1.")


def _figures(prepared: Prepared, jobs: int) -> str:
    rate = prepared.fresh / max(prepared.seconds, 1e-9)
    text = f"{prepared.fresh} pictures converted in {prepared.seconds:.1f} s: {rate:.2f} a second"
    text += f", {rate / min(jobs, _available_cores()):.2f} per core"
    return text if sys.platform == "win32" else f"{text}; memory at most {_peak_mb(jobs)} MB"


def _peak_mb(jobs: int) -> int:
    """Of this process and its children together, in MB of 10^6 bytes; an upper bound, because all
    children are taken to be as large as the largest ever was."""
    import resource  # not on Windows

    own, largest = (
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    unit = 1 if sys.platform == "darwin" else 1024
    return round((own + (jobs if jobs > 1 else 0) * largest) * unit / 1e6)


def _available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
