"""What is wrong and what to do, the schedule, and the log."""

from __future__ import annotations

from player.clock import wall_ns
from player.desk import words
from player.desk.desk import Desk, Sight
from player.desk.parts import News, Text, box, card
from player.desk.state import DeskState, LogLine
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
            for coming in table.coming:
                with box("entry"):
                    Text(coming.time, "time")
                    Text(coming.title)


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
