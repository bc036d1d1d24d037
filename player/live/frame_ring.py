"""The shared memory between player and worker: a mailbox of requests and a ring of pictures.

Each word has one writer. What the player writes: the requests and the playhead. What the worker
writes: its state, its heartbeat and the pictures. Nobody waits for anybody; a reader finds out
by sequence numbers whether what it copied was whole.

A slot is written as begin = n, content, end = n, and read as end, content, begin: it was whole
if both are the same n > 0. That needs stores to be seen in their order, which x86-64 promises.
Numbers n never repeat within a generation, and every worker has a generation and a ring of its
own, so an old worker that wakes up writes where nobody reads.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from player.live import ring_layout as at
from player.live.ring_layout import (
    HORIZON_FRAMES,
    MAILBOX_SLOTS,
    MOST_EARLY_SIDES,
    Geometry,
    PictureInfo,
    Request,
    RingMemory,
    WorkerFacts,
    WorkerState,
    pictures_in,
    ring_bytes,
)
from player.live.shared_segment import Segment, SegmentError


def choose_request(
    wanted: Iterable[tuple[int, int]], done: Collection[int], playhead: int, ahead_frames: int = 0
) -> int | None:
    """The sequence of the request to make now, out of (sequence, frame) pairs, or None.

    Of the frames from the playhead up to the horizon that are not done, the earliest that can be
    in time, being `ahead_frames` or more ahead; if none is, the earliest. Where a frame was asked
    for twice, only the newer request counts. So an engine slower than the show makes every second
    or third frame in time, instead of every frame too late.
    """
    newest: dict[int, int] = {}
    for sequence, frame in wanted:
        if playhead <= frame < playhead + HORIZON_FRAMES:
            newest[frame] = max(sequence, newest.get(frame, 0))
    open_frames = [frame for frame, sequence in newest.items() if sequence not in done]
    in_time = [frame for frame in open_frames if frame >= playhead + ahead_frames]
    return newest[min(in_time or open_frames)] if open_frames else None


def ahead_frames(passed_frames: float) -> int:
    """How far ahead a frame must be to be in time, if the playhead moves so far during a render.

    The player asks for a frame at the beginning of its tick: one more than what passes. A
    playhead that stands asks for its own frame for as long as it stands.
    """
    return math.ceil(passed_frames - 0.25) + 1 if passed_frames > 0.05 else 0


def choose_slot(slots: Sequence[tuple[int, int]], frame: int, playhead: int) -> int:
    """The slot to write `frame` into. slots: (frame, begin) each, begin 0 for one never used.

    An unused one, else the longest unused of those the playhead has passed (or that lie beyond the
    horizon after a jump), else the one that holds an older picture of this very frame.
    """

    def rank(index: int) -> tuple[int, int]:
        held, begin = slots[index]
        if begin == 0:
            return (0, index)
        if not playhead <= held < playhead + HORIZON_FRAMES:
            return (1, begin)
        return (2 if held == frame else 3, begin)

    return min(range(len(slots)), key=rank)


class PlayerRing(RingMemory):
    """The player's side: creates, asks, looks."""

    @classmethod
    def create(cls, name: str, geometry: Geometry, generation: int, playhead: int) -> PlayerRing:
        """A new ring in a new segment. Raises SegmentError."""
        ring = cls(Segment.create(name, ring_bytes(geometry)), geometry, generation)
        ring._header[at.H_GENERATION] = generation
        ring._header[at.H_PLAYHEAD] = playhead
        ring._header[at.H_MAGIC] = at.MAGIC
        return ring

    @property
    def name(self) -> str:
        """The segment's name, by which the worker attaches."""
        return self._segment.name

    def unlink(self) -> None:
        """Take the segment's name away, once the worker has attached: then no end leaks it."""
        self._segment.unlink()

    def set_playhead(self, frame: int) -> None:
        """Tell the worker which frame is on show: anything before it is too late."""
        self._header[at.H_PLAYHEAD] = frame

    def post(self, request: Request) -> None:
        """Put a request (sequence >= 1, rising) in place of the oldest one. Never blocks."""
        slot = request.sequence % MAILBOX_SLOTS
        mail, count = self._mail[slot], len(request.latents)
        mail[at.M_BEGIN] = request.sequence
        mail[at.M_FRAME] = request.frame
        mail[at.M_COUNT] = count
        mail[at.M_SIDE] = request.side_px
        mail[at.M_FIELDS :] = request.picture_of_screen
        self._latents[slot, :count] = request.latents
        mail[at.M_END] = request.sequence
        self._header[at.H_LATEST] = request.sequence

    def facts(self) -> WorkerFacts:
        """State, heartbeat and sums of the worker, each as last written."""
        header = self._header
        sides = header[at.H_EARLY : at.H_EARLY + MOST_EARLY_SIDES]
        return WorkerFacts(
            state=WorkerState(int(header[at.H_STATE])),
            heartbeat=int(header[at.H_HEARTBEAT]),
            pictures=int(header[at.H_PICTURES]),
            render_ns=int(header[at.H_RENDER_NS]),
            usual_ns=int(header[at.H_USUAL_NS]),
            early_sides_px=tuple(int(side) for side in sides if side > 0),
        )

    def description(self) -> str:
        """The engine's own words, whole from state READY on."""
        return at.text(self._bytes[at.DESCRIPTION])

    def fault(self) -> str:
        """The worker's last error, whole in state FAILED; else empty."""
        return at.text(self._bytes[at.FAULT])

    def read(
        self, frame: int, newer_than: tuple[int, int], into: NDArray[np.uint8]
    ) -> PictureInfo | None:
        """Copy the newest whole pictures of `frame` or before it into `into` [N, H, W, 4], where
        `pictures_in` finds them.

        newer_than: (frame, request sequence) at hand already; only pictures after it are taken.
        Returns their label, or None if there are none; then `into` may hold rubbish. What was
        written over while it was copied is left out and the next best taken.
        """
        labels = self._labels.copy()
        found = [
            (int(label[at.P_FRAME]), int(label[at.P_REQUEST]), slot)
            for slot, label in enumerate(labels)
            if label[at.P_BEGIN] == label[at.P_END] != 0
            and label[at.P_GENERATION] == self.generation
            and newer_than < (int(label[at.P_FRAME]), int(label[at.P_REQUEST]))
            and label[at.P_FRAME] <= frame
        ]
        for _, _, slot in sorted(found, reverse=True):
            info = self.read_slot(slot, into)
            if info is None or info.frame > frame:
                continue
            if newer_than < (info.frame, info.request_sequence):
                return info
        return None

    def read_slot(self, slot: int, into: NDArray[np.uint8]) -> PictureInfo | None:
        """Copy one slot; None unless it was whole and still the same after the copy."""
        label = self._labels[slot]
        end = int(label[at.P_END])
        copied = label.copy()
        count, side_px = int(copied[at.P_COUNT]), int(copied[at.P_SIDE])
        if end == 0 or copied[at.P_BEGIN] != end or not 1 <= count <= self.geometry.screens:
            return None
        if not self.geometry.admits(side_px):
            return None
        pictures_in(into, count, side_px)[:] = pictures_in(self._pixels[slot], count, side_px)
        if int(label[at.P_BEGIN]) != end:
            return None
        return PictureInfo(
            generation=int(copied[at.P_GENERATION]),
            frame=int(copied[at.P_FRAME]),
            request_sequence=int(copied[at.P_REQUEST]),
            count=count,
            render_ns=int(copied[at.P_RENDER_NS]),
            picture_of_screen=tuple(copied[at.P_FIELDS :].tolist()),
            side_px=side_px,
        )


