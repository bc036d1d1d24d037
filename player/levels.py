"""Values that an operator moves while the show runs, and how they get there. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

LEVEL_FRAMES = 30

LevelName = Literal["brightness", "loop_gain", "truncation_psi", "smoothness"]
NAMES: tuple[LevelName, ...] = get_args(LevelName)
BY_TICK: LevelName = "brightness"
"""The one that goes by ticks, and so in a pause as well; the others go by frames."""


@dataclass(frozen=True)
class Level:
    """A value that has been asked for: it goes there from `before`, on a straight line, within 30
    ticks or frames from `start` on."""

    name: LevelName
    value: float
    before: float
    start: int

    def at(self, now: int) -> float:
        """The value on a tick or a frame, whichever `start` counts."""
        if now >= self.start + LEVEL_FRAMES:
            return self.value
        if now <= self.start:
            return self.before
        t = (now - self.start) / LEVEL_FRAMES
        return self.before * (1.0 - t) + self.value * t


Levels = tuple[Level, ...]
"""Those that somebody has moved, each once."""


def level_at(levels: Levels, name: LevelName, now: int) -> float | None:
    """None: nobody has moved it."""
    return next((level.at(now) for level in levels if level.name == name), None)


def moved(levels: Levels, name: LevelName, own: float, value: float, now: int) -> Levels:
    """With one on its way to `value` from where it is now. own: where it is until it is moved."""
    before = level_at(levels, name, now)
    level = Level(name, value, own if before is None else before, now)
    return (*(other for other in levels if other.name != name), level)


def returned(levels: Levels, own: dict[LevelName, float], tick: int, frame: int) -> Levels:
    """All on their way back to their own values."""
    return tuple(
        replace(level, value=own[level.name], before=level.at(now), start=now)
        for level in levels
        for now in [tick if level.name == BY_TICK else frame]
    )
