"""The desk's server: who may see it, and on which address."""

from __future__ import annotations

import asyncio
import contextlib
import html
import socket
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from nicegui import app, background_tasks, ui
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from player.clock import Clock
from player.desk import words
from player.desk.access import Door, is_our_name, is_our_origin

COOKIE = "inspace-desk"
SECRET_BYTES = 2000
LOGIN_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>body{{margin:0;min-height:100vh;display:grid;place-items:center;background:#141312;
color:#e8e2d8;font:18px/1.5 system-ui,"DejaVu Sans",sans-serif}}form{{display:grid;gap:14px;
width:min(320px,86vw)}}input,button{{font:inherit;padding:14px;border-radius:10px;border:1px solid
#4a4641;background:#1f1d1b;color:inherit;width:100%;box-sizing:border-box}}button{{background:#d9a441;
color:#161310;font-weight:600}}p{{margin:0;color:#ff9d7e;min-height:1.5em}}</style>
<form method="post" action="/enter"><label for="secret">{label}</label>
<input id="secret" name="secret" type="{kind}" inputmode="{mode}" autocomplete="off" autofocus>
<button>{enter}</button><p role="status">{said}</p></form></html>"""


class Guard:
    """Refuses other sites' pages, names that were made to lead here, and, where there is a door,
    whoever has not come in by it. Pages that are framed by others are refused by the browser."""

    def __init__(
        self, app: ASGIApp, *, names: frozenset[str], door: Door | None, clock: Clock
    ) -> None:
        self._app, self._names, self._door, self._clock = app, names, door, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = headers.get(b"host", ""), headers.get(b"origin")
        is_ours = is_our_name(host, self._names)
        if not is_ours or (origin is not None and not is_our_origin(origin, host)):
            await _refuse(scope, receive, send, PlainTextResponse(words.NOT_OURS, 403))
        elif self._door is None or self._door.knows(_token(headers), self._clock.now_ns()):
            await self._app(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == "/enter":
            answer = await self._enter(self._door, Request(scope, receive))
            await answer(scope, receive, send)
        else:
            await _refuse(scope, receive, send, RedirectResponse("/enter", 303))

    async def _enter(self, door: Door, request: Request) -> Response:
        host = request.client.host if request.client else ""
        if request.method != "POST":
            return _login(door, "")
        if door.is_shut(host, self._clock.now_ns()):
            return _login(door, words.TOO_OFTEN, 429)
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > SECRET_BYTES:
                return _login(door, words.WRONG_SECRET, 413)
        given = parse_qs(body.decode("utf-8", "replace")).get("secret", [""])[0]
        token = door.enter(given, host, self._clock.now_ns())
        if token is None:
            return _login(door, words.WRONG_SECRET, 403)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(COOKIE, token, max_age=12 * 3600, httponly=True, samesite="strict")
        return answer


def _login(door: Door, said: str, status: int = 200) -> Response:
    page = LOGIN_PAGE.format(
        title=html.escape(words.TITLE),
        label=html.escape(words.ENTER_CODE if door.by_code else words.ENTER_PASSWORD),
        kind="text" if door.by_code else "password",
        mode="numeric" if door.by_code else "text",
        enter=html.escape(words.ENTER),
        said=html.escape(said),
    )
    return HTMLResponse(page, status, {"Cache-Control": "no-store", "X-Frame-Options": "DENY"})


async def _refuse(scope: Scope, receive: Receive, send: Send, answer: Response) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await answer(scope, receive, send)


def _token(headers: dict[bytes, str]) -> str:
    try:
        cookie = SimpleCookie(headers.get(b"cookie", ""))
    except CookieError:
        return ""
    return cookie[COOKIE].value if COOKIE in cookie else ""


class PortTakenError(Exception):
    """The port cannot be had; the text is a sentence."""


def free_port(host: str, wanted: int) -> int:
    """The port, or with 0 any that is free. Raises PortTakenError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.closing(socket.socket(family)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, wanted))
        except OSError as fault:
            raise PortTakenError(
                f"The desk cannot be served on {host}, port {wanted}: {fault.strerror}. Give "
                "another with --host or --port; --port 0 takes any that is free."
            ) from fault
        return int(probe.getsockname()[1])


def serve(
    host: str, port: int, door: Door | None, clock: Clock, *, closing: Callable[[], None]
) -> None:
    """Serve until Ctrl-C. The pages must have been added."""
    machine = socket.gethostname().lower()
    names = frozenset({"localhost", machine, f"{machine}.local"})
    app.add_middleware(Guard, names=names, door=door, clock=clock)
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    app.on_startup(lambda: background_tasks.create(_tell_when_open(shown, port)))
    app.on_shutdown(closing)
    ui.run(
        host=host,
        port=port,
        title=words.TITLE,
        dark=True,
        show=False,
        reload=False,
        tailwind=False,
        show_welcome_message=False,
    )


async def _tell_when_open(host: str, port: int) -> None:
    """Where the desk is, once a browser gets an answer there."""
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            break
    name = f"[{host}]" if ":" in host else host
    print(f"The desk is open at http://{name}:{port}/. Ctrl-C ends it.", flush=True)
