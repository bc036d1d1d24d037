"""A page for Bitfocus Companion and a Stream Deck: a `.companionconfig` export of one page.

It is an export of version 4, which Companion 3.0 and all after it import, and brings the connection
of the module `generic-osc` with it. Source of the format: Companion's published models of exports
and buttons, and the definitions of that module.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from player.controllers.surface import DANGER, GOING, LIGHT, Key, Message, choice
from player.controllers.thumbnails import data_url

EXPORT_VERSION = 4
CONNECTION = "inspace-player"
FEEDBACK_PORT = 9002
WHITE = 0xFFFFFF
Json = dict[str, Any]


@dataclass(frozen=True)
class Deck:
    """How many keys a Stream Deck has."""

    columns: int
    rows: int


DECKS = (Deck(5, 3), Deck(8, 4))

# the most needed first: a small deck shows only the beginning
_OTHERS = (
    Key("Next line", Message("/line/next"), GOING),
    Key("Hold", Message("/hold", (1,)), LIGHT, ("/hold", 1)),
    Key("Let go", Message("/hold", (0,)), lit_by=("/hold", 0)),
    Key("Stand by", Message("/standby")),
    Key("Go", Message("/go"), GOING),
    Key("Dark", Message("/blackout", (1,)), DANGER, ("/blackout", 1)),
    Key("Light", Message("/blackout", (0,)), lit_by=("/blackout", 0)),
    Key("SAFE", Message("/safe"), DANGER),
    *choice("/arrangement", {"each": "Each its own", "unison": "Unison", "canon": "Canon"}),
    Key("Line back", Message("/line/previous")),
    Key("Pause", Message("/pause"), lit_by=("/status/playing", 0)),
    Key("Play", Message("/play"), GOING, ("/status/playing", 1)),
    Key("100 %", Message("/brightness", (1.0,)), LIGHT),
    Key("50 %", Message("/brightness", (0.5,)), LIGHT),
    Key("Identify", Message("/identify", (1,))),
    Key("No cards", Message("/identify", (0,))),
    Key("Snapshot", Message("/snapshot")),
)


def keys_of(ballads: Sequence[Key], deck: Deck) -> tuple[Key, ...]:
    """What fits: at least the eight most needed others, then ballads, then more of the others."""
    room = deck.columns * deck.rows
    shown = tuple(ballads[: room - 8])
    return (*shown, *_OTHERS[: room - len(shown)])


def page(
    ballads: Sequence[Key],
    deck: Deck,
    host: str,
    port: int,
    thumbnails: Mapping[str, bytes] | None = None,
) -> bytes:
    """The export's file. host, port: of the player. thumbnails: PNG of 72 x 72 by ballad id."""
    controls: dict[str, dict[str, Json]] = {}
    for number, key in enumerate(keys_of(ballads, deck)):
        row, column = divmod(number, deck.columns)
        png = (thumbnails or {}).get(key.ballad)
        controls.setdefault(str(row), {})[str(column)] = _button(key, f"inspace-{number}", png)
    whole = {
        "version": EXPORT_VERSION,
        "type": "page",
        "page": {
            "name": "Inspace",
            "controls": controls,
            "gridSize": {
                "minColumn": 0,
                "maxColumn": deck.columns - 1,
                "minRow": 0,
                "maxRow": deck.rows - 1,
            },
        },
        "instances": {CONNECTION: _connection(host, port)},
        "oldPageNumber": 1,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False).encode("utf-8")


def _connection(host: str, port: int) -> Json:
    return {
        "instance_type": "generic-osc",
        "label": "inspace",
        "isFirstInit": False,
        "lastUpgradeIndex": -1,
        "enabled": True,
        "sortOrder": 0,
        # `port` is what versions before 2.2 call `targetPort`
        "config": {
            "host": host,
            "port": str(port),
            "targetPort": str(port),
            "protocol": "udp",
            "listen": True,
            "feedbackPort": str(FEEDBACK_PORT),
        },
    }


def _button(key: Key, name: str, png: bytes | None) -> Json:
    return {
        "type": "button",
        "options": {"relativeDelay": False, "rotaryActions": False, "stepAutoProgress": True},
        "style": {
            "text": key.label,
            "textExpression": False,
            "size": "auto",
            "alignment": "center:bottom" if png else "center:center",
            "png64": data_url(png) if png else None,
            "pngalignment": "center:center",
            "color": WHITE,
            "bgcolor": _number(key.colour) if not key.lit_by else _number(key.colour, 0.4),
            "show_topbar": "default",
        },
        "feedbacks": _feedbacks(key, name),
        "steps": {
            "0": {
                "action_sets": {"down": [_action(key.message, name)], "up": []},
                "options": {"runWhileHeld": []},
            }
        },
    }


def _action(message: Message, name: str) -> Json:
    kind, options = "send_blank", {"path": message.address}
    if message.args:
        (value,) = message.args
        kind, field = (
            ("send_string", "string")
            if isinstance(value, str)
            else ("send_float", "float")
            if isinstance(value, float)
            else ("send_int", "int")
        )
        options |= {field: f"{value:g}" if isinstance(value, float) else str(value)}
    return {
        "id": f"{name}-down",
        "instance": CONNECTION,
        "action": kind,
        "options": options,
        "delay": 0,
    }


def _feedbacks(key: Key, name: str) -> list[Json]:
    if key.lit_by is None:
        return []
    path, value = key.lit_by
    kind = "osc_feedback_string" if isinstance(value, str) else "osc_feedback_int"
    return [
        {
            "id": f"{name}-lit",
            "instance_id": CONNECTION,
            "type": kind,
            "options": {"path": path, "arguments": str(value), "comparison": "equal"},
            "style": {"color": WHITE, "bgcolor": _number(key.colour)},
            "isInverted": False,
        }
    ]


def _number(colour: str, factor: float = 1.0) -> int:
    red, green, blue = (round(int(colour[at : at + 2], 16) * factor) for at in (1, 3, 5))
    return red << 16 | green << 8 | blue
