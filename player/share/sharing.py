"""The loop: what the front buffer shows goes out, as long as nobody says stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from player.clock import Clock
from player.share.pace import Pace
from player.wall.front_buffer import Glimpse

Pixels = NDArray[np.uint8]

POLL_NS = 1_000_000  # how often it is asked for a picture that is due
LONGEST_WAIT_NS = 50_000_000  # until it is asked whether to stop
SILENT_NS = 2_000_000_000  # without a new picture: the player is gone, or hangs


class Outlet(Protocol):
    """Where the pictures of one stream go. Opened for pictures of one size."""

    @property
    def where(self) -> str:
        """The name that receivers see."""
        ...

    def send(self, picture: Pixels) -> None:
        """picture: [H, W, 3], top row first; it may be reused once this returns. Raises
        OutletError."""
        ...

    def close(self) -> None: ...


class Source(Protocol):
    """As `FrontBufferReader` is."""

    def poll(self) -> Glimpse | None: ...


@dataclass(frozen=True)
class Stream:
    """name: by which receivers find it. place: of the picture in a glimpse, from 0; None: all of
    them in one, from left to right."""

    name: str
    place: int | None

    def picture(self, pixels: Pixels) -> Pixels:
        """[H, W, 3] out of [screens, H, W, 3]; a view where one screen is meant."""
        return side_by_side(pixels) if self.place is None else pixels[self.place]


def side_by_side(pixels: Pixels) -> Pixels:
    """[screens, H, W, 3] as one picture, [H, screens * W, 3]."""
    screens, height, width, channels = pixels.shape
    return pixels.transpose(1, 0, 2, 3).reshape(height, screens * width, channels)


class Outlets:
    """One for each stream, opened when it is known how large the pictures are, and opened anew
    when a player comes whose pictures are of another size."""

    def __init__(
        self, streams: Sequence[Stream], opened: Callable[[str, tuple[int, int]], Outlet]
    ) -> None:
        """opened: gives the outlet of a name for pictures of (width, height)."""
        self._streams, self._opened = streams, opened
        self._open: list[tuple[tuple[int, int], Outlet]] = []

    def send(self, pixels: Pixels) -> str:
        """pixels: [screens, H, W, 3]. Returns what was opened just now, a sentence, or ""; raises
        OutletError."""
        pictures = [stream.picture(pixels) for stream in self._streams]
        sizes = [(picture.shape[1], picture.shape[0]) for picture in pictures]
        is_new = sizes != [size for size, _ in self._open]
        if is_new:
            self.close()
            for stream, size in zip(self._streams, sizes, strict=True):
                self._open.append((size, self._opened(stream.name, size)))
        for picture, (_, outlet) in zip(pictures, self._open, strict=True):
            outlet.send(picture)
        places = [f"{outlet.where}, {width}x{height}" for (width, height), outlet in self._open]
        return f"Sending: {'; '.join(places)}." if is_new else ""

    def close(self) -> None:
        while self._open:
            self._open.pop()[1].close()


@dataclass
class Counts:
    """Pictures sent; those of them that were sent before."""

    sent: int = 0
    again: int = 0


def share(
    source: Source,
    outlets: Outlets,
    pace: Pace,
    clock: Clock,
    tell: Callable[[str], None],
    stopped: Callable[[], bool],
) -> Counts:
    """Send on what is new, and the last picture again while nothing is. tell: gets a sentence when
    something changes. Raises OutletError, FrontBufferError."""
    counts = Counts()
    pixels: Pixels | None = None
    heard_ns, is_silent = clock.now_ns(), False
    while not stopped():
        now_ns = clock.now_ns()
        if now_ns < pace.look_ns:
            clock.wait_until_ns(min(pace.look_ns, now_ns + LONGEST_WAIT_NS))
            continue
        glimpse = source.poll()
        if glimpse is not None:
            pixels, pace = glimpse.pixels, pace.sent(now_ns)
            if is_silent:
                tell("The player is there.")
            heard_ns, is_silent = now_ns, False
        elif pixels is not None and now_ns >= pace.again_ns:
            pace = pace.sent_again(now_ns)
            counts.again += 1
        else:
            is_silent = is_silent or _silence(now_ns - heard_ns, pixels is not None, tell)
            next_ns = now_ns + (pace.period_ns // 8 if is_silent else POLL_NS)
            clock.wait_until_ns(next_ns if pixels is None else min(next_ns, pace.again_ns))
            continue
        counts.sent += 1
        opened = outlets.send(pixels)
        if opened:
            tell(opened)
    return counts


def _silence(silent_ns: int, had_pictures: bool, tell: Callable[[str], None]) -> bool:
    """Whether it is now that silence has lasted so long that it is told."""
    if silent_ns < SILENT_NS:
        return False
    if had_pictures:
        tell("No new picture for two seconds: the last one is sent on until the player is back.")
    else:
        tell("No player keeps a front buffer here: waiting for one, as `play --front-buffer` does.")
    return True
