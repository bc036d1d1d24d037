"""Which neighbour of each painting was chosen, and by whom: `ballads/<id>/choices.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError

from shows.atomic_file import write_atomically
from shows.schema import ShowError
from shows.schema_base import StrictModel
from shows.show import Show
from shows.yaml_file import read_yaml_mapping
from training.errors import TrainingError
from training.latents.address import Address

LONGEST_NOTE = 1000

By = Literal["person", "auto"]


class Choice(Address):
    """One chosen candidate: its address, and with it seed, strength and parents.

    generator: content hash. projection: `ProjectionFile.hash_of`. score: what --auto measured.
    """

    by: By
    generator: str
    projection: str
    note: Annotated[str, Field(max_length=LONGEST_NOTE)] = ""
    score: dict[str, float] | None = None


class _File(StrictModel):
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


def record_choice(show: Show, ballad_id: str, painting_id: str, choice: Choice | None) -> None:
    """Put one choice among the others, or take it away. Raises TrainingError."""
    # read again each time: another session may have chosen for another painting
    choices: dict[str, Choice | None] = {**read_choices(show, ballad_id), painting_id: choice}
    ordered = {
        name: kept for name in show.ballad(ballad_id).painting_ids if (kept := choices.get(name))
    }
    write_choices(show, ballad_id, ordered)


def write_choices(show: Show, ballad_id: str, choices: Mapping[str, Choice]) -> None:
    """Whole or not at all. Raises TrainingError."""
    data = {
        "schema_version": 1,
        "paintings": {name: _plain(choice) for name, choice in choices.items()},
    }
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)
    try:
        write_atomically(choices_path(show, ballad_id), text.encode())
    except ShowError as fault:
        raise TrainingError(str(fault)) from fault


def _plain(choice: Choice) -> dict[str, Any]:
    data = choice.model_dump(mode="json", exclude_defaults=True)
    return {"number": data.pop("number"), "by": data.pop("by"), **data}
