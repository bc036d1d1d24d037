"""What the models of several schema files are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


def listed(what: str) -> Callable[[object], object]:
    """For a BeforeValidator of a tuple: takes a list of YAML, refuses a text or a mapping."""

    def to_tuple(value: object) -> object:
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
            raise ValueError(f"must be a list of {what}")
        return tuple(value)

    return to_tuple


Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")]


class StrictModel(BaseModel):
    """The manner of every file here: frozen, unknown words refused, nothing converted, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
