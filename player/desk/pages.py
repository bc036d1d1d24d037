"""Everything that the desk's server answers."""

from __future__ import annotations

from pathlib import Path

from nicegui import app, ui
from starlette.responses import PlainTextResponse, Response

from player.desk import words
from player.desk.desk import Desk
from player.desk.label import Label
from player.desk.page import Page
from player.desk.pictures import PictureError
from player.desk.seen import add_seen
from shows.schema import ShowError

STYLE = Path(__file__).with_name("desk.css")
SCRIPTS = [Path(__file__).with_name(name) for name in ("desk.js", "seen.js")]
KEPT = {"Cache-Control": "private, max-age=3600"}


def add_pages(desk: Desk) -> None:
    """The desk, the labels, and their pictures."""
    scripts = [f"<script>{path.read_text(encoding='utf-8')}</script>" for path in SCRIPTS]

    @ui.page("/", title=words.TITLE, dark=True)
    def table() -> None:
        ui.add_css(STYLE)
        ui.add_head_html("".join(scripts))
        Page(desk)

    @ui.page("/label", title=words.LABEL_TITLE, dark=True)
    def first_label() -> None:
        ui.add_css(STYLE)
        Label(desk, 1)

    @ui.page("/label/{number}", title=words.LABEL_TITLE, dark=True)
    def label(number: int) -> None:
        ui.add_css(STYLE)
        Label(desk, min(max(number, 1), len(desk.show.settings.screens)))

    add_seen(desk.screens)

    @app.get("/painting/{ballad_id}/{index}/{size}")
    def painting(ballad_id: str, index: int, size: str) -> Response:
        try:
            if index < 0:
                raise IndexError(index)
            make = desk.paintings.large if size == "large" else desk.paintings.small
            jpeg = make(ballad_id, index)
        except (ShowError, IndexError, PictureError):
            return PlainTextResponse("There is no such painting.", 404)
        return Response(jpeg, media_type="image/jpeg", headers=KEPT)
