"""Cards, and the corners of a screen, dragged on its picture."""

from __future__ import annotations

from functools import partial

from nicegui import events, ui

from player.desk import words
from player.desk.desk import Sight
from player.desk.hands import Hands
from player.desk.page_wall import NO_IMAGE
from player.desk.parts import News, Text, box, button, card, image, lit
from player.desk.state import corners_of

ASK_NS = 500_000_000


class Cards:
    """Identify, the calibration card, and the way to the corners."""

    def __init__(self, hands: Hands) -> None:
        self._news, self._hands = News(), hands
        with card(words.CALIBRATION, "cards"):
            with box("row"):
                self._identify = button(words.IDENTIFY, self._turn_identify)
                self._card = button(words.CARD, self._turn_card)
            Text(words.CHOOSE_SCREEN, "quiet small")
            with box("row screens"):
                for number in range(1, len(hands.desk.show.settings.screens) + 1):
                    name = f"{words.CALIBRATION} {number}"
                    button(str(number), partial(self._open, number), "small", name=name)

    def show(self, sight: Sight) -> None:
        facts = (sight.state.identified, sight.state.text("/card") == "calibration")
        if self._news("cards", facts):
            lit(self._identify, "on", facts[0])
            lit(self._card, "on", facts[1])

    def _open(self, number: int) -> None:
        self._hands.calibrating = number

    def _turn_identify(self) -> None:
        self._hands.send("/identify", 0 if self._hands.desk.sight().state.identified else 1)

    def _turn_card(self) -> None:
        is_on = self._hands.desk.sight().state.text("/card") == "calibration"
        self._hands.send("/card", "none" if is_on else "calibration")


class Corners:
    """Over the page while a screen is calibrated."""

    def __init__(self, hands: Hands) -> None:
        self._hands, self._news = hands, News()
        self._asked_ns = 0
        with box("over corners hidden") as self._root:
            with box("row head-row"):
                self._title = Text("", "title", "h1")
                button(words.CLOSE, self._close, "push")
            Text(words.DRAG, "quiet")
            with (
                box("stage-room"),
                box("stage").on("corner", self._drag, ["detail"]) as self._stage,
            ):
                self._image = image(NO_IMAGE, "")
                self._lines = ui.html("", sanitize=False).classes("outline")
                for number, name in enumerate(words.CORNERS, 1):
                    handle = box("handle", "button")
                    handle.props["type"], handle.props["aria-label"] = "button", name
                    handle.props["data-corner"] = str(number)
            with box("row"):
                button(words.UNDO, lambda: hands.send("/calibration/undo"))
                button(words.REDO, lambda: hands.send("/calibration/redo"))
                button(words.SAVE, lambda: hands.send("/calibration/save"), "main")
                self._answer = Text("", "quiet small")

    def show(self, sight: Sight) -> None:
        number = self._hands.calibrating
        if self._news("open", number):
            lit(self._root, "hidden", number is None)
            self._title.say(words.SCREEN.format(number=number) if number else "")
            self._asked_ns = 0
        if number is None:
            return
        if sight.now_ns - self._asked_ns > ASK_NS:  # another desk or a fader may move it too
            self._asked_ns = sight.now_ns
            self._hands.desk.line.ask(f"/screen/{number}/calibration")
        seen = sight.pictures.get(number - 1)
        if self._news("picture", (number, seen is not None)):  # newer ones the browser fetches
            self._image.props["src"] = f"/seen/{number}?n={seen.number}" if seen else NO_IMAGE
            self._image.props["data-seen"] = str(number)
            self._image.update()
        width, height = seen.size_px if seen else (16, 9)
        if self._news("shape", (width, height)):
            self._stage.style(f"aspect-ratio: {width} / {height}; --shape: {width / height:.4f}")
        self._place(sight, number)
        last = sight.state.log[-1] if sight.state.log else None
        self._answer.say(last.answer if last else "")

    def _place(self, sight: Sight, number: int) -> None:
        corners = corners_of(sight.state.calibration.get(number, {}))
        if corners is None or not self._news("corners", (number, corners)):
            return
        # not by their style here: the browser moves the one that is in the hand by itself
        ui.run_javascript(f"placeCorners({[list(corner) for corner in corners]})")
        points = " ".join(f"{x * 100:.2f},{y * 100:.2f}" for x, y in corners)
        self._lines.content = (
            '<svg viewBox="0 0 100 100" preserveAspectRatio="none">'
            f'<polygon points="{points}"/></svg>'
        )

    def _drag(self, event: events.GenericEventArguments) -> None:
        moved = event.args["detail"]
        number, x, y = int(moved["corner"]), float(moved["x"]), float(moved["y"])
        self._hands.corner(number, round(x, 4), round(y, 4))
        # what was known is old, and the player's next answer is news even if it says the same
        line = self._hands.desk.line
        with line.lock:
            line.state.calibration.clear()
        self._news("corners", None)
        self._asked_ns = 0

    def _close(self) -> None:
        self._hands.calibrating = None
