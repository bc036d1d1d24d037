"""The hundred, and the tools above them."""

from __future__ import annotations

from functools import partial

from nicegui import ui

from training.latents.address import NEIGHBOURS, Address
from training.light_table.hands import Hands
from training.light_table.keys import press
from training.light_table.page_parts import box, button, candidate_url, image, words

PICK_CELL = "(e) => { const c = e.target.closest('[data-n]'); if (c) emit(+c.dataset.n) }"


class Grid:
    """Rebuilt when another hundred is laid; else only the frames of its cells change."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._laid: tuple[object, ...] = ()
        self._cells: dict[int, ui.element] = {}
        self._classes: dict[int, str] = {}
        self._keys: list[str] = []
        with box("field"):
            self._tools = box("tools")
            self._grid = box("grid").on(
                "click", lambda event: hands.look(int(event.args)), js_handler=PICK_CELL
            )
            self._grid.on("dblclick", lambda event: press(hands, "Enter"), js_handler=PICK_CELL)
            self._grid.props["role"] = "listbox"

    def show(self) -> None:
        """Say what the table and the view say."""
        hands = self._hands
        table = hands.session.table(hands.view.place)
        laid = (hands.session.key(hands.view.place), table.ground)
        if laid != self._laid:
            self._laid = laid
            self._lay()
        choice = hands.session.choice(hands.view.place)
        marks = {
            "chosen": (choice,) if choice is not None else (),
            "favourite": table.favourites,
            "half": (hands.view.half,) if hands.view.half is not None else (),
            "cursor": (hands.view.candidate,),
        }
        keys = {name: {a.key() for a in of} for name, of in marks.items()}
        for number, cell in self._cells.items():
            own = self._keys[number]
            classes = " ".join(["cell", *(name for name, of in keys.items() if own in of)])
            if self._classes.get(number) != classes:
                self._classes[number] = classes
                cell.classes(replace=classes)

    def _lay(self) -> None:
        self._cells.clear()
        self._keys = [self._hands.ground.at(number).key() for number in range(NEIGHBOURS + 1)]
        self._classes.clear()
        self._tools.clear()
        self._grid.clear()
        with self._tools:
            self._show_tools()
        with self._grid:
            for number in range(1, NEIGHBOURS + 1):
                self._cell(number)

    def _cell(self, number: int) -> None:
        hands, place = self._hands, self._hands.view.place
        cell = box("cell")
        cell.props["data-n"] = number
        cell.props["aria-label"] = f"candidate {number}"
        with cell:
            image(candidate_url(hands.session, place, hands.ground.at(number)))
        self._cells[number] = cell

    def _show_tools(self) -> None:
        hands = self._hands
        ground = hands.ground
        self._cell(0)
        self._cells[0].on("click", lambda: hands.look(0))
        with box("path"):
            if len(ground.parents) == 1:
                for step in ancestors(ground.parents[0]):
                    button(step.words().split(" of ")[0], partial(hands.lay_around, step))
                    words("›", "quiet")
            centre = ground.at(0)
            name = "around " + (centre.words() if len(ground.parents) != 1 else "it")
            button(name, lambda: hands.look(0), name="centre")
        with box("stepper push"):
            words("strength")
            button("−", lambda: press(hands, "-"), name="weaker")
            words(f"{ground.strength:g}", "value")
            button("+", lambda: press(hands, "+"), name="stronger")
        with box("stepper"):
            words("hundred")
            button("‹", lambda: press(hands, "p"), name="hundred before")
            words(str(ground.seed), "value")
            button("›", lambda: press(hands, "n"), name="another hundred")
        button("↶", lambda: press(hands, "u"), name="undo")
        button("↷", lambda: press(hands, "U"), name="redo")


def ancestors(address: Address) -> list[Address]:
    """From the first of a line to a candidate, along first parents."""
    line = [address]
    while len(line[0].parents) == 1:
        line.insert(0, line[0].parents[0])
    return line
