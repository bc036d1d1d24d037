"""What happens at the light table, as lines of its journal."""

from __future__ import annotations

import base64
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, TypeAdapter

from shows.schema import Strength
from shows.schema_base import StrictModel, listed
from training.latents.address import Address, Ground
from training.latents.choices_file import LONGEST_NOTE, Choice


class Loop(StrictModel):
    """A painting's noise loop. strength: None: as its ballad or the show has it. seed: which draw
    of its noise."""

    strength: Strength | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0


class Array(StrictModel):
    """A float32 array as text."""

    shape: Annotated[tuple[int, ...], BeforeValidator(listed("lengths"))]
    data: str

    @classmethod
    def of(cls, array: NDArray[np.float32]) -> Array:
        content = np.ascontiguousarray(array, "<f4").tobytes()
        return cls(shape=array.shape, data=base64.b64encode(content).decode())

    def array(self) -> NDArray[np.float32]:
        """Raises ValueError where shape and data do not fit."""
        numbers = np.frombuffer(base64.b64decode(self.data), "<f4")
        return numbers.reshape(self.shape).astype(np.float32)


class Entry(StrictModel):
    """What every line says: when (ISO 8601, UTC), and of which painting and projection."""

    at: str
    ballad: str
    painting: str
    projection: str


class Projected(Entry):
    """A projection is met for the first time: all that its candidates are computed from."""

    do: Literal["projected"] = "projected"
    generator: str
    w: Array
    w_std: Array


class Found(Entry):
    """The show's files hold something else than the journal: they are right."""

    do: Literal["found"] = "found"
    choice: Choice | None
    loop: Loop


class Picked(Entry):
    """A person chose a candidate."""

    do: Literal["picked"] = "picked"
    address: Address
    generator: str


class Laid(Entry):
    """Other hundred were laid on the table: another seed or strength, or bred."""

    do: Literal["laid"] = "laid"
    ground: Ground


class Favoured(Entry):
    """A candidate was made a favourite, or is none any more."""

    do: Literal["favoured"] = "favoured"
    address: Address
    on: bool


class Noted(Entry):
    """The person's note on the painting."""

    do: Literal["noted"] = "noted"
    text: Annotated[str, Field(max_length=LONGEST_NOTE)]


class Looped(Entry):
    """The noise loop was drawn again, or its strength set."""

    do: Literal["looped"] = "looped"
    loop: Loop


class Undone(Entry):
    """The last change of this painting was taken back."""

    do: Literal["undone"] = "undone"


class Redone(Entry):
    """What was taken back was done again."""

    do: Literal["redone"] = "redone"


class Published(Entry):
    """The painting's choice went into the latent set."""

    do: Literal["published"] = "published"


Change = Picked | Laid | Favoured | Noted | Looped
Event = Projected | Found | Change | Undone | Redone | Published
EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="do")])
