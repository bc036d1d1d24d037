"""Write the chosen ws of each ballad, and the drawn noise of its loops, as its latent set.

Writes ballads/<id>/latents.safetensors: what the player reads. Nothing is written unless all of
the ballads asked for are ready. --from takes the ws from what people already have instead of from
projections and choices, and draws work/<id>/published.png to look at.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from generator.networks import Generator
from shows.latent_set import LatentSet, write_latent_set
from shows.schema import Ballad, ShowError
from shows.show import Show
from shows.show_file import load_show
from training.errors import TrainingError
from training.latents.choices_file import Choice, read_choices
from training.latents.latents_from import Meaning, about_models, find_files, read_earlier
from training.latents.projection_file import ProjectionFile, current_projection
from training.latents.projection_table import far_sentence
from training.latents.set_maker import SetMaker
from training.show_folder import (
    add_show_arguments,
    chosen_ballads,
    generator_hash,
    open_generator,
    open_show,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `publish`."""
    add_show_arguments(parser)
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="publish these: projected_w.npz, .npy or .npz of w, z or w+, one file for each "
        "painting in order or one for all; a latent set or projection of this project; or a folder "
        "of them",
    )
    parser.add_argument(
        "--as",
        dest="meaning",
        choices=("w", "z"),
        help="what the numbers of .npy and .npz files are (default: z if the array has that name, "
        "else w)",
    )


def run(args: argparse.Namespace) -> int:
    """Carry out `publish`. Raises TrainingError."""
    source, meaning = getattr(args, "source", None), getattr(args, "meaning", None)
    publish(args.show, args.ballad, source, meaning)
    return 0


def publish(
    folder: Path,
    ballad_names: Sequence[str] | None,
    source: Sequence[Path] | None = None,
    meaning: Meaning | None = None,
) -> None:
    """Publish these ballads (None: all) as they were chosen, or from files. Raises TrainingError
    naming everything that is missing."""
    if meaning and not source:
        raise TrainingError("--as tells what the files of --from are; give these too.")
    show = open_show(folder)
    ballads = chosen_ballads(show, ballad_names)
    digest = generator_hash(show)
    generator = open_generator(show)
    sets: list[LatentSet] = []
    told: list[str] = []
    faults: list[str] = []
    files = find_files(source, ballads) if source else {}
    maker = SetMaker(show, generator, digest)
    for ballad in ballads:
        if files and ballad.id not in files:
            continue
        try:
            if files:
                found = read_earlier(ballad, files[ballad.id], generator, meaning)
                sets.append(maker.of_files(ballad, found))
                told += about_models(ballad, list(found.values()), show.settings.generator, digest)
            else:
                projection = current_projection(show, ballad, digest)
                choices = chosen_of(show, ballad, projection)
                sets.append(maker.of_choices(projection, choices))
                told += filter(None, [far_sentence(ballad.id, projection.paintings)])
        except (TrainingError, ShowError) as fault:
            faults.append(str(fault))
    if faults:
        raise TrainingError("nothing was published:\n" + "\n".join(faults))
    if files:
        for latents in sets:
            path, unlike = maker.draw_sheet(latents)
            print(f"{latents.ballad_id}: the sheet is {path}.")
            told += filter(None, [unlike])
    for latents in sets:
        try:
            write_latent_set(show.latents_path(latents.ballad_id), latents)
        except ShowError as fault:
            raise TrainingError(str(fault)) from fault
        print(_described(latents))
    for sentence in told:
        print(f"amber: {sentence}")
    _look_at_whole(show)


def make_latent_set(
    show: Show, generator: Generator, projection: ProjectionFile, choices: list[Choice]
) -> LatentSet:
    """The latent set of a ballad; choices in the order of its paintings. Raises ShowError."""
    return SetMaker(show, generator, projection.generator_hash).of_choices(projection, choices)


def chosen_of(show: Show, ballad: Ballad, projection: ProjectionFile) -> list[Choice]:
    """The choice for each painting. Raises TrainingError where one is missing or is of another
    projection or generator."""
    choices = read_choices(show, ballad.id)
    source = f"ballads/{ballad.id}/choices.yaml"
    choose = f"run `python -m training neighbours {show.folder} --ballad {ballad.id}` and choose"
    missing = [name for name in ballad.painting_ids if name not in choices]
    if missing:
        raise TrainingError(f"{source}: nothing is chosen for {', '.join(missing)}; {choose}.")
    for index, name in enumerate(ballad.painting_ids):
        choice = choices[name]
        if choice.generator != projection.generator_hash:
            raise TrainingError(
                f"{source}: paintings.{name}: was chosen from the generator "
                f"{choice.generator[:12]}, and {show.settings.generator} is "
                f"{projection.generator_hash[:12]}; {choose} again."
            )
        if choice.projection != projection.hash_of(index):
            raise TrainingError(
                f"{source}: paintings.{name}: was chosen from an earlier projection; "
                f"{choose} again."
            )
    return [choices[name] for name in ballad.painting_ids]


def _described(latents: LatentSet) -> str:
    by = [entry["by"] for entry in latents.provenance]
    layers = "" if latents.ws.shape[1] == 1 else " (w+: a w for each layer)"
    how = (
        "from files"
        if "file" in by
        else f"{by.count('person')} chosen by a person, {by.count('auto')} automatically"
    )
    return f"{latents.ballad_id}: {len(by)} paintings published{layers}, {how}."


def _look_at_whole(show: Show) -> None:
    """Load the show as the player will, and say what it would find."""
    missing = [name for name in show.ballad_ids if not show.latents_path(name).is_file()]
    if missing:
        print(f"Still to be published: {', '.join(missing)}.")
        return
    try:
        warnings = load_show(show.folder).warnings
    except ShowError as fault:
        raise TrainingError(
            f"the latent sets are written, but the show is not whole: {fault}"
        ) from fault
    for warning in warnings:
        print(warning)
    if not warnings:
        print("The show is whole: every ballad is published from the generator that it names.")
