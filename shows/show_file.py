"""A show's folder <-> Show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from shows.atomic_file import write_atomically
from shows.generator_file import (
    GeneratorInfo,
    how_to_get,
    playable_file,
    read_generator_info,
)
from shows.kept_files import KeptFiles
from shows.latent_set import LatentSet, read_latent_set
from shows.schema import (
    SCHEMA_VERSION,
    Ballad,
    ShowError,
    ShowSettings,
    parse_ballad,
    parse_settings,
)
from shows.show import Show
from shows.yaml_file import read_yaml_mapping

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]
UPGRADES: Mapping[int, Upgrade] = {}
"""By version: what makes a show.yaml of that version one of the next."""


def upgrade(
    data: dict[str, Any],
    upgrades: Mapping[int, Upgrade] = UPGRADES,
    newest: int = SCHEMA_VERSION,
) -> dict[str, Any]:
    """Bring show.yaml's data, step by step, to the newest version. Raises ShowError."""
    version = data.get("schema_version")
    if type(version) is not int or version < 1:
        raise ShowError(
            f"show.yaml: schema_version: must be there and a whole number, as in "
            f"`schema_version: {newest}`."
        )
    if version > newest:
        raise ShowError(
            f"show.yaml: schema_version: is {version}, made by a newer version of this program, "
            f"which knows {newest}; update the program."
        )
    for step in range(version, newest):
        if step not in upgrades:
            raise ShowError(f"show.yaml: schema_version: {step} can no longer be read.")
        data = {**upgrades[step](data), "schema_version": step + 1}
    return data


def load_settings(folder: Path) -> ShowSettings:
    """Read show.yaml. Raises ShowError."""
    folder = Path(folder)
    if not (folder / "show.yaml").is_file():
        raise ShowError(f"There is no show in {folder}: it has no file show.yaml.")
    settings = parse_settings(
        upgrade(read_yaml_mapping(folder / "show.yaml", "show.yaml")), "show.yaml"
    )
    _stay_inside(folder, playable_file(folder / settings.generator), "show.yaml: generator")
    if settings.sync.key_file is not None:
        _stay_inside(folder, folder / settings.sync.key_file, "show.yaml: sync.key_file")
    return settings


def load_ballad(folder: Path, ballad_id: str) -> Ballad:
    """Read one ballad of a show. Raises ShowError."""
    source = f"ballads/{ballad_id}/ballad.yaml"
    path = Path(folder) / source
    ballad = parse_ballad(ballad_id, read_yaml_mapping(path, source), source)
    for index, painting in enumerate(ballad.paintings):
        where = f"{source}: paintings[{index}].file"
        _stay_inside(Path(folder), path.parent / painting.file, where)
    if ballad.film is not None:
        _stay_inside(Path(folder), path.parent / ballad.film, f"{source}: film")
    return ballad


def load_show(folder: Path, *, latents: bool = True, kept: KeptFiles | None = None) -> Show:
    """Read a whole show. Raises ShowError.

    latents=False leaves latent sets and generator alone, as for a show that is still being made.
    The paintings' files need not be there. What is odd but playable is in `Show.warnings`.
    kept: of an earlier call; files of ballads that are the same as then are not read again.
    """
    folder, kept = Path(folder), kept or KeptFiles()
    settings = load_settings(folder)
    ballads = tuple(
        kept.read(_ballad_path(folder, ballad_id), partial(load_ballad, folder, ballad_id))
        for ballad_id in settings.ballads
    )
    titles = [ballad.title.casefold() for ballad in ballads]
    for index, ballad in enumerate(ballads):
        if titles[index] in titles[:index]:
            raise ShowError(
                f"ballads/{ballad.id}/ballad.yaml: title: {ballad.title!r} is taken by another "
                "ballad."
            )
    if not latents:
        return Show(folder, settings, ballads, MappingProxyType({}))
    sets = {ballad.id: _load_latents(folder, settings, ballad, kept) for ballad in ballads}
    _sizes_agree(sets)
    playable = playable_file(folder / settings.generator)
    source = playable.relative_to(folder).as_posix()
    warnings = _compare_with_generator(playable, source, sets)
    return Show(folder, settings, ballads, MappingProxyType(sets), warnings)


def save_settings(folder: Path, settings: ShowSettings) -> None:
    """Write show.yaml, whole or not at all (comments in an older one are lost). ShowError."""
    write_atomically(Path(folder) / "show.yaml", _yaml(settings.model_dump(mode="json")))


