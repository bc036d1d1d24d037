"""`run_installation.py validate`: every fault of a show as a sentence with its place.

Each file is read on its own, so that one fault does not hide the next; at the end the show is
loaded as the player loads it, whose word counts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from player.films.library import validate_films
from player.sync.seal import KeyFileError, read_key
from player.wall.machine_file import read_machine_file
from shows.generator_file import GeneratorInfo, playable_file, read_generator_info
from shows.latent_set import read_latent_set
from shows.picture_file import CropError, PictureError, read_picture, square_box
from shows.schema import Ballad, ShowError, ShowSettings
from shows.show import Show
from shows.show_file import load_ballad, load_settings, load_show


@dataclass
class Findings:
    """faults: what must be mended. notes: what need not. seen: what was looked at, counted."""

    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb `validate`. The caller sets the default of `show`."""
    parser.add_argument(
        "show", nargs="?", type=Path, metavar="DIR", help="folder of the show (default: shipped)"
    )
    parser.add_argument(
        "--machine", type=Path, metavar="FILE", help="a machine file to be looked at as well"
    )
    parser.add_argument(
        "--thorough", action="store_true", help="decode every frame of the films: takes minutes"
    )


def run(args: argparse.Namespace) -> int:
    """The verb: 0 without a fault, 1 with faults, told on standard output."""
    found = validate(args.show, machine=args.machine, thorough=args.thorough)
    for fault in found.faults:
        print(fault)
    for note in found.notes:
        print(f"Note: {note}")
    sys.stdout.flush()
    if found.faults:
        print(f"{args.show}: {counted(len(found.faults), 'fault')}.", file=sys.stderr)
        return 1
    print(f"{args.show}: no fault. Looked at: {', '.join(found.seen)}.", file=sys.stderr)
    return 0


def validate(folder: Path, *, machine: Path | None = None, thorough: bool = False) -> Findings:
    """All that can be found without drawing a picture. Never raises for what is in a file."""
    found = Findings()
    settings = _settings(folder, found)
    ballads = _ballads(folder, settings, found)
    pictures = sum(_pictures(folder, ballad, found) for ballad in ballads)
    found.seen += [counted(len(ballads), "ballad"), counted(pictures, "picture")]
    if settings is not None:
        _latents(folder, settings, ballads, found)
        _key(folder, settings, found)
        if machine is not None:
            _machine(machine, settings, found)
    show = _whole(folder, found)
    if show is not None:
        _films(show, found, thorough)
    return found


def _settings(folder: Path, found: Findings) -> ShowSettings | None:
    try:
        return load_settings(folder)
    except ShowError as fault:
        found.faults += _lines(fault)
        return None


def _ballads(folder: Path, settings: ShowSettings | None, found: Findings) -> list[Ballad]:
    """Those that can be read: of show.yaml, or, where that cannot be read, of the folder."""
    there = sorted(path.parent.name for path in folder.glob("ballads/*/ballad.yaml"))
    names = there if settings is None else list(settings.ballads)
    ballads = []
    for name in names:
        try:
            ballads.append(load_ballad(folder, name))
        except ShowError as fault:
            found.faults += _lines(fault)
    titles = [ballad.title.casefold() for ballad in ballads]
    found.faults += [
        f"ballads/{ballad.id}/ballad.yaml: title: {ballad.title!r} is taken by another ballad."
        for index, ballad in enumerate(ballads)
        if titles[index] in titles[:index]
    ]
    left_out = [name for name in there if name not in names]
    if left_out:
        found.notes.append(f"show.yaml: ballads: does not name {', '.join(left_out)}.")
    return ballads


def _pictures(folder: Path, ballad: Ballad, found: Findings) -> int:
    """Opens each painting; returns how many could be."""
    good = 0
    for index, painting in enumerate(ballad.paintings):
        where = f"ballads/{ballad.id}/ballad.yaml: paintings[{index}]"
        path = folder / "ballads" / ballad.id / painting.file
        try:
            square_box(read_picture(path).image.size, painting.crop)
            good += 1
        except CropError as fault:
            found.faults.append(f"{where}.crop: {fault}.")
        except PictureError as fault:
            words = "is not there" if not path.exists() else str(fault)
            found.faults.append(f"{where}.file: {painting.file}: {words}.")
    return good


