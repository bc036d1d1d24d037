"""Find the w of each painting of a show.

Writes ballads/<id>/projection.safetensors; a sheet to look at, work/<id>/projection.png, the
painting as the projector saw it beside its projection, drawn with the show's own noise mode and
truncation; and work/projection.csv, all distances. A painting that the generator, at its best,
misses by far is named: it has not seen anything like it.

The paintings of all ballads share batches; a ballad is written as soon as its last painting is
done. Ballads that are up to date are skipped, so an interrupted run goes on where it was: what is
lost is the batch in hand and the paintings of ballads not complete yet.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from generator.networks import Generator
from shows.schema import Ballad
from shows.show import Show
from training.errors import TrainingError
from training.latents.earlier_starts import WORD, EarlierStart, earlier_starts
from training.latents.perceptual import Distance, open_distance
from training.latents.projection_file import projection_path, read_projection, write_projection
from training.latents.projection_session import Session, Task
from training.latents.projection_table import describe, far_sentence, write_table
from training.latents.projector import SPACES, ProjectionOptions, Step
from training.learning.codes_file import load_codes
from training.show_folder import (
    Target,
    add_show_arguments,
    chosen_ballads,
    generator_hash,
    open_generator,
    open_show,
    read_target,
)
from training.shown_picture import ShownAs

DISCRIMINATOR = "discriminator.safetensors"
EXIT_FAR = 1
FILM_MOMENTS = 240


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `project`."""
    defaults = ProjectionOptions()
    add_show_arguments(parser)
    parser.add_argument(
        "--space",
        choices=SPACES,
        default=defaults.space,
        help="w: one w for all layers, which the generator knows; w+: a w for each layer, which "
        "comes nearer to the painting and looks worse around it (default %(default)s)",
    )
    parser.add_argument(
        "--restarts",
        type=int,
        default=1,
        metavar="N",
        help="try each painting N times, from other starts with other noise, and keep what is "
        "nearest as shown (default %(default)s)",
    )
    parser.add_argument(
        "--discriminator",
        type=Path,
        help=f"the discriminator whose features measure (default SHOW/{DISCRIMINATOR})",
    )
    parser.add_argument(
        "--vgg", type=Path, help="measure with VGG16: torchvision's weights, .safetensors or .pth"
    )
    parser.add_argument(
        "--codes",
        type=Path,
        metavar="FILE",
        help="begin at the w of each painting's own code, with the codes.safetensors that `train "
        "--reconstruct-kimg` wrote beside the generator (default: at the mean w)",
    )
    parser.add_argument(
        "--from-old",
        type=Path,
        metavar="FILE|SHOW",
        help="begin at the ws of an earlier model: a projection, a latent set, projected_w.npz, or "
        "a folder of them, such as a show; this one too",
    )
    parser.add_argument("--steps", type=int, default=defaults.steps, help="(default %(default)s)")
    parser.add_argument("--seed", type=int, default=defaults.seed, help="(default %(default)s)")
    parser.add_argument(
        "--batch",
        type=int,
        default=defaults.batch,
        help="paintings at once, of all ballads; fewer need less memory (default %(default)s)",
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default cpu)")
    parser.add_argument(
        "--video", action="store_true", help="film the projections as they form: projection.mp4"
    )
    parser.add_argument(
        "--strict", action="store_true", help="exit with 1 where a painting lies too far"
    )
    parser.add_argument("--force", action="store_true", help="project what is up to date as well")


