"""The wall label: what is shown, who made it, under which licence. For a screen beside the wall."""

from __future__ import annotations

from pathlib import Path

from nicegui import ui

from player.desk import words
from player.desk.desk import Desk
from player.desk.page_wall import NO_IMAGE, QUIET
from player.desk.parts import News, Text, box, image, lit

CREDITS = "credits.txt"
MOST_CREDIT_CHARS = 700
LOOK_S = 0.2


class Label:
    """Of one screen, from 1."""

    def __init__(self, desk: Desk, number: int) -> None:
        self._desk, self._number, self._news = desk, number, News()
        with box("label") as self._root:
            with box("text"):
                self._child = Text("", "child")
                self._title = Text("", "title", "h1")
                self._line = Text("", "verse", "p")
                self._keywords = Text("", "keywords", "p")
            with box("original"):
                self._image = image(NO_IMAGE, "")
            credits = read_credits(desk.show.folder / CREDITS)
            if credits:
                with box("credits"):
                    Text(words.CREDITS, "heading", "h2")
                    Text(credits, "lines")
        ui.timer(LOOK_S, self.show)
        self.show()

    def show(self) -> None:
        sight = self._desk.sight()
        ballad = self._desk.ballad_of(sight.state, self._number)
        lit(self._root, "silent", sight.silent)
        if ballad is None:
            return
        line = int(sight.state.number(f"/screen/{self._number}/line", 1))
        index = min(max(line, 1), len(ballad.paintings)) - 1
        if not self._news("painting", (ballad.id, index)):
            return
        painting = ballad.paintings[index]
        self._root.style(f"--ballad: {ballad.colour or QUIET}")
        self._child.say(words.CHILD.format(number=ballad.child) if ballad.child else "")
        self._title.say(ballad.title)
        self._line.say(painting.line)
        self._keywords.say(" · ".join(painting.keywords))
        self._image.props["src"] = f"/painting/{ballad.id}/{index}/large"
        self._image.update()


def read_credits(path: Path) -> str:
    """The beginning of the show's credits, as many whole lines as there is room for."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    text = "\n".join(lines[1:] if lines[:1] == ["Credits"] else lines)
    if len(text) <= MOST_CREDIT_CHARS:
        return text
    return text[:MOST_CREDIT_CHARS].rpartition("\n")[0] + f"\n{words.AND_MORE}"
