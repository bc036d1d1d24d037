"""Snapshots to files of this project and back: what `import` and `export` do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch

from generator.checkpoint import (
    load_discriminator,
    load_safetensors,
    save_discriminator,
    save_generator,
    write_atomically,
)
from generator.discriminator import Discriminator
from generator.errors import CheckpointError
from generator.file_kind import kind_of
from generator.legacy.discriminators import discriminator_of
from generator.legacy.export import tensorflow_snapshot
from generator.legacy.generators import generator_of, generator_of_network, read_snapshot
from generator.networks import Generator


@dataclass(frozen=True)
class Imported:
    """What was written. discriminator: None where the snapshot has none; note: why not, if it does
    have one."""

    content_hash: str
    discriminator: Path | None
    note: str = ""


def discriminator_beside(generator: Path) -> Path:
    """Where `import` puts the discriminator of a generator's file."""
    return generator.with_name(f"{generator.stem}.discriminator.safetensors")


def import_snapshot(source: Path, out: Path, dtype: torch.dtype, *, replace: bool) -> Imported:
    """Write a snapshot's G_ema as `out`, its D beside it, rounded to `dtype`.

    A D that cannot be used here is left out and told of. Raises CheckpointError, before anything
    is written.
    """
    if out.suffix != ".safetensors":
        raise CheckpointError(f"{out}: the name of what is written must end in .safetensors")
    if kind_of(source) != "pickle":
        raise CheckpointError(f"{source}: it is no snapshot (.pkl) but safetensors already")
    beside = discriminator_beside(out)
    snapshot = read_snapshot(source)
    generator = generator_of(snapshot, source)
    discriminator, note = None, ""
    if "D" in snapshot.networks:
        try:
            discriminator = discriminator_of(snapshot, source)
            _check_range(discriminator, dtype, source)
        except CheckpointError as fault:
            discriminator, note = None, f"its discriminator is left out: {fault}"
    _check_range(generator, dtype, source)
    _check_free([out] if discriminator is None else [out, beside], replace)
    digest = save_generator(generator, out, dtype)
    if discriminator is None:
        return Imported(digest, None, note)
    save_discriminator(discriminator, beside, dtype)
    return Imported(digest, beside)


def export_snapshot(source: Path, out: Path, discriminator: Path | None, *, replace: bool) -> None:
    """Write the networks of a snapshot, or of files of this project, in TensorFlow's layout.

    A generator file holds one generator, which is both G and Gs then. discriminator: a file of its
    own, rather than the snapshot's or the one beside the generator.
    Raises CheckpointError, before anything is written.
    """
    if out.suffix != ".pkl":
        raise CheckpointError(f"{out}: the name of what is written must end in .pkl")
    _check_free([out], replace)
    generator, average, adversary = _networks(source, discriminator)
    for name in ("img_resolution", "img_channels", "c_dim"):
        ours, theirs = getattr(average.config, name), getattr(adversary.config, name)
        if ours != theirs:
            raise CheckpointError(
                f"{source}: its generator has {name}={ours} and the discriminator {theirs}; they "
                "do not belong together"
            )
    try:
        data = tensorflow_snapshot(generator, average, adversary)
    except ValueError as error:
        raise CheckpointError(f"{source}: it cannot be exported: {error}") from error
    write_atomically(out, data)


def _networks(
    source: Path, discriminator: Path | None
) -> tuple[Generator, Generator, Discriminator]:
    if kind_of(source) != "pickle":
        average = load_safetensors(source)
        return average, average, _discriminator_in(discriminator or _found_beside(source))
    snapshot = read_snapshot(source)
    average = generator_of(snapshot, source)
    stored = snapshot.networks.get("G")
    generator = average if stored is None else generator_of_network(stored, source)
    if discriminator is not None:
        return generator, average, _discriminator_in(discriminator)
    return generator, average, discriminator_of(snapshot, source)


def _discriminator_in(path: Path) -> Discriminator:
    if kind_of(path) == "pickle":
        return discriminator_of(read_snapshot(path), path)
    return load_discriminator(path)[0]


def _found_beside(generator: Path) -> Path:
    names = [discriminator_beside(generator), generator.with_name("discriminator.safetensors")]
    found = next((path for path in names if path.is_file()), None)
    if found is None:
        raise CheckpointError(
            f"{generator}: there is no {names[0].name} or {names[1].name} beside it, and the "
            "layout wants a discriminator; name one with --discriminator"
        )
    return found


def _check_free(paths: Iterable[Path], replace: bool) -> None:
    taken = next((path for path in paths if path.exists()), None)
    if taken is not None and not replace:
        raise CheckpointError(f"{taken}: there is such a file already; --force replaces it")


def _check_range(network: torch.nn.Module, dtype: torch.dtype, source: Path) -> None:
    for name, tensor in network.state_dict().items():
        if not bool(tensor.to(dtype).isfinite().all()):
            short = str(dtype).removeprefix("torch.")
            raise CheckpointError(
                f"{source}: {name} holds a number that {short} does not; "
                "take another --dtype, such as float32"
            )
