"""The value of every address that can be asked, from what is on. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from player.levels import LevelName, level_at
from player.osc.rows import Value
from player.pace import UNKNOWN
from player.reading import Reading
from player.transport import own_levels
from shows.timeline import Cue, Position, position_at

MIXED = "mixed"
Read = Callable[[Reading], Value]
ReadScreen = Callable[[Reading, int], Value]


def value_of(reading: Reading, path: str, screen: int | None) -> Value:
    """path: as the table has it. screen: from 0. Raises KeyError for a path that has no value."""
    return _OF_ALL[path](reading) if screen is None else _OF_SCREEN[path](reading, screen)


def as_text(value: Value) -> str:
    """As the answer to an operator has it."""
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _newest(reading: Reading, screen: int) -> Cue:
    return reading.transport.cues[screen][-1]


def _position(reading: Reading, screen: int) -> Position:
    return position_at(reading.show, reading.transport.cues[screen], reading.frame)


def _one(values: list[str]) -> str:
    return values[0] if len(set(values)) == 1 else MIXED


def _ballad(reading: Reading) -> str:
    return _one([cues[-1].ballad_id for cues in reading.transport.cues])


def _arrangement(reading: Reading) -> str:
    cues = [screen_cues[-1] for screen_cues in reading.transport.cues]
    if len({cue.ballad_id for cue in cues}) == 1 and len(cues) > 1:
        places = {int(cue.local_frame(cue.end_frame)) for cue in cues}
        return "unison" if len(places) == 1 else "canon"
    own = [screen.ballad for screen in reading.show.settings.screens]
    return "each" if [cue.ballad_id for cue in cues] == own else MIXED


def _line(reading: Reading, screen: int) -> int:
    return _position(reading, screen).painting_index + 1


def _lines(reading: Reading) -> int:
    """Of the first screen; the others' may differ."""
    return _line(reading, 0)


def _line_text(reading: Reading, screen: int) -> str:
    position = _position(reading, screen)
    return reading.show.ballad(position.ballad_id).paintings[position.painting_index].line


def _is_changing(reading: Reading, screen: int) -> bool:
    cues = reading.transport.cues[screen]
    is_other = len(cues) > 1 and cues[-1].ballad_id != cues[-2].ballad_id
    return is_other and reading.frame < cues[-1].end_frame


def _next(reading: Reading, screen: int) -> str:
    newest, position = _newest(reading, screen), _position(reading, screen)
    if _is_changing(reading, screen):
        return reading.show.ballad(newest.ballad_id).title
    paintings = reading.show.ballad(position.ballad_id).paintings
    # on the way to another place of the ballad, its painting is the one to come already
    is_there = reading.frame >= newest.end_frame
    return paintings[(position.painting_index + is_there) % len(paintings)].line


def _seconds(reading: Reading, screen: int) -> float:
    return round(float(_position(reading, screen).cycle_frame / reading.show.settings.fps), 3)


def _level(name: LevelName) -> Read:
    def read(reading: Reading) -> float:
        now = reading.tick if name == "brightness" else reading.frame
        value = level_at(reading.transport.levels, name, now)
        return own_levels(reading.show)[name] if value is None else value

    return read


def _is_held(reading: Reading) -> bool:
    holds = [cues[-1].hold for cues in reading.transport.cues]
    return all(hold is not None and hold.end_frame is None for hold in holds)


def _told(value: float | None, scale: float = 1.0) -> float:
    return UNKNOWN if value is None else round(value * scale, 2)


_OF_ALL: Mapping[str, Read] = {
    "/ballad": _ballad,
    "/arrangement": _arrangement,
    "/seek": lambda reading: _seconds(reading, 0),
    "/line": _lines,
    "/hold": _is_held,
    "/loop/strength": _level("loop_gain"),
    "/truncation": _level("truncation_psi"),
    "/path": lambda reading: "smooth" if _level("smoothness")(reading) else "linear",
    "/blackout": lambda reading: reading.transport.blackout,
    "/brightness": _level("brightness"),
    "/source": lambda reading: reading.transport.source,
    "/card": lambda reading: "calibration" if reading.transport.card else "none",
    "/status/playing": lambda reading: bool(reading.transport.rate),
    "/status/frame": lambda reading: reading.frame,
    "/status/fps": lambda reading: round(reading.fps, 1),
    "/status/frame-time": lambda reading: _told(reading.pace.frame_ms),
    "/status/frame-time/worst": lambda reading: _told(reading.pace.worst_frame_ms),
    "/status/frame-time/budget": lambda reading: round(1000 / float(reading.show.settings.fps), 2),
    "/status/lateness": lambda reading: _told(reading.pace.late_ms),
    "/status/lateness/worst": lambda reading: _told(reading.pace.worst_late_ms),
    "/status/skew": lambda reading: _told(reading.skew_ns, 1e-6),
    "/status/temperature": lambda reading: _told(reading.heat.hottest_c),
    "/status/temperature/processor": lambda reading: _told(reading.heat.processor_c),
    "/status/temperature/graphics": lambda reading: _told(reading.heat.graphics_c),
    "/status/source": lambda reading: reading.showing,
    "/status/quality": lambda reading: reading.quality,
    "/status/engine": lambda reading: reading.engine,
    "/status/alarm": lambda reading: reading.alarm,
    "/status/late": lambda reading: reading.late,
    "/status/dropped": lambda reading: reading.dropped,
}

_S = "/screen/{screen}"
_OF_SCREEN: Mapping[str, ReadScreen] = {
    f"{_S}/ballad": lambda reading, screen: _newest(reading, screen).ballad_id,
    f"{_S}/seek": _seconds,
    f"{_S}/position": _seconds,
    f"{_S}/title": lambda reading, screen: (
        reading.show.ballad(_newest(reading, screen).ballad_id).title
    ),
    f"{_S}/line": _line,
    f"{_S}/line/text": _line_text,
    f"{_S}/next": _next,
    f"{_S}/morphing": lambda reading, screen: _position(reading, screen).in_morph,
    f"{_S}/changing": _is_changing,
    f"{_S}/source": lambda reading, screen: reading.shown.get(screen, "elsewhere"),
}

READ_OF_ALL = tuple(_OF_ALL)
READ_OF_SCREEN = tuple(_OF_SCREEN)
