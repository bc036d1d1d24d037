"""How the pictures move: the strength of the loops, the truncation, the path. Each has a way back
to what the show's file says; the player goes there within a second."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from player.desk import words
from player.desk.desk import Sight
from player.desk.hands import Hands
from player.desk.parts import News, Text, box, button, card, lit
from player.desk.sliders import Slider, percent
from player.osc.rows import Value
from player.osc.table import BY_PATH
from player.transport import own_levels

HUNDREDTHS = 100
LOOPS, TRUNCATION, PATH = "/loop/strength", "/truncation", "/path"


class Feeling:
    """Two sliders and a switch."""

    def __init__(self, hands: Hands) -> None:
        self._hands, self._news = hands, News()
        own = own_levels(hands.desk.show)
        self._own: dict[str, Value] = {
            LOOPS: own["loop_gain"],
            TRUNCATION: own["truncation_psi"],
            PATH: "smooth" if own["smoothness"] else "linear",
        }
        self._back: dict[str, Text] = {}
        with card(words.FEELING, "feeling"):
            self._loops = self._slider(words.LOOP_STRENGTH, LOOPS, percent)
            self._truncation = self._slider(words.TRUNCATION, TRUNCATION, "{:.2f}".format)
            with box("feel"):
                Text(words.PATH, "name")
                with box("row"):
                    self._paths = {
                        path: button(said, partial(hands.send, PATH, path))
                        for path, said in words.PATHS.items()
                    }
                self._way_back(words.PATH, PATH)

    def show(self, sight: Sight) -> None:
        state = sight.state
        path = state.text(PATH)
        at_own = {path_: self._is_own(path_, sight) for path_ in (LOOPS, TRUNCATION, PATH)}
        if self._news("feeling", (path, at_own)):
            for name, made in self._paths.items():
                lit(made, "on", name == path)
            for address, made in self._back.items():
                lit(made, "idle", at_own[address])
        for address, slider in ((LOOPS, self._loops), (TRUNCATION, self._truncation)):
            slider.show(state.number(address, float(self._own[address])), sight)

    def _is_own(self, address: str, sight: Sight) -> bool:
        own = self._own[address]
        if isinstance(own, str):
            return sight.state.text(address, own) == own
        return abs(sight.state.number(address, own) - own) < 1 / HUNDREDTHS / 2

    def _slider(self, name: str, address: str, says: Callable[[float], str]) -> Slider:
        argument = BY_PATH[address].arguments[0]
        low, high = argument.low, argument.high
        assert low is not None and high is not None
        with box("feel ranged") as made:
            Text(name, "name")
            own = (float(self._own[address]) - low) / (high - low)
            made.style(f"--own: {own:.4f}")
            slider = Slider(name, low, high, HUNDREDTHS, says, partial(self._hands.send, address))
            self._way_back(name, address)
        return slider

    def _way_back(self, name: str, address: str) -> None:
        said = words.AS_SHOW_HAS_IT.format(name=name)
        back: Callable[[], None] = partial(self._hands.send, address, self._own[address])
        made = button(words.BACK, back, "small back", name=said)
        made.props["title"] = said
        self._back[address] = made
