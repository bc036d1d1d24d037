"""What a generator file says about itself, read from its header alone (no torch)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from shows.safetensors_header import read_safetensors_header
from shows.schema import ShowError

GENERATOR_FORMAT = "inspace-generator-1"
_LARGEST = {"img_resolution": 16384, "img_channels": 64, "z_dim": 65536, "w_dim": 65536}


@dataclass(frozen=True)
class GeneratorInfo:
    """img_resolution in pixels, a power of two. num_ws = 2 log2(img_resolution) - 2: two layers a
    resolution from 4x4 on, less one at 4x4, and one to RGB (StyleGAN2, arXiv 1912.04958, fig. 7).
    content_hash: hexadecimal, of config and weights.
    """

    img_resolution: int
    img_channels: int
    z_dim: int
    w_dim: int
    num_ws: int
    content_hash: str


def playable_file(path: Path) -> Path:
    """The file that is played for the one that a show names: for a published snapshot (.pkl), what
    `python -m generator import` makes of it, beside it."""
    return path.with_suffix(".safetensors") if path.suffix == ".pkl" else path


def how_to_get(path: Path) -> str:
    """What to do about a generator file that is missing, as the rest of a sentence on it."""
    snapshot = path.with_suffix(".pkl")
    if snapshot.is_file():
        return (
            f"has to be made of {snapshot.name} once: run `python -m generator import {snapshot} "
            f"{path}`."
        )
    return f"is missing: put a generator there, or train one ({path})."


def read_generator_info(path: Path, source: str | None = None) -> GeneratorInfo:
    """Read a generator file's header. source: the file's name in the faults. Raises ShowError."""
    source = source or path.name
    if not path.exists():
        raise ShowError(f"{source} {how_to_get(path)}")
    metadata = read_safetensors_header(path, source).metadata
    found = metadata.get("format", "none")
    if found != GENERATOR_FORMAT:
        raise ShowError(
            f"{source} is not a generator file of this project: its format is {found[:80]!r}, "
            f"wanted is {GENERATOR_FORMAT!r}."
        )
    try:
        config = json.loads(metadata.get("config", ""))
    except (ValueError, RecursionError) as error:
        raise ShowError(f"{source}: config: is not JSON.") from error
    if not isinstance(config, dict):
        raise ShowError(f"{source}: config: must be a mapping.")
    sizes: dict[str, int] = {}
    for name, largest in _LARGEST.items():
        value = config.get(name)
        if type(value) is not int or not 1 <= value <= largest:
            raise ShowError(
                f"{source}: config.{name}: must be a whole number from 1 to {largest} "
                f"(it is {value!r:.80})."
            )
        sizes[name] = value
    resolution = sizes["img_resolution"]
    if resolution < 4 or resolution & (resolution - 1):
        raise ShowError(
            f"{source}: config.img_resolution: must be a power of two from 4 on "
            f"(it is {resolution})."
        )
    content_hash = metadata.get("content_hash", "")
    if not content_hash:
        raise ShowError(f"{source}: content_hash: is missing.")
    return GeneratorInfo(
        num_ws=2 * (resolution.bit_length() - 1) - 2, content_hash=content_hash, **sizes
    )
