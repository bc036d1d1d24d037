"""What a show is opened with: its files, its films, its engine, and what was on before."""

from __future__ import annotations

import logging

from player.clock import HouseClock, boot_id, wall_ns
from player.films.film_source import FilmSource
from player.films.library import FilmCheck, validate_films
from player.live.ring_layout import Geometry
from player.live.synthesized_source import SynthesizedSource
from player.options import Options
from player.this_program import command
from player.upkeep.saved_state import Resumed
from player.upkeep.state_file import resumed
from shows.generator_file import GeneratorInfo, read_generator_info
from shows.kept_files import KeptFiles
from shows.schema import ShowError
from shows.show import Show
from shows.show_file import load_show

FOREIGN_PX = (1024, 1024)  # of films that say nothing of themselves, without a generator

_log = logging.getLogger("player")


def loaded_show(options: Options, kept: KeptFiles | None = None) -> Show:
    """The show, with the latents where they are needed. Raises ShowError. kept: see `load_show`."""
    if options.mode == "slate":
        return load_show(options.show, latents=False, kept=kept)
    try:
        return load_show(options.show, latents=True, kept=kept)
    except ShowError as fault:
        if options.mode != "film":
            raise
        show = load_show(options.show, latents=False, kept=kept)
        _log.warning("Whether the films are of this show cannot be told: %s", fault)
        return show


def generator_info(show: Show, options: Options) -> GeneratorInfo | None:
    """Of the generator that live pictures would be made with; None: there will be none."""
    if options.mode in ("film", "slate"):
        return None
    try:
        return read_generator_info(show.generator_path)
    except ShowError as fault:
        if options.mode == "live":
            raise
        _log.warning("%s There are no live pictures.", fault)
        return None


def resumed_state(show: Show, options: Options) -> Resumed | None:
    """Where a player before this one was when it ended. Nodes hear that from one another."""
    if options.state is None or options.node:
        return None
    found = resumed(
        options.state, show, now_ns=HouseClock().now_ns(), wall_ns=wall_ns(), boot=boot_id()
    )
    if found is not None:
        _log.info("%s", found.sentence)
    return found


def checked_films(show: Show, options: Options) -> FilmCheck:
    """What films there are; what is wrong with the others is told."""
    if options.mode in ("slate", "live"):
        return FilmCheck({}, {}, ())
    check = validate_films(show)
    for ballad_id, fault in check.refused.items():
        _log.warning("The film of %s is refused: %s", ballad_id, fault)
    for film in check.films.values():
        if film.note:
            _log.warning("%s", film.note)
    if options.mode == "film" and not check.films:
        _log.warning(
            "There are no films of this show yet: the paintings are shown as stills. "
            "Make them with: %s",
            command("export", "--show", str(show.folder)),
        )
    return check


def film_source(
    show: Show,
    options: Options,
    info: GeneratorInfo | None,
    check: FilmCheck,
    screens: int,
) -> FilmSource | None:
    """None where there are no films and nobody makes them."""
    told = [film.facts for film in check.films.values() if film.facts is not None]
    sizes = [(facts.width_px, facts.height_px) for facts in told] or [FOREIGN_PX]
    if not check.films and (info is None or not options.make_films or options.mode != "auto"):
        return None
    size_px = max(sizes) if info is None else (info.img_resolution, info.img_resolution)
    hardware = options.film_decoder
    return FilmSource(check.films, screens=screens, size_px=size_px, hardware=hardware)


def live_source(
    show: Show, options: Options, info: GeneratorInfo, screens: int
) -> SynthesizedSource:
    """Not started."""
    geometry = Geometry(screens, info.num_ws, info.w_dim, info.img_resolution, info.img_resolution)
    return SynthesizedSource(geometry, factory_args=engine_arguments(show, options, screens))


def engine_arguments(show: Show, options: Options, screens: int) -> dict[str, object]:
    """What the engine is told at its start."""
    return {
        "path": str(show.generator_path.resolve()),
        "screens": screens,
        "noise_mode": show.settings.noise_mode,
        "threads": options.threads,
    }
