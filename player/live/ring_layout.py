"""What lies where in the shared memory between player and worker, and in which words.

Every word has one writer. The player writes the requests and the playhead, the worker its state,
its heartbeat and the pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from player.live.shared_segment import Segment

RING_SLOTS = 8
MAILBOX_SLOTS = 16
# The worker makes frames playhead .. playhead + 7: each has a slot, and none of them is written
# over before the playhead has passed it. A request further ahead waits in the mailbox.
HORIZON_FRAMES = RING_SLOTS
MAX_LOOKAHEAD_FRAMES = HORIZON_FRAMES - 1

MAGIC = 0x494E53504143_02  # "INSPAC", layout version 2
HEADER_BYTES = 4096
_PLAYER_LINE, _WORKER_LINE = 0, 16  # first int64 of each writer's own cache lines
DESCRIPTION = slice(1024, 1536)
FAULT = slice(2048, 4096)
MOST_EARLY_SIDES = 4

# int64 fields of the header
H_MAGIC, H_GENERATION, H_PLAYHEAD, H_LATEST = range(_PLAYER_LINE, _PLAYER_LINE + 4)
H_STATE, H_HEARTBEAT, H_PICTURES, H_RENDER_NS, H_USUAL_NS = range(_WORKER_LINE, _WORKER_LINE + 5)
H_USUAL_SIDE, H_EARLY = _WORKER_LINE + 5, _WORKER_LINE + 6  # the latter MOST_EARLY_SIDES words long
# int64 fields of a mailbox slot; n is the request's sequence; then one picture index per screen
M_BEGIN, M_END, M_FRAME, M_COUNT, M_SIDE, M_FIELDS = range(6)
# int64 fields of a picture slot; then one picture index per screen
P_BEGIN, P_END, P_GENERATION, P_FRAME, P_REQUEST, P_COUNT, P_SIDE, P_RENDER_NS, P_FIELDS = range(9)


class WorkerState(IntEnum):
    """What the worker last said of itself."""

    CREATED = 0  # the ring exists, no worker has attached yet
    STARTING = 1  # attached, loading the engine
    READY = 2  # has made its first picture
    FAILED = 3  # gave up; the fault text says why


@dataclass(frozen=True)
class Geometry:
    """What the shape of the ring follows from. Pictures are RGBA, 8 bits a channel."""

    screens: int
    num_ws: int
    w_dim: int
    height_px: int
    width_px: int

    @property
    def latents_shape(self) -> tuple[int, int, int]:
        """[N, num_ws, w_dim] with N = one picture per screen."""
        return (self.screens, self.num_ws, self.w_dim)

    @property
    def pixels_shape(self) -> tuple[int, int, int, int]:
        """[N, H, W, 4] with N = one picture per screen."""
        return (self.screens, self.height_px, self.width_px, 4)

    def admits(self, side_px: int) -> bool:
        """Whether pictures may come so small: 0 is full; square ones shrink, others do not."""
        return side_px == 0 or (self.height_px == self.width_px and 0 < side_px < self.width_px)


@dataclass(frozen=True)
class Request:
    """One frame wanted. latents: [P, num_ws, w_dim], distinct; one index into it per screen.

    side_px: of the square pictures wanted; 0: as large as the ring's geometry says.
    """

    sequence: int
    frame: int
    latents: NDArray[np.float32]
    picture_of_screen: tuple[int, ...]
    side_px: int = 0


@dataclass(frozen=True)
class PictureInfo:
    """One slot's label; the pixels go separately. render_ns: for all `count` pictures together."""

    generation: int
    frame: int
    request_sequence: int
    count: int
    render_ns: int
    picture_of_screen: tuple[int, ...]
    side_px: int = 0  # 0: full


@dataclass(frozen=True)
class WorkerFacts:
    """What the player reads of its worker.

    usual_ns: a usual recent render of the present size, 0 before the first. early_sides_px: what
    the worker has found of smaller pictures that match the full ones.
    """

    state: WorkerState
    heartbeat: int
    pictures: int
    render_ns: int
    usual_ns: int
    early_sides_px: tuple[int, ...] = ()


class RingMemory:
    """The arrays over one segment, the same on both sides."""

    def __init__(self, segment: Segment, geometry: Geometry, generation: int) -> None:
        self.geometry = geometry
        self.generation = generation
        self._segment = segment
        mailbox_at, latents_at, labels_at, pixels_at, _ = _offsets(geometry)
        memory = segment.memory
        mail = (MAILBOX_SLOTS, M_FIELDS + geometry.screens)
        label = (RING_SLOTS, P_FIELDS + geometry.screens)
        self._bytes = np.ndarray((HEADER_BYTES,), np.uint8, memory)
        self._header = np.ndarray((HEADER_BYTES // 8,), np.int64, memory)
        self._mail = np.ndarray(mail, np.int64, memory, mailbox_at)
        self._latents = np.ndarray(
            (MAILBOX_SLOTS, *geometry.latents_shape), np.float32, memory, latents_at
        )
        self._labels = np.ndarray(label, np.int64, memory, labels_at)
        self._pixels = np.ndarray((RING_SLOTS, *geometry.pixels_shape), np.uint8, memory, pixels_at)

    def close(self) -> None:
        """Let go of the memory; the player's side unlinks it too."""
        del self._bytes, self._header, self._mail, self._latents, self._labels, self._pixels
        self._segment.close()


def pictures_in(room: NDArray[np.uint8], count: int, side_px: int) -> NDArray[np.uint8]:
    """The first `count` pictures of a room [N, H, W, 4]: a view [count, side, side, 4], or of the
    room's own height and width where side_px is 0."""
    if side_px == 0:
        return room[:count]
    octets = count * side_px * side_px * 4
    return room.reshape(-1)[:octets].reshape(count, side_px, side_px, 4)


def ring_bytes(geometry: Geometry) -> int:
    """Size of the segment for this geometry."""
    return _offsets(geometry)[-1]


def _offsets(geometry: Geometry) -> tuple[int, int, int, int, int]:
    """Where mailbox, latents, labels, pixels begin, and the whole size, in bytes."""

    def page(at: int) -> int:
        return -(-at // 4096) * 4096

    floats, octets = int(np.prod(geometry.latents_shape)), int(np.prod(geometry.pixels_shape))
    mailbox_at = HEADER_BYTES
    latents_at = page(mailbox_at + MAILBOX_SLOTS * (M_FIELDS + geometry.screens) * 8)
    labels_at = page(latents_at + MAILBOX_SLOTS * floats * 4)
    pixels_at = page(labels_at + RING_SLOTS * (P_FIELDS + geometry.screens) * 8)
    return mailbox_at, latents_at, labels_at, pixels_at, page(pixels_at + RING_SLOTS * octets)


def put_text(room: NDArray[np.uint8], text: str) -> None:
    """Write text into the room, cut to what fits, ended by a zero."""
    octets = text.encode("utf-8", errors="replace")[: len(room) - 1]
    room[:] = 0
    room[: len(octets)] = np.frombuffer(octets, np.uint8)


def text(room: NDArray[np.uint8]) -> str:
    """What put_text wrote."""
    return room.tobytes().split(b"\0", 1)[0].decode("utf-8", errors="replace")
