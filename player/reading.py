"""What there is to tell about a running show on one tick: what values are read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from player.heat import Heat
from player.pace import Pace
from player.transport import Transport
from shows.show import Show


@dataclass(frozen=True)
class Reading:
    """shown: what the screens of this machine show, by the screen's number from 0. alarm: what is
    wrong in words, empty if nothing is. pace: of the last whole second. skew_ns: how far apart the
    machines' house clocks are; None for one alone, or where nothing tells."""

    show: Show
    transport: Transport
    tick: int
    frame: int
    shown: Mapping[int, str] = field(default_factory=dict)
    showing: str = "slate"
    quality: str = ""
    engine: str = ""
    alarm: str = ""
    late: int = 0
    dropped: int = 0
    pace: Pace = field(default_factory=Pace)
    heat: Heat = field(default_factory=Heat)
    skew_ns: int | None = None

    @property
    def fps(self) -> float:
        """Frames presented a second, in the last whole second."""
        return self.pace.fps
