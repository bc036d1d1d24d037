"""One ballad's curated ws and loop noise, with provenance and the generator they belong to."""

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
from shows.plain_file import open_plain
from shows.safetensors_header import MAX_HEADER_BYTES, read_safetensors_header
from shows.schema import ShowError

LATENTS_FORMAT = "inspace-latents-1"
MAX_LATENTS_BYTES = 512 * 1024 * 1024
_TENSORS = {"ws": 3, "w_avg": 1, "loop_noise": 4}  # name: number of dimensions


@dataclass(frozen=True, eq=False)
class LatentSet:
    """The latents of one ballad with P paintings. Its arrays are read-only; compared by identity.

    ws: float32 [P, L, w_dim], with L = 1 (one w for every layer) or L = num_ws.
    num_ws: layers of the generator. w_avg: float32 [w_dim], its mean w.
    loop_noise: float32 [noise_cycles, P, stops, w_dim], Gaussian, already multiplied by w's
    standard deviation in each channel.
    generator_hash: content hash of the generator. provenance: one JSON mapping a painting.
    Raises ShowError if these do not fit one another or hold a number that is not finite.
    """

    ballad_id: str
    painting_ids: tuple[str, ...]
    ws: NDArray[np.float32]
    num_ws: int
    w_avg: NDArray[np.float32]
    loop_noise: NDArray[np.float32]
    generator_hash: str
    provenance: tuple[dict[str, Any], ...]

    def __post_init__(self) -> None:
        name = f"The latent set of {self.ballad_id!r:.80}"
        for field, dimensions in _TENSORS.items():
            array: NDArray[np.float32] = getattr(self, field)
            if array.dtype != np.float32 or array.ndim != dimensions or array.size == 0:
                raise ShowError(
                    f"{name}: {field}: must be float32 with {dimensions} dimensions, not "
                    f"{array.dtype} with shape {list(array.shape)}."
                )
            if not np.isfinite(array).all():
                raise ShowError(f"{name}: {field}: holds a number that is not finite.")
            object.__setattr__(self, field, _read_only(array))
        paintings, layers, w_dim = self.ws.shape
        if len(self.painting_ids) != paintings or len(set(self.painting_ids)) != paintings:
            raise ShowError(f"{name}: painting_ids: must be {paintings} different ids.")
        if self.num_ws < 1 or layers not in (1, self.num_ws):
            raise ShowError(f"{name}: ws: has {layers} layers; wanted is 1 or {self.num_ws}.")
        if self.w_avg.shape != (w_dim,):
            raise ShowError(f"{name}: w_avg: must have {w_dim} numbers, as ws has.")
        if self.loop_noise.shape[1] != paintings or self.loop_noise.shape[3] != w_dim:
            raise ShowError(
                f"{name}: loop_noise: has shape {list(self.loop_noise.shape)}; wanted is "
                f"[noise_cycles, {paintings}, stops, {w_dim}]."
            )
        if len(self.provenance) != paintings:
            raise ShowError(f"{name}: provenance: must have one entry for each painting.")

    def select(self, painting_ids: Sequence[str]) -> LatentSet:
        """The same latents in the order of these ids. Raises ShowError if one is missing."""
        if tuple(painting_ids) == self.painting_ids:
            return self
        missing = [wanted for wanted in painting_ids if wanted not in self.painting_ids]
        if missing:
            raise ShowError(
                f"The latent set of {self.ballad_id!r} has nothing for {', '.join(missing)}; "
                "project and publish these paintings."
            )
        order = [self.painting_ids.index(wanted) for wanted in painting_ids]
        return LatentSet(
            ballad_id=self.ballad_id,
            painting_ids=tuple(painting_ids),
            ws=self.ws[order],
            num_ws=self.num_ws,
            w_avg=self.w_avg,
            loop_noise=self.loop_noise[:, order],
            generator_hash=self.generator_hash,
            provenance=tuple(self.provenance[index] for index in order),
        )


def _read_only(array: NDArray[np.float32]) -> NDArray[np.float32]:
    if array.flags.writeable or not array.flags.owndata or not array.flags.c_contiguous:
        array = array.copy(order="C")
        array.setflags(write=False)
    return array


