"""Where windows stand on a desktop: rectangles in screen coordinates. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, order=True)
class Area:
    """A rectangle of the desktop; x to the right, y down, in screen coordinates."""

    x: int
    y: int
    width: int
    height: int


def left_to_right(areas: Sequence[Area]) -> tuple[Area, ...]:
    """Each area once (mirrored monitors share one), by position: from the left, then from above."""
    return tuple(sorted(set(areas)))


def desktop(areas: Sequence[Area]) -> Area:
    """The smallest rectangle around all areas; at least one is needed."""
    x, y = min(a.x for a in areas), min(a.y for a in areas)
    right, bottom = max(a.x + a.width for a in areas), max(a.y + a.height for a in areas)
    return Area(x, y, right - x, bottom - y)


def columns(area: Area, count: int) -> tuple[Area, ...]:
    """`area` in `count` columns side by side without gaps, equally wide to a pixel."""
    edges = [area.x + area.width * i // count for i in range(count + 1)]
    return tuple(Area(left, area.y, right - left, area.height) for left, right in pairwise(edges))


def tiles(area: Area, count: int) -> tuple[Area, ...]:
    """`count` equal tiles in rows from the top left, as large as a square picture can use."""

    def side(across: int) -> int:
        return min(area.width // across, area.height // -(-count // across))

    across = max(range(1, count + 1), key=side)
    down = -(-count // across)
    width, height = area.width // across, area.height // down
    return tuple(
        Area(area.x + width * (i % across), area.y + height * (i // across), width, height)
        for i in range(count)
    )


def shrunk(area: Area, size: tuple[int, int] | None) -> Area:
    """The middle of `area`, at most `size` large; all of it if size is None."""
    if size is None:
        return area
    width, height = min(area.width, size[0]), min(area.height, size[1])
    return Area(
        area.x + (area.width - width) // 2, area.y + (area.height - height) // 2, width, height
    )


def overlap_px(a: Area, b: Area) -> int:
    """How many pixels two areas share."""
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    return max(0, width) * max(0, height)
