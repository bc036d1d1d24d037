"""Where the screens stand while the wall runs: seats taken, lost and taken again. No windows."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from player.wall.contract import Standing
from player.wall.machine_file import Machine, MachineScreen
from player.wall.monitors import Area, columns, desktop, shrunk
from player.wall.placing import (
    Anywhere,
    Monitor,
    Seat,
    bound_to,
    default_places,
    describe_place,
    describe_rate,
    most_of,
    seated,
)

_log = logging.getLogger(__name__)


class Seating:
    """Follows the monitors, says a sentence at every loss and return, and counts the absence."""

    def __init__(
        self,
        screens: Sequence[MachineScreen],
        *,
        in_columns: bool,
        desktop_px: tuple[int, int] | None = None,
    ) -> None:
        """in_columns: side by side over the whole desktop, whatever their places say.

        desktop_px: how large the desktop is taken to be at most, from its middle.
        """
        self._screens = tuple(screens)
        self._in_columns = in_columns
        self._desktop_px = desktop_px
        self._bound: tuple[str | None, ...] = (None,) * len(screens)
        self._since_ns: list[int | None] = [None] * len(screens)
        self._known: dict[str, Area] = {}
        self.desktop_area = Area(0, 0, 1, 1)
        self.seats: tuple[Seat | None, ...] = (None,) * len(screens)
        # where each stands, or stood last; at first a guess, so that it has a size
        self.last_areas: list[Area] = [Area(0, 0, 1, 1)] * len(screens)

    @property
    def has_gaps(self) -> bool:
        """Whether some of the desktop belongs to no screen that is shown."""
        areas = [seat.area for seat in self.seats if seat]
        whole = self.desktop_area
        return sum(area.width * area.height for area in areas) < whole.width * whole.height

    def open(self, monitors: Sequence[Monitor], now_ns: int) -> None:
        """The first seats. `monitors` has at least one."""
        self._measure(monitors)
        self.seats = self._seats(monitors)
        self._bound = bound_to(self.seats, self._bound)
        guess = next((seat.area for seat in self.seats if seat), monitors[0].area)
        for screen, seat in enumerate(self.seats):
            self.last_areas[screen] = seat.area if seat else guess
            if seat is None:
                self._since_ns[screen] = now_ns
                outputs = ", ".join(monitor.name for monitor in monitors)
                _log.warning(
                    "%s is not shown: it waits for %s. The outputs now: %s.",
                    self._name(screen),
                    describe_place(self._screens[screen].place),
                    outputs,
                )

    def follow(self, monitors: Sequence[Monitor], now_ns: int) -> bool:
        """True if a screen or the desktop stands elsewhere than before, or not at all any more."""
        old_desktop, old_seats = self.desktop_area, self.seats
        if monitors:
            self._measure(monitors)
        self.seats = self._seats(monitors)
        bound, self._bound = self._bound, bound_to(self.seats, self._bound)
        for screen, (old, new) in enumerate(zip(old_seats, self.seats, strict=True)):
            if new is not None:
                self.last_areas[screen] = new.area
            self._tell(screen, old, new, bound[screen], now_ns)
        return (old_desktop, old_seats) != (self.desktop_area, self.seats)

    def status(self, now_ns: int) -> tuple[str, ...]:
        """A line for each screen: where, how large and how fast, or for how long not at all."""
        return tuple(self._status(screen, now_ns) for screen in range(len(self._screens)))

    def standing_of(self, screen: int) -> Standing:
        """Output and refresh rate; an absent screen's last output, or what it waits for."""
        seat = self.seats[screen]
        if seat is None:
            return Standing(f"absent: {self._awaited(screen)}", describe_rate(None))
        return Standing(seat.monitor.name, describe_rate(seat.monitor.refresh_hz))

    def _awaited(self, screen: int) -> str:
        return self._bound[screen] or describe_place(self._screens[screen].place)

    def _status(self, screen: int, now_ns: int) -> str:
        seat, since_ns = self.seats[screen], self._since_ns[screen]
        if seat is None:
            seconds = (now_ns - (now_ns if since_ns is None else since_ns)) // 1_000_000_000
            awaited = self._awaited(screen)
            return f"{self._name(screen)}: absent for {seconds} s, waits for {awaited}"
        return f"{self._name(screen)}: {_where(seat)}, {describe_rate(seat.monitor.refresh_hz)}"

    def _tell(
        self, screen: int, old: Seat | None, new: Seat | None, output: str | None, now_ns: int
    ) -> None:
        if old is not None and new is None:
            self._since_ns[screen] = now_ns
            _log.warning(
                "%s is dark: its output %s is gone. The other screens go on.",
                self._name(screen),
                output,
            )
        elif old is None and new is not None:
            since_ns, self._since_ns[screen] = self._since_ns[screen], None
            seconds = (now_ns - (now_ns if since_ns is None else since_ns)) // 1_000_000_000
            _log.info("%s is shown again after %d s: %s.", self._name(screen), seconds, _where(new))
        elif old and new and old.area != new.area:
            _log.info("%s stands elsewhere now: %s.", self._name(screen), _where(new))

    def _seats(self, monitors: Sequence[Monitor]) -> tuple[Seat | None, ...]:
        if not self._in_columns:
            found = seated(monitors, [screen.place for screen in self._screens], self._bound)
            return tuple(
                Seat(shrunk(seat.area, screen.size_px), seat.monitor) if seat else None
                for screen, seat in zip(self._screens, found, strict=True)
            )
        if not monitors:
            return (None,) * len(self._screens)
        return tuple(
            Seat(area, most_of(area, monitors))
            for area in columns(self.desktop_area, len(self._screens))
        )

    def _measure(self, monitors: Sequence[Monitor]) -> None:
        """The desktop keeps the place of a monitor that is gone, so that no column moves for it.

        Once there are as many monitors as before, those are the desktop.
        """
        now = {monitor.name: monitor.area for monitor in monitors}
        self._known = now if len(now) >= len(self._known) else {**self._known, **now}
        self.desktop_area = shrunk(desktop(list(self._known.values())), self._desktop_px)

    def _name(self, screen: int) -> str:
        name = self._screens[screen].name
        return f"Screen {screen + 1} ({name})" if name else f"Screen {screen + 1}"


def _where(seat: Seat) -> str:
    area = seat.area
    return f"{seat.monitor.name}, {area.width}x{area.height} at {area.x},{area.y}"


def screens_of(
    machine: Machine | None,
    monitors: Sequence[Monitor],
    count: int,
    size_px: tuple[int, int] | None,
) -> tuple[MachineScreen, ...]:
    """The machine file's screens; where it places none, or without it, from left to right.

    size_px: for those that have no size of their own. `monitors` has at least one. Raises
    ValueError where the file was read for another number of screens.
    """
    screens = machine.screens if machine else (MachineScreen("", Anywhere()),) * count
    if len(screens) != count:
        raise ValueError(f"the machine file was read for {len(screens)} screens, not {count}")
    places = [screen.place for screen in screens]
    if all(isinstance(place, Anywhere) for place in places):
        places = list(default_places(monitors, count))
    return tuple(
        replace(screen, place=place, size_px=screen.size_px or size_px)
        for screen, place in zip(screens, places, strict=True)
    )
