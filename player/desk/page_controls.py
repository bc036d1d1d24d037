"""The buttons. A desk that is only to look at has none of them."""

from __future__ import annotations

from functools import partial

from nicegui import events, ui

from player.desk import words
from player.desk.desk import Sight
from player.desk.hands import Hands
from player.desk.page_wall import QUIET
from player.desk.parts import News, Text, box, button, card, lit
from player.desk.sliders import Slider, percent
from player.osc.rows import Argument
from player.osc.table import BY_PATH


class Ballads:
    """A large button for each, in its colour; and how the screens go together."""

    def __init__(self, hands: Hands) -> None:
        self._hands, self._news = hands, News()
        self._buttons: list[Text] = []
        with card(words.BALLADS, "ballads"):
            self._scope = Text(words.FOR_ALL, "scope")
            with box("row"):
                self._each = button(words.EACH, lambda: hands.send("/arrangement", "each"))
                self._unison = button(words.UNISON, lambda: hands.send("/arrangement", "unison"))
                with box("canon"):
                    self._canon = button(words.CANON, self._send_canon)
                    self._apart = _Seconds(words.APART, BY_PATH["/arrangement"].arguments[1])
            with box("grid"):
                for number, ballad in enumerate(hands.desk.show.ballads, 1):
                    made = button(
                        ballad.title, partial(hands.ballad, number), "ballad", name=ballad.title
                    )
                    made.style(f"--ballad: {ballad.colour or QUIET}")
                    made.props["data-key"] = str(number) if number < 10 else ""
                    self._buttons.append(made)

    def show(self, sight: Sight) -> None:
        state, scope = sight.state, self._hands.scope
        where = "" if scope is None else f"/screen/{scope}"
        facts = (state.text(f"{where}/ballad"), state.text("/arrangement"), scope)
        if not self._news("ballads", facts):
            return
        here, arrangement, _ = facts
        for ballad, made in zip(self._hands.desk.show.ballads, self._buttons, strict=True):
            lit(made, "on", ballad.id == here)
        self._scope.say(words.FOR_ALL if scope is None else words.FOR_SCREEN.format(number=scope))
        lit(self._each, "on", arrangement == "each")
        lit(self._unison, "on", arrangement == "unison")
        lit(self._canon, "on", arrangement == "canon")

    def _send_canon(self) -> None:
        self._hands.send("/arrangement", "canon", self._apart.value)


class _Seconds:
    """A field for seconds within the table's range; what is no number changes nothing."""

    def __init__(self, name: str, argument: Argument) -> None:
        self._argument = argument
        self.value = float(argument.default or 0.0)
        with box("seconds", "label"):
            field = ui.element("input")
            field.props["type"], field.props["aria-label"] = "number", name
            field.props["min"], field.props["max"] = argument.low, argument.high
            # no `value`: that is set anew whenever anything on the page changes
            field.props["step"], field.props["defaultValue"] = 0.5, f"{self.value:g}"
            field.props["title"], field.props["inputmode"] = name, "decimal"
            field.on("input", self._typed, js_handler="(e) => emit(e.target.valueAsNumber)")
            field.on("keydown.enter", js_handler="(e) => e.target.blur()")
            Text(words.SECONDS)

    def _typed(self, event: events.GenericEventArguments) -> None:
        low, high = self._argument.low or 0.0, self._argument.high or 0.0
        if isinstance(event.args, int | float) and low <= event.args <= high:
            self.value = float(event.args)


class Voice:
    """For a singer or reader: line by line, waiting, beginning."""

    def __init__(self, hands: Hands) -> None:
        self._news = News()
        with card(words.LINE, "voice"):
            with box("row"):
                button(words.LINE_BACK, lambda: hands.send("/line/previous"), "big")
                button(words.LINE_NEXT, lambda: hands.send("/line/next"), "big main")
            with box("row"):
                self._hold = button(words.HOLD, hands.hold_or_release)
                self._standby = button(words.STANDBY, lambda: hands.send("/standby"))
                button(words.GO, lambda: hands.send("/go"))

    def show(self, sight: Sight) -> None:
        state = sight.state
        held = bool(state.number("/hold"))
        stands = not state.number("/status/playing", 1) and state.text("/source") == "slate"
        if self._news("voice", (held, stands)):
            self._hold.say(words.RELEASE if held else words.HOLD)
            lit(self._hold, "on", held)
            lit(self._standby, "on", stands)


class Show:
    """Play, light, source, and the way back to a calm state."""

    def __init__(self, hands: Hands) -> None:
        self._hands, self._news = hands, News()
        with card(words.SHOW, "show"):
            with box("row"):
                self._play = button(words.PAUSE, hands.play_or_pause, "big")
                self._black = button(words.BLACKOUT, hands.black, "big black")
                safe = button(words.SAFE, lambda: hands.send("/safe"), "big safe")
                safe.props["title"] = words.SAFE_SAYS
            with box("slider", "label"):
                Text(words.BRIGHTNESS, "name")
                self._light = Slider(
                    words.BRIGHTNESS, 0, 1, 100, percent, partial(hands.send, "/brightness")
                )
            with box("row"):
                Text(words.SOURCE, "name")
                self._sources = {
                    name: button(said, partial(hands.send, "/source", name))
                    for name, said in words.SOURCES.items()
                }

    def show(self, sight: Sight) -> None:
        state, asked = sight.state, self._hands.is_asked_black
        playing, black = bool(state.number("/status/playing", 1)), bool(state.number("/blackout"))
        source = state.text("/source")
        if self._news("show", (playing, black, asked, source)):
            self._play.say(words.PAUSE if playing else words.PLAY)
            lit(self._play, "main", not playing)
            said = words.BLACKOUT_SURE if asked else words.BLACKOUT
            self._black.say(words.LIGHTS_UP if black else said)
            lit(self._black, "sure", asked or black)
            for name, made in self._sources.items():
                lit(made, "on", name == source)
        self._light.show(state.number("/brightness", 1), sight)
