"""One tab of the desk: puts its parts together, and looks ten times a second what is new."""

from __future__ import annotations

from typing import Protocol

from nicegui import events, ui

from player.desk import words
from player.desk.desk import Desk, Sight
from player.desk.hands import Hands
from player.desk.page_calibration import Cards, Corners
from player.desk.page_controls import Ballads, Show, Voice
from player.desk.page_feeling import Feeling
from player.desk.page_health import Health
from player.desk.page_house import Alarms, Log, Schedule, headline
from player.desk.page_wall import NowAndNext, Wall
from player.desk.parts import News, Text, box, button, lit

LOOK_S = 0.08


class Part(Protocol):
    """A part of the page, which says what there is to see."""

    def show(self, sight: Sight) -> None: ...


class Page:
    """One tab. A desk that is only to look at has neither buttons nor keys."""

    def __init__(self, desk: Desk) -> None:
        self._hands = Hands(desk, say=self._say)
        may_send = not desk.read_only
        self._parts: list[Part] = []
        with box("desk"):
            self._parts.append(_Top(self._hands))
            self._parts.append(Alarms())
            self._parts.append(Wall(self._hands))
            self._parts.append(NowAndNext(self._hands))
            if may_send:
                self._parts.append(Ballads(self._hands))
            with box("columns"):
                if may_send:
                    with box("column"):
                        self._parts.append(Show(self._hands))
                        self._parts.append(Voice(self._hands))
                with box("column"):
                    self._parts.append(Health(desk))
                    self._parts.append(Schedule(desk))
                with box("column"):
                    if may_send:
                        self._parts.append(Feeling(self._hands))
                        self._parts.append(Cards(self._hands))
                    self._parts.append(Log())
        if may_send:
            self._parts += [Corners(self._hands), _Keys(self._hands)]
            ui.keyboard(self._key)
        self._said = Text("", "said")
        self._said.props["role"] = "status"
        ui.timer(LOOK_S, self._look)
        self._look()

    def _look(self) -> None:
        sight = self._hands.desk.sight()
        for part in self._parts:
            part.show(sight)

    def _say(self, sentence: str) -> None:
        self._said.say(sentence)

    def _key(self, event: events.KeyEventArguments) -> None:
        held = event.modifiers
        is_chord = held.ctrl or held.meta or held.alt
        if event.action.keydown and not event.action.repeat and not is_chord:
            self._hands.press(str(event.key.name))
            self._look()


class _Top:
    def __init__(self, hands: Hands) -> None:
        self._news = News()
        with box("top", "header") as self._root:
            Text(hands.desk.show.settings.title, "title")
            self._state = Text("", "state")
            self._state.props["role"] = "status"
            if hands.desk.read_only:
                Text(words.READ_ONLY, "quiet push")
            else:
                keys = button("?", lambda: hands.press("?"), "push small keys", name=words.KEYS)
                keys.props["title"] = words.KEYS

    def show(self, sight: Sight) -> None:
        said = headline(sight.state, silent=sight.silent)
        if self._news("state", said):
            self._state.say(said)
            lit(self._state, "silent", sight.silent)
            lit(self._state, "playing", said == words.PLAYING)


class _Keys:
    """Over the page, when it is asked for."""

    def __init__(self, hands: Hands) -> None:
        self._hands, self._news = hands, News()
        with box("over keys-list hidden") as self._root:
            Text(words.KEYS, "title", "h1")
            for key, does in words.KEY_LIST:
                with box("entry"):
                    Text(key, "", "kbd")
                    Text(does)
            button(words.CLOSE, lambda: hands.press("Escape"))

    def show(self, sight: Sight) -> None:
        if self._news("shown", self._hands.keys_shown):
            lit(self._root, "hidden", not self._hands.keys_shown)
