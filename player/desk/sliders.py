"""A slider that follows the player, except while a hand is on it."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import events, ui

from player.desk.desk import Sight
from player.desk.parts import News, Text

TOUCHED_NS = 1_500_000_000  # for so long a slider that was let go is still the hand's


def percent(value: float) -> str:
    """As in "100 %"."""
    return f"{100 * value:.0f} %"


class Slider:
    """An `input` whose places are whole numbers: `scale` of them are 1 of the player's value.

    Its element and the text of its value stand where they are made.
    """

    def __init__(
        self,
        name: str,
        low: float,
        high: float,
        scale: int,
        says: Callable[[float], str],
        send: Callable[[float], object],
    ) -> None:
        """low, high: of the player's value. says: the value in words. send: is called while a hand
        moves it, twenty times a second at most."""
        self._low, self._high, self._scale = round(low * scale), round(high * scale), scale
        self._says, self._send = says, send
        self._news = News()
        self._is_held, self._moved = False, False
        self._free_ns = 0
        self.value_text = Text("", "value")
        self._input = ui.element("input")
        props = {"type": "range", "min": self._low, "max": self._high, "aria-label": name}
        self._input.props.update(props)
        self._input.on("pointerdown", self._take)
        for end in ("pointerup", "pointercancel", "blur"):
            self._input.on(end, self._let_go)
        self._input.on(
            "input", self._move, throttle=0.05, js_handler="(e) => emit(Number(e.target.value))"
        )
        # else it would keep the keys, of which the arrows are lines
        self._input.on("change", js_handler="(e) => e.target.blur()")

    def show(self, value: float, sight: Sight) -> None:
        """Follow the player's value, unless the hand has it."""
        if self._moved:
            self._free_ns, self._moved = sight.now_ns + TOUCHED_NS, False
        if self._is_held or sight.now_ns < self._free_ns:
            return
        place = round(value * self._scale)
        if self._news("place", place):
            ui.run_javascript(f"placeSlider({self._input.html_id!r}, {place})")
            self.value_text.say(self._says(place / self._scale))

    def _take(self) -> None:
        self._is_held = True

    def _let_go(self) -> None:
        self._is_held, self._moved = False, True

    def _move(self, event: events.GenericEventArguments) -> None:
        place = min(max(int(event.args), self._low), self._high)
        self._moved = True
        self._news("place", None)
        self.value_text.say(self._says(place / self._scale))
        self._send(place / self._scale)
