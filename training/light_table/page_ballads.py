"""The ballads along the top, and the paintings of one of them down the left."""

from __future__ import annotations

from functools import partial

from training.light_table.hands import Hands
from training.light_table.page_parts import (
    Action,
    News,
    box,
    button,
    candidate_url,
    image,
    painting_url,
    words,
)
from training.light_table.publishing import Publisher
from training.light_table.session import Place


class Ballads:
    """All ballads: how many paintings are chosen, and whether they are published so."""

    def __init__(
        self, hands: Hands, publisher: Publisher, publish: Action, publish_all: Action
    ) -> None:
        self._hands, self._publisher, self._news = hands, publisher, News()
        with box("top"):
            self._ballads = box("ballads")
            self._publish = button("Publish", publish, name="publish this ballad")
            button("Publish all", publish_all)
            button("?", lambda: hands.show_keys(True), name="keys")

    def show(self) -> None:
        """Say what is chosen and published."""
        session = self._hands.session
        here = self._hands.view.place.ballad_id
        states = [self._publisher.state(name) for name in session.projections]
        chosen = [session.choice(p) for name in session.projections for p in session.places(name)]
        if not self._news("ballads", (here, states, chosen)):
            return
        ready = all(session.choice(place) for place in session.places(here))
        due = ready and self._publisher.state(here) != "published"
        self._publish.classes(replace="main" if due else "")
        self._ballads.clear()
        with self._ballads:
            for ballad in session.show.ballads:
                known = ballad.id in session.projections
                made = button(
                    ballad.title,
                    partial(self._hands.go, Place(ballad.id, 0)),
                    classes="ballad here" if ballad.id == here else "ballad",
                )
                made.props["title"] = session.faults.get(ballad.id, ballad.title)
                if not known:
                    made.props["disabled"] = True
                    continue
                with made, box("dots"):
                    for place in session.places(ballad.id):
                        dot(self._hands, place)
                    state = self._publisher.state(ballad.id)
                    if state:
                        words(state, "published")


class Rail:
    """The paintings of the ballad."""

    def __init__(self, hands: Hands) -> None:
        self._hands, self._news = hands, News()
        self._rail = box("rail")

    def show(self) -> None:
        """Say which is looked at, and which are chosen."""
        hands = self._hands
        places = hands.session.places(hands.view.place.ballad_id)
        choices = [hands.session.choice(place) for place in places]
        if not self._news("paintings", (hands.view.place, choices)):
            return
        self._rail.clear()
        with self._rail:
            for place, choice in zip(places, choices, strict=True):
                painting = hands.session.ballad(place).paintings[place.index]
                here = place == hands.view.place
                made = box("painting here" if here else "painting")
                made.props["title"] = painting.line
                made.props["aria-label"] = f"painting {painting.id}"
                with made.on("click", lambda p=place: hands.go(p)):
                    image(
                        painting_url(hands.session, place)
                        if choice is None
                        else candidate_url(hands.session, place, choice.candidate)
                    )
                    with box("row"):
                        words(str(place.index + 1), tag="kbd")
                        words(painting.id, "name")
                        dot(hands, place)


def dot(hands: Hands, place: Place) -> None:
    """Nothing chosen, chosen by the machine, or by a person."""
    choice = hands.session.choice(place)
    box("dot" if choice is None else f"dot {choice.by}")
