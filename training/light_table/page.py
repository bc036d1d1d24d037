"""The page: puts its parts together, and tells them when something changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from pathlib import Path

from nicegui import Client, app, events, run, ui
from starlette.responses import FileResponse, PlainTextResponse, Response

from training.errors import TrainingError
from training.latents.address import Address
from training.light_table.hands import Hands
from training.light_table.keys import press
from training.light_table.loop_preview import Previews
from training.light_table.page_ballads import Ballads, Rail
from training.light_table.page_candidate import CandidatePane
from training.light_table.page_grid import Grid
from training.light_table.page_over import Over
from training.light_table.page_parts import box, words
from training.light_table.pictures import Pictures
from training.light_table.publishing import Publisher
from training.light_table.session import Place, Session

STYLE = Path(__file__).with_name("light_table.css")
PREVIEW_POLL_S = 0.15
FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}
# else they scroll the page, go back in history, or search in it
KEEP_KEYS = """<script>document.addEventListener('keydown', (e) => {
  if (['INPUT', 'TEXTAREA', 'BUTTON'].includes(document.activeElement.tagName)) return;
  if ([' ', 'Backspace', "'", '/', 'ArrowUp', 'ArrowDown'].includes(e.key)) e.preventDefault();
  if ((e.ctrlKey || e.metaKey) && ['z', 'y', 'Z'].includes(e.key)) e.preventDefault();
})</script>"""


class Page:
    """One tab."""

    def __init__(
        self, session: Session, previews: Previews, publisher: Publisher, place: Place
    ) -> None:
        self._session, self._publisher = session, publisher
        self._at = place
        ui.add_css(STYLE)
        ui.add_head_html(KEEP_KEYS)
        self.hands = Hands(session, previews, place, self.say, self.show)
        self._said = box("")
        with box("lt") as self._root:
            self._ballads = Ballads(self.hands, publisher, self._publish_one, self._publish_all)
            self._rail = Rail(self.hands)
            self._grid = Grid(self.hands)
            self._candidate = CandidatePane(self.hands)
        self._over = Over(self.hands)
        ui.keyboard(self._key)
        ui.timer(PREVIEW_POLL_S, self._watch_preview)
        self.show()

    def changed(self) -> None:
        """The session changed, by this tab or another."""
        self.hands.follow()
        self.show()

    def show(self) -> None:
        """Say what the table and the view say."""
        self._root.classes(replace="lt" if self.hands.view.smooth else "lt squares")
        for part in (self._ballads, self._rail, self._grid, self._candidate, self._over):
            part.show()
        self._keep_place()

    def say(self, sentence: str) -> None:
        """A sentence that goes away by itself."""
        self._said.clear()
        with self._said:
            words(sentence, "said").props["role"] = "status"

    def _key(self, event: events.KeyEventArguments) -> None:
        if event.action.keydown:
            control = bool(event.modifiers.ctrl or event.modifiers.meta)
            press(self.hands, str(event.key.name), control=control)

    def _watch_preview(self) -> None:
        self.hands.watch()
        if self.hands.view.looping:
            self._candidate.show_picture()
            self._over.show()

    def _keep_place(self) -> None:
        place = self.hands.view.place
        if place != self._at:
            self._at = place
            address = f"/?ballad={place.ballad_id}&painting={place.index + 1}"
            with self._root:
                ui.navigate.history.replace(address)

    def _publish_one(self) -> None:
        self._publish((self.hands.view.place.ballad_id,))

    def _publish_all(self) -> None:
        self._publish(self._session.show.ballad_ids)

    def _publish(self, ballad_ids: tuple[str, ...]) -> None:
        async def publish() -> None:
            try:
                await run.io_bound(self._publisher.publish, ballad_ids)
            except TrainingError as fault:
                self.say(str(fault))
                return
            for ballad_id in ballad_ids:
                self._session.published(ballad_id)
            self.say("Published: " + ", ".join(ballad_ids))

        self.say("Publishing …")
        self._spawn(publish)

    def _spawn(self, work: Callable[[], Awaitable[None]]) -> None:
        with self._root:
            ui.timer(0, work, once=True)


def add_pages(
    session: Session, pictures: Pictures, previews: Previews, publisher: Publisher
) -> None:
    """Everything that the server answers."""

    @ui.page("/", title="Light table", dark=True)
    def table(client: Client, ballad: str = "", painting: int = 1) -> None:
        try:
            session.look_at_files()
        except TrainingError as fault:
            ui.add_css(STYLE)
            words(str(fault), "sentence")
            return
        known = [name for name in session.show.ballad_ids if name in session.projections]
        ballad_id = ballad if ballad in known else known[0]
        places = session.places(ballad_id)
        page = Page(session, previews, publisher, places[min(max(painting, 1), len(places)) - 1])
        session.listeners[page] = page.changed
        client.on_delete(lambda: session.listeners.pop(page, None))

    def place_of(ballad_id: str, index: int) -> Place | None:
        if ballad_id not in session.projections:
            return None
        place = Place(ballad_id, index)
        return place if place in session.places(ballad_id) else None

    @app.get("/candidate/{ballad_id}/{index}/{token}")
    async def candidate(ballad_id: str, index: int, token: str) -> Response:
        place = place_of(ballad_id, index)
        try:
            address = Address.of_token(token)
        except ValueError as fault:
            return PlainTextResponse(f"This {fault}.", 404)
        if place is None:
            return PlainTextResponse("There is no such painting.", 404)
        return await finished(lambda: pictures.candidate(place, address))

    @app.get("/painting/{ballad_id}/{index}")
    async def painting_picture(ballad_id: str, index: int) -> Response:
        place = place_of(ballad_id, index)
        if place is None:
            return PlainTextResponse("There is no such painting.", 404)
        return await finished(lambda: pictures.painting(place))

    @app.get("/loop/{name}")
    def loop(name: str) -> Response:
        path = previews.named(name)
        if path is None:
            return PlainTextResponse("There is no such loop.", 404)
        return FileResponse(path, headers=FOR_EVER)


async def finished(ask: Callable[[], Future[Path]]) -> Response:
    """The picture once it is drawn, or the sentence why it is not."""
    try:
        # shielded: a tab that goes away must not take the picture from the others
        path = await asyncio.shield(asyncio.wrap_future(ask()))
    except TrainingError as fault:
        return PlainTextResponse(str(fault), 500)
    return FileResponse(path, headers=FOR_EVER)
