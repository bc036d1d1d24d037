"""Which screen stands where: from the monitors there are now, and the places asked for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from player.wall.edid import Edid
from player.wall.monitors import Area, overlap_px, tiles


@dataclass(frozen=True)
class Monitor:
    """A monitor that is on. name: its output (DP-1). work_area: without a desktop's panels.

    refresh_hz and edid are None where the system does not tell them.
    """

    name: str
    area: Area
    work_area: Area
    refresh_hz: Fraction | None = None
    edid: Edid | None = None


@dataclass(frozen=True)
class OnOutput:
    """On the output of this name; with `parts` above 1 in one tile, `part` from 0, of it."""

    name: str
    part: int = 0
    parts: int = 1


@dataclass(frozen=True)
class WithEdid:
    """On the monitor whose EDID holds this text, whatever output it hangs on."""

    text: str


@dataclass(frozen=True)
class AtIndex:
    """On the monitor that is the `index`-th from the left, from 1, when it is first seen there."""

    index: int


@dataclass(frozen=True)
class InRectangle:
    """On this part of the desktop, as long as a monitor shows any of it."""

    area: Area


@dataclass(frozen=True)
class Anywhere:
    """On the leftmost monitor that no other screen wants."""


Place = OnOutput | WithEdid | AtIndex | InRectangle | Anywhere


@dataclass(frozen=True)
class Seat:
    """Where a screen stands now, and the monitor that shows it (of several, the most of it)."""

    area: Area
    monitor: Monitor


def told_apart(monitors: Sequence[Monitor]) -> tuple[Monitor, ...]:
    """The same monitors from the left, names that occur again with (2), (3) ... after them."""
    seen: dict[str, int] = {}
    named = []
    for monitor in sorted(monitors, key=lambda m: (m.area, m.name)):
        seen[monitor.name] = count = seen.get(monitor.name, 0) + 1
        named.append(replace(monitor, name=f"{monitor.name} ({count})") if count > 1 else monitor)
    return tuple(named)


def without_mirrors(monitors: Sequence[Monitor]) -> tuple[Monitor, ...]:
    """From the left; of monitors that show the same area, the first by name alone."""
    by_area: dict[Area, Monitor] = {}
    for monitor in sorted(monitors, key=lambda m: (m.area, m.name)):
        by_area.setdefault(monitor.area, monitor)
    return tuple(by_area.values())


def default_places(monitors: Sequence[Monitor], screens: int) -> tuple[Place, ...]:
    """A place for each screen if nothing else is said; `monitors` has at least one.

    With monitors enough, screen i has the i-th from the left. With fewer, the screens are shared
    out evenly from left to right, and tile the monitors.
    """
    order = without_mirrors(monitors)
    if len(order) >= screens:
        return tuple(OnOutput(monitor.name) for monitor in order[:screens])
    edges = [screens * i // len(order) for i in range(len(order) + 1)]
    return tuple(
        OnOutput(monitor.name, part, end - start)
        for monitor, (start, end) in zip(order, pairwise(edges), strict=True)
        for part in range(end - start)
    )


def seated(
    monitors: Sequence[Monitor], places: Sequence[Place], bound: Sequence[str | None]
) -> tuple[Seat | None, ...]:
    """Where each screen stands, None where its monitor is not there.

    bound: per screen the output it stood on last, None at first. A screen placed by index, or
    anywhere, keeps to that output, so that no screen wanders when another monitor goes. One
    placed by EDID prefers it. `bound_to` gives the value for the next time.
    """
    order = without_mirrors(monitors)
    by_name = {monitor.name.casefold(): monitor for monitor in monitors}
    seats: list[Seat | None] = [None] * len(places)
    taken: set[Area] = set()

    def sit(screen: int, area: Area, monitor: Monitor) -> None:
        seats[screen] = Seat(area, monitor)
        taken.add(monitor.area)

    for screen, place in enumerate(places):
        if isinstance(place, OnOutput):
            if found := by_name.get(place.name.casefold()):
                sit(screen, _part_of(found, place), found)
        elif isinstance(place, InRectangle):
            under = [monitor for monitor in order if overlap_px(monitor.area, place.area)]
            if under:
                sit(screen, place.area, most_of(place.area, under))
                taken.update(monitor.area for monitor in under)
    for screen, place in enumerate(places):
        name = bound[screen]
        if name is not None and isinstance(place, WithEdid | AtIndex | Anywhere):
            found = by_name.get(name.casefold())
            if found and found.area not in taken and _suits(found, place):
                sit(screen, found.area, found)
    for screen, place in _by_eagerness(places):
        if seats[screen] is None and (bound[screen] is None or isinstance(place, WithEdid)):
            candidates = order
            if isinstance(place, AtIndex):
                candidates = order[place.index - 1 : place.index]
            free = (m for m in candidates if m.area not in taken and _suits(m, place))
            if (leftmost := next(free, None)) is not None:
                sit(screen, leftmost.area, leftmost)
    return tuple(seats)


def most_of(area: Area, monitors: Sequence[Monitor]) -> Monitor:
    """The monitor that shows the largest part of the area; at least one is needed."""
    return max(monitors, key=lambda monitor: overlap_px(monitor.area, area))


def bound_to(seats: Sequence[Seat | None], bound: Sequence[str | None]) -> tuple[str | None, ...]:
    """The output each screen stands on, or stood on last."""
    return tuple(
        before if seat is None else seat.monitor.name
        for seat, before in zip(seats, bound, strict=True)
    )


def describe_place(place: Place) -> str:
    """What the screen waits for, in words that follow "waits for"."""
    match place:
        case OnOutput(name):
            return f"output {name}"
        case WithEdid(text):
            return f"a monitor whose EDID holds {text!r}"
        case AtIndex(index):
            return f"monitor {index} from the left"
        case InRectangle(area):
            return f"a monitor at {area.width}x{area.height}+{area.x}+{area.y} of the desktop"
        case Anywhere():
            return "a monitor that no other screen has"


def describe_rate(refresh_hz: Fraction | None) -> str:
    """As in "59.94 Hz"."""
    if refresh_hz is None:
        return "refresh rate not told"
    return f"{float(refresh_hz):.3f}".rstrip("0").rstrip(".") + " Hz"


def _part_of(monitor: Monitor, place: OnOutput) -> Area:
    if place.parts == 1:
        return monitor.area
    return tiles(monitor.work_area, place.parts)[place.part]


def _suits(monitor: Monitor, place: Place) -> bool:
    if isinstance(place, WithEdid):
        return monitor.edid is not None and monitor.edid.matches(place.text)
    return isinstance(place, AtIndex | Anywhere)


def _by_eagerness(places: Sequence[Place]) -> Iterator[tuple[int, Place]]:
    """Those that want a certain monitor before those that take any."""
    for wanted in (WithEdid, AtIndex, Anywhere):
        yield from ((i, place) for i, place in enumerate(places) if isinstance(place, wanted))
