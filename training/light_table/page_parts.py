"""Small pieces of the page. One of the few modules that know NiceGUI."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from training.latents.address import Address
from training.light_table.session import Place, Session

Action = Callable[[], None]


class News:
    """Remembers what was shown, so that what is the same is not sent to the browser again."""

    def __init__(self) -> None:
        self._shown: dict[str, object] = {}

    def __call__(self, part: str, facts: object) -> bool:
        """Whether a part has other facts than at the last call."""
        is_news = part not in self._shown or self._shown[part] != facts
        self._shown[part] = facts
        return is_news


def box(classes: str, tag: str = "div") -> ui.element:
    """A plain element, to be used as a context."""
    return ui.element(tag).classes(classes)


def words(text: str, classes: str = "", tag: str = "div") -> ui.html:
    """Text as it is, never as HTML."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return ui.html(escaped, sanitize=False, tag=tag).classes(classes)


def button(
    text: str, action: Action, *, key: str = "", classes: str = "", name: str = ""
) -> ui.element:
    """A button, with the key that does the same. It never takes the keyboard from the table.

    name: what tests, and screen readers, call it.
    """
    made = box(classes, "button").on("click", lambda: action())
    made.on("mousedown", js_handler="(e) => e.preventDefault()")
    made.props["aria-label"] = name or text
    made.props["type"] = "button"
    with made:
        if text:
            words(text)
        if key:
            words(key, tag="kbd")
    return made


def image(source: str, alt: str = "") -> ui.element:
    """An img."""
    made = ui.element("img")
    made.props["src"] = source
    made.props["alt"] = alt
    made.props["draggable"] = "false"
    return made


def candidate_url(session: Session, place: Place, address: Address) -> str:
    """Where the picture of a candidate is. The browser keeps it for ever: the address changes
    with the projection, and with how the show draws."""
    settings = session.show.settings
    version = f"{session.key(place)[2]}-{settings.noise_mode}-{settings.truncation_psi:g}"
    return f"/candidate/{place.ballad_id}/{place.index}/{address.token()}?of={version}"


def painting_url(session: Session, place: Place) -> str:
    """Where the painting is. A new file or crop is a new projection, and a new address."""
    return f"/painting/{place.ballad_id}/{place.index}?of={session.key(place)[2]}"
