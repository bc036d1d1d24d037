"""The last few pictures fetched from the ring, in buffers of their own."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from player.frame_source import Pictures
from player.live.ring_layout import Geometry, PictureInfo, pictures_in

HELD = 3


@dataclass(frozen=True)
class _Held:
    pictures: Pictures
    sequence: int
    buffer: NDArray[np.uint8]


class HeldPictures:
    """Holds the HELD fetches last made; a fetch is whole until HELD later ones have been made.

    Two frames in turn, between which the wall blends, so cost no copy and no upload again, and the
    frame before them still stands while it is drawn. Handing out the ring's own memory was
    rejected: whether it was torn would be known only after the upload, and the last good picture
    would be gone with the worker that drew it.
    """

    def __init__(self, geometry: Geometry, usual_pictures: int | None = None) -> None:
        """usual_pictures: how many distinct ones of a frame to have memory ready for; None: all."""
        rooms = [np.empty(geometry.pixels_shape, np.uint8) for _ in range(HELD + 1)]
        for room in rooms:
            room[:usual_pictures] = 0  # takes the pages now and not while frames are presented
        self.free = rooms.pop()  # to fetch into; what is left there by a fetch in vain is rubbish
        self._rooms = rooms
        self._held: deque[_Held] = deque()
        self._serial = 0

    def best(self, frame: int) -> Pictures | None:
        """The newest version of `frame`, else of the newest frame before it, else None."""
        found = self._best(frame)
        return found.pictures if found else None

    def newest(self, frame: int) -> tuple[int, int]:
        """(frame, request sequence) of what `best` gives; (-1, 0) for nothing."""
        found = self._best(frame)
        return (found.pictures.frame, found.sequence) if found else (-1, 0)

    def add(self, info: PictureInfo) -> Pictures:
        """What has been fetched into `free`; gives it a serial of its own."""
        pixels = pictures_in(self.free, info.count, info.side_px)
        pixels.flags.writeable = False
        self._serial += 1
        pictures = Pictures(info.frame, pixels, info.picture_of_screen, self._serial)
        self._held.append(_Held(pictures, info.request_sequence, self.free))
        self.free = self._rooms.pop() if self._rooms else self._held.popleft().buffer
        return pictures

    def _best(self, frame: int) -> _Held | None:
        due = (held for held in self._held if held.pictures.frame <= frame)
        return max(due, key=lambda held: (held.pictures.frame, held.sequence), default=None)
