"""What an export has to make: which ballads, how long, how large. No engine, no codec."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from player.films.codecs import SUFFIXES, CodecName
from player.films.film_facts import FilmError, FilmFacts, films_folder
from player.films.film_parts import Part, parts_of
from shows.fingerprint import ballad_fingerprint
from shows.generator_file import GeneratorInfo, read_generator_info
from shows.schema import Ballad, ShowError
from shows.show import Show
from shows.show_file import load_show

DEFAULT_FACTORY = "generator.engine:open_engine"
MOST_CYCLES = 1000


class ExportError(FilmError):
    """Films cannot be made; the text is a sentence for the person who started the export."""


@dataclass(frozen=True)
class ExportOptions:
    """What the command line says.

    ballads: ids, titles or 1-based numbers; () = all. cycles: None for as many as live pictures
    repeat after. resume: False renders anew what is there already. out: None for the show's own
    folder of films. threads: of the engine on a CPU. idle: at idle priority. edit, contact: also
    the linear cut and the film of all screens. missing: only ballads that have no film which the
    player would take. factory: "module:callable" that opens the engine.
    """

    show: Path
    ballads: tuple[str, ...] = ()
    cycles: int | None = None
    resume: bool = True
    codec: CodecName = "h264"
    out: Path | None = None
    threads: int = 1
    idle: bool = False
    edit: bool = False
    contact: bool = False
    missing: bool = False
    factory: str = DEFAULT_FACTORY


@dataclass(frozen=True)
class Place:
    """Which of several processes this is, as torchrun says: rank of world."""

    rank: int = 0
    world: int = 1


@dataclass(frozen=True)
class FilmPlan:
    """One film: what it will say of itself (the engine still empty), its file, its parts."""

    facts: FilmFacts
    title: str
    path: Path
    parts: tuple[Part, ...]

    def with_engine(self, engine: str, engine_path: dict[str, object] | None) -> FilmPlan:
        """The same, with how its pictures are made."""
        facts = self.facts.model_copy(update={"engine": engine, "engine_path": engine_path})
        return replace(self, facts=facts)

    def is_told_by(self, facts: FilmFacts | None) -> bool:
        """Whether a film that says this is the planned one, however its pictures were made."""
        if facts is None:
            return False
        mine = self.facts.model_copy(update={"engine": "", "engine_path": None})
        return mine == facts.model_copy(update={"engine": "", "engine_path": None})


@dataclass(frozen=True, eq=False)
class Plan:
    """All of an export."""

    show: Show
    generator: GeneratorInfo
    folder: Path
    films: tuple[FilmPlan, ...]

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height) of the pictures."""
        return self.generator.img_resolution, self.generator.img_resolution


def plan_of(options: ExportOptions) -> Plan:
    """What these options ask for. Raises ExportError."""
    try:
        show = load_show(options.show)
        info = read_generator_info(show.generator_path)
    except ShowError as fault:
        raise ExportError(str(fault)) from fault
    cycles = show.settings.noise_cycles if options.cycles is None else options.cycles
    if not 1 <= cycles <= MOST_CYCLES:
        raise ExportError(f"A film holds 1 to {MOST_CYCLES} cycles; --cycles says {cycles}.")
    folder = options.out or films_folder(show)
    for name, is_wanted in (("edit", options.edit), ("contact", options.contact)):
        if is_wanted and name in show.ballad_ids:
            raise ExportError(
                f"--{name} would be written over the film of the ballad {name!r}; choose another "
                "folder with --out, and no --ballad of that name."
            )
    ballads = chosen_ballads(show, options.ballads)
    try:
        films = [
            _film(show, ballad, info, cycles, folder / (ballad.id + SUFFIXES[options.codec]))
            for ballad in ballads
        ]
    except ShowError as fault:
        raise ExportError(str(fault)) from fault
    return Plan(show, info, folder, tuple(films))


def chosen_ballads(show: Show, names: Sequence[str]) -> tuple[Ballad, ...]:
    """The ballads that are meant, in the order of the show, each once; all for no names.

    Raises ExportError for a name that is no id, title or 1-based number.
    """
    if not names:
        return show.ballads
    wanted = {_ballad_named(show, name).id for name in names}
    return tuple(ballad for ballad in show.ballads if ballad.id in wanted)


def _ballad_named(show: Show, name: str) -> Ballad:
    for ballad in show.ballads:
        if name == ballad.id or name.casefold() == ballad.title.casefold():
            return ballad
    if re.fullmatch(r"[0-9]{1,4}", name) and 1 <= int(name) <= len(show.ballads):
        return show.ballads[int(name) - 1]
    known = ", ".join(f"{number} {ballad.id}" for number, ballad in enumerate(show.ballads, 1))
    raise ExportError(f"The show has no ballad {name[:80]!r}; it has: {known}.")


def _film(show: Show, ballad: Ballad, info: GeneratorInfo, cycles: int, path: Path) -> FilmPlan:
    if ballad.id not in show.latents:
        raise ShowError(
            f"The show has no latents for {ballad.id!r}; project and publish this ballad."
        )
    frames = cycles * show.cycle_frames(ballad.id)
    facts = FilmFacts(
        ballad=ballad.id,
        fingerprint=ballad_fingerprint(show, ballad.id),
        generator_hash=info.content_hash,
        first_frame=0,
        frames=frames,
        cycles=cycles,
        fps=show.settings.fps,
        width_px=info.img_resolution,
        height_px=info.img_resolution,
    )
    return FilmPlan(facts, ballad.title, path, parts_of(show, ballad.id, frames))


def place_of(environment: Mapping[str, str]) -> Place:
    """Rank and world as torchrun sets them; alone without. Raises ExportError."""
    try:
        place = Place(int(environment.get("RANK", 0)), int(environment.get("WORLD_SIZE", 1)))
    except ValueError:
        place = Place(-1, 0)
    if not 0 <= place.rank < place.world:
        raise ExportError(
            "RANK and WORLD_SIZE of the environment do not fit each other: a rank is 0 to "
            "WORLD_SIZE - 1. Start several processes with torchrun, or unset both."
        )
    return place


def visible_device(environment: Mapping[str, str]) -> str | None:
    """CUDA_VISIBLE_DEVICES that leaves a process of torchrun its own device; None: as it is."""
    local_rank = environment.get("LOCAL_RANK", "")
    if not local_rank.isdecimal():
        return None
    visible = [d for d in environment.get("CUDA_VISIBLE_DEVICES", "").split(",") if d]
    if not visible:
        return local_rank
    return visible[int(local_rank)] if int(local_rank) < len(visible) else None
