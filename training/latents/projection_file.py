"""The projections of one ballad: `ballads/<id>/projection.safetensors`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from shows.atomic_file import write_atomically
from shows.safetensors_header import read_safetensors_header
from shows.schema import Ballad, ShowError
from shows.show import Show
from training.errors import TrainingError
from training.show_folder import painting_facts

FORMAT = "inspace-projection-1"
_TENSORS = {"ws": (2, 3), "w_std": (1,)}
# of files written before these could be chosen
_USUAL_SETTINGS = {"space": "w", "restarts": 1}


@dataclass(frozen=True, eq=False)
class ProjectionFile:
    """ws: float32 [P, w_dim], or in w+ [P, num_ws, w_dim]; w_std: float32 [w_dim], w's standard
    deviation per channel.

    paintings: `Target.facts` of each, with its distances added. settings: what projected them, as
    plain JSON.
    """

    ballad_id: str
    generator_hash: str
    ws: NDArray[np.float32]
    w_std: NDArray[np.float32]
    paintings: tuple[dict[str, Any], ...]
    settings: dict[str, Any]

    @property
    def painting_ids(self) -> tuple[str, ...]:
        return tuple(str(painting["id"]) for painting in self.paintings)

    def shows_the_same(self, facts: Sequence[Mapping[str, object]]) -> bool:
        """Whether it was made of exactly these paintings (`Target.facts`), in this order."""
        return len(self.paintings) == len(facts) and all(
            {name: kept.get(name) for name in wanted} == dict(wanted)
            for kept, wanted in zip(self.paintings, facts, strict=True)
        )

    def hash_of(self, index: int) -> str:
        """Of everything that a painting's neighbours are made from: SHA-256, 16 hex digits."""
        digest = hashlib.sha256(self.generator_hash.encode())
        digest.update(self.ws[index].tobytes())
        digest.update(self.w_std.tobytes())
        return digest.hexdigest()[:16]


def projection_path(show: Show, ballad_id: str) -> Path:
    """The file of a ballad's projections."""
    return show.ballad_folder(ballad_id) / "projection.safetensors"


def write_projection(path: Path, projection: ProjectionFile) -> None:
    """Write the file whole or not at all. Raises TrainingError."""
    facts = {
        "format": FORMAT,
        "ballad_id": projection.ballad_id,
        "generator_hash": projection.generator_hash,
        "paintings": list(projection.paintings),
        "settings": projection.settings,
    }
    # one single metadata entry: safetensors writes several in no fixed order
    content = safetensors.numpy.save(
        {"ws": projection.ws, "w_std": projection.w_std},
        metadata={"projection": json.dumps(facts, sort_keys=True)},
    )
    try:
        write_atomically(path, content)
    except ShowError as fault:
        raise TrainingError(str(fault)) from fault


def read_projection(show: Show, ballad_id: str) -> ProjectionFile:
    """Read and check. Raises TrainingError."""
    path = projection_path(show, ballad_id)
    source = f"ballads/{ballad_id}/projection.safetensors"
    again = f"run `python -m training project {show.folder} --ballad {ballad_id} --force`"
    if not path.is_file():
        raise TrainingError(
            f"{source} is missing; run `python -m training project {show.folder} "
            f"--ballad {ballad_id}`."
        )
    found = read_projection_file(path, source, f"Then {again}")
    if found.ballad_id != ballad_id:
        raise TrainingError(f"{source} belongs to the ballad {found.ballad_id!r:.80}; {again}.")
    return found


def read_projection_file(path: Path, source: str, advice: str) -> ProjectionFile:
    """Read and check one, wherever it lies. source: its name in the faults; advice: what to do,
    the end of their last sentence. Raises TrainingError."""
    try:
        header = read_safetensors_header(path, source)
        tensors = safetensors.numpy.load(path.read_bytes())
        facts = json.loads(header.metadata["projection"])
        if facts["format"] != FORMAT:
            raise ValueError(f"its format is {facts['format']!r:.80}, wanted is {FORMAT!r}")
        found = ProjectionFile(
            ballad_id=str(facts["ballad_id"]),
            generator_hash=str(facts["generator_hash"]),
            ws=tensors["ws"],
            w_std=tensors["w_std"],
            paintings=tuple(dict(painting) for painting in facts["paintings"]),
            settings={**_USUAL_SETTINGS, **facts["settings"]},
        )
        _check(found)
    except ShowError as fault:
        raise TrainingError(f"{fault} {advice}.") from fault
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RecursionError) as fault:
        raise TrainingError(f"{source} cannot be used ({str(fault)[:200]}). {advice}.") from fault
    return found


def current_projection(show: Show, ballad: Ballad, generator_hash: str) -> ProjectionFile:
    """A ballad's projections, if they are of this generator and of the paintings as they are now.

    Raises TrainingError.
    """
    found = read_projection(show, ballad.id)
    source = f"ballads/{ballad.id}/projection.safetensors"
    again = f"run `python -m training project {show.folder} --ballad {ballad.id}` again"
    if found.generator_hash != generator_hash:
        raise TrainingError(
            f"{source} belongs to the generator {found.generator_hash[:12]}, and "
            f"{show.settings.generator} is {generator_hash[:12]}; {again}."
        )
    facts = [painting_facts(show, ballad, index) for index in range(len(ballad.paintings))]
    if not found.shows_the_same(facts):
        raise TrainingError(
            f"{source} was made before the paintings of this ballad, their files, crops or "
            f"backgrounds were changed; {again}."
        )
    return found


def _check(found: ProjectionFile) -> None:
    for name, dimensions in _TENSORS.items():
        array: NDArray[Any] = getattr(found, name)
        if array.dtype != np.float32 or array.ndim not in dimensions:
            raise ValueError(f"{name} is not float32 with {dimensions[-1]} dimensions")
        if array.size == 0 or not np.isfinite(array).all():
            raise ValueError(f"{name} is empty, or holds a number that is not finite")
    paintings, w_dim = len(found.ws), found.ws.shape[-1]
    if found.w_std.shape != (w_dim,) or len(found.paintings) != paintings:
        raise ValueError("its tensors and paintings do not fit one another")
    if len(set(found.painting_ids)) != paintings:
        raise ValueError("a painting stands in it twice")
