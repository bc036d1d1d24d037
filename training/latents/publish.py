"""Write the chosen ws of each ballad, and the drawn noise of its loops, as its latent set.

Writes ballads/<id>/latents.safetensors: what the player reads. Nothing is written unless all of
the ballads asked for are ready.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from generator.networks import Generator
from shows.latent_set import LatentSet, draw_loop_noise, write_latent_set
from shows.schema import Ballad, ShowError
from shows.show import Show
from shows.show_file import load_show
from training.errors import TrainingError
from training.latents.choices_file import Choice, read_choices
from training.latents.neighbour_sheets import Drawing, neighbour_ws
from training.latents.projection_file import ProjectionFile, current_projection
from training.show_folder import (
    add_show_arguments,
    chosen_ballads,
    generator_hash,
    open_generator,
    open_show,
)
from training.shown_picture import ShownAs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `publish`."""
    add_show_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Carry out `publish`. Raises TrainingError naming everything that is missing."""
    show = open_show(args.show)
    ballads = chosen_ballads(show, args.ballad)
    digest = generator_hash(show)
    generator = open_generator(show)
    sets: list[LatentSet] = []
    faults: list[str] = []
    for ballad in ballads:
        try:
            projection = current_projection(show, ballad, digest)
            choices = chosen_of(show, ballad, projection)
            sets.append(make_latent_set(show, generator, projection, choices))
        except (TrainingError, ShowError) as fault:
            faults.append(str(fault))
    if faults:
        raise TrainingError("nothing was published:\n" + "\n".join(faults))
    for latents in sets:
        try:
            write_latent_set(show.latents_path(latents.ballad_id), latents)
        except ShowError as fault:
            raise TrainingError(str(fault)) from fault
        by_person = sum(entry["by"] == "person" for entry in latents.provenance)
        count = len(latents.painting_ids)
        print(
            f"{latents.ballad_id}: {count} paintings published, {by_person} chosen by a person, "
            f"{count - by_person} automatically."
        )
    _look_at_whole(show)
    return 0


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


def make_latent_set(
    show: Show, generator: Generator, projection: ProjectionFile, choices: list[Choice]
) -> LatentSet:
    """The latent set of a ballad; choices in the order of its paintings. Raises ShowError."""
    settings = show.settings
    ws = [
        neighbour_ws(projection, index, Drawing(choice.strength, choice.seed))[choice.number]
        for index, choice in enumerate(choices)
    ]
    noise = draw_loop_noise(
        settings.seed,
        projection.ballad_id,
        projection.painting_ids,
        settings.stops,
        settings.noise_cycles,
        projection.w_std,
        {p.id: p.loop_seed for p in show.ballad(projection.ballad_id).paintings if p.loop_seed},
    )
    return LatentSet(
        ballad_id=projection.ballad_id,
        painting_ids=projection.painting_ids,
        ws=np.stack(ws)[:, None, :],
        num_ws=generator.num_ws,
        w_avg=generator.mapping.w_avg.cpu().numpy().astype(np.float32),
        loop_noise=noise,
        generator_hash=projection.generator_hash,
        provenance=tuple(
            _provenance(show, projection, index, choice) for index, choice in enumerate(choices)
        ),
    )


def _provenance(
    show: Show, projection: ProjectionFile, index: int, choice: Choice
) -> dict[str, Any]:
    chosen = choice.model_dump(mode="json", exclude_none=True, exclude={"generator", "projection"})
    return {
        "painting": projection.paintings[index],
        "projection": projection.settings,
        **chosen,
        "shown_as": str(ShownAs.of(show.settings)),
        "loop_noise_seed": show.settings.seed,
        "generator": projection.generator_hash,
    }


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
