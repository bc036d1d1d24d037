"""The screens in the order of the wall, and the ballad of one of them as a line."""

from __future__ import annotations

from functools import partial

from nicegui import ui

from player.clock import wall_ns
from player.desk import words
from player.desk.alarms import screen_is_wrong
from player.desk.desk import Sight
from player.desk.hands import Hands
from player.desk.parts import News, Text, box, image, lit
from player.desk.timeline import playhead, seconds_of_painting, segments_of
from player.desk.timetable import Coming, soon_on, timetable_of

QUIET = "#8a8378"
LOOK_NS = 10_000_000_000  # how often the schedule is looked at
NO_IMAGE = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="


class Wall:
    """Seven small pictures; a click on one is a choice of that screen."""

    def __init__(self, hands: Hands) -> None:
        self._hands, self._news = hands, News()
        self._screens: list[_Screen] = []
        count = len(hands.desk.show.settings.screens)
        with box("wall") as wall:
            wall.style(f"--screens: {count}")
            for number in range(1, count + 1):
                self._screens.append(_Screen(hands, number))

    def show(self, sight: Sight) -> None:
        show = self._hands.desk.show
        if self._news("minute", sight.now_ns // LOOK_NS):
            now_ns = wall_ns()
            table = timetable_of(show, now_ns)
            for number, screen in enumerate(self._screens, 1):
                screen.soon = soon_on(show, table, number, now_ns)
        for screen in self._screens:
            screen.show(sight)


class _Screen:
    """soon: what the schedule brings within the hour."""

    def __init__(self, hands: Hands, number: int) -> None:
        self._hands, self._number, self._news = hands, number, News()
        self.soon: Coming | None = None
        self._arrived = ""  # the title of what is shown until a change is through
        name = words.SCREEN.format(number=number)
        with box("screen", "button").on("click", self._choose) as self._root:
            self._root.props["type"], self._root.props["aria-label"] = "button", name
            self._root.on("mousedown", js_handler="(e) => e.preventDefault()")
            with box("picture") as self._frame:
                self._image = image(NO_IMAGE, name)
                self._image.props["data-seen"] = str(number)
                self._none = Text(words.NO_PICTURE, "none")
                Text(str(number), "number")
                self._wrong = Text("!", "wrong")
                self._wrong.props["title"] = words.WRONG
            self._title = Text("", "title")
            self._line = Text("", "line")
            self._source = Text("", "source")
            self._next = Text("", "next")
            self._soon = Text("", "soon")

    def show(self, sight: Sight) -> None:
        state, number = sight.state, self._number
        seen = sight.pictures.get(number - 1)
        if self._news("picture", seen is not None):  # the browser itself fetches the pictures
            lit(self._frame, "empty", seen is None)
        if seen and self._news("shape", seen.size_px):
            self._frame.style(f"aspect-ratio: {seen.size_px[0]} / {seen.size_px[1]}")
        where = f"/screen/{number}"
        shown = state.text(f"{where}/source")
        changing = bool(state.number(f"{where}/changing"))
        facts = (
            state.text(f"{where}/title"),
            state.text(f"{where}/line"),
            shown,
            screen_is_wrong(state, number, sight.now_ns),
            self._hands.scope == number,
            sight.silent,
            changing,
            state.text(f"{where}/next"),
            self.soon,
        )
        if not self._news("facts", facts):
            return
        ballad = self._hands.desk.ballad_of(state, number)
        if not (changing and self._arrived):
            self._arrived = facts[0]
        self._title.say(self._arrived or "…")
        of = len(ballad.paintings) if ballad else "?"
        has_line = facts[1] and not changing
        self._line.say(words.LINE_OF.format(line=facts[1], lines=of) if has_line else "")
        self._source.say(words.SHOWN.get(shown, shown))
        self._next.say(words.NEXT.format(what=facts[7]) if facts[7] else "")
        soon = self.soon if self.soon is not None and self.soon.ballad != ballad else None
        self._soon.say(words.AT.format(time=soon.time, title=soon.title) if soon else "")
        self._root.style(f"--ballad: {(ballad and ballad.colour) or QUIET}")
        lit(self._root, "changing", changing)
        lit(self._root, "is-wrong", facts[3])
        lit(self._root, "chosen", facts[4])
        lit(self._root, "silent", facts[5])
        self._root.props["aria-pressed"] = "true" if facts[4] else "false"
        self._root.update()

    def _choose(self) -> None:
        self._hands.choose_screen(self._number)


class NowAndNext:
    """What plays and what is next, on the chosen screen or the first; its ballad as a line."""

    def __init__(self, hands: Hands) -> None:
        self._hands, self._news = hands, News()
        with box("now"):
            with box("what"):
                self._of = Text("", "of")
                self._title = Text("", "title", "h1")
                self._line = Text("", "verse", "p")
                self._next = Text("", "next", "p")
            self._bar = box("timeline")
        self._head: ui.element | None = None

    def show(self, sight: Sight) -> None:
        hands, state = self._hands, sight.state
        number = hands.scope or 1
        where = f"/screen/{number}"
        ballad = hands.desk.ballad_of(state, number)
        is_mixed = hands.scope is None and state.text("/ballad") == "mixed"
        of = words.SCREEN.format(number=number)
        if hands.scope is None and not is_mixed:
            of = words.ALL_SCREENS
        is_changing = bool(state.number(f"{where}/changing"))
        self._of.say(words.CHANGING.format(screen=of) if is_changing else of)
        if ballad is None:
            self._title.say(words.NOT_ASKED_YET if sight.silent else state.text(f"{where}/title"))
            return
        index = min(int(state.number(f"{where}/line", 1)), len(ballad.paintings)) - 1
        following = ballad.paintings[(index + 1) % len(ballad.paintings)]
        self._title.say(ballad.title)
        self._line.say(ballad.paintings[index].line)
        self._next.say(words.NEXT_LINE.format(line=following.line))
        if self._news("ballad", ballad.id):
            self._lay_out(ballad.id, ballad.colour or QUIET)
        if self._news("here", (ballad.id, index)):
            for place, part in enumerate(self._parts):
                lit(part, "here", place == index)
        at = playhead(hands.desk.show, ballad.id, state.number(f"{where}/position"))
        if self._head is not None and self._news("head", round(at, 4)):
            self._head.style(f"left: {at * 100:.2f}%")

    def _lay_out(self, ballad_id: str, colour: str) -> None:
        show = self._hands.desk.show
        self._bar.clear()
        self._bar.style(f"--ballad: {colour}")
        self._parts: list[ui.element] = []
        with self._bar:
            for index, segment in enumerate(segments_of(show, ballad_id)):
                part = box("part", "button")
                part.style(
                    f"left: {segment.start * 100:.3f}%; "
                    f"width: {(segment.end - segment.start) * 100:.3f}%"
                )
                line = show.ballad(ballad_id).paintings[index].line
                part.props["title"], part.props["type"] = line, "button"
                part.props["aria-label"] = f"{index + 1}: {line}"
                whole = segment.end - segment.start
                with part:
                    image(f"/painting/{ballad_id}/{index}/small", "")
                    loop = box("loop")
                    loop.style(f"width: {(segment.loop_end - segment.start) / whole * 100:.2f}%")
                    with loop:
                        for stop in segment.stops[1:]:
                            share = (stop - segment.start) / (segment.loop_end - segment.start)
                            box("stop").style(f"left: {share * 100:.2f}%")
                part.on("mousedown", js_handler="(e) => e.preventDefault()")
                if not self._hands.desk.read_only:
                    seconds = seconds_of_painting(show, index)
                    part.on("click", partial(self._hands.painting, index + 1, seconds))
                self._parts.append(part)
            self._head = box("head")
