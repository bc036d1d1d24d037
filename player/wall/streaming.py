"""Pictures into textures: straight, or through a pixel buffer that stays. Measured, not assumed.

Through a buffer a driver may copy to a graphics card on its own while the frame goes on; software
GL only copies once more. Which one it is, is timed at the first pictures of a size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import moderngl
import numpy as np
from numpy.typing import NDArray

from player.clock import Clock, HouseClock

Way = Literal["straight", "buffered"]
TRIALS = 3
# Smaller pictures, such as the frame strip, are not worth the question.
LEAST_TIMED_BYTES = 64 * 1024
MOST_BUFFERS = 4  # of as many sizes of pictures; the one made first goes when another is needed


class Streaming:
    """Of one context. A few buffers stay, each as large as a picture."""

    def __init__(self, context: moderngl.Context, clock: Clock | None = None) -> None:
        self._context = context
        self._clock = clock or HouseClock()
        self._ways: dict[int, Way] = {}  # by bytes of a picture
        self._buffers: dict[int, moderngl.Buffer] = {}

    @property
    def ways(self) -> dict[int, Way]:
        """What was found faster, by the bytes of a picture."""
        return dict(self._ways)

    def write(
        self, textures: Sequence[moderngl.Texture], pictures: Sequence[NDArray[np.uint8]]
    ) -> None:
        """pictures: [H, W, 4] each, for a texture of that size. They may change after it."""
        nbytes = pictures[0].nbytes
        if nbytes < LEAST_TIMED_BYTES:
            self._write("straight", textures, pictures)
            return
        if nbytes not in self._ways:
            self._ways[nbytes] = self._faster(textures, pictures)
        self._write(self._ways[nbytes], textures, pictures)

    def release(self) -> None:
        for buffer in self._buffers.values():
            buffer.release()
        self._buffers.clear()

    def _write(
        self, way: Way, textures: Sequence[moderngl.Texture], pictures: Sequence[NDArray[np.uint8]]
    ) -> None:
        for texture, picture in zip(textures, pictures, strict=True):
            whole = np.ascontiguousarray(picture)
            if way == "straight":
                texture.write(whole)
                continue
            buffer = self._buffers.get(whole.nbytes)
            if buffer is None:
                if len(self._buffers) >= MOST_BUFFERS:
                    self._buffers.pop(next(iter(self._buffers))).release()
                buffer = self._context.buffer(reserve=whole.nbytes, dynamic=True)
                self._buffers[whole.nbytes] = buffer
            buffer.orphan()  # the driver may still be reading what it held
            buffer.write(whole)
            texture.write(buffer)

    def _faster(
        self, textures: Sequence[moderngl.Texture], pictures: Sequence[NDArray[np.uint8]]
    ) -> Way:
        times_ns: dict[Way, int] = {}
        ways: tuple[Way, ...] = ("straight", "buffered")
        for way in ways:
            for trial in range(TRIALS):
                self._context.finish()
                began_ns = self._clock.now_ns()
                self._write(way, textures, pictures)
                self._context.finish()
                took_ns = self._clock.now_ns() - began_ns
                if trial:  # the first one allocates
                    times_ns[way] = min(took_ns, times_ns.get(way, took_ns))
        return min(ways, key=lambda way: times_ns[way])
