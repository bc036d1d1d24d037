"""A simulated engine and simulated films: how old their newest pictures are on each tick."""

from __future__ import annotations

from player.governor import Level

RENDER_MS = 12.0  # of all pictures of one frame at full size, undisturbed
KEPT_TICKS = 8  # so long after its death an engine's last pictures can still be shown


class SimulatedEngine:
    """It makes as many pictures as its speed allows; it dies, hangs and comes back.

    age: frames by which its newest picture is behind, None: there is none.
    """

    def __init__(self, tick: int, starts_ticks: int) -> None:
        """It has its first picture starts_ticks after `tick`."""
        self.age: int | None = None
        self.ready = False
        self.render_ms = 0.0
        self._back_tick = tick + starts_ticks
        self._dead_tick: int | None = tick
        self._hung_until: int | None = None
        self._after_hang_ticks = 0
        self._factor, self._slow_until = 1.0, tick
        self._credit = 0.0

    def die(self, tick: int, back_ticks: int) -> None:
        """It is gone at once, and again there back_ticks later."""
        self.ready, self._dead_tick, self._hung_until = False, tick, None
        self._back_tick = tick + back_ticks

    def hang(self, tick: int, noticed_ticks: int, back_ticks: int) -> None:
        """It makes nothing any more; noticed_ticks later it is killed, and then comes back."""
        if self.ready and self._hung_until is None:
            self._hung_until, self._after_hang_ticks = tick + noticed_ticks, back_ticks

    def slow_down(self, factor: float, until_tick: int) -> None:
        """So many times slower until then."""
        self._factor, self._slow_until = factor, until_tick

    def step(self, tick: int, level: Level, frame_ms: float, moves: bool) -> None:
        """One tick. moves False: the show stands, and what is there stays what is due."""
        if self._dead_tick is not None:
            self._come_back(tick, moves)
            return
        if self._hung_until is not None:
            if tick >= self._hung_until:
                self.die(tick, self._after_hang_ticks)
            self._grow_old(moves)
            return
        factor = self._factor if tick < self._slow_until else 1.0
        self.render_ms = RENDER_MS * factor / (level.divisor * level.divisor)
        load = self.render_ms / (level.stride * frame_ms)
        if load <= 1.0:
            self.age = 0
            return
        self._credit += 1.0 / load
        if self._credit >= 1.0:
            self._credit -= 1.0
            self.age = 0
        else:
            self._grow_old(moves)

    def _come_back(self, tick: int, moves: bool) -> None:
        if tick >= self._back_tick:
            self._dead_tick, self.ready, self.age, self._credit = None, True, 0, 0.0
        elif self._dead_tick is not None and tick - self._dead_tick >= KEPT_TICKS:
            self.age = None
        else:
            self._grow_old(moves)

    def _grow_old(self, moves: bool) -> None:
        if moves and self.age is not None:
            self.age += 1


class SimulatedFilm:
    """age as with the engine; a gap has no picture at all, a slow film an old one."""

    def __init__(self) -> None:
        self.age: int | None = 0
        self._gap_until, self._slow_until = 0, 0

    def gap(self, until_tick: int) -> None:
        """There is no picture until then."""
        self._gap_until = until_tick

    def slow_down(self, until_tick: int) -> None:
        """There is no new picture until then."""
        self._slow_until = until_tick

    def step(self, tick: int, moves: bool) -> None:
        """One tick."""
        if tick < self._gap_until:
            self.age = None
        elif tick < self._slow_until and self.age is not None:
            self.age += moves
        else:
            self.age = 0
