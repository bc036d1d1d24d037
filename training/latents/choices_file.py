"""Which neighbour of each painting was chosen, and by whom: `ballads/<id>/choices.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shows.atomic_file import write_atomically
from shows.schema import ShowError
from shows.show import Show
from shows.yaml_file import read_yaml_mapping
from training.errors import TrainingError

NEIGHBOURS = 100
LONGEST_NOTE = 1000

By = Literal["person", "auto"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Choice(_Model):
    """One chosen neighbour.

    number: 0 is the projection itself. strength: in units of w's standard deviation; with seed and
    number it gives the w again. generator: content hash. projection: `ProjectionFile.hash_of`.
    score: what --auto measured.
    """

    number: Annotated[int, Field(ge=0, le=NEIGHBOURS)]
    by: By
    seed: Annotated[int, Field(ge=0)]
    strength: Annotated[float, Field(ge=0, le=10)]
    generator: str
    projection: str
    note: Annotated[str, Field(max_length=LONGEST_NOTE)] = ""
    score: dict[str, float] | None = None


class _File(_Model):
    schema_version: Literal[1] = 1
    paintings: dict[str, Choice]


def choices_path(show: Show, ballad_id: str) -> Path:
    """The file of a ballad's choices."""
    return show.ballad_folder(ballad_id) / "choices.yaml"


def read_choices(show: Show, ballad_id: str) -> dict[str, Choice]:
    """By painting id; empty where nothing has been chosen yet. Raises TrainingError."""
    path = choices_path(show, ballad_id)
    source = f"ballads/{ballad_id}/choices.yaml"
    if not path.exists():
        return {}
    try:
        return _File.model_validate(read_yaml_mapping(path, source)).paintings
    except ShowError as fault:
        raise TrainingError(str(fault)) from fault
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(str(part)[:80] for part in first["loc"])
        raise TrainingError(f"{source}: {where}: {first['msg']}.") from fault


def write_choices(show: Show, ballad_id: str, choices: Mapping[str, Choice]) -> None:
    """Whole or not at all. Raises TrainingError."""
    data = _File(paintings=dict(choices)).model_dump(mode="json", exclude_none=True)
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)
    try:
        write_atomically(choices_path(show, ballad_id), text.encode())
    except ShowError as fault:
        raise TrainingError(str(fault)) from fault
