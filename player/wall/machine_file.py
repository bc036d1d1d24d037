"""The machine file: what hangs on this PC, and which screen of the show stands where.

It belongs to the machine and not to the show: the same show plays on other machines too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from player.wall.calibration import ScreenCalibration
from player.wall.monitors import Area, overlap_px
from player.wall.placing import Anywhere, AtIndex, InRectangle, OnOutput, Place, WithEdid
from shows.schema import Name, ShowError, StrictModel, listed, parse_model, self_or_faults
from shows.yaml_file import read_yaml_mapping

MACHINE_SCHEMA_VERSION = 1

_Text = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$", strict=True)
]
_Coordinate = Annotated[int, Field(ge=-65_535, le=65_535)]
_Side = Annotated[int, Field(ge=1, le=65_535)]


def _list_or_none(what: str) -> BeforeValidator:
    return BeforeValidator(lambda value: value if value is None else listed(what)(value))


class FileScreen(StrictModel):
    screen: Name
    output: _Text | None = None
    edid: _Text | None = None
    index: Annotated[int, Field(ge=1, le=64)] | None = None
    rectangle: Annotated[
        tuple[_Coordinate, _Coordinate, _Side, _Side] | None,
        _list_or_none("four whole numbers: x, y, width, height"),
    ] = None
    size: Annotated[
        tuple[_Side, _Side] | None, _list_or_none("two whole numbers: width, height")
    ] = None
    calibration: ScreenCalibration | None = None

    @model_validator(mode="after")
    def _stands_in_one_place(self) -> Self:
        words = ("output", "edid", "index", "rectangle")
        given = [word for word in words if getattr(self, word) is not None]
        fault = (
            f"stands in one place, not in {len(given)} ({', '.join(given)}); keep one"
            if given
            else f"does not say where the screen stands; give it one of {', '.join(words)}"
        )
        return self_or_faults(self, [] if len(given) == 1 else [fault])

    @property
    def place(self) -> Place:
        if self.output is not None:
            return OnOutput(self.output)
        if self.edid is not None:
            return WithEdid(self.edid)
        if self.index is not None:
            return AtIndex(self.index)
        return InRectangle(Area(*self.rectangle)) if self.rectangle else Anywhere()


class MachineFile(StrictModel):
    schema_version: Literal[1]
    outputs: Literal["windows", "span"] | None = None
    screens: Annotated[
        tuple[FileScreen, ...], BeforeValidator(listed("screens")), Field(max_length=64)
    ] = ()

    @model_validator(mode="after")
    def _no_two_in_one_place(self) -> Self:
        faults = []
        for (_, a), (j, b) in combinations(enumerate(self.screens), 2):
            if a.screen.casefold() == b.screen.casefold():
                faults.append(f"screens[{j}].screen: {b.screen!r} has a place already")
            elif word := _clash(a, b):
                faults.append(f"screens[{j}].{word}: is where {a.screen!r} stands already")
        return self_or_faults(self, faults)


def _clash(a: FileScreen, b: FileScreen) -> str | None:
    """The word by which two screens want the same place. Monitors of one EDID text may be many."""
    if a.output is not None and b.output is not None:
        return "output" if a.output.casefold() == b.output.casefold() else None
    if a.index is not None:
        return "index" if a.index == b.index else None
    if a.rectangle and b.rectangle:
        return "rectangle" if overlap_px(Area(*a.rectangle), Area(*b.rectangle)) else None
    return None


@dataclass(frozen=True)
class MachineScreen:
    """One screen of the show on this machine.

    size_px: (width, height) it has at most, in the middle of its place; None: all of the place.
    calibration: as it stands in the file, None without.
    """

    name: str
    place: Place
    size_px: tuple[int, int] | None = None
    calibration: ScreenCalibration | None = None


@dataclass(frozen=True)
class Machine:
    """A machine file read for a show. screens: every screen of the show, in its order.

    One that the file does not name is placed `Anywhere`: on the leftmost monitor that no other
    screen wants. outputs None: the file leaves it to the command line.
    """

    outputs: Literal["windows", "span"] | None
    screens: tuple[MachineScreen, ...]

    @property
    def places_any(self) -> bool:
        """Whether any screen has a place of its own; else all stand from left to right."""
        return not all(isinstance(screen.place, Anywhere) for screen in self.screens)


def read_machine_file(path: Path, screens: Sequence[str]) -> Machine:
    """screens: the names of the show's screens, in its order. Raises ShowError.

    Names of screens count as equal whatever their capitals, as in the show file.
    """
    source = path.name
    file = parse_model(MachineFile, read_yaml_mapping(path, source), source)
    faults = list(_unknown(file, screens))
    if faults:
        raise ShowError("\n".join(f"{source}: {fault}" for fault in faults))
    listed_screens = {screen.screen.casefold(): screen for screen in file.screens}
    return Machine(
        file.outputs,
        tuple(_for_show(name, listed_screens.get(name.casefold())) for name in screens),
    )


def _for_show(name: str, screen: FileScreen | None) -> MachineScreen:
    if screen is None:
        return MachineScreen(name, Anywhere())
    return MachineScreen(name, screen.place, screen.size, screen.calibration)


def _unknown(file: MachineFile, screens: Sequence[str]) -> Iterator[str]:
    known = {name.casefold() for name in screens}
    for i, screen in enumerate(file.screens):
        if screen.screen.casefold() not in known:
            yield (
                f"screens[{i}].screen: {screen.screen!r} is no screen of this show; "
                f"it has {', '.join(screens)}."
            )
