"""What the player says of itself, kept up to date by a client that has subscribed to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import cast

from player.osc.packets import Message, PacketError, decode_packet, encode_message
from player.osc.query_nodes import Node
from player.osc.rows import Argument, Value
from player.wall.calibration import FIELDS

SUBSCRIBED_S = 60
RENEWED_EVERY_S = 5.0
SILENT_S = 12.0  # then the player is gone, and nothing is known of it any more

Listener = Callable[[str, tuple[Value, ...]], None]


class Mirror(asyncio.DatagramProtocol):
    """The values of the namespace's nodes, by full path. It lives in one event loop.

    The subscription is renewed every few seconds, so a player that was restarted is heard again.
    Calibrations are not part of what is subscribed to: they are asked for at every renewal.
    """

    def __init__(self, root: Node, screens: int) -> None:
        self.values: dict[str, tuple[Value, ...]] = {}
        self.listeners: set[Listener] = set()
        self._root = root
        self._screens = screens
        self._heard_s: float | None = None

    async def run(self, host: str, port: int) -> None:
        """Until cancelled. Raises OSError if nobody knows the host."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, remote_addr=(host, port))
        try:
            while True:
                if self._heard_s is not None and loop.time() - self._heard_s > SILENT_S:
                    self.values.clear()
                transport.sendto(encode_message("/subscribe", "f", [SUBSCRIBED_S]))
                for screen in range(1, self._screens + 1):
                    transport.sendto(encode_message(f"/screen/{screen}/calibration", "", []))
                await asyncio.sleep(RENEWED_EVERY_S)
        finally:
            transport.sendto(encode_message("/unsubscribe", "", []))
            transport.close()

    def datagram_received(self, data: bytes, addr: object) -> None:
        """One datagram of the player's; what cannot be read is passed over."""
        with contextlib.suppress(PacketError):
            for message in decode_packet(data):
                self._heard_s = asyncio.get_running_loop().time()
                for path, values in _told(message):
                    self._learn(path, values)

    def error_received(self, exc: Exception) -> None:
        """Nobody is at the player's port just now."""

    def _learn(self, path: str, values: tuple[Value, ...]) -> None:
        node = self._root.find(path)
        if node is None or node.row is None or len(values) != len(node.arguments):
            return
        pairs = zip(node.arguments, values, strict=True)
        try:
            typed = tuple(_typed(argument, value) for argument, value in pairs)
        except (TypeError, ValueError):
            return
        if self.values.get(node.path) == typed:
            return
        self.values[node.path] = typed
        for listener in tuple(self.listeners):
            listener(node.path, typed)


def _told(message: Message) -> Iterator[tuple[str, tuple[Value, ...]]]:
    if message.address != "/reply":
        yield message.address, cast("tuple[Value, ...]", message.arguments)
    elif len(message.arguments) == 3 and message.arguments[1] == "ok":
        asked, _, text = map(str, message.arguments)
        if asked.startswith("/screen/") and asked.endswith("/calibration"):
            yield asked, (text,)
            yield from _calibration(asked.removesuffix("/calibration"), text)


def _calibration(screen: str, text: str) -> Iterator[tuple[str, tuple[Value, ...]]]:
    """The answer has every field in the table's order, each as typed after its address."""
    parts = text.split("; ")
    if len(parts) == len(FIELDS):
        for field, part in zip(FIELDS, parts, strict=True):
            yield f"{screen}/{field}", tuple(part.removeprefix(field).split())


def _typed(argument: Argument, value: Value) -> Value:
    """As TYPE has it: answers come as text, and switches as whole numbers."""
    match argument.kind:
        case "switch":
            return bool(value)
        case "number":
            return float(f"{float(value):.6g}")  # it came with 32 bits
        case "whole":
            return int(value)
        case _:
            return str(value)
