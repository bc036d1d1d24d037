"""The file that holds what was calibrated, beside the machine file; the one before it is kept.

schema_version: 1
screens:
  north:
    brightness: 0.9
    corners: [[0.0, 0.01], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field

from player.wall.calibration import ScreenCalibration
from shows.atomic_file import write_atomically
from shows.schema import ShowError, StrictModel, parse_model
from shows.yaml_file import read_yaml_mapping

_Name = Annotated[str, Field(min_length=1, max_length=64)]
_HEAD = (
    "# How the screens of this machine are calibrated; written by the player at "
    "/calibration/save.\n# The file before this one: {previous}. The values: docs/calibration.md.\n"
)


class CalibrationFile(StrictModel):
    """By the screens' names in the show. A field that is left out is not changed."""

    schema_version: Literal[1]
    screens: Annotated[dict[_Name, ScreenCalibration], Field(max_length=1000, default_factory=dict)]


def calibration_path(machine_file: Path) -> Path:
    """`calibration.yaml` beside machine.yaml; `NAME.calibration.yaml` beside any other NAME.yaml.

    Several machines may keep their files in one folder.
    """
    stem = machine_file.stem
    name = "calibration.yaml" if stem == "machine" else f"{stem}.calibration.yaml"
    return machine_file.with_name(name)


def previous_path(path: Path) -> Path:
    """Where the file before the last save is kept: `calibration.previous.yaml`."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def read_calibrations(path: Path) -> dict[str, ScreenCalibration]:
    """By screen; none if there is no such file. Raises ShowError naming file and path in it."""
    if not os.path.lexists(path):  # unlike Path.exists it raises nothing
        return {}
    data = read_yaml_mapping(path, path.name)
    version = data.get("schema_version")
    if type(version) is not int:
        raise ShowError(
            f"{path.name}: schema_version: must be there and a whole number, as in "
            "`schema_version: 1`."
        )
    if version > 1:
        raise ShowError(
            f"{path.name}: schema_version: is {version}, made by a newer version of this program, "
            "which knows 1; update the program."
        )
    return dict(parse_model(CalibrationFile, data, path.name).screens)


def calibrations_or_warning(path: Path) -> tuple[dict[str, ScreenCalibration], str | None]:
    """What `read_calibrations` gives, or none and a warning for the operator: the show goes on."""
    try:
        return read_calibrations(path), None
    except ShowError as fault:
        kept = previous_path(path)
        way_back = f", or rename {kept.name} to {path.name}" if os.path.exists(kept) else ""
        return {}, (
            f"{fault} The screens are shown without what was calibrated. "
            f"Mend {path}{way_back}, and start again."
        )


def write_calibrations(path: Path, calibrations: Mapping[str, ScreenCalibration]) -> bool:
    """Keeps the file that is there as the previous one, then replaces it, whole or not at all.

    False: it already says exactly this, and both files stay. Raises ShowError.
    """
    screens: dict[str, Any] = {
        name: calibration.model_dump(mode="json", exclude_defaults=True)
        for name, calibration in calibrations.items()
    }
    text = _HEAD.format(previous=previous_path(path).name) + yaml.safe_dump(
        {"schema_version": 1, "screens": screens},
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,  # a list of numbers on one line
        width=100,
    )
    content = text.encode("utf-8")
    try:
        before = path.read_bytes()
    except FileNotFoundError:
        before = None
    except OSError as fault:
        raise ShowError(f"{path} cannot be kept before it is replaced: {fault}.") from fault
    if before == content:
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise ShowError(f"{path} cannot be written: {fault.strerror or fault}.") from fault
    if before is not None:
        write_atomically(previous_path(path), before)
    write_atomically(path, content)
    return True
