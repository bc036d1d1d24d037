"""Who looks at coded pictures on their way from the wall to a browser, and notes when they change.

All times are of the house clock, which is the same in all processes of a machine; a browser's own
clock is compared with it.
"""

from __future__ import annotations

import contextlib
import io
import json
import socket
import threading
import urllib.request
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from player.clock import Clock
from player.desk.latency_show import STILLS, code_of
from player.osc.packets import PacketError, decode_packet, encode_message
from player.wall.front_buffer import FrontBufferReader
from player.wall.thumbnails import ThumbnailReader

POLL_S = 0.001
SUBSCRIBED_S = 3600.0
_WAIT_S = 1.0

Look = Callable[[], Mapping[int, int]]
"""The codes that are new, by the screen from 0; it may wait for some."""


@dataclass(frozen=True)
class Sighting:
    """From this time on a screen (from 0) was seen to show this code."""

    screen: int
    code: int
    at_ns: int


@contextmanager
def watching(look: Look, clock: Clock) -> Iterator[list[Sighting]]:
    """Looks in a thread of its own; the list grows until the context ends."""
    sightings: list[Sighting] = []
    ended = threading.Event()

    def watch() -> None:
        last: dict[int, int] = {}
        while not ended.is_set():
            seen = look()
            now_ns = clock.now_ns()
            for screen, code in seen.items():
                if last.get(screen) != code:
                    last[screen] = code
                    sightings.append(Sighting(screen, code, now_ns))
            ended.wait(POLL_S)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield sightings
    finally:
        ended.set()
        thread.join()


def front_look(path: Path, size_px: tuple[int, int]) -> Look:
    """What a headless wall shows, which is written as it is presented."""
    reader = FrontBufferReader(path, every_px=min(size_px) // 2)

    def look() -> dict[int, int]:
        glimpse = reader.poll()
        return {} if glimpse is None else {n: code_of(p) for n, p in enumerate(glimpse.pixels)}

    return look


def message_look(player_port: int) -> Look:
    """What a player of windows shows, by the events that it sends once it has presented."""
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.settimeout(_WAIT_S)
    line.sendto(encode_message("/subscribe", "f", [SUBSCRIBED_S]), ("127.0.0.1", player_port))

    def look() -> dict[int, int]:
        with contextlib.suppress(TimeoutError, PacketError):
            messages = decode_packet(line.recv(65535))
            lines = [m.arguments for m in messages if m.address == "/event/line"]
            return {int(str(a[0])) - 1: (int(str(a[2])) - 1) % STILLS for a in lines}
        return {}

    return look


def file_look(path: Path) -> Look:
    """What lies in the shared memory for the desk."""
    reader = ThumbnailReader(path)
    return lambda: {screen: code_of(picture) for screen, picture in reader.poll().items()}


def desk_look(address: str) -> Look:
    """What the desk gives a browser, as JPEG."""
    change = 0

    def look() -> dict[int, int]:
        nonlocal change
        with urllib.request.urlopen(f"{address}seen?after={change}", timeout=10) as answer:
            told = json.load(answer)
        change = told["change"]
        return {int(n) - 1: code_of(_pixels(b64decode(j))) for n, j in told["screens"].items()}

    return look


def _pixels(jpeg: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.asarray(Image.open(io.BytesIO(jpeg)), np.uint8)


# Noted when the browser begins the frame after the one in which the picture was painted.
SCRIPT = """(() => {
  window.sightings = [];
  const canvas = new OffscreenCanvas(64, 1);  // the middles of all pictures
  const brush = canvas.getContext('2d', { willReadFrequently: true });
  const last = {};
  let fresh = [];
  function look() {
    const at_ms = performance.timeOrigin + performance.now();
    window.sightings.push(...fresh.map((one) => ({ ...one, at_ms })));
    fresh = [];
    const images = [...document.querySelectorAll('.screen img')];
    images.forEach((image, screen) => {
      const { naturalWidth: w, naturalHeight: h } = image;
      brush.drawImage(image, w >> 1, h >> 1, 1, 1, screen, 0, 1, 1);
    });
    const pixels = brush.getImageData(0, 0, 64, 1).data;
    images.forEach((image, screen) => {
      const code = [0, 1, 2].reduce((sum, b) => sum + ((pixels[4 * screen + b] > 127) << b), 0);
      if (last[screen] !== code && image.naturalWidth > 1) fresh.push({ screen, code });
      last[screen] = code;
    });
    requestAnimationFrame(look);
  }
  look();
})();"""


def browser_sightings(page: Any, offset_ns: int) -> list[Sighting]:
    """page: a playwright Page in which SCRIPT runs. offset_ns: house clock less the browser's."""
    return [
        Sighting(int(s["screen"]), int(s["code"]), int(s["at_ms"] * 1e6) + offset_ns)
        for s in page.evaluate("window.sightings")
    ]


def browser_offset_ns(page: Any, clock: Clock) -> tuple[int, int]:
    """House clock less the browser's, and by how much that may be wrong."""
    tries = []
    for _ in range(20):
        began_ns = clock.now_ns()
        there_ns = int(page.evaluate("performance.timeOrigin + performance.now()") * 1e6)
        ended_ns = clock.now_ns()
        tries.append((ended_ns - began_ns, (began_ns + ended_ns) // 2 - there_ns))
    took_ns, offset_ns = min(tries)
    return offset_ns, took_ns // 2
