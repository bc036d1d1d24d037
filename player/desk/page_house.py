"""What is wrong and what to do, how well it runs, the schedule, and the log."""

from __future__ import annotations

from nicegui import ui

from player.clock import wall_ns
from player.desk import words
from player.desk.desk import Desk, Sight
from player.desk.parts import News, Text, box, card
from player.desk.state import MOST_SAMPLES, DeskState, LogLine
from player.desk.timetable import timetable_of
from player.osc.values import as_text
from player.upkeep.wall_time import clock_text

SHOWN_LINES = 14


class Alarms:
    def __init__(self) -> None:
        self._news = News()
        self._root = box("alarms")
        self._root.props["role"] = "status"

    def show(self, sight: Sight) -> None:
        if not self._news("alarms", sight.troubles):
            return
        self._root.clear()
        with self._root:
            for trouble in sight.troubles:
                with box(f"alarm {trouble.level}"):
                    Text(trouble.what, "what")
                    Text(trouble.do, "do")


class Health:
    def __init__(self) -> None:
        self._news = News()
        with card(words.HEALTH, "health"):
            with box("figures"):
                self._fps = self._figure(words.FPS)
                self._late = self._figure(words.LATE)
                self._dropped = self._figure(words.DROPPED)
            self._plot = ui.html("", sanitize=False).classes("plot")
            self._plot_says = Text("", "quiet small")
            self._quality = Text("", "small")
            self._engine = Text("", "quiet small")
            with box("more", "details"):
                Text(words.MORE, "", "summary")
                self._status = Text("", "quiet small")

    def show(self, sight: Sight) -> None:
        state = sight.state
        self._fps.say("–" if sight.silent else f"{state.number('/status/fps'):.0f}")
        self._late.say(f"{state.number('/status/late'):.0f}")
        self._dropped.say(f"{state.number('/status/dropped'):.0f}")
        samples = tuple(state.samples)
        if self._news("plot", samples):
            self._plot.content = plot(samples)
            most = max(samples, default=0)
            self._plot_says.say(words.PLOT.format(most=most) if most else words.NONE_LATE)
        self._quality.say(labelled(words.GOVERNOR, state.text("/status/quality")))
        self._engine.say(labelled(words.ENGINE, state.text("/status/engine")))
        self._status.say(state.status_line)

    @staticmethod
    def _figure(name: str) -> Text:
        with box("figure"):
            made = Text("–", "value")
            Text(name, "name")
        return made


def labelled(name: str, text: str) -> str:
    return f"{name}: {text}" if text else ""


def plot(samples: tuple[int, ...]) -> str:
    """Bars of frames late or dropped in every five seconds, the newest on the right, as SVG."""
    most = max(10, *samples) if samples else 10
    bars = []
    first = MOST_SAMPLES - len(samples)
    for place, count in enumerate(samples):
        height = max(1.0, 30 * count / most) if count else 1.0
        kind = "late" if count else "well"
        bars.append(
            f'<rect class="{kind}" x="{first + place}" y="{31 - height:.1f}" width="0.8" '
            f'height="{height:.1f}"/>'
        )
    return (
        f'<svg viewBox="0 0 {MOST_SAMPLES} 32" preserveAspectRatio="none" role="img" '
        f'aria-label="{words.LATE}, {words.DROPPED}">{"".join(bars)}</svg>'
    )


class Schedule:
    """Of a show that has one."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._news = desk, News()
        self._root = None
        if desk.show.settings.schedule is not None:
            with card(words.SCHEDULE, "schedule"):
                self._root = box("list")

    def show(self, sight: Sight) -> None:
        if self._root is None or not self._news("second", sight.now_ns // 10_000_000_000):
            return
        table = timetable_of(self._desk.show, wall_ns())
        if table is None or not self._news("table", table):
            return
        self._root.clear()
        with self._root:
            Text(table.now, "now-open")
            for time, what in table.coming:
                with box("entry"):
                    Text(time, "time")
                    Text(what)


class Log:
    """What was sent from all tabs of this desk, and what the player answered."""

    def __init__(self) -> None:
        self._news = News()
        with card(words.LOG, "log"):
            self._root = box("list")

    def show(self, sight: Sight) -> None:
        lines = list(sight.state.log)[-SHOWN_LINES:][::-1]
        if not self._news("log", lines):
            return
        self._root.clear()
        with self._root:
            if not lines:
                Text(words.LOG_EMPTY, "quiet")
            for line in lines:
                with box(f"entry {line.outcome}"):
                    Text(clock_text(wall_ns() - sight.now_ns + line.at_ns, None), "time")
                    Text(sent_text(line), "sent")
                    Text(answer_text(line), "answer")


def sent_text(line: LogLine) -> str:
    """As in "/blackout 1 1"."""
    often = f" (×{line.times})" if line.times > 1 else ""
    return " ".join((line.address, *map(as_text, line.arguments))) + often


def answer_text(line: LogLine) -> str:
    if line.outcome == "waiting":
        return words.WAITING
    return words.UNANSWERED if line.outcome == "unanswered" else line.answer


def headline(state: DeskState, *, silent: bool) -> str:
    """One word for the whole show."""
    if state.heard_ns is None:
        return words.NOT_ASKED_YET
    if silent:
        return words.SILENT
    if state.number("/blackout"):
        return words.BLACK
    return words.PLAYING if state.number("/status/playing", 1) else words.PAUSED
