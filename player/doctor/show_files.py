"""The show's own files: its words, the generator, the latent sets, the films."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from player.doctor.finding import Finding, amber, green, red, waits_for
from player.doctor.helpers import Helpers
from player.doctor.patient import Patient
from player.this_program import command
from shows.generator_file import GeneratorInfo
from shows.plain_file import open_plain
from shows.safetensors_header import MAX_HEADER_BYTES, read_safetensors_header
from shows.schema import ShowError
from shows.show import Show
from shows.show_file import load_show

_TYPES = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}
_CHUNK_BYTES = 1 << 22


def look_at_show(patient: Patient, helpers: Helpers) -> Sequence[Finding]:
    """The YAML files, and whether every painting is there: it is the still of last resort."""
    del helpers
    show = patient.show
    if show is None:
        mend = "Mend what it names; docs/show-file.md has the words of a show."
        return [red("show", patient.show_fault, mend)]
    absent = [
        f"ballads/{ballad.id}/{painting.file}"
        for ballad in show.ballads
        for place, painting in enumerate(ballad.paintings)
        if not show.painting_path(ballad.id, place).is_file()
    ]
    if absent:
        return [
            amber(
                "show",
                f"{_some(absent)} missing: where neither live pictures nor a film can be had, "
                "there is no still to show.",
                "Copy the paintings into the show's folder again.",
            )
        ]
    screens, ballads = len(show.settings.screens), len(show.ballads)
    return [
        green(
            "show",
            f"{show.settings.title}: {_count(screens, 'screen')}, {_count(ballads, 'ballad')}, "
            f"{float(show.settings.fps):g} frames a second, all paintings there.",
        )
    ]


def look_at_generator(patient: Patient, helpers: Helpers) -> Sequence[Finding]:
    """The file is read whole: its weights must be those that its hash was made of."""
    del helpers
    name, show = "generator", patient.show
    if show is None:
        return [waits_for(name, "show")]
    again = "Copy the generator again from where it was trained or published."
    info = patient.generator
    if info is None:
        if not show.generator_path.exists() and patient.has_all_films:
            mend = "Put the generator there if live pictures are wanted."
            return [amber(name, f"{patient.generator_fault} All films are there.", mend)]
        return [red(name, patient.generator_fault, again)]
    if is_damaged(show, info):
        damage = f"{show.generator_path.name} is damaged: its weights are not those of its hash."
        return [red(name, damage, again)]
    return [green(name, _described(show, info))]


def is_damaged(show: Show, info: GeneratorInfo) -> bool:
    """Whether the generator's weights are others than its hash was made of; reads all of them."""
    try:
        return content_hash_of(show.generator_path) != info.content_hash
    except (ShowError, OSError, ValueError):
        return True


def content_hash_of(path: Path) -> str:
    """The content hash of a generator file's configuration and weights, computed without torch.

    As `generator.tensor_file.content_hash` defines it. Raises ShowError, OSError, ValueError.
    """
    header = read_safetensors_header(path, path.name)
    config = json.loads(header.metadata.get("config", ""))
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    with open_plain(path) as file:
        body = 8 + int.from_bytes(file.read(8), "little")
        if body > 8 + MAX_HEADER_BYTES:
            raise ValueError("it changed while it was read")
        for name in sorted(header.tensors):
            claim = header.tensors[name]
            kind = f"torch.{_TYPES.get(claim.dtype, claim.dtype)}"
            digest.update(f"{name} {kind} {list(claim.shape)};".encode())
            file.seek(body + claim.begin)
            left = claim.end - claim.begin
            while left > 0 and (chunk := file.read(min(left, _CHUNK_BYTES))):
                digest.update(chunk)
                left -= len(chunk)
    return digest.hexdigest()


def look_at_latents(patient: Patient, helpers: Helpers) -> Sequence[Finding]:
    """Every ballad has a set, and all sets belong to this generator."""
    del helpers
    name, show = "latents", patient.show
    if show is None:
        return [waits_for(name, "show")]
    if patient.latent_faults:
        mend = (
            "Bring the latents that belong to this generator, or project and publish these "
            f"ballads: {', '.join(patient.latent_faults)}."
        )
        return [red(name, " ".join(patient.latent_faults.values()), mend)]
    if patient.generator is not None or not show.generator_path.exists():
        try:
            load_show(show.folder)  # what the player itself asks of them besides
        except ShowError as fault:
            return [red(name, str(fault), "Project and publish the ballad it names.")]
    sets = _count(len(show.latents), "set")
    if patient.generator is None:
        return [green(name, f"{sets} there; whose they are cannot be judged without generator.")]
    return [green(name, f"{sets}, all of the generator {patient.generator.content_hash[:12]}.")]


def look_at_films(patient: Patient, helpers: Helpers) -> Sequence[Finding]:
    """What the screens fall back on. A ballad whose latents are at fault is not judged."""
    del helpers
    name, show, films = "films", patient.show, patient.films
    if show is None or films is None:
        return [waits_for(name, "show")]
    faults: list[str] = []
    if films.missing:
        faults.append(f"No film of {', '.join(films.missing)}.")
    faults += films.refused.values()
    others = {
        ballad: film.note
        for ballad, film in films.films.items()
        if film.state == "other" and ballad not in patient.latent_faults
    }
    if len(others) > 1:
        faults.append(
            f"Films of another version of this show, so that they do not match the live pictures: "
            f"{', '.join(others)}."
        )
    else:
        faults += others.values()
    if not faults:
        told = f"{_count(len(films.films), 'film')}, whole and of this show."
        unknown = [ballad for ballad in films.films if ballad in patient.latent_faults]
        if unknown:
            told += f" Not judged before `latents` is mended: {', '.join(unknown)}."
        return [green(name, told)]
    export = command("export", "--show", str(show.folder))
    mend = f"Make them: {export} --missing (docs/films.md)."
    if films.refused or others:
        mend = f"Make them anew: {export} (docs/films.md)."
    return [amber(name, " ".join(faults), mend)]


def _described(show: Show, info: GeneratorInfo) -> str:
    side = info.img_resolution
    return f"{show.generator_path.name}, {side}x{side} px, {info.content_hash[:12]}, whole."


def _some(names: Sequence[str]) -> str:
    """As in "a and 3 more are", "a is"."""
    if len(names) == 1:
        return f"{names[0]} is"
    if len(names) <= 3:
        return f"{', '.join(names)} are"
    return f"{', '.join(names[:2])} and {len(names) - 2} more are"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
