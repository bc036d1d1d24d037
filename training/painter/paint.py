"""The verb `paint`: a training set of random landscapes, or the illustrations of a show."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from shows.schema import Ballad, ShowError
from shows.show_file import load_show
from training.errors import TrainingError
from training.painter.landscape import SMALLEST_PX, paint_landscape, paint_scene
from training.painter.scene import Scene

JPEG_QUALITY = 92
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class Job:
    """One picture: a random landscape of `seed` where `scene` is None."""

    path: Path
    seed: int
    size_px: int
    scene: Scene | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m training paint`."""
    parser.add_argument("--out", type=Path, help="folder for random landscapes")
    parser.add_argument("--count", type=int, default=1000, help="how many (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other pictures")
    parser.add_argument("--show", type=Path, help="paint the illustrations of this show instead")
    parser.add_argument(
        "--variations",
        type=int,
        default=0,
        metavar="N",
        help="with --show and --out: N more pictures of each scene, for the training set",
    )
    parser.add_argument(
        "--force", action="store_true", help="with --show: paint existing ones anew"
    )
    parser.add_argument("--size", type=int, help="side in pixels (800; 1024 with --show)")
    parser.add_argument("--jobs", type=int, default=1, help="processes to paint with (default 1)")


def run(args: argparse.Namespace) -> int:
    """Paint what is missing. Raises TrainingError with a sentence for the person."""
    varied = args.variations > 0
    if (args.out is None) == (args.show is None) and not (varied and args.show and args.out):
        raise TrainingError(
            "Give either --out FOLDER for landscapes or --show FOLDER for a show; "
            "both only with --variations."
        )
    size = args.size if args.size is not None else (800 if args.show is None else 1024)
    if size < SMALLEST_PX:
        raise TrainingError(f"--size {size} is too small: {SMALLEST_PX} pixels is the least.")
    if args.count < 0 or args.jobs < 1:
        raise TrainingError("--count must be 0 or more and --jobs 1 or more.")
    if args.show is not None and varied:
        jobs = variation_jobs(show_jobs(args.show, size), args.out, args.variations)
    elif args.show is not None:
        jobs = show_jobs(args.show, size)
    else:
        jobs = landscape_jobs(args.out, args.count, args.seed, size)
    todo = [job for job in jobs if (args.force and args.show is not None) or not job.path.exists()]
    for folder in {job.path.parent for job in todo}:
        folder.mkdir(parents=True, exist_ok=True)
    for _ in tqdm(_painted(todo, args.jobs), total=len(todo), desc="paint", unit="picture"):
        pass
    print(f"{len(todo)} pictures painted, {len(jobs) - len(todo)} were there already.")
    return 0


def landscape_jobs(folder: Path, count: int, seed: int, size_px: int) -> list[Job]:
    """`count` landscapes; picture n of a seed is the same however many are asked for."""
    return [
        Job(folder / f"{index:06d}.jpg", seed * 1_000_003 + index, size_px)
        for index in range(count)
    ]


def show_jobs(folder: Path, size_px: int) -> list[Job]:
    """The paintings of a show that have a scene, in the show's order; the seed is of their ids.

    Raises TrainingError naming the place of the fault.
    """
    try:
        ballads = load_show(folder, latents=False).ballads
    except ShowError as fault:
        raise TrainingError(str(fault)) from fault
    return [job for ballad in ballads for job in _ballad_jobs(folder, ballad, size_px)]


def variation_jobs(jobs: list[Job], folder: Path, count: int) -> list[Job]:
    """The paintings themselves (number 0) and `count` other pictures of each of their scenes."""
    return [
        replace(job, path=folder / f"{place:03d}-{number:03d}.jpg", seed=job.seed + number)
        for place, job in enumerate(jobs)
        for number in range(count + 1)
    ]


def _ballad_jobs(folder: Path, ballad: Ballad, size_px: int) -> Iterable[Job]:
    for index, painting in enumerate(ballad.paintings):
        where = f"ballads/{ballad.id}/ballad.yaml: paintings[{index}]"
        if painting.scene is None:
            continue
        path = folder / "ballads" / ballad.id / painting.file
        if path.suffix.lower() not in PICTURE_SUFFIXES:
            raise TrainingError(f"{where}.file: {painting.file} must end in .png or .jpg.")
        scene = Scene.from_mapping(painting.scene, f"{where}.scene")
        identity = f"{ballad.id}/{painting.id}".encode()
        seed = int.from_bytes(sha256(identity).digest()[:6], "big")
        yield Job(path, seed, size_px, scene)


def _painted(jobs: list[Job], processes: int) -> Iterable[Path]:
    if processes == 1 or len(jobs) < 2:
        yield from map(paint_job, jobs)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, initializer=_leave_interrupts) as pool:
        yield from pool.imap_unordered(paint_job, jobs, chunksize=4)


def _leave_interrupts() -> None:
    """Ctrl-C is the parent's to handle: it ends the pool."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def paint_job(job: Job) -> Path:
    """Paint one picture; the file appears whole or not at all."""
    if job.scene is None:
        picture = paint_landscape(job.seed, job.size_px)
    else:
        picture = paint_scene(job.scene, job.seed, job.size_px)
    _save(picture, job.path)
    return job.path


def _save(picture: Image.Image, path: Path) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.suffix.lower() == ".png":
            picture.save(part, "PNG", optimize=True)
        else:
            picture.save(part, "JPEG", quality=JPEG_QUALITY)
        os.replace(part, path)
    except OSError as fault:
        raise TrainingError(f"{path}: cannot be written ({fault}).") from fault
    finally:
        part.unlink(missing_ok=True)
