"""OSCQuery over HTTP and WebSocket, as an ASGI application of its own or within another.

A GET of a node's path answers all that is below it; `?VALUE` and the like one attribute alone;
`?HOST_INFO` who this is. 204: the node does not use that attribute; 400: there is no such
attribute; 404: no such node. A WebSocket takes `{"COMMAND": "LISTEN", "DATA": "/path"}` and
`IGNORE`, and sends the value as an OSC packet whenever it changes. OSC packets sent to it go to the
player. Source: the OSCQuery proposal (Vidvox).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Lifespan
from starlette.websockets import WebSocket, WebSocketDisconnect

from player.osc.packets import MAX_PACKET_BYTES, encode_message
from player.osc.query_mirror import Mirror
from player.osc.query_nodes import (
    ATTRIBUTES,
    EXTENSIONS,
    UNUSED,
    UNUSED_EVENTS,
    Node,
    Show,
    attribute,
    described,
)
from player.osc.rows import Value

MOST_WAITING = 512  # packets of one WebSocket; a client that reads too slowly misses some

SendToPlayer = Callable[[bytes], None]


@dataclass(frozen=True)
class HostInfo:
    """osc_ip: None: where this server is. ws_port: None: where this was asked."""

    name: str
    osc_port: int
    osc_ip: str | None = None
    ws_port: int | None = None

    def as_json(self) -> dict[str, Any]:
        """As the proposal has it."""
        extensions = dict.fromkeys(EXTENSIONS, True)
        extensions |= dict.fromkeys((*UNUSED, *UNUSED_EVENTS), False)
        told = {
            "NAME": self.name,
            "EXTENSIONS": extensions,
            "OSC_IP": self.osc_ip,
            "OSC_PORT": self.osc_port,
            "OSC_TRANSPORT": "UDP",
            "WS_PORT": self.ws_port,
        }
        return {name: value for name, value in told.items() if value is not None}


@dataclass
class QueryService:
    """What the routes need. send: one OSC packet to the player."""

    root: Node
    show: Show
    mirror: Mirror
    info: HostInfo
    send: SendToPlayer

    async def answer(self, request: Request) -> Response:
        """A GET."""
        asked = request.url.query.removesuffix("=")
        if asked == "HOST_INFO":
            return JSONResponse(self.info.as_json())
        node = self.root.find(request.path_params["path"])
        if node is None:
            return _refused(404, f"there is no address /{request.path_params['path']}")
        if not asked:
            return JSONResponse(described(node, self.mirror.values, self.show.ballads))
        if asked not in ATTRIBUTES:
            return _refused(400, f"there is no attribute {asked[:80]}")
        told = attribute(node, asked, self.mirror.values, self.show.ballads)
        return Response(status_code=204) if told is None else JSONResponse({asked: told})

    async def listen(self, websocket: WebSocket) -> None:
        """One WebSocket, until it closes."""
        if not _is_from_here(websocket.headers):
            await websocket.close(1008)
            return
        await websocket.accept()
        paths: set[str] = set()
        waiting: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING)

        def tell(path: str, values: tuple[Value, ...]) -> None:
            if path in paths and not waiting.full():
                waiting.put_nowait(as_packet(path, values))

        self.mirror.listeners.add(tell)
        sender = asyncio.create_task(_send_all(websocket, waiting))
        try:
            while True:
                self._obey(await websocket.receive(), paths)
        except WebSocketDisconnect:
            pass
        finally:
            self.mirror.listeners.discard(tell)
            sender.cancel()

    def _obey(self, received: Mapping[str, Any], paths: set[str]) -> None:
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect
        packet = received.get("bytes")
        if packet:
            if len(packet) <= MAX_PACKET_BYTES:
                self.send(packet)
            return
        command, data = _command(received.get("text") or "")
        if command == "LISTEN" and self.root.find(data) is not None:
            paths.add(data)
        elif command == "IGNORE":
            paths.discard(data)


def query_app(service: QueryService, lifespan: Lifespan[Starlette] | None = None) -> Starlette:
    """To be served alone, or mounted in another application that runs the mirror itself."""
    return Starlette(
        routes=[
            Route("/{path:path}", service.answer, methods=["GET"]),
            WebSocketRoute("/{path:path}", service.listen),
        ],
        lifespan=lifespan,
    )


def as_packet(path: str, values: tuple[Value, ...]) -> bytes:
    """An OSC message with the type tags that the node's TYPE tells."""
    if len(values) == 1 and isinstance(values[0], bool):
        return _padded(path) + _padded(",T" if values[0] else ",F")
    tags = "".join(
        "s" if isinstance(value, str) else "f" if isinstance(value, float) else "i"
        for value in values
    )
    return encode_message(path, tags, values)


def _padded(text: str) -> bytes:
    raw = text.encode() + b"\0"
    return raw + b"\0" * (-len(raw) % 4)


async def _send_all(websocket: WebSocket, waiting: asyncio.Queue[bytes]) -> None:
    while True:
        await websocket.send_bytes(await waiting.get())


def _command(text: str) -> tuple[str, str]:
    """COMMAND and DATA; empty for what is no such thing."""
    try:
        said = json.loads(text)
    except ValueError:
        return "", ""
    if not isinstance(said, dict) or not isinstance(said.get("DATA"), str):
        return "", ""
    return str(said.get("COMMAND")), said["DATA"]


def _is_from_here(headers: Mapping[str, str]) -> bool:
    """A page of another site, open in somebody's browser, must not steer the show."""
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _refused(status: int, why: str) -> Response:
    return PlainTextResponse(why, status)