class WorkerRing(RingMemory):
    """The worker's side: attaches, answers."""

    def __init__(self, segment: Segment, geometry: Geometry, generation: int) -> None:
        super().__init__(segment, geometry, generation)
        self._writes = 0
        self._done: set[int] = set()
        self._seen = (-1, -1)
        self._began_at = 0  # the playhead when the render began
        self._passed_frames = 0.0  # by which it moves during a render, smoothed

    @classmethod
    def attach(cls, name: str, geometry: Geometry, generation: int) -> WorkerRing:
        """Map the player's ring. Raises SegmentError if it is gone or of another generation."""
        ring = cls(Segment.attach(name, ring_bytes(geometry)), geometry, generation)
        if ring._header[at.H_MAGIC] != at.MAGIC or ring._header[at.H_GENERATION] != generation:
            ring.close()
            raise SegmentError(f"The shared memory {name} is not the ring of this worker.")
        return ring

    def announce(self, state: WorkerState, *, description: str = "", fault: str = "") -> None:
        """Say how the worker is; the texts are cut to 512 and 2048 bytes of UTF-8."""
        at.put_text(self._bytes[at.DESCRIPTION], description)
        at.put_text(self._bytes[at.FAULT], fault)
        self._header[at.H_STATE] = state

    def beat(self) -> None:
        """A sign of life."""
        self._header[at.H_HEARTBEAT] += 1

    def note_render_ns(self, render_ns: int, side_px: int = 0) -> None:
        """Let the usual time of a render follow this one by a tenth; the first one of a size sets
        it."""
        header, usual_ns = self._header, int(self._header[at.H_USUAL_NS])
        if usual_ns and side_px == header[at.H_USUAL_SIDE]:
            render_ns = (9 * usual_ns + render_ns) // 10
        header[at.H_USUAL_SIDE] = side_px
        header[at.H_USUAL_NS] = render_ns

    def announce_early_sides(self, sides_px: Sequence[int]) -> None:
        """Say which smaller pictures match the full ones; four at most are told."""
        for place, side_px in enumerate(sides_px[:MOST_EARLY_SIDES]):
            self._header[at.H_EARLY + place] = side_px

    def next_request(self) -> Request | None:
        """The request to make now, copied whole, or None. Cheap while nothing changes."""
        seen = (int(self._header[at.H_LATEST]), int(self._header[at.H_PLAYHEAD]))
        if seen == self._seen:
            return None
        wanted = {
            int(mail[at.M_END]): (slot, int(mail[at.M_FRAME]))
            for slot, mail in enumerate(self._mail.copy())
            if mail[at.M_BEGIN] == mail[at.M_END] != 0
        }
        self._done &= wanted.keys()
        pairs = ((sequence, frame) for sequence, (_, frame) in wanted.items())
        sequence = choose_request(pairs, self._done, seen[1], ahead_frames(self._passed_frames))
        if sequence is None:
            self._seen = seen
            return None
        return self._take(wanted[sequence][0], sequence)

    def begin(self, request: Request) -> tuple[int, NDArray[np.uint8]]:
        """A slot for this request and its pixels [P, H, W, 4] (or of the side it asks for) to draw
        into; hidden until finish."""
        held = [(int(label[at.P_FRAME]), int(label[at.P_BEGIN])) for label in self._labels]
        slot = choose_slot(held, request.frame, int(self._header[at.H_PLAYHEAD]))
        self._began_at = int(self._header[at.H_PLAYHEAD])
        self._writes += 1
        self._labels[slot, at.P_BEGIN] = self._writes
        return slot, pictures_in(self._pixels[slot], len(request.latents), request.side_px)

    def finish(self, slot: int, request: Request, render_ns: int) -> None:
        """Publish what was drawn into the slot that `begin` gave."""
        label, count = self._labels[slot], len(request.latents)
        label[at.P_GENERATION] = self.generation
        label[at.P_FRAME] = request.frame
        label[at.P_REQUEST] = request.sequence
        label[at.P_COUNT] = count
        label[at.P_SIDE] = request.side_px
        label[at.P_RENDER_NS] = render_ns
        label[at.P_FIELDS :] = request.picture_of_screen
        label[at.P_END] = label[at.P_BEGIN]
        self._done.add(request.sequence)
        self._header[at.H_PICTURES] += count
        self._header[at.H_RENDER_NS] += render_ns
        self.note_render_ns(render_ns, request.side_px)
        passed = int(self._header[at.H_PLAYHEAD]) - self._began_at
        self._passed_frames += 0.2 * (min(max(passed, 0), HORIZON_FRAMES) - self._passed_frames)

    def _take(self, slot: int, sequence: int) -> Request | None:
        mail = self._mail[slot].copy()
        count, side_px = int(mail[at.M_COUNT]), int(mail[at.M_SIDE])
        if not (1 <= count <= self.geometry.screens and self.geometry.admits(side_px)):
            return None
        latents = self._latents[slot, :count].copy()
        if mail[at.M_END] != sequence or int(self._mail[slot, at.M_BEGIN]) != sequence:
            return None
        screens = tuple(mail[at.M_FIELDS :].tolist())
        return Request(sequence, int(mail[at.M_FRAME]), latents, screens, side_px)
