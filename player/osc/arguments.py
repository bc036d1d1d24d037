"""Judges of an OSC message's arguments: each gives a value, or a CommandError with a sentence."""

from __future__ import annotations

import math
import re

from player.commands import CommandError

LARGEST_WHOLE = 1_000_000
_NUMBER = re.compile(r"[+-]?([0-9]{1,9}(\.[0-9]{0,15})?|\.[0-9]{1,15})(e[+-]?[0-9]{1,2})?")
_WHOLE_NUMBER = re.compile(r"([0-9]{1,9})(\.0*)?")
_SWITCH_WORDS = {"1": True, "on": True, "true": True, "0": False, "off": False, "false": False}


def only(address: str, args: tuple[object, ...], wanted: str) -> object:
    """The one argument there is. wanted: what it should be, for the sentence."""
    if len(args) != 1:
        raise CommandError(f"{address} takes one argument, {wanted}; it got {len(args)}")
    return args[0]


def switch(address: str, value: object) -> bool:
    """0 or 1 as a number, true or false, or one of the words for them."""
    if isinstance(value, str):
        value = _SWITCH_WORDS.get(value.strip().lower(), value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return value == 1
    raise CommandError(f"{address} takes 0 or 1, not {shown(value)}")


def whole_number(value: object) -> object:
    """The value as a whole number if it is one in any clothes (3, 3.0, "3"); else unchanged."""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        value = value.strip()
        if match := _WHOLE_NUMBER.fullmatch(value):
            return int(match[1])
    return value


def number(address: str, value: object) -> float:
    """A finite number, also as text, rounded to six digits.

    What is sent as 0.2 arrives as 0.200000003 (OSC's float has 32 bits), which would lie above a
    limit of 0.2 and look odd in a file.
    """
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip().lower()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise CommandError(f"{address} takes numbers such as 0.5, not {shown(value)}")
    if abs(value) > LARGEST_WHOLE:
        raise CommandError(f"{address}: {shown(value)} is far out of range")
    return float(f"{value:.6g}")


def word(address: str, args: tuple[object, ...], choices: tuple[str, ...]) -> str:
    """One of these words."""
    value = only(address, args, f"one of {', '.join(choices)}")
    text = value.strip().lower() if isinstance(value, str) else value
    if text not in choices:
        raise CommandError(f"{address} takes one of {', '.join(choices)}, not {shown(value)}")
    return str(text)


def screen_index(number_text: str, screens: int) -> int:
    """The screen, from 0, that an address counts from 1; `screens` is how many there are."""
    if not 1 <= int(number_text) <= screens:
        raise CommandError(f"there is no screen {int(number_text)}: the screens are 1 to {screens}")
    return int(number_text) - 1


def shown(value: object) -> str:
    """In quotes, cut where it is long."""
    text = value if isinstance(value, str) else str(value)
    return repr(text if len(text) <= 80 else text[:77] + "...")