def write_latent_set(path: Path, latents: LatentSet) -> None:
    """Write the file whole or not at all; the same set gives the same bytes. Raises ShowError."""
    facts = {
        "format": LATENTS_FORMAT,
        "ballad_id": latents.ballad_id,
        "painting_ids": list(latents.painting_ids),
        "num_ws": latents.num_ws,
        "generator_hash": latents.generator_hash,
        "provenance": list(latents.provenance),
    }
    try:
        text = json.dumps(facts, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ShowError(f"{path}: provenance: is not plain JSON: {error}.") from error
    # One single metadata entry: safetensors writes several in no fixed order.
    content = safetensors.numpy.save(
        {name: getattr(latents, name) for name in _TENSORS}, metadata={"latent_set": text}
    )
    if int.from_bytes(content[:8], "little") > MAX_HEADER_BYTES:
        raise ShowError(f"{path}: provenance: is larger than 1 MB; keep it to a few lines.")
    write_atomically(path, content)


def read_latent_set(path: Path, source: str | None = None) -> LatentSet:
    """Read and check a latent set. source: the file's name in the faults. Raises ShowError."""
    source = source or path.name
    header = read_safetensors_header(path, source)
    for name, dimensions in _TENSORS.items():
        claim = header.tensors.get(name)
        if claim is None or claim.dtype != "F32" or len(claim.shape) != dimensions:
            raise ShowError(f"{source}: {name}: must be there, F32 with {dimensions} dimensions.")
    if max(claim.end for claim in header.tensors.values()) > MAX_LATENTS_BYTES:
        raise ShowError(f"{source} is larger than {MAX_LATENTS_BYTES >> 20} MiB.")
    facts = _read_facts(header.metadata, source)
    try:
        with open_plain(path) as file:
            tensors = safetensors.numpy.load(file.read(MAX_LATENTS_BYTES + MAX_HEADER_BYTES))
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise ShowError(f"{source} cannot be read: {str(error)[:200]} ({path}).") from error
    try:
        return LatentSet(
            ballad_id=facts["ballad_id"],
            painting_ids=tuple(facts["painting_ids"]),
            ws=tensors["ws"],
            num_ws=facts["num_ws"],
            w_avg=tensors["w_avg"],
            loop_noise=tensors["loop_noise"],
            generator_hash=facts["generator_hash"],
            provenance=tuple(facts["provenance"]),
        )
    except ShowError as error:
        raise ShowError(f"{source}: {error}") from error


def _read_facts(metadata: Mapping[str, str], source: str) -> dict[str, Any]:
    try:
        facts = json.loads(metadata.get("latent_set", ""))
    except (ValueError, RecursionError) as error:
        raise ShowError(f"{source} has no readable latent_set metadata; publish again.") from error
    if not isinstance(facts, dict) or facts.get("format") != LATENTS_FORMAT:
        raise ShowError(f"{source}: format: must be {LATENTS_FORMAT!r}; publish again.")
    kinds = {
        "ballad_id": str,
        "painting_ids": list,
        "num_ws": int,
        "generator_hash": str,
        "provenance": list,
    }
    for name, kind in kinds.items():
        if type(facts.get(name)) is not kind:
            raise ShowError(f"{source}: {name}: is missing or of the wrong kind; publish again.")
    if not all(isinstance(painting_id, str) for painting_id in facts["painting_ids"]):
        raise ShowError(f"{source}: painting_ids: must be texts; publish again.")
    if not all(isinstance(entry, dict) for entry in facts["provenance"]):
        raise ShowError(f"{source}: provenance: must be mappings; publish again.")
    return facts


def draw_loop_noise(
    show_seed: int,
    ballad_id: str,
    painting_ids: Sequence[str],
    stops: int,
    noise_cycles: int,
    w_std: NDArray[np.floating[Any]],
    rerolls: Mapping[str, int] | None = None,
) -> NDArray[np.float32]:
    """Draw the noise of a ballad's loops: float32 [noise_cycles, P, stops, w_dim].

    w_std: [w_dim], w's standard deviation in each channel. rerolls: by painting id, another draw
    for that painting alone (0 where it is not named).
    Keyed by ids and seeds through SHA-256 into Philox (Salmon et al., SC 2011), never by position:
    moving a painting, or asking for more stops or cycles, leaves all other numbers as they were.
    """
    if stops < 1 or noise_cycles < 1 or not painting_ids:
        raise ShowError("Loop noise needs at least one painting, one stop and one cycle.")
    if w_std.ndim != 1 or not np.isfinite(w_std).all() or (w_std < 0).any():
        raise ShowError("w_std must be a list of finite numbers, none below zero.")
    unknown = set(rerolls or {}) - set(painting_ids)
    if unknown:
        raise ShowError(f"There is no painting {', '.join(sorted(unknown))} to draw again.")
    scale = w_std.astype(np.float64)
    noise = np.empty((noise_cycles, len(painting_ids), stops, w_std.shape[0]), np.float32)
    for index, painting_id in enumerate(painting_ids):
        reroll = (rerolls or {}).get(painting_id, 0)
        for cycle in range(noise_cycles):
            identity = ["loop-noise-1", show_seed, ballad_id, painting_id, reroll, cycle]
            digest = hashlib.sha256(json.dumps(identity).encode()).digest()
            generator = np.random.Generator(
                np.random.Philox(key=int.from_bytes(digest[:16], "little"))
            )
            noise[cycle, index] = generator.standard_normal((stops, scale.shape[0])) * scale
    return noise
