"""The candidate, large, with what it is judged by and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from training.latents.address import Address
from training.light_table.hands import Hands
from training.light_table.keys import press
from training.light_table.page_parts import (
    News,
    box,
    button,
    candidate_url,
    image,
    painting_url,
    words,
)
from training.light_table.session import Place
from training.light_table.view import Beside

VALUE = "(e) => { emit(e.target.value); e.target.blur() }"
LEAVE = "(e) => { if (e.key === 'Escape' || e.key === 'Enter') e.target.blur() }"
PROJECTION = Address(number=0, seed=0, strength=0)


class CandidatePane:
    """The right side."""

    def __init__(self, hands: Hands) -> None:
        self._hands, self._news = hands, News()
        with box("side"):
            self._big = box("picture big").on("click", lambda: press(hands, "e"))
            self._facts = box("facts")
            self._actions = box("actions")
            self._three = box("three")
            self._loop = box("row")
            self._note = box("", "textarea").on("change", self._take_note, js_handler=VALUE)
            self._note.on("keydown", js_handler=LEAVE)
            self._note.props["placeholder"] = "a note on this painting, for the record"
            self._note.props["aria-label"] = "note"
            self._favourites = box("favourites")

    def show(self) -> None:
        """Say what the table and the view say."""
        session, view = self._hands.session, self._hands.view
        place, here = view.place, view.candidate.key()
        table = session.table(place)
        parts: dict[str, tuple[ui.element, Callable[[], None], object]] = {
            "facts": (self._facts, self._show_facts, view.candidate),
            "actions": (
                self._actions,
                self._show_actions,
                (here, table.favourites, view.looping, view.half),
            ),
            "three": (self._three, self._show_three, (place, session.choice(place))),
            "loop": (self._loop, self._show_loop, (place, table.loop)),
            "favourites": (
                self._favourites,
                self._show_favourites,
                (place, here, table.favourites),
            ),
        }
        self.show_picture()
        for name, (part, fill, facts) in parts.items():
            if self._news(name, facts):
                part.clear()
                with part:
                    fill()
        if self._news("note", (place, table.note)):
            self._note.props["value"] = table.note

    def _take_note(self, event: object) -> None:
        self._hands.note(str(getattr(event, "args", "")))

    def show_picture(self) -> None:
        """Only the candidate itself."""
        hands = self._hands
        choice = hands.session.choice(hands.view.place)
        is_choice = choice is not None and choice.key() == hands.view.candidate.key()
        if not self._news("picture", (picture_facts(hands), is_choice)):
            return
        self._big.clear()
        with self._big:
            show_candidate(hands)
        self._big.classes(replace="picture big" + (" is-choice" if is_choice else ""))

    def _show_facts(self) -> None:
        candidate = self._hands.view.candidate
        words(candidate.words(), tag="b")
        if candidate.number:
            words(f" · strength {candidate.strength:g} · hundred {candidate.seed}", tag="span")
        if candidate.generation > 1:
            words(f" · generation {candidate.generation}", tag="span")

    def _show_actions(self) -> None:
        hands = self._hands
        table, here = hands.session.table(hands.view.place), hands.view.candidate
        liked = any(a.key() == here.key() for a in table.favourites)
        button("Choose", lambda: press(hands, "Enter"), key="⏎", classes="main")
        button("★" if liked else "☆", lambda: press(hands, "f"), key="f", name="favourite")
        looping = hands.view.looping
        button("■ Loop" if looping else "▶ Loop", lambda: press(hands, " "), key="␣", name="loop")
        button("Breed", lambda: press(hands, "b"), key="b")
        button(
            "Halfway", lambda: press(hands, "h"), key="h", classes="on" if hands.view.half else ""
        )
        button("Compare", lambda: press(hands, "c"), key="c")

    def _show_three(self) -> None:
        hands, place = self._hands, self._hands.view.place
        for beside in ("painting", "projection", "choice"):
            with box(""):
                with box("picture").on("click", lambda b=beside: hands.enlarge(b)):
                    text = show_reference(hands, place, beside)
                words(text, "words")

    def _show_loop(self) -> None:
        hands = self._hands
        place = hands.view.place
        loop = hands.session.table(place).loop
        strength = usual_strength(hands, place) if loop.strength is None else loop.strength
        words("loop", "quiet")
        slider = ui.element("input")
        slider.props.update(
            {"type": "range", "min": "0", "max": "0.6", "step": "0.01", "value": f"{strength:g}"}
        )
        slider.props["aria-label"] = "loop strength"
        slider.on("pointerup", js_handler="(e) => e.target.blur()")
        slider.on("change", lambda event: self._set_strength(float(event.args)), js_handler=VALUE)
        words(f"{strength:g}", "value")
        if loop.strength is not None:
            button("as the show", lambda: self._set_strength(None), classes="quiet")
        button(
            f"Re-roll · {loop.seed}",
            lambda: press(hands, "r"),
            key="r",
            name="re-roll",
            classes="push",
        )

    def _set_strength(self, strength: float | None) -> None:
        self._hands.set_loop_strength(strength)

    def _show_favourites(self) -> None:
        hands, place = self._hands, self._hands.view.place
        favourites = hands.session.table(place).favourites
        if not favourites:
            words("Favourites of this painting will stand here.", "quiet")
        for address in favourites:
            here = address.key() == hands.view.candidate.key()
            cell = box("cell cursor" if here else "cell")
            cell.props["aria-label"] = f"favourite {address.words()}"
            with cell.on("click", lambda a=address: hands.look_at(a)):
                image(candidate_url(hands.session, place, address))


def picture_facts(hands: Hands) -> tuple[object, ...]:
    """What `show_candidate` depends on."""
    view, preview = hands.view, hands.preview
    made = None if preview is None else (preview.done, preview.path, preview.fault)
    return view.place, view.candidate.key(), view.looping and made


def show_candidate(hands: Hands) -> None:
    """The candidate or, when it plays, its loop; with a bar while that is being made."""
    view, preview = hands.view, hands.preview
    playing = view.looping and preview is not None and preview.path is not None
    if playing and preview is not None and preview.path is not None:
        image(f"/loop/{preview.path.name}", "the noise loop")
        words("loop", "tag")
        return
    image(candidate_url(hands.session, view.place, view.candidate), "the candidate")
    if view.looping and preview is not None:
        if preview.fault:
            words(preview.fault, "tag")
        else:
            words("drawing the loop …", "tag")
            with box("bar"):
                box("").style(f"width: {100 * preview.done / preview.total:.0f}%")


def show_reference(hands: Hands, place: Place, beside: Beside) -> str:
    """The painting, the projection or the choice, if there is one; returns the words for it."""
    session = hands.session
    if beside == "painting":
        image(painting_url(session, place), "the painting")
        return "painting"
    if beside == "projection":
        image(candidate_url(session, place, PROJECTION), "the projection")
        return "projection"
    choice = session.choice(place)
    if choice is None:
        stale = session.table(place).choice is not None
        words("chosen from an earlier projection" if stale else "nothing chosen yet", "empty")
        return "choice"
    image(candidate_url(session, place, choice.candidate), "the choice")
    return f"chosen: {choice.words()}" + (" (automatic)" if choice.by == "auto" else "")


def usual_strength(hands: Hands, place: Place) -> float:
    """The loop strength where the painting has none of its own."""
    ballad = hands.session.ballad(place)
    usual = hands.session.show.settings.noise_strength
    return usual if ballad.loop_strength is None else ballad.loop_strength
