"""How well it runs: figures, and the last ten minutes as bars."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from player.desk import words
from player.desk.desk import Desk, Sight
from player.desk.history import FRAME_TIME, LATENESS, SKEW, History
from player.desk.parts import News, Text, box, card, lit
from player.desk.plots import bars
from player.desk.state import DeskState
from player.heat import HOT_C, WARM_C

MANY_LOST = 10  # in five seconds: as high as the drawing is at least
ROOM = 1.25  # above the line, as a share of what lies below it
SKEW_LIMIT_MS = 1.0  # docs/sync.md: below it 99 times of a hundred


class Health:
    """Of a player alone there is nothing to say about clocks apart."""

    def __init__(self, desk: Desk) -> None:
        self._news = News()
        self._frame_ms = 1000 / float(desk.show.settings.fps)
        with card(words.HEALTH, "health"):
            with box("figures"):
                self._fps = self._figure(words.FPS)
                self._late = self._figure(words.LATE)
                self._dropped = self._figure(words.DROPPED)
                self._hottest = self._figure(words.TEMPERATURE.lower())
            self._lost_plot = _Plot(words.LOST)
            self._frame_plot = _Plot(words.FRAME_TIME)
            self._late_plot = _Plot(words.LATENESS)
            self._skew_plot = _Plot(words.SKEW)
            with box("ends"):
                Text(words.TEN_MINUTES_AGO)
                Text(words.NOW)
            self._quality = Text("", "small")
            self._engine = Text("", "quiet small")
            self._heat = Text("", "quiet small")
            with box("more", "details"):
                Text(words.MORE, "", "summary")
                self._status = Text("", "quiet small")

    def show(self, sight: Sight) -> None:
        state = sight.state
        self._fps.say("–" if sight.silent else f"{state.number('/status/fps'):.0f}")
        self._late.say(f"{state.number('/status/late'):.0f}")
        self._dropped.say(f"{state.number('/status/dropped'):.0f}")
        self._say_heat(state)
        self._draw(state)
        self._quality.say(labelled(words.GOVERNOR, state.text("/status/quality")))
        self._engine.say(labelled(words.ENGINE, state.text("/status/engine")))
        self._status.say(state.status_line)

    def _say_heat(self, state: DeskState) -> None:
        hottest = state.number("/status/temperature", -1)
        self._hottest.say(degrees(hottest) or words.UNKNOWN)
        if self._news("heat", (hottest >= 0, hottest >= WARM_C, hottest >= HOT_C)):
            lit(self._hottest, "unknown", hottest < 0)
            lit(self._hottest, "amber", WARM_C <= hottest < HOT_C)
            lit(self._hottest, "red", hottest >= HOT_C)
        known = {
            words.PROCESSOR: degrees(state.number("/status/temperature/processor", -1)),
            words.GRAPHICS: degrees(state.number("/status/temperature/graphics", -1)),
        }
        said = ", ".join(f"{what} {told}" for what, told in known.items() if told)
        self._heat.say(labelled(words.TEMPERATURE, said or words.NO_SENSOR))

    def _draw(self, state: DeskState) -> None:
        history, frame_ms = state.history, self._frame_ms
        most = max((count for count in history.lost() if count is not None), default=0)
        said = words.LOST_MOST.format(most=f"{most:.0f}") if most else words.NONE_LOST
        self._lost_plot.show(history.lost(), 0.0, MANY_LOST, said)
        for plot, usual, worst, limit_ms in (
            (self._frame_plot, "/status/frame-time", FRAME_TIME, frame_ms),
            (self._late_plot, "/status/lateness", LATENESS, frame_ms / 2),
            (self._skew_plot, SKEW, SKEW, SKEW_LIMIT_MS),
        ):
            values = history.of(worst)
            said = measured(state.number(usual, -1), history, worst)
            plot.show(values, limit_ms, ROOM * limit_ms, said)
        self._skew_plot.hide(state.number(SKEW, -1) < 0 and not any(history.of(SKEW)))

    @staticmethod
    def _figure(name: str) -> Text:
        with box("figure"):
            made = Text(words.UNKNOWN, "value")
            Text(name, "name")
        return made


class _Plot:
    """A name, what there is to say, and bars below them."""

    def __init__(self, name: str) -> None:
        self._name, self._news = name, News()
        with box("measure") as self._root:
            Text(name)
            self._says = Text("", "says")
            self._drawing = ui.html("", sanitize=False).classes("plot")

    def show(self, values: Sequence[float | None], limit: float, top: float, said: str) -> None:
        """limit: 0 for no line; above it bars have another colour."""
        self._says.say(said)
        if self._news("bars", values):
            says = words.LIMIT.format(ms=limit)
            self._drawing.content = bars(
                values, limit=limit, top=top, name=f"{self._name}: {said}", says=says
            )

    def hide(self, hidden: bool) -> None:
        if self._news("hidden", hidden):
            lit(self._root, "hidden", hidden)


def measured(usual: float, history: History, worst: str) -> str:
    """The usual and the most of the last ten minutes. usual: below 0 where it is not known."""
    if usual < 0:
        return words.UNKNOWN
    most = max((value for value in history.of(worst) if value is not None), default=usual)
    return words.MEASURED.format(usual=f"{usual:.1f}", most=f"{max(most, usual):.1f}")


def degrees(celsius: float) -> str:
    """Empty for -1, which is what a player says that has no sensor."""
    return words.DEGREES.format(degrees=celsius) if celsius >= 0 else ""


def labelled(name: str, text: str) -> str:
    return f"{name}: {text}" if text else ""
