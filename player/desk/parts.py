"""Small pieces of the pages. Text is never taken as HTML."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

Action = Callable[[], object]


class News:
    """Remembers what was shown, so that what is the same is not sent to the browser again."""

    def __init__(self) -> None:
        self._shown: dict[str, object] = {}

    def __call__(self, part: str, facts: object) -> bool:
        """Whether a part has other facts than at the last call."""
        is_news = part not in self._shown or self._shown[part] != facts
        self._shown[part] = facts
        return is_news


def box(classes: str = "", tag: str = "div") -> ui.element:
    """A plain element, to be used as a context."""
    return ui.element(tag).classes(classes)


class Text(ui.element):
    """Words that can be changed."""

    def __init__(self, text: str = "", classes: str = "", tag: str = "div") -> None:
        super().__init__(tag)
        self.classes(classes)
        self._text = text

    def say(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.update()


def button(text: str, action: Action, classes: str = "", *, name: str = "") -> Text:
    """A button. It does not keep the keyboard, whose keys are the page's. name: for screen
    readers, where it is not its text."""
    made = Text(text, f"button {classes}", "button")
    made.on("click", lambda: action())
    made.on("mousedown", js_handler="(e) => e.preventDefault()")
    made.props["type"] = "button"
    if name:
        made.props["aria-label"] = name
    return made


def lit(element: ui.element, name: str, on: bool) -> None:
    """Give an element a class, or take it away."""
    if on:
        element.classes(add=name)
    else:
        element.classes(remove=name)


def image(source: str, alt: str, classes: str = "") -> ui.element:
    made = ui.element("img").classes(classes)
    made.props["src"], made.props["alt"], made.props["draggable"] = source, alt, "false"
    return made


def card(title: str, classes: str = "") -> ui.element:
    """A part of the page under a small heading; to be used as a context."""
    made = box(f"card {classes}", "section")
    with made:
        Text(title, "heading", "h2")
    return made
