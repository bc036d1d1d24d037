"""What lies over the table: the enlarged candidate beside something, and the keys."""

from __future__ import annotations

from functools import partial

from nicegui import ui

from training.light_table.hands import Hands
from training.light_table.keys import KEYS, press
from training.light_table.page_candidate import picture_facts, show_candidate, show_reference
from training.light_table.page_parts import News, box, button, words
from training.light_table.view import BESIDE, Beside

NAMES: dict[Beside, str] = {
    "alone": "Alone",
    "painting": "Painting",
    "projection": "Projection",
    "choice": "Choice",
    "all": "All four",
}


class Over:
    """The enlarged candidate, or nothing; and the keys, or nothing."""

    def __init__(self, hands: Hands) -> None:
        self._hands, self._news = hands, News()
        self._enlarged = box("")
        self._keys = box("")
        self._picture: ui.element | None = None

    def show(self) -> None:
        """Say what the view says."""
        hands, view = self._hands, self._hands.view
        choice = hands.session.choice(view.place)
        standing = (view.place, view.beside, view.smooth, choice, view.candidate, view.looping)
        if self._news("enlarged", view.beside and standing):
            self._enlarged.clear()
            self._picture = None
            if view.beside is not None:
                with self._enlarged, box("over" if view.smooth else "over squares"):
                    self._show_enlarged(view.beside)
        if self._picture is not None and self._news("picture", (standing, picture_facts(hands))):
            self._picture.clear()
            with self._picture:
                show_candidate(hands)
        if self._news("keys", hands.keys_shown):
            self._keys.clear()
            if hands.keys_shown:
                with self._keys, box("sheet").on("click", lambda: hands.show_keys(False)), box(""):
                    for key, meaning in KEYS:
                        words(key, tag="kbd")
                        words(meaning)

    def _show_enlarged(self, beside: Beside) -> None:
        hands = self._hands
        with box("row"):
            for one in BESIDE:
                button(
                    NAMES[one],
                    partial(hands.enlarge, one),
                    classes="on" if one == beside else "",
                )
            loop = "■ Loop" if hands.view.looping else "▶ Loop"
            button(loop, lambda: press(hands, " "), key="␣", classes="push", name="loop of this")
            button("Choose", lambda: press(hands, "Enter"), key="⏎", name="choose this")
            smooth = "Smooth" if hands.view.smooth else "Squares"
            button(smooth, lambda: press(hands, "z"), key="z", name="zoom")
            button("Close", lambda: hands.enlarge(None), key="Esc")
        besides: dict[Beside, tuple[Beside, ...]] = {
            "alone": (),
            "all": ("painting", "projection", "choice"),
        }
        references = besides.get(beside, (beside,))
        with box(f"stage n{len(references) + 1}"):
            for reference in references if beside != "all" else references[:2]:
                self._stand(reference)
            with box("stand"):
                choice = hands.session.choice(hands.view.place)
                same = choice is not None and choice.key() == hands.view.candidate.key()
                self._picture = box("picture is-choice" if same else "picture")
                words(hands.view.candidate.words(), "words")
            if beside == "all":
                self._stand("choice")

    def _stand(self, reference: Beside) -> None:
        with box("stand"):
            with box("picture"):
                text = show_reference(self._hands, self._hands.view.place, reference)
            words(text, "words")
