"""Latents that people already have, for the paintings of a ballad.

What is read: `projected_w.npz` of the published projector; .npy and .npz files of w, z or w+;
latent sets and projections of this project, of this generator or of an earlier one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from generator.networks import Generator
from shows.latent_set import LatentSet, read_latent_set
from shows.safetensors_header import read_safetensors_header
from shows.schema import Ballad, ShowError
from training.errors import TrainingError
from training.latents.numpy_file import read_numpy
from training.latents.projection_file import ProjectionFile, read_projection_file

Meaning = Literal["w", "z"]
Layers = NDArray[np.float32]
NUMPY_SUFFIXES = (".npz", ".npy")
PROJECTED_W = "projected_w.npz"
SETS = ("latents.safetensors", "projection.safetensors")


@dataclass(frozen=True, eq=False)
class Earlier:
    """One painting's latents as a file has them.

    layers: float32 [1 or num_ws, w_dim]. origin: plain JSON, for the provenance: file, its SHA-256,
    kind, and for a set of this project what it says of itself. generator_hash: None where the file
    does not say.
    """

    layers: Layers
    origin: dict[str, Any]
    generator_hash: str | None


def find_files(
    paths: Sequence[Path], ballads: Sequence[Ballad], sets: Sequence[str] = SETS
) -> dict[str, list[Path]]:
    """Which files are whose, by ballad id, in the order of the paintings. A folder is searched for
    every ballad; one that it has nothing for is left out. sets: names of this project's files, the
    preferred one first. Raises TrainingError."""
    if len(paths) == 1 and paths[0].is_dir():
        by_ballad = {b.id: _in_folder(paths[0], b, sets, len(ballads) == 1) for b in ballads}
        found = {ballad_id: files for ballad_id, files in by_ballad.items() if files}
        if not found:
            names = ", ".join(by_ballad)
            raise TrainingError(
                f"{paths[0]} holds no latents of {names}; wanted is a folder, or a .npz, .npy or "
                ".safetensors file, with the name of a ballad."
            )
        return found
    found = {}
    for path in paths:
        if not path.is_file():
            raise TrainingError(f"{path}: there is no such file (a folder is given alone).")
        found.setdefault(_ballad_of(path, ballads), []).append(path)
    return found


def _ballad_of(path: Path, ballads: Sequence[Ballad]) -> str:
    known = [ballad.id for ballad in ballads]
    if path.suffix == ".safetensors":
        ballad_id = _read_set(path).ballad_id
        if ballad_id not in known:
            raise TrainingError(
                f"{path} is of the ballad {ballad_id[:80]!r}, which is none of {', '.join(known)}."
            )
        return ballad_id
    if path.suffix not in NUMPY_SUFFIXES:
        raise TrainingError(f"{path}: wanted is a .npz, .npy or .safetensors file, or a folder.")
    if len(known) != 1:
        raise TrainingError(
            f"{path} does not say which ballad it is of; name the ballad with --ballad, or give a "
            "folder in which files have the names of ballads."
        )
    return known[0]


def _in_folder(folder: Path, ballad: Ballad, sets: Sequence[str], alone: bool) -> list[Path]:
    places = [folder / "ballads" / ballad.id, folder / ballad.id, *([folder] if alone else [])]
    names = [place / name for place in places for name in sets]
    names += [folder / f"{ballad.id}{suffix}" for suffix in (".safetensors", *NUMPY_SUFFIXES)]
    for path in names:
        if path.is_file():
            return [path]
    for place in places:
        files = [_of_painting(place, *each) for each in enumerate(ballad.painting_ids, 1)]
        if any(files):
            pairs = zip(ballad.painting_ids, files, strict=True)
            missing = [painting_id for painting_id, path in pairs if path is None]
            if missing:
                raise TrainingError(f"{place} holds nothing for {', '.join(missing)}.")
            return [path for path in files if path is not None]
    return []


def _of_painting(place: Path, number: int, painting_id: str) -> Path | None:
    """The file named by a painting's id or its place from 1, or in a folder of that name."""
    for stem in (painting_id, str(number)):
        for path in (*(place / f"{stem}{s}" for s in NUMPY_SUFFIXES), place / stem / PROJECTED_W):
            if path.is_file():
                return path
    return None


def read_earlier(
    ballad: Ballad, files: Sequence[Path], generator: Generator, meaning: Meaning | None = None
) -> dict[str, Earlier]:
    """By painting id. Of numpy files there must be latents for every painting, in order; a set may
    lack some. meaning: what numpy files hold; None: z if the array has that name, else w. Raises
    TrainingError."""
    if any(path.suffix == ".safetensors" for path in files):
        if len(files) > 1:
            raise TrainingError(f"{ballad.id}: give one latent set, or numpy files, not both.")
        return _of_set(files[0], ballad, generator)
    paintings = len(ballad.paintings)
    found: list[Earlier] = []
    for path in files:
        array, name = read_numpy(path)
        kind = meaning or ("z" if name == "z" else "w")
        digest = sha256(path.read_bytes()).hexdigest()
        for row, layers in enumerate(
            _as_layers(path, array, kind, generator, one_each=len(files) == paintings)
        ):
            kind_of = "w+" if len(layers) > 1 else kind
            origin = {"file": path.name, "sha256": digest, "kind": kind_of, "row": row}
            found.append(Earlier(layers, origin, None))
    if len(found) != paintings:
        names = ", ".join(path.name for path in files)
        raise TrainingError(
            f"{names}: {len(found)} latents for the {paintings} paintings of {ballad.id}; there "
            "must be one for each, in their order."
        )
    return dict(zip(ballad.painting_ids, found, strict=True))


