"""What there is to tell about a running show on one tick: what values are read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from player.transport import Transport
from shows.show import Show


@dataclass(frozen=True)
class Reading:
    """shown: what the screens of this machine show, by the screen's number from 0. alarm: what is
    wrong in words, empty if nothing is. fps: frames presented in the last second."""

    show: Show
    transport: Transport
    tick: int
    frame: int
    shown: Mapping[int, str] = field(default_factory=dict)
    showing: str = "slate"
    quality: str = ""
    engine: str = ""
    alarm: str = ""
    fps: float = 0.0
    late: int = 0
    dropped: int = 0
