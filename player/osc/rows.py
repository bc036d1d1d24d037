"""What one OSC address is: its arguments, its sentence, and what it asks of the player."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from player.commands import Command, CommandError
from player.osc.arguments import (
    LARGEST_WHOLE,
    number,
    screen_index,
    shown,
    switch,
    whole_number,
    word,
)
from shows.schema import ShowError

MAX_NAME_CHARS = 128
Value = int | float | str | bool
Kind = Literal["ballad", "switch", "number", "whole", "word", "text"]
Access = Literal["read", "write", "read and write", "trigger"]

OSC_TYPES: Mapping[Kind, str] = {
    "ballad": "s",
    "switch": "T",
    "number": "f",
    "whole": "i",
    "word": "s",
    "text": "s",
}


@dataclass(frozen=True)
class Argument:
    """One argument. name: as the table shows it. low, high: inclusive, in `unit`. words: the only
    ones there are. default: what is meant if it is left out; None: it may not be."""

    name: str
    kind: Kind
    low: float | None = None
    high: float | None = None
    unit: str = ""
    words: tuple[str, ...] = ()
    default: Value | None = None
    says: str = ""


@dataclass(frozen=True)
class Names:
    """What the arguments are judged by. resolve: 1-based index, id or title of a ballad -> its id;
    raises ShowError. groups: screens (from 0) by the name of their group."""

    resolve: Callable[[str | int], str]
    screens: int
    groups: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    fps: Fraction = Fraction(30)


@dataclass(frozen=True)
class Place:
    """What stands in the address itself: `{screen}`, from 0, or the screens of a `{group}`."""

    screen: int | None = None
    screens: tuple[int, ...] | None = None
    fps: Fraction = Fraction(30)


Make = Callable[[Place, tuple[Value, ...]], Command]


@dataclass(frozen=True)
class Row:
    """One line of the table. path: with `{screen}` or `{group}` where a number or name stands.

    make: the command, from the place and the judged arguments; None: the value can only be read.
    ask: the command that reads the value back, for the address without arguments; None: there is
    nothing to read. With neither arguments nor `ask` it is a trigger: a button that is let go, 0,
    does nothing.
    """

    path: str
    says: str
    arguments: tuple[Argument, ...] = ()
    make: Make | None = None
    ask: Callable[[Place], Command] | None = None
    since: str = "0.1"

    @property
    def access(self) -> Access:
        if self.make is None:
            return "read"
        if self.ask is not None:
            return "read and write"
        return "write" if self.arguments else "trigger"

    def command(
        self, address: str, args: tuple[object, ...], place: Place, names: Names
    ) -> Command | None:
        """None: the release of a button. Raises CommandError with a sentence."""
        if self.ask is not None and args in ((), ("?",)):
            return self.ask(place)
        if self.make is None:
            raise CommandError(f"{address} takes no argument: it can only be asked")
        if not self.arguments:
            if args == (None,):  # OSCQuery's type for a trigger
                args = ()
            if len(args) > 1:
                raise CommandError(
                    f"{address} takes no argument (or 1, from a button), not {len(args)}"
                )
            return self.make(place, ()) if not args or switch(address, args[0]) else None
        return self.make(place, self._judged(address, args, names))

    def _judged(self, address: str, args: tuple[object, ...], names: Names) -> tuple[Value, ...]:
        wanted = self.arguments
        least = sum(argument.default is None for argument in wanted)
        if not least <= len(args) <= len(wanted):
            what = "one argument" if len(wanted) == 1 else f"{len(wanted)} arguments"
            called = ", ".join(argument.name for argument in wanted)
            ask = " (or none, to ask)" if self.ask is not None else ""
            raise CommandError(f"{address} takes {what}, {called}{ask}; it got {len(args)}")
        given = [_judge(address, a, value, names) for a, value in zip(wanted, args, strict=False)]
        rest = [argument.default for argument in wanted[len(args) :]]
        return (*given, *(value for value in rest if value is not None))


def place_of(names: Names, screen: str | None, group: str | None) -> Place:
    """Raises CommandError for a screen or a group that does not exist."""
    if screen is not None:
        index = screen_index(screen, names.screens)
        return Place(index, (index,), names.fps)
    if group is not None:
        screens = names.groups.get(group.casefold())
        if screens is None:
            known = ", ".join(names.groups) or "none: list them under `groups` in show.yaml"
            raise CommandError(f"there is no group {shown(group)}; there are {known}")
        return Place(None, screens, names.fps)
    return Place(fps=names.fps)


def _judge(address: str, argument: Argument, value: object, names: Names) -> Value:
    match argument.kind:
        case "ballad":
            return _ballad(address, value, names)
        case "switch":
            return switch(address, value)
        case "word":
            return word(address, (value,), argument.words)
        case "text":
            if not isinstance(value, str) or len(value) > MAX_NAME_CHARS:
                raise CommandError(f"{address} takes a text, not {shown(value)}")
            return value
        case "whole":
            whole = whole_number(value)
            if isinstance(whole, bool) or not isinstance(whole, int):
                what = argument.says or "a whole number"
                raise CommandError(f"{address} takes {what}, not {shown(value)}")
            return int(_within(address, argument, whole))
        case "number":
            return _within(address, argument, number(address, value))


def _within(address: str, argument: Argument, value: float) -> float:
    low, high = argument.low, argument.high
    if (low is not None and value < low) or (high is not None and value > high):
        between = f"{low:g} to {high:g}" if low is not None and high is not None else ""
        between = between or (f"at least {low:g}" if low is not None else f"at most {high:g}")
        unit = f" {argument.unit}" if argument.unit else ""
        raise CommandError(f"{address} takes {argument.name}, {between}{unit}; not {value:g}")
    return value


def _ballad(address: str, value: object, names: Names) -> str:
    value = whole_number(value)
    if isinstance(value, str):
        value = value.strip()
    is_index = type(value) is int and abs(value) <= LARGEST_WHOLE
    is_name = isinstance(value, str) and 0 < len(value) <= MAX_NAME_CHARS
    if not isinstance(value, int | str) or not (is_index or is_name):
        raise CommandError(
            f"{address} takes a ballad's number, counted from 1, or its name, not {shown(value)}"
        )
    try:
        return names.resolve(value)
    except ShowError as fault:
        raise CommandError(str(fault)) from fault
