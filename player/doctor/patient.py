"""What is examined: the options, and what of the show could be read before the checks begin."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from player.doctor.player_port import PortHeld, port_held
from player.films.library import FilmCheck, validate_films
from player.upkeep.play_arguments import state_file
from shows.generator_file import GeneratorInfo, read_generator_info
from shows.latent_set import LatentSet, read_latent_set
from shows.schema import Node, ShowError
from shows.show import Show
from shows.show_file import load_show


@dataclass(frozen=True)
class DoctorOptions:
    """What the command line says. fast: the engine's speed is not measured."""

    show: Path
    machine: Path | None = None
    node: str | None = None
    osc_host: str = "127.0.0.1"
    osc_port: int = 9000
    fast: bool = False
    threads: int = 1

    @property
    def state(self) -> Path:
        """The state file of a supervised player of this show; its journal is beside it."""
        return state_file(self.show, self.node or "", os.environ)


@dataclass(frozen=True, eq=False)
class Patient:
    """The set-up as read. show: without latents if these are at fault; None: see show_fault.

    latent_faults: by ballad. films: None without a show. held: who has the OSC port.
    """

    options: DoctorOptions
    show: Show | None = None
    show_fault: str = ""
    generator: GeneratorInfo | None = None
    generator_fault: str = ""
    latent_faults: Mapping[str, str] = field(default_factory=dict)
    films: FilmCheck | None = None
    held: PortHeld | None = None

    @property
    def is_playing(self) -> bool:
        """Whether a player of ours runs here: it must not be disturbed."""
        return self.held is not None and self.held.status is not None

    @property
    def node(self) -> Node | None:
        """This machine's entry in the show's list, if there is one by that name."""
        nodes = self.show.settings.nodes if self.show else ()
        return next((node for node in nodes if node.name == self.options.node), None)

    @property
    def screens(self) -> tuple[int, ...]:
        """The places, in the show, of the screens that hang on this machine."""
        if self.show is None:
            return ()
        names = [screen.name.casefold() for screen in self.show.settings.screens]
        if self.node is None:
            return tuple(range(len(names)))
        return tuple(names.index(name.casefold()) for name in self.node.screens)

    @property
    def has_all_films(self) -> bool:
        """Whether every ballad has a film to fall back on."""
        films = self.films
        return films is not None and not films.missing and not films.refused and bool(films.films)


def patient_of(options: DoctorOptions) -> Patient:
    """Read what the checks need. Never raises for what is in a file."""
    held = port_held(options.osc_host, options.osc_port)
    try:
        show = load_show(options.show, latents=False)
    except ShowError as fault:
        return Patient(options, show_fault=str(fault), held=held)
    except OSError as fault:
        return Patient(options, show_fault=f"{options.show}: {fault.strerror}.", held=held)
    generator, generator_fault = _generator_of(show)
    latents, faults = _latents_of(show, generator)
    show = replace(show, latents=MappingProxyType(latents))
    return Patient(
        options,
        show=show,
        generator=generator,
        generator_fault=generator_fault,
        latent_faults=faults,
        films=validate_films(show),
        held=held,
    )


def _generator_of(show: Show) -> tuple[GeneratorInfo | None, str]:
    try:
        return read_generator_info(show.generator_path), ""
    except ShowError as fault:
        return None, str(fault)


def _latents_of(
    show: Show, generator: GeneratorInfo | None
) -> tuple[dict[str, LatentSet], dict[str, str]]:
    """What of the latents is good, and a sentence on each that is not."""
    good: dict[str, LatentSet] = {}
    faults: dict[str, str] = {}
    for ballad in show.ballads:
        path = show.latents_path(ballad.id)
        source = f"ballads/{ballad.id}/latents.safetensors"
        if not path.exists():
            faults[ballad.id] = f"{source} is missing."
            continue
        try:
            latents = read_latent_set(path, source).select(ballad.painting_ids)
        except ShowError as fault:
            faults[ballad.id] = str(fault)
            continue
        if generator is not None and latents.generator_hash != generator.content_hash:
            faults[ballad.id] = (
                f"{source} was made with the generator {latents.generator_hash[:12]}, and this "
                f"show's is {generator.content_hash[:12]}: the pictures will not be the chosen "
                "ones."
            )
            continue
        good[ballad.id] = latents
    return good, faults
