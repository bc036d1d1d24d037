"""Where a candidate comes from: the few numbers that give its w again."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from shows.schema_base import StrictModel, listed

NEIGHBOURS = 100
# choices.yaml nests two levels a generation, and no file of a show more than 32
GENERATIONS = 12
MAX_STEPS = 64

_Seed = Annotated[int, Field(ge=0, lt=2**63)]
_Strength = Annotated[float, Field(ge=0, le=10)]
_Parents = Annotated[tuple["Address", ...], BeforeValidator(listed("parents"))]


class Ground(StrictModel):
    """What a hundred neighbours are drawn around, and how.

    parents: none: the projection; one: that candidate; two: halfway between them. strength: in
    units of w's standard deviation.
    """

    seed: _Seed
    strength: _Strength
    parents: Annotated[_Parents, Field(max_length=2)] = ()

    @model_validator(mode="after")
    def _ends(self) -> Ground:
        if self.generation > GENERATIONS or sum(1 for _ in self.steps()) > MAX_STEPS:
            raise ValueError(
                f"is bred over more than {GENERATIONS} generations or {MAX_STEPS} steps"
            )
        return self

    @property
    def generation(self) -> int:
        """1: around the projection."""
        return 1 + max((parent.generation for parent in self.parents), default=0)

    def steps(self) -> Iterator[Ground]:
        """This one, and all that it comes from."""
        yield self
        for parent in self.parents:
            yield from parent.steps()

    @property
    def ground(self) -> Ground:
        """Without a number."""
        return Ground(seed=self.seed, strength=self.strength, parents=self.parents)

    def at(self, number: int) -> Address:
        """The candidate with a number; that of the centre, 0, when it is a candidate itself."""
        if number == 0 and len(self.parents) == 1:
            return self.parents[0]
        return Address(number=number, seed=self.seed, strength=self.strength, parents=self.parents)

    def same_as(self, other: Ground | None) -> bool:
        """Whether both stand for the same pictures."""
        return other is not None and self.key() == other.key()

    def key(self) -> str:
        """A text that is the same for the same w."""
        return json.dumps(self.plain())

    def plain(self) -> list[Any]:
        """Seed, strength and parents, as JSON lists."""
        return [self.seed, self.strength, [parent.plain() for parent in self.parents]]


class Address(Ground):
    """One candidate. number: 1 to 100 of the neighbours, 0 what they are drawn around."""

    number: Annotated[int, Field(ge=0, le=NEIGHBOURS)]

    @property
    def generation(self) -> int:
        """0: the projection itself."""
        return super().generation - (1 if self.number == 0 else 0)

    def plain(self) -> list[Any]:
        """Number 0 is the same w whatever seed and strength are."""
        seed, strength, parents = super().plain()
        return [0, parents] if self.number == 0 else [self.number, seed, strength, parents]

    @property
    def candidate(self) -> Address:
        """Without what a choice adds to it."""
        return self.at(self.number)

    def words(self) -> str:
        """As a person reads it: "12", "the projection", "5 of 12", "7 of halfway 3 and 12"."""
        if not self.parents:
            return "the projection" if self.number == 0 else str(self.number)
        names = [parent.words() for parent in self.parents]
        centre = names[0] if len(names) == 1 else f"halfway {names[0]} and {names[1]}"
        return centre if self.number == 0 else f"{self.number} of {centre}"

    def token(self) -> str:
        """A text for the address of a web page; `of_token` reads it."""
        text = json.dumps(self.model_dump(mode="json", exclude_defaults=True), sort_keys=True)
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def of_token(cls, token: str) -> Address:
        """Raises ValueError for a text that is none."""
        try:
            text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            return cls.model_validate_json(text)
        except (ValueError, RecursionError) as fault:  # binascii.Error and ValidationError are
            raise ValueError("is no candidate's address") from fault


Ground.model_rebuild()
Address.model_rebuild()
