"""What the screens show, for a browser: one picture, or all that are new as soon as there are any.

A browser asks for what is new, is answered when there is something, and asks again once it shows
it (`seen.js`). So a slow one sees fewer pictures, never older ones. Rejected: to tell each tab by
its websocket and have it fetch every picture by itself: eight messages where one will do.
"""

from __future__ import annotations

import asyncio
import base64

from nicegui import app
from starlette.responses import JSONResponse, PlainTextResponse, Response

from player.desk.pictures import ScreenPictures, Seen

NEVER_KEPT = {"Cache-Control": "no-store"}
LOOK_S = 0.01
LOOKS = 50  # then the answer is that nothing is new


def add_seen(screens: ScreenPictures) -> None:
    """`/seen/<n>`: the newest picture of a screen, from 1. `/seen?after=<change>`: all that are
    newer than that one, see `news`."""

    @app.get("/seen/{number}")
    def seen(number: int) -> Response:
        picture = screens.look().get(number - 1)
        if picture is None:
            return PlainTextResponse("", 404)
        return Response(picture.jpeg, media_type="image/jpeg", headers=NEVER_KEPT)

    @app.get("/seen")
    async def seen_after(after: int = 0) -> Response:
        for _ in range(LOOKS):
            pictures = screens.look()
            if any(picture.change > after for picture in pictures.values()):
                break
            await asyncio.sleep(LOOK_S)
        return JSONResponse(news(pictures, after), headers=NEVER_KEPT)


def news(pictures: dict[int, Seen], after: int) -> dict[str, object]:
    """What a browser is told: the last change, and the screens' pictures of after one, by the
    screen's number from 1. A change that never was is one of an earlier desk: all are new."""
    last = max((picture.change for picture in pictures.values()), default=0)
    known = after if after <= last else 0
    fresh = {screen + 1: seen.jpeg for screen, seen in pictures.items() if seen.change > known}
    return {
        "change": last,
        "screens": {number: base64.b64encode(jpeg).decode() for number, jpeg in fresh.items()},
    }