def run(args: argparse.Namespace) -> int:
    """Carry out `project`. Raises TrainingError."""
    options = ProjectionOptions(
        steps=args.steps, seed=args.seed, batch=args.batch, space=args.space
    )
    if args.restarts < 1:
        raise TrainingError("--restarts must be 1 or more.")
    if args.codes is not None and args.from_old is not None:
        raise TrainingError("Give either --codes or --from-old: there is one start.")
    show = open_show(args.show)
    ballads = chosen_ballads(show, args.ballad)
    if args.device.startswith("cuda") and not torch.cuda.is_available():
        raise TrainingError(f"--device {args.device}: torch finds no such device; leave it out.")
    generator = open_generator(show, args.device)
    session = Session(
        show,
        generator,
        generator_hash(show),
        _open_distance(show, generator, args),
        options,
        args.restarts,
        None if args.codes is None else load_codes(args.codes),
        min(options.steps, FILM_MOMENTS) if args.video else 0,
    )
    # everything is read before the long work starts: a bad crop or file shows at once
    starts: dict[str, EarlierStart] = {}
    if args.from_old is not None:
        starts = earlier_starts(show, ballads, args.from_old, generator, session.digest)
        ballads = tuple(ballad for ballad in ballads if ballad.id in starts)
    tasks = [_task(session, ballad, starts.get(ballad.id)) for ballad in ballads]
    todo = [task for task in tasks if args.force or not _is_up_to_date(session, task)]
    _project(session, todo)
    for task in tasks:
        if not session.sheet_path(task.ballad).is_file():
            session.draw_sheet(task.ballad, task.targets)
    if len(tasks) > len(todo):
        again = "projects and films" if args.video else "projects"
        print(f"{len(tasks) - len(todo)} ballads were up to date (--force {again} them again).")
    print(f"{len(todo)} ballads projected; the sheets are {show.folder / 'work'}/*/projection.png.")
    return _tell_far(show, ballads, strict=args.strict)


def _project(session: Session, todo: list[Task]) -> None:
    with tqdm(total=session.steps(todo), desc="project", unit="step", disable=not todo) as progress:

        def on_step(step: Step) -> None:
            progress.update()
            if step.number % 10 == 0:
                progress.set_postfix(distance=f"{step.distances.mean():.3f}", refresh=False)

        for projected in session.run(todo, on_step):
            ballad = projected.task.ballad
            if session.moments:
                session.draw_film(projected)
            write_projection(projection_path(session.show, ballad.id), projected.file)
            session.draw_sheet(ballad, projected.task.targets)
            progress.write(describe(projected.file))


def _tell_far(show: Show, ballads: tuple[Ballad, ...], *, strict: bool) -> int:
    """Write the table of the whole show, and name what lies too far of these ballads."""
    there = [name for name in show.ballad_ids if projection_path(show, name).is_file()]
    projections = [read_projection(show, name) for name in there]
    write_table(show, projections)
    wanted = {ballad.id for ballad in ballads}
    told = [
        sentence
        for found in projections
        if found.ballad_id in wanted
        and (sentence := far_sentence(found.ballad_id, found.paintings)) is not None
    ]
    for sentence in told:
        print(f"amber: {sentence}")
    return EXIT_FAR if told and strict else 0


def _open_distance(show: Show, generator: Generator, args: argparse.Namespace) -> Distance:
    discriminator: Path | None = args.discriminator
    if discriminator is None and args.vgg is None:
        discriminator = show.folder / DISCRIMINATOR
        if not discriminator.is_file():
            raise TrainingError(
                f"{discriminator} is missing: copy the one that `train` wrote beside the "
                "generator, name it with --discriminator, or give VGG16's weights with --vgg."
            )
    return open_distance(generator.img_resolution, discriminator, args.vgg, args.device)


def _task(session: Session, ballad: Ballad, start: EarlierStart | None) -> Task:
    show, generator = session.show, session.generator
    targets: list[Target] = [
        read_target(show, ballad, index, generator.img_resolution)
        for index in range(len(ballad.paintings))
    ]
    shown_as = ShownAs.of(show.settings)
    settings: dict[str, Any] = {
        **{k: v for k, v in asdict(session.options).items() if k != "batch"},
        "restarts": session.restarts,
        "distance": session.distance.description,
        "noise_mode": shown_as.noise_mode,
        "truncation_psi": shown_as.truncation_psi,
    }
    if session.codes is not None:
        settings["start"] = "codes"
    if start is not None:
        settings["start"] = start.words
    return Task(ballad, targets, settings, start)


def _is_up_to_date(session: Session, task: Task) -> bool:
    path = projection_path(session.show, task.ballad.id)
    if not path.is_file():
        return False
    try:
        found = read_projection(session.show, task.ballad.id)
    except TrainingError as fault:
        print(f"{fault} It is made anew.")
        return False
    kept, wanted = dict(found.settings), dict(task.settings)
    if task.start and task.start.in_place and str(kept.get("start", "")).startswith(WORD):
        # the ws that it began at stood in this very file
        kept["start"] = wanted["start"]
    return (
        found.generator_hash == session.digest
        and kept == wanted
        and found.shows_the_same([target.facts for target in task.targets])
    )
