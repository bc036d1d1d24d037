"""The addresses of the test cards and of the screens' calibration, as Commands. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, get_args

from player import commands
from player.commands import CalibrationCommand, Command, CommandError
from player.osc.arguments import numbers, pressed, shown, switch, whole_number, word
from player.wall.calibration import FIELDS, SHOWS_OWN_FIT, CalibrationField, Flip, Value
from shows.schema import Fit

_CARDS = ("calibration", "none")
_SIDES = ("left", "top", "right", "bottom")
_NUMBERS: Mapping[CalibrationField, tuple[str, ...]] = {
    "crop": _SIDES,
    "corner/1": ("x", "y"),
    "corner/2": ("x", "y"),
    "corner/3": ("x", "y"),
    "corner/4": ("x", "y"),
    "blend": _SIDES,
    "brightness": ("1 for unchanged",),
    "colour": ("red", "green", "blue"),
    "black": ("0 for unchanged",),
    "gamma": ("1 for unchanged",),
}
_WORDS: Mapping[CalibrationField, tuple[str, ...]] = {
    "flip": get_args(Flip),
    "fit": (*get_args(Fit), SHOWS_OWN_FIT),
}
_TRIGGERS: Mapping[str, CalibrationCommand] = {
    "/calibration/undo": commands.UndoCalibration(),
    "/calibration/redo": commands.RedoCalibration(),
    "/calibration/save": commands.SaveCalibration(),
}
ADDRESSES = ("/identify", "/card", *_TRIGGERS)
"""Those without a screen's number."""
SCREEN_PARTS = ("identify", "calibration", "calibration/reset", *FIELDS)
"""What may follow /screen/<n>/."""


def parse_wall_address(address: str, args: tuple[object, ...]) -> Command | None:
    """The command of one of ADDRESSES; None for the release of a button. Raises CommandError."""
    if address == "/identify":
        return commands.Identify(None, _on(address, args))
    if address == "/card":
        return commands.ShowCard(word(address, args, _CARDS) == _CARDS[0])
    return _TRIGGERS[address] if pressed(address, args) else None


def parse_screen_address(
    address: str, screen: int, part: str, args: tuple[object, ...]
) -> Command | None:
    """The command of /screen/<screen + 1>/<part>, part being one of SCREEN_PARTS.

    No argument, or "?", asks for the value. None: the release of a button. Raises CommandError for
    a wrong count or kind of arguments; whether a value is in range the desk judges.
    """
    if part == "identify":
        return commands.Identify((screen,), _on(address, args))
    if part == "calibration/reset":
        return commands.ResetCalibration(screen) if pressed(address, args) else None
    asks = args in ((), ("?",))
    if part == "calibration":
        if not asks:
            raise CommandError(
                f"{address} takes no argument: it tells all values of the screen; each is set at "
                f"an address of its own, such as /screen/{screen + 1}/gamma"
            )
        return commands.QueryCalibration(screen, None)
    field = cast(CalibrationField, part)
    if asks:
        return commands.QueryCalibration(screen, field)
    return commands.SetCalibration(screen, field, _values(address, field, args))


def _values(address: str, field: CalibrationField, args: tuple[object, ...]) -> tuple[Value, ...]:
    if field == "rotation":
        turned = whole_number(args[0]) if len(args) == 1 else None
        if isinstance(turned, bool) or not isinstance(turned, int):
            given = shown(args[0]) if len(args) == 1 else f"{len(args)} arguments"
            raise CommandError(f"{address} takes 0, 90, 180 or 270 (clockwise), not {given}")
        return (turned,)
    if field in _WORDS:
        return (word(address, args, _WORDS[field]),)
    return numbers(address, args, _NUMBERS[field])


def _on(address: str, args: tuple[object, ...]) -> bool:
    """On with 1 or without argument, off with 0: a button shows it for as long as it is held."""
    if len(args) > 1:
        raise CommandError(f"{address} takes one argument, 0 or 1; it got {len(args)}")
    return not args or switch(address, args[0])
