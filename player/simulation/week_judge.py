"""Judges every tick of a simulated week. It knows the rules, not how they are kept."""

from __future__ import annotations

from collections import Counter

from player.governor import Governor
from player.simulation.week_engine import SimulatedEngine, SimulatedFilm
from player.source_policy import Policy
from player.transport import BLACKOUT_TICKS
from shows.timeline import MAX_CUES, Cues

MAX_FAULTS = 20  # sentences kept
LARGEST_SHARE = 0.1  # of the light that may move to another source in a tick
LARGEST_STEP = 1 / 30  # of the schedule's light in a tick
STALE_FRAMES = 45  # 30 of patience with a source that works, and the fade away from it
FILM_WITHIN_TICKS = 2  # of a stale picture, where there is a film of the very same one
CHANGES_AN_UPSET = 12  # of the governor's level: three down and four up, some of them twice
LEAST_UP_MS = 10_000.0  # between a change of level and one upwards
_EPSILON = 1e-9


class WeekJudge:
    """figures and faults are what it found. Called once per tick, in the order shown."""

    def __init__(self, frame_ms: float) -> None:
        self.counts: Counter[str] = Counter()
        self.figures: dict[str, float] = {"light_step_max": 0.0, "share_step_max": 0.0}
        self.faults: list[str] = []
        self.fault_count = 0
        self.stale_ticks_max, self.cues_max = 0, 0
        self._frame_ms = frame_ms
        self._least_up_ticks = LEAST_UP_MS / frame_ms
        self._frame: int | None = None
        self._weights: tuple[float, float, float] | None = None
        self._light: float | None = None
        self._gain: float | None = None
        self._rung, self._rung_ticks = 0, 0
        self._stale_ticks = 0

    def restarted(self, gap_ticks: int, rate: int) -> None:
        """The player was away: the frame ran on, everything else begins anew."""
        if self._frame is not None:
            self._frame += gap_ticks * rate
        self._weights = self._light = self._gain = None
        self._rung, self._rung_ticks, self._stale_ticks = 0, 0, 0

    def cues(self, tick: int, cues: Cues) -> None:
        """After a change of the transport."""
        most = max(map(len, cues))
        self.cues_max = max(self.cues_max, most)
        if most > MAX_CUES:
            self.fault(tick, f"a screen has {most} cues")

    def frame(self, tick: int, frame: int, rate: int) -> None:
        """rate: how many frames the next tick is ahead, as things stand after this tick."""
        if self._frame is not None and frame != self._frame:
            self.fault(tick, f"frame {frame} where {self._frame} was due")
        self._frame = frame + rate

    def light(self, tick: int, light: float, gain: float) -> None:
        """light: the schedule's. gain: the blackout's."""
        if light != self._light:
            step = 0.0 if self._light is None else abs(light - self._light)
            self.figures["light_step_max"] = max(self.figures["light_step_max"], step)
            if step > LARGEST_STEP + _EPSILON or not 0.0 <= light <= 1.0:
                self.fault(tick, f"the light goes from {self._light} to {light}")
            self._light = light
        if gain != self._gain:
            if self._gain is not None and abs(gain - self._gain) > 1 / BLACKOUT_TICKS + _EPSILON:
                self.fault(tick, f"the blackout goes from {self._gain} to {gain}")
            self._gain = gain

    def level(self, tick: int, governor: Governor) -> None:
        """The governor's rung, 0 the best."""
        self._rung_ticks += 1
        rung = governor.rung
        if rung == self._rung:
            return
        up = rung < self._rung
        self.counts["level up" if up else "level down"] += 1
        if up and (self._rung - rung > 1 or self._rung_ticks < self._least_up_ticks):
            self.fault(
                tick,
                f"the quality goes from rung {self._rung} to {rung} after {self._rung_ticks} ticks",
            )
        self._rung, self._rung_ticks = rung, 0

    def shown(
        self, tick: int, policy: Policy, live: SimulatedEngine, film: SimulatedFilm, matches: bool
    ) -> None:
        """matches: the film's picture of a frame is the same as live's."""
        weights = policy.weights
        on_live, on_film, _ = weights
        live_age, film_age = live.age, film.age
        if weights != self._weights:
            self._moved(tick, weights, live_age, film_age)
            self._weights = weights
        if on_live and (live_age is None or live_age > STALE_FRAMES):
            self.fault(tick, f"{on_live:.0%} of the light from live, whose age is {live_age}")
        if on_film and (film_age is None or film_age > STALE_FRAMES):
            self.fault(tick, f"{on_film:.0%} of the light from a film, whose age is {film_age}")
        self.counts[policy.showing] += 1
        if on_live and live_age != 0 and film_age == 0 and matches:
            self._stale_ticks += 1
            self.stale_ticks_max = max(self.stale_ticks_max, self._stale_ticks)
            if self._stale_ticks == FILM_WITHIN_TICKS + 1:  # once each time
                self.fault(
                    tick, f"live stale beside its very film for more than {FILM_WITHIN_TICKS} ticks"
                )
        else:
            self._stale_ticks = 0

    def fault(self, tick: int, sentence: str) -> None:
        """A rule is broken."""
        self.fault_count += 1
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(f"tick {tick}: {sentence}")

    def bounded(self, upsets: int) -> None:
        """At the end. upsets: what the governor reacts to, such as overloads and restarts."""
        changes = self.counts["level up"] + self.counts["level down"]
        if changes > CHANGES_AN_UPSET * (upsets + 1):
            self.fault(-1, f"{changes} changes of quality for {upsets} upsets")

    def _moved(
        self,
        tick: int,
        weights: tuple[float, float, float],
        live_age: int | None,
        film_age: int | None,
    ) -> None:
        if abs(sum(weights) - 1.0) > _EPSILON or min(weights) < 0.0:
            self.fault(tick, f"the shares of the light are {weights}")
        if self._weights is None:
            return
        ages = (live_age, film_age, 0)
        for before, now, age in zip(self._weights, weights, ages, strict=True):
            # A source that has no picture, or an old one, may lose its share at once.
            lost = before - now
            if age == 0:
                self.figures["share_step_max"] = max(self.figures["share_step_max"], lost)
                if lost > LARGEST_SHARE + _EPSILON:
                    self.fault(tick, f"the shares go from {self._weights} to {weights}")
