"""The schedule while the show runs: the light of the screens, and changes of ballad when due.

The wall clock is asked once a second, because it is the one that can be set: what it says decides
where things go, the house clock how fast. Used by the frame loop's thread alone.
"""

from __future__ import annotations

from collections.abc import Callable

from player.commands import EachOwn, SetBallad, TransportCommand
from shows.schedule import (
    Border,
    brightness_at,
    newest_border,
    scheduled_at,
    utc_of,
)
from shows.schedule_schema import EACH
from shows.show import Show

NS_PER_S = 1_000_000_000
LOOK_NS = NS_PER_S
# The light changes by no more than this between two calls: one second at 30 frames a second,
# even where the wall clock jumps by hours.
LARGEST_STEP = 1 / 30
# A border obeyed is not taken back by a wall clock set back by less: it would soon come again.
SET_BACK_S = 60


class ScheduleDesk:
    """What the schedule of a show asks for. Without a schedule it asks for nothing."""

    def __init__(
        self,
        show: Show,
        *,
        wall_ns: Callable[[], int],
        resumed_wall_ns: int | None = None,
    ) -> None:
        """wall_ns: the wall clock, ns since 1970 UTC. resumed_wall_ns: until when the transport
        that plays on has obeyed the schedule, such as the time of the state file it comes from;
        None: it is the show's opening one."""
        self._schedule = show.settings.schedule
        self._ballads = show.ballad_ids
        self._wall_ns = wall_ns
        self._looked_ns: int | None = None
        self._now_ns: int | None = None
        self._light = 1.0
        self._light_at_look, self._light_after = 1.0, 1.0
        self._due: tuple[TransportCommand, ...] = ()
        self._obeyed_s: float | None = None
        self._is_opening = resumed_wall_ns is None
        if self._schedule is not None and resumed_wall_ns is not None:
            # Not the moment itself: the wall clock may stand before it by now.
            border = newest_border(self._schedule, self._ballads, utc_of(resumed_wall_ns))
            self._obeyed_s = None if border is None else border.at_s

    def take_over(self, show: Show) -> None:
        """The schedule of a show that was read anew. What plays stays until its next border; the
        light goes to what it asks for now, no faster than ever. After the first look."""
        self._schedule, self._ballads = show.settings.schedule, show.ballad_ids
        self._due, self._is_opening = (), False
        self._looked_ns = -LOOK_NS  # long ago: the next call looks
        border = None
        if self._schedule is not None:
            border = newest_border(self._schedule, self._ballads, utc_of(self._wall_ns()))
        self._obeyed_s = None if border is None else border.at_s

    def brightness_at(self, now_ns: int) -> float:
        """Light of the screens, 0 to 1, at a time of the house clock. For every tick once.

        It follows the schedule's ramp from tick to tick and starts where the schedule is.
        """
        if self._schedule is None:
            return 1.0
        self._look(now_ns)
        if now_ns != self._now_ns and self._looked_ns is not None:
            passed = min((now_ns - self._looked_ns) / LOOK_NS, 1.0)
            wanted = self._light_at_look + (self._light_after - self._light_at_look) * passed
            step = wanted - self._light
            self._light += min(max(step, -LARGEST_STEP), LARGEST_STEP)
            self._now_ns = now_ns
        return self._light

    def due_commands(self, now_ns: int) -> tuple[TransportCommand, ...]:
        """What the schedule commands at a time of the house clock: one command or none.

        A border of the schedule commands once; of several that were passed at once, the newest. To
        be asked on every tick, also where another machine decides and the answer is thrown away:
        what nobody asked for stays due.
        """
        if self._schedule is None:
            return ()
        self._look(now_ns)
        due, self._due = self._due, ()
        return due

    @property
    def is_open(self) -> bool:
        """Whether visitors are expected now."""
        if self._schedule is None:
            return True
        return scheduled_at(self._schedule, self._ballads, utc_of(self._wall_ns())).is_open

    def describe(self) -> str:
        """As in "open until 18:00", or "no schedule"."""
        if self._schedule is None:
            return "no schedule"
        return scheduled_at(self._schedule, self._ballads, utc_of(self._wall_ns())).sentence

    def _look(self, now_ns: int) -> None:
        looked_ns = self._looked_ns
        if self._schedule is None or (
            looked_ns is not None and looked_ns <= now_ns < looked_ns + LOOK_NS
        ):
            return
        wall_ns = self._wall_ns()
        utc = utc_of(wall_ns)
        self._light_at_look = brightness_at(self._schedule, utc)
        self._light_after = brightness_at(self._schedule, utc_of(wall_ns + LOOK_NS))
        if looked_ns is None:
            self._light = self._light_at_look
        self._looked_ns = now_ns
        border = newest_border(self._schedule, self._ballads, utc)
        if border is not None and self._is_new(border, wall_ns):
            self._obeyed_s = border.at_s
            # The opening transport shows every screen its own already.
            if not (self._is_opening and border.arrangement == EACH):
                self._due = (_command(border.arrangement),)
        self._is_opening = False

    def _is_new(self, border: Border, wall_ns: int) -> bool:
        obeyed_s = self._obeyed_s
        if obeyed_s is None or border.at_s > obeyed_s:
            return True
        return border.at_s < obeyed_s and wall_ns < (obeyed_s - SET_BACK_S) * NS_PER_S


def _command(arrangement: str) -> TransportCommand:
    return EachOwn() if arrangement == EACH else SetBallad(arrangement)