def stack(found: Sequence[Earlier], num_ws: int) -> NDArray[np.float32]:
    """float32 [P, L, w_dim]; L is 1 if no painting has a w for each layer."""
    layers = max(len(each.layers) for each in found)
    shape = (num_ws if layers > 1 else 1, found[0].layers.shape[1])
    return np.stack([np.broadcast_to(each.layers, shape) for each in found])


def other_model(found: Sequence[Earlier], generator_hash: str) -> str | None:
    """The generator that these belong to, if they say that it is another one."""
    hashes = {each.generator_hash for each in found} - {None, generator_hash}
    return next((found for found in hashes if found is not None), None)


def about_models(
    ballad: Ballad, found: Sequence[Earlier], generator: str, digest: str
) -> list[str]:
    """What a person must know of the generator that latents were made with; generator: the file
    that is to show them, digest: its content hash."""
    other = other_model(found, digest)
    if other is not None:
        return [
            f"{ballad.id}: its latents were made with the generator {other[:12]}, and {generator} "
            f"is {digest[:12]}: the pictures will not be the chosen ones; look at the sheet, or "
            "begin from these latents with `project --from-old`."
        ]
    if any(each.generator_hash is None for each in found):
        return [
            f"{ballad.id}: the files do not say which generator they belong to; they are taken to "
            f"be of {generator}, {digest[:12]}. Look at the sheet."
        ]
    return []


def _as_layers(
    path: Path, array: NDArray[np.float32], kind: Meaning, net: Generator, *, one_each: bool
) -> Layers:
    """[N, 1 or num_ws, w_dim]. one_each: every file is one painting's."""
    wide = net.z_dim if kind == "z" else net.w_dim
    shape = list(array.shape)
    if array.ndim == 0 or shape[-1] != wide:
        raise TrainingError(
            f"{path} holds {kind} of shape {shape}, and this generator's have {wide} numbers; are "
            "they of another model?"
        )
    if kind == "z":
        rows = torch.from_numpy(array.reshape(-1, wide))
        with torch.no_grad():
            ws: Layers = net.mapping(rows.to(net.mapping.w_avg.device))[:, :1].cpu().numpy()
        return ws
    if array.ndim == 1:
        return array[None, None]
    if array.ndim == 2:
        is_w_plus = one_each and len(array) == net.num_ws
        array = array[None] if is_w_plus else array[:, None]
    if array.ndim != 3 or array.shape[1] not in (1, net.num_ws):
        raise TrainingError(
            f"{path} holds w of shape {shape}; wanted is [{wide}], [paintings, {wide}] or "
            f"[paintings, {net.num_ws}, {wide}]."
        )
    # the published projector writes its one w once for each layer
    return array[:, :1] if (array == array[:, :1]).all() else array


def _read_set(path: Path) -> LatentSet | ProjectionFile:
    try:
        metadata = read_safetensors_header(path, str(path)).metadata
        if "latent_set" in metadata:
            return read_latent_set(path, str(path))
    except ShowError as fault:
        raise TrainingError(str(fault)) from fault
    if "projection" in metadata:
        return read_projection_file(path, str(path), "Give another file")
    raise TrainingError(f"{path} is neither a latent set nor a projection of this project.")


def _of_set(path: Path, ballad: Ballad, net: Generator) -> dict[str, Earlier]:
    held = _read_set(path)
    ws = held.ws if held.ws.ndim == 3 else held.ws[:, None]
    if ws.shape[2] != net.w_dim or ws.shape[1] not in (1, net.num_ws):
        raise TrainingError(
            f"{path} holds ws of {ws.shape[1]} x {ws.shape[2]}, and the generator takes "
            f"{net.num_ws} x {net.w_dim}; it is of a model of another shape."
        )
    if held.ballad_id != ballad.id:
        raise TrainingError(f"{path} is of the ballad {held.ballad_id[:80]!r}, not {ballad.id!r}.")
    origin = {"file": path.name, "sha256": sha256(path.read_bytes()).hexdigest()}
    found: dict[str, Earlier] = {}
    for index, painting_id in enumerate(held.painting_ids):
        if isinstance(held, LatentSet):
            # one generation back: a header has its limit
            said = {k: v for k, v in held.provenance[index].items() if k != "from"}
            told = {"kind": "latent set", "earlier": said}
        else:
            told = {"kind": "projection", "projection": held.settings}
        found[painting_id] = Earlier(
            ws[index],
            {**origin, **told, "generator": held.generator_hash},
            held.generator_hash,
        )
    return {name: found[name] for name in ballad.painting_ids if name in found}