def save_ballad(folder: Path, ballad: Ballad) -> None:
    """Write a ballad's YAML, whole or not at all (comments in an older one are lost). ShowError."""
    data = ballad.model_dump(mode="json", exclude={"id"}, exclude_none=True)
    write_atomically(Path(folder) / "ballads" / ballad.id / "ballad.yaml", _yaml(data))


def resolve_ballad(show: Show, name_or_index: str | int | float) -> str:
    """The id of a ballad named by id, title (in any case) or 1-based place in the show.

    A place may be a whole number, a float with no fraction, or digits. Raises ShowError.
    """
    wanted = name_or_index
    if isinstance(wanted, str):
        name = wanted.strip().casefold()
        if name.isascii() and name.isdigit() and len(name) <= 9:
            return _by_place(show, int(name), wanted)
        if name in show.ballad_ids:
            return name
        for ballad in show.ballads:
            if name == ballad.title.casefold():
                return ballad.id
    elif not isinstance(wanted, bool) and (isinstance(wanted, int) or wanted.is_integer()):
        return _by_place(show, int(wanted), wanted)
    raise ShowError(f"There is no ballad {wanted!r:.80}; {_choices(show)}.")


def _by_place(show: Show, place: int, wanted: object) -> str:
    if 1 <= place <= len(show.ballads):
        return show.ballads[place - 1].id
    raise ShowError(f"There is no ballad {wanted!r:.80}; {_choices(show)}.")


def _choices(show: Show) -> str:
    return "there are " + ", ".join(
        f"{place} {ballad_id}" for place, ballad_id in enumerate(show.ballad_ids, 1)
    )


def _yaml(data: dict[str, Any]) -> bytes:
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100).encode()


def _stay_inside(folder: Path, path: Path, where: str) -> None:
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError) as error:
        raise ShowError(f"{where}: leads nowhere: {error}.") from error
    if not inside:
        raise ShowError(f"{where}: leads out of the show's folder; copy the file into it.")


def _ballad_path(folder: Path, ballad_id: str) -> Path:
    return folder / "ballads" / ballad_id / "ballad.yaml"


def _load_latents(
    folder: Path, settings: ShowSettings, ballad: Ballad, kept: KeptFiles
) -> LatentSet:
    source = f"ballads/{ballad.id}/latents.safetensors"
    path = folder / source
    if not path.is_file():
        raise ShowError(
            f"{source} is missing; project and publish this ballad (python -m training publish)."
        )
    latents = kept.read(path, partial(read_latent_set, path, source))
    if latents.ballad_id != ballad.id:
        raise ShowError(f"{source} belongs to the ballad {latents.ballad_id[:80]!r}.")
    try:
        latents = latents.select(ballad.painting_ids)
    except ShowError as error:
        raise ShowError(f"{source}: {error}") from error
    cycles, _, stops, _ = latents.loop_noise.shape
    if cycles < settings.noise_cycles or stops < settings.stops:
        raise ShowError(
            f"{source} holds noise for {stops} stops and {cycles} cycles; show.yaml asks for "
            f"{settings.stops} stops and {settings.noise_cycles} cycles; publish again."
        )
    return latents


def _sizes_agree(sets: Mapping[str, LatentSet]) -> None:
    first_id, first = next(iter(sets.items()))
    for ballad_id, latents in sets.items():
        if (latents.num_ws, latents.ws.shape[2]) != (first.num_ws, first.ws.shape[2]):
            raise ShowError(
                f"ballads/{ballad_id}/latents.safetensors has ws of {latents.num_ws} x "
                f"{latents.ws.shape[2]} and {first_id} of {first.num_ws} x {first.ws.shape[2]}; "
                "publish both from one generator."
            )


def _compare_with_generator(
    path: Path, source: str, sets: Mapping[str, LatentSet]
) -> tuple[str, ...]:
    if not path.is_file():
        return (f"{source} {how_to_get(path)} Until then this show plays stills, not live.",)
    info: GeneratorInfo = read_generator_info(path, source)
    warnings: list[str] = []
    for ballad_id, latents in sets.items():
        where = f"ballads/{ballad_id}/latents.safetensors"
        if (latents.num_ws, latents.ws.shape[2]) != (info.num_ws, info.w_dim):
            raise ShowError(
                f"{where} has ws of {latents.num_ws} x {latents.ws.shape[2]}, and {source} takes "
                f"{info.num_ws} x {info.w_dim}; project and publish with this generator."
            )
        if latents.generator_hash != info.content_hash:
            warnings.append(
                f"{where} was made with the generator {latents.generator_hash}, and {source} is "
                f"{info.content_hash}: the pictures will not be the chosen ones."
            )
    return tuple(warnings)
