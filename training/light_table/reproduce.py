"""The journal alone gives every chosen w again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.latents.address import Address
from training.latents.lineage import Origin, address_w
from training.light_table.events import Event, Found, Picked, Projected
from training.light_table.state import Key, key_of


@dataclass(frozen=True, eq=False)
class Reproduced:
    """One choice of the journal. w: float32 [w_dim], in w+ [num_ws, w_dim]."""

    at: str
    key: Key
    address: Address
    w: NDArray[np.float32]


def reproduce(events: Iterable[Event]) -> list[Reproduced]:
    """Every choice, in the order they were made, undone ones too.

    One found in a file that was chosen from another projection than the one that it was found with
    is left out: the journal does not know that projection.
    """
    origins: dict[Key, Origin] = {}
    choices: list[Reproduced] = []
    for event in events:
        key = key_of(event)
        if isinstance(event, Projected):
            w, w_std = event.w.array(), event.w_std.array()
            origins[key] = Origin(event.ballad, event.painting, w, w_std)
            continue
        address = _chosen(event)
        if address is not None:
            choices.append(Reproduced(event.at, key, address, address_w(origins[key], address)))
    return choices


def _chosen(event: Event) -> Address | None:
    if isinstance(event, Picked):
        return event.address
    choice = event.choice if isinstance(event, Found) else None
    return choice.candidate if choice and choice.projection == event.projection else None
