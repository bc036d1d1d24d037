"""The server of the page: this machine only, no other site's pages, nothing sent outside."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from nicegui import app, background_tasks, ui
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from training.errors import TrainingError

LOOPBACK = "127.0.0.1"
OUR_NAMES = frozenset({LOOPBACK, "localhost"})


class OnlyThisMachine:
    """Refuses what another site's page asks for.

    The Host header must be ours: a name of another site that is made to lead here (DNS rebinding)
    is refused. An Origin header, which a browser sends with a WebSocket, must be ours too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
            host, origin = headers.get(b"host", ""), headers.get(b"origin")
            if not is_ours(f"//{host}") or (origin is not None and not is_ours(origin)):
                if scope["type"] == "websocket":
                    await send({"type": "websocket.close", "code": 1008})
                    return
                refusal = PlainTextResponse("The light table is open to this machine alone.", 403)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def is_ours(address: str) -> bool:
    """Whether a URL, or //host:port, names this machine's loopback."""
    try:
        return urlsplit(address).hostname in OUR_NAMES
    except ValueError:
        return False


def free_port(wanted: int) -> int:
    """The port, or with 0 any that is free. Raises TrainingError when it is taken."""
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, wanted))
        except OSError as fault:
            raise TrainingError(
                f"Port {wanted} cannot be had ({fault.strerror}); give another with --port, or "
                "--port 0 for any that is free."
            ) from fault
        return int(probe.getsockname()[1])


def serve(port: int, *, browser: bool, closing: Callable[[], None]) -> None:
    """Serve until Ctrl-C. browser: open the page in the user's browser. closing: called at the
    end. The pages must have been added."""
    app.add_middleware(OnlyThisMachine)
    app.on_startup(lambda: background_tasks.create(_tell_when_open(port)))
    app.on_shutdown(closing)
    ui.run(
        host=LOOPBACK,
        port=port,
        title="Light table",
        dark=True,
        show=browser,
        reload=False,
        tailwind=False,
        show_welcome_message=False,
    )


async def _tell_when_open(port: int) -> None:
    """Where the light table is, once a browser gets an answer there; startup is before that."""
    while True:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            break
    print(
        f"The light table is open at http://{LOOPBACK}:{port}/ on this machine. Ctrl-C ends it; "
        "nothing is lost.",
        flush=True,
    )
