"""The w of a candidate, from its address and the projection alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.latents.address import NEIGHBOURS, Address, Ground
from training.latents.projection_file import ProjectionFile
from training.latents.projector import keyed_generator

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Origin:
    """A projected painting. w: float32 [w_dim], in w+ [num_ws, w_dim]; w_std: float32 [w_dim]."""

    ballad_id: str
    painting_id: str
    w: Floats
    w_std: Floats

    @classmethod
    def of(cls, projection: ProjectionFile, index: int) -> Origin:
        """That of a painting (0-based)."""
        name = projection.painting_ids[index]
        return cls(projection.ballad_id, name, projection.ws[index], projection.w_std)


def ground_ws(origin: Origin, ground: Ground) -> Floats:
    """float32 [101, ...]: the centre, then its neighbours w + strength * w_std * N(0, 1).

    The centre is the projection, a candidate, or the mean of two. Keyed by seed, ballad, painting
    and parents: a number is the same w whenever it is drawn. In w+ all layers take the same step.
    """
    parents = [parent.plain() for parent in ground.parents]
    if parents:
        purpose = "bred-1"
        words = [Ground(seed=0, strength=0, parents=ground.parents).key()]
        ws = [address_w(origin, parent).astype(np.float64) for parent in ground.parents]
        w = ws[0] if len(ws) == 1 else 0.5 * (ws[0] + ws[1])
    else:
        purpose, words = "neighbours-1", []
        w = origin.w.astype(np.float64)
    random = keyed_generator(purpose, ground.seed, origin.ballad_id, origin.painting_id, *words)
    steps = random.standard_normal((NEIGHBOURS, w.shape[-1])) * (ground.strength * origin.w_std)
    if w.ndim == 2:
        steps = steps[:, None]
    return np.concatenate([w[None], w + steps]).astype(np.float32)


def address_w(origin: Origin, address: Address) -> Floats:
    """float32 [w_dim], in w+ [num_ws, w_dim]: every generation is rounded as it was drawn."""
    w: Floats = ground_ws(origin, address.ground)[address.number]
    return w
