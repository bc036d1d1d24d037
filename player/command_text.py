"""A command of the show as text and back: what a follower sends on to the leader."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from player.commands import CommandError, TransportCommand

_KINDS = {kind.__name__: TypeAdapter(kind) for kind in get_args(TransportCommand)}


def command_text(command: TransportCommand, tick: int) -> str:
    """JSON of one line. tick: on which the operator's machine took it."""
    return json.dumps([type(command).__name__, asdict(command), tick])


def command_of(text: str) -> tuple[TransportCommand, int]:
    """Inverse of `command_text`. Raises CommandError for anything else."""
    try:
        name, fields, tick = json.loads(text)
        adapter: TypeAdapter[Any] = _KINDS[name]
        if not isinstance(tick, int) or not isinstance(fields, dict):
            raise TypeError("a command has a name, fields and a tick")
        return adapter.validate_json(json.dumps(fields), strict=True), tick
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError) as fault:
        raise CommandError(f"another machine sent on what is no command: {fault}"[:300]) from fault
