"""Rendering, conversion and encoding at once: the engine draws in the caller's thread, a thread of
its own converts and encodes what was drawn before.

Pictures go through a few buffers that are used again and again, so that the slower side holds the
faster one up and memory stays as it is.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from player.clock import Clock
from player.films.film_facts import FilmError
from player.films.film_parts import Part
from player.live.synthesis_worker import Engine, fault_sentence
from shows.show import Show
from shows.timeline import Cue, latents_at

BUFFERS = 3  # one drawn into, one encoded, one between


class DrawingError(FilmError):
    """The engine failed; the text is a sentence."""


class PartWriter(Protocol):
    """A part's file while it is written."""

    def add(self, pictures: NDArray[np.uint8]) -> None:
        """Append pictures [N, H, W, 4]."""

    def close(self) -> None:
        """Finish it."""

    def abandon(self) -> None:
        """Let go of it unfinished."""


@dataclass(frozen=True)
class _Batch:
    part: Part
    pictures: NDArray[np.uint8]
    count: int


class Encoding:
    """The thread that encodes. `open_part` and `closed` are called in it, `closed` with a part
    whose file is complete. Use `with`; a fault in the thread is raised by `buffer` and `drained`.
    At the end what was handed over is still encoded, after an exception not; a part that lacks
    frames is abandoned.
    """

    def __init__(
        self,
        open_part: Callable[[Part], PartWriter],
        closed: Callable[[Part], None],
        encoded: Callable[[int], None],
        shape: tuple[int, ...],
    ) -> None:
        self._open_part, self._closed, self._encoded = open_part, closed, encoded
        self._free: queue.Queue[NDArray[np.uint8]] = queue.Queue()
        for _ in range(BUFFERS):
            self._free.put(np.empty(shape, np.uint8))
        self._full: queue.Queue[_Batch | None] = queue.Queue()
        self._fault: BaseException | None = None
        self._given_up = False
        self._thread = threading.Thread(target=self._run, name="encoding", daemon=True)

    def __enter__(self) -> Encoding:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._given_up = self._given_up or kind is not None
        self._full.put(None)
        self._thread.join()

    def buffer(self) -> NDArray[np.uint8]:
        """A buffer to draw into, as soon as one is free."""
        buffer = self._free.get()
        if self._fault is not None:
            raise self._fault
        return buffer

    def put(self, part: Part, pictures: NDArray[np.uint8], count: int) -> None:
        """Hand over a buffer whose first `count` pictures come next in this part."""
        self._full.put(_Batch(part, pictures, count))

    def drained(self) -> None:
        """Wait until all that was handed over is encoded and closed, or the thread has failed."""
        for buffer in [self._free.get() for _ in range(BUFFERS)]:
            self._free.put(buffer)
        if self._fault is not None:
            raise self._fault

    def _run(self) -> None:
        writer: PartWriter | None = None
        written = 0
        while (batch := self._full.get()) is not None:
            try:
                if self._fault is None and not self._given_up:
                    if writer is None:
                        writer, written = self._open_part(batch.part), 0
                    writer.add(batch.pictures[: batch.count])
                    written += batch.count
                    self._encoded(batch.count)
                    if written == batch.part.frames:
                        done, writer = writer, None
                        done.close()
                        self._closed(batch.part)
            except BaseException as fault:  # noqa: BLE001 - raised again where the pictures come from
                self._fault = fault
            finally:
                self._free.put(batch.pictures)
        if writer is not None:
            writer.abandon()


class Drawing:
    """The engine's side. engine_ns: time spent in it; frames: how many it drew."""

    def __init__(self, show: Show, engine: Engine, batch: int, clock: Clock) -> None:
        self._show, self._engine, self._batch, self._clock = show, engine, batch, clock
        self.engine_ns = 0
        self.frames = 0

    def draw(self, ws: NDArray[np.float32], out: NDArray[np.uint8]) -> None:
        """As `Engine.render`, in batches, timed."""
        for start in range(0, len(ws), self._batch):
            end = min(start + self._batch, len(ws))
            started_ns = self._clock.now_ns()
            try:
                self._engine.render(ws[start:end], out[start:end])
            except Exception as fault:  # whatever a driver comes up with
                said = fault_sentence("The engine failed while it drew", fault)
                raise DrawingError(said) from fault
            self.engine_ns += self._clock.now_ns() - started_ns
            self.frames += end - start

    def compare(self, ws: NDArray[np.float32], out: NDArray[np.uint8]) -> None:
        """As `draw`, not counted."""
        counted = self.engine_ns, self.frames
        self.draw(ws, out)
        self.engine_ns, self.frames = counted

    def part(self, part: Part, encoding: Encoding, stop: Callable[[], bool]) -> bool:
        """Draw a part; False when it was stopped before its end. Raises what the engine raises."""
        for first in range(0, part.frames, self._batch):
            if stop():
                return False
            count = min(self._batch, part.frames - first)
            ws = ballad_ws(self._show, part.ballad_id, part.first_frame + first, count)
            pictures = encoding.buffer()
            self.draw(ws, pictures[:count])
            encoding.put(part, pictures, count)
        return True


def ballad_ws(show: Show, ballad_id: str, first_frame: int, count: int) -> NDArray[np.float32]:
    """ws [count, num_ws, w_dim] of a ballad from one of its own frames on, as live shows it."""
    cues = ((Cue(ballad_id, 0, 0),),)
    return np.stack([latents_at(show, cues, 0, first_frame + i) for i in range(count)])
