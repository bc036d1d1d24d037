"""What one browser tab looks at. Pure: no page, no files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from training.latents.address import NEIGHBOURS, Address
from training.light_table.session import Place
from training.light_table.state import Table

COLUMNS = 10

Beside = Literal["alone", "painting", "projection", "choice", "all"]
BESIDE: tuple[Beside, ...] = ("alone", "painting", "projection", "choice", "all")
Direction = Literal["left", "right", "up", "down"]


@dataclass(frozen=True)
class View:
    """cursor: a number of the hundred, 0 their centre. candidate: what is looked at; a favourite
    need not be among the hundred. half: the first of two to go halfway between. beside: what the
    enlarged candidate stands beside, None: nothing is enlarged."""

    place: Place
    cursor: int
    candidate: Address
    half: Address | None = None
    beside: Beside | None = None
    smooth: bool = True
    looping: bool = False


def opening_view(place: Place, table: Table, choice: Address | None, last: View | None) -> View:
    """A painting as it is first looked at: its choice, or the centre of its hundred."""
    ground = table.ground
    cursor = choice.number if choice is not None and choice.ground.same_as(ground) else 0
    candidate = ground.at(0) if choice is None else choice.candidate
    if last is None:
        return View(place, cursor, candidate)
    return replace(last, place=place, cursor=cursor, candidate=candidate, half=None, looping=False)


def looked_at(view: View, table: Table, number: int) -> View:
    """The same view of another of the hundred."""
    return replace(view, cursor=number, candidate=table.ground.at(number), looping=False)


def moved(cursor: int, direction: Direction) -> int:
    """The number that lies there; the centre, 0, lies above the grid."""
    step = {"left": -1, "right": 1, "up": -COLUMNS, "down": COLUMNS}[direction]
    if cursor == 0:
        return 1 if step > 0 else 0
    if direction == "up":
        return max(cursor + step, 0)
    return cursor + step if 1 <= cursor + step <= NEIGHBOURS else cursor