def _latents(folder: Path, settings: ShowSettings, ballads: list[Ballad], found: Findings) -> None:
    info: GeneratorInfo | None = None
    try:
        path = playable_file(folder / settings.generator)
        info = read_generator_info(path, path.relative_to(folder).as_posix())
        found.seen.append("the generator")
    except ShowError as fault:
        found.faults += _lines(fault)
    for ballad in ballads:
        source = f"ballads/{ballad.id}/latents.safetensors"
        if not (folder / source).is_file():
            found.faults.append(
                f"{source}: is missing: project and publish this ballad (docs/quick-start.md); "
                "until then the show plays with --mode slate alone."
            )
            continue
        found.faults += _latent_faults(folder, source, settings, ballad, info)
    found.seen.append("latents")


def _latent_faults(
    folder: Path, source: str, settings: ShowSettings, ballad: Ballad, info: GeneratorInfo | None
) -> Iterator[str]:
    try:
        latents = read_latent_set(folder / source, source)
    except ShowError as fault:
        yield from _lines(fault)
        return
    if latents.ballad_id != ballad.id:
        yield f"{source}: belongs to the ballad {latents.ballad_id[:80]!r}."
    missing = [name for name in ballad.painting_ids if name not in latents.painting_ids]
    if missing:
        yield f"{source}: has nothing for {', '.join(missing)}; project and publish again."
    cycles, _, stops, w_dim = latents.loop_noise.shape
    if cycles < settings.noise_cycles or stops < settings.stops:
        yield (
            f"{source}: holds noise for {stops} stops and {cycles} cycles; show.yaml asks for "
            f"{settings.stops} stops and {settings.noise_cycles} cycles; publish again."
        )
    if info is None:
        return
    if (latents.num_ws, w_dim) != (info.num_ws, info.w_dim):
        yield (
            f"{source}: has ws of {latents.num_ws} x {w_dim}, and {settings.generator} takes "
            f"{info.num_ws} x {info.w_dim}; project and publish with this generator."
        )
    elif latents.generator_hash != info.content_hash:
        yield (
            f"{source}: was made with the generator {latents.generator_hash[:12]}, and "
            f"{settings.generator} is {info.content_hash[:12]}: the pictures are not the chosen "
            "ones; put that generator back, or project and publish again."
        )


def _key(folder: Path, settings: ShowSettings, found: Findings) -> None:
    if settings.sync.key_file is not None:
        try:
            read_key(folder / settings.sync.key_file)
        except KeyFileError as fault:
            found.faults.append(f"show.yaml: sync.key_file: {fault}")


def _machine(path: Path, settings: ShowSettings, found: Findings) -> None:
    try:
        read_machine_file(path, [screen.name for screen in settings.screens])
        found.seen.append("the machine file")
    except ShowError as fault:
        found.faults += _lines(fault)


def _whole(folder: Path, found: Findings) -> Show | None:
    """The show as the player loads it; what only that finds is a fault too."""
    try:
        show = load_show(folder)
        found.faults += [] if found.faults else show.warnings
        return show
    except ShowError as fault:
        found.faults += [] if found.faults else _lines(fault)
    try:
        return load_show(folder, latents=False)
    except ShowError:
        return None  # told above


def _films(show: Show, found: Findings, thorough: bool) -> None:
    check = validate_films(show, thorough=thorough)
    found.faults += check.refused.values()
    for film in check.films.values():
        if film.note:
            (found.faults if film.state == "other" else found.notes).append(film.note)
    if check.missing:
        found.notes.append(
            f"no film of {', '.join(check.missing)}: `export` makes what takes over when live "
            "pictures fail."
        )
    found.seen.append(counted(len(check.films), "film"))


def counted(number: int, what: str) -> str:
    """As in 1 film, 2 films."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _lines(fault: ShowError) -> list[str]:
    return str(fault).splitlines()
