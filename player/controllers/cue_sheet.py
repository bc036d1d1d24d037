"""The printed cue sheet: a page of HTML for A4, with a QR code of the desk's address; and the cues
for QLab's network patch as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import segno
from markupsafe import Markup

from player.controllers.surface import (
    Fader,
    Key,
    Message,
    Page,
    Section,
    Switch,
    ballad_keys,
    pages,
)
from player.controllers.thumbnails import data_url
from player.osc.table import BY_PATH
from shows.show import Show

TEMPLATE = Path(__file__).with_name("cue_sheet.html.j2")
KEYS = (
    ("i", "cards on every screen: number, name, output; again: off"),
    ("c", "the calibration card; again: off"),
    ("q or Esc", "ends the player"),
)


@dataclass(frozen=True)
class Cue:
    """One row of the table for QLab."""

    number: str
    name: str
    text: str


def sheet(
    show: Show, host: str, port: int, desk_url: str, thumbnails: Mapping[str, bytes]
) -> bytes:
    """The page as UTF-8. host, port: of the player. thumbnails: PNG by ballad id."""
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(
        TEMPLATE.read_text(encoding="utf-8")
    )
    page = template.render(
        title=show.settings.title,
        screens=len(show.settings.screens),
        host=host,
        port=port,
        desk_url=desk_url,
        qr=Markup(segno.make(desk_url, error="m").svg_inline(border=1, omitsize=True)),
        ballads=_ballads(show, thumbnails),
        commands=list(_commands(pages(show)[0])),
        keys=KEYS,
        cues=cues(show),
    )
    return page.encode("utf-8")


def cues(show: Show) -> list[Cue]:
    """Every ballad, and what an operator needs between them."""
    found = [
        Cue(str(number), key.label.partition(" ")[2], key.message.text())
        for number, key in enumerate(ballad_keys(show), 1)
    ]
    for number, (label, message) in enumerate(_messages(pages(show)[0].sections[1:]), 1):
        found.append(Cue(f"C{number}", label, message.text()))
    return found


def cues_csv(show: Show) -> bytes:
    """The same as comma-separated values with a line of headings."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(("number", "name", "message"))
    writer.writerows((cue.number, cue.name, cue.text) for cue in cues(show))
    return file.getvalue().encode("utf-8")


def _ballads(show: Show, thumbnails: Mapping[str, bytes]) -> list[dict[str, object]]:
    return [
        {
            "number": number,
            "title": ballad.title,
            "child": ballad.child,
            "lines": len(ballad.paintings),
            "colour": key.colour,
            "picture": data_url(thumbnails[ballad.id]) if ballad.id in thumbnails else "",
        }
        for number, (ballad, key) in enumerate(zip(show.ballads, ballad_keys(show), strict=True), 1)
    ]


def _messages(sections: Sequence[Section]) -> Iterator[tuple[str, Message]]:
    for control in Page("", tuple(sections)).controls():
        match control:
            case Key():
                yield control.label, control.message
            case Switch():
                yield control.label, Message(control.address, (1,))
                yield f"{control.label} off", Message(control.address, (0,))
            case Fader():
                yield control.label, Message(control.address, (1.0,))
            case _:
                pass


def _commands(page: Page) -> Iterator[dict[str, str]]:
    """Every address of the page but the ballads', once, with the table's own sentence."""
    told: set[str] = set()
    for label, message in _messages(page.sections[1:]):
        row = BY_PATH[message.address]
        says = row.says if message.address not in told else ""
        told.add(message.address)
        yield {"label": label, "text": message.text(), "says": says}
