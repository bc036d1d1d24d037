"""Live pictures: starts, feeds, watches and restarts the synthesis worker."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from player.frame_source import Pictures, SourceState, SourceStatus
from player.live.frame_ring import PlayerRing
from player.live.held_pictures import HeldPictures
from player.live.ring_layout import MAILBOX_SLOTS, Geometry, Request, WorkerState
from player.live.shared_segment import SegmentError, segment_name, sweep_stale_segments
from player.live.synthesis_worker import DEFAULT_FACTORY, WorkerConfig, WorkerError
from player.live.worker_process import KILLED_STATUS, WorkerProcess, exit_words
from player.live.worker_watch import Limits, Watch, complaint, look, pause_ns

_log = logging.getLogger(__name__)

# close() within a second: the worker may end by itself first, then it is killed.
_LEAVE_S = 0.2
_KILLED_S = 0.5


class SynthesizedSource:
    """A FrameSource of pictures made now, in a process of its own.

    Pictures are copied out of the ring, once per new frame and only the distinct ones, into four
    private buffers. The copy is 1.8 MB at 256 px and 29 MB at 1024 px, some 3 ms there.

    Call everything from one thread, the main thread if possible: on Linux the kernel then ends
    the worker even if it hangs when the player is killed.
    """

    def __init__(
        self,
        geometry: Geometry,
        *,
        factory: str = DEFAULT_FACTORY,
        factory_args: Mapping[str, Any] | None = None,
        limits: Limits | None = None,
        role: str = "live",
        checks: bool = True,
        usual_pictures: int | None = None,
    ) -> None:
        """role: the source's name, in sentences and in the worker's environment (INSPACE_ROLE).
        checks: whether the worker refuses pictures that are constant or stand still.
        usual_pictures: how many distinct ones of a frame memory is taken for at the start; None:
        one for each screen."""
        self.name = role
        self._worker_name = "synthesis worker" if role == "live" else f"{role} worker"
        self._checks = checks
        self._usual_pictures = usual_pictures
        self._geometry = geometry
        self._factory = factory
        self._factory_args = dict(factory_args or {})
        self._limits = limits or Limits()
        self._open = False
        self._worker: WorkerProcess | None = None
        self._ring: PlayerRing | None = None
        self._watch: Watch | None = None
        self._ending_because = ""  # set once the worker has been killed
        self._is_renewing = False  # it was killed for other arguments
        self._generation = 0
        self._failures = 0
        self._fault = ""
        self._pause_ns = 0
        self._start_at_ns: int | None = None  # None: as soon as the time is known
        self._now_ns = 0
        self._engine = ""
        self._earlier = (0, 0)  # pictures and ns of the workers before this one
        self._requests: deque[Request] = deque(maxlen=MAILBOX_SLOTS)
        self._sequence = 0
        self._playhead: int | None = None
        self._held: HeldPictures | None = None
        self._render_ns = 0  # usual, of the worker that runs or else of the last one
        self._early_sides_px: tuple[int, ...] = ()

    @property
    def worker_pid(self) -> int:
        """Process id of the running worker, 0 if there is none."""
        return self._worker.pid if self._worker else 0

    def start(self) -> None:
        """Sweep what dead players left in shared memory and spawn the first worker."""
        swept = sweep_stale_segments()
        if swept:
            _log.info("Removed shared memory of players that no longer run: %s.", ", ".join(swept))
        self._open = True
        self._start_worker()
        self._held = self._held or HeldPictures(self._geometry, self._usual_pictures)

    def renew(self, factory_args: Mapping[str, Any]) -> None:
        """Make pictures with these arguments from now on, such as another generator of the same
        size. The worker is ended and the next one started; until that one is ready there is
        nothing new. Returns at once."""
        self._factory_args = dict(factory_args)
        self._engine, self._early_sides_px, self._render_ns = "", (), 0
        self._failures, self._fault, self._pause_ns, self._start_at_ns = 0, "", 0, None
        if self._worker is not None:
            self._is_renewing = True
            self._ending_because = "It is started again with what was read anew."
            self._worker.kill()

    def request(
        self, frame: int, latents: Sequence[NDArray[np.float32]], side_px: int | None = None
    ) -> None:
        """Ask for a frame; latents: float32 [num_ws, w_dim] per screen. Never blocks.

        side_px: of the square pictures, None or 0 for full ones. Frames up to
        MAX_LOOKAHEAD_FRAMES ahead of the playhead are made; the last 16 requests are kept and given
        to a restarted worker. Raises ValueError for other shapes and sides.
        """
        distinct, picture_of_screen = distinct_latents(latents)
        if len(latents) != self._geometry.screens or distinct.shape[1:] != (
            self._geometry.num_ws,
            self._geometry.w_dim,
        ):
            raise ValueError(
                f"latents for {self._geometry.latents_shape} asked for, got {len(latents)} of "
                f"shape {distinct.shape[1:]}"
            )
        side = 0 if side_px is None or side_px == self._geometry.height_px else side_px
        if not self._geometry.admits(side):
            full = f"{self._geometry.width_px} x {self._geometry.height_px}"
            raise ValueError(f"pictures of {side_px} px a side asked for, where {full} is full")
        self._sequence += 1
        request = Request(self._sequence, frame, distinct, picture_of_screen, side)
        self._requests.append(request)
        if self._playhead is None:
            self.play(frame)
        if self._ring is not None:
            self._ring.post(request)

    def play(self, frame: int) -> None:
        """The playhead: pictures of frames before it are not made any more."""
        self._playhead = frame
        if self._ring is not None:
            self._ring.set_playhead(frame)

    def pictures(self, frame: int) -> Pictures | None:
        """The newest version of `frame` if it is made, else of the newest older one, else None.

        Two frames asked for in turn are the same objects until there is something newer of them.
        """
        if self._held is None:
            return None
        if self._ring is not None:
            info = self._ring.read(frame, self._held.newest(frame), into=self._held.free)
            if info is not None:
                return self._held.add(info)
        return self._held.best(frame)

    def tend(self, now_ns: int) -> None:
        """Once per tick: notice an ended or hung worker, end it, start the next when it is time."""
        self._now_ns = now_ns
        if not self._open:
            return
        if self._worker is None or self._ring is None:
            if self._start_at_ns is None:
                self._start_at_ns = now_ns + self._pause_ns
            if now_ns >= self._start_at_ns:
                self._start_worker()
            return
        status = self._worker.poll()
        if status is not None:
            self._bury(status)
        elif not self._ending_because:
            self._look_after(self._worker, self._ring)

    def status(self) -> SourceStatus:
        """State, last fault in words, engine and its mean time per picture."""
        pictures, render_ns = self._earlier
        state: SourceState = "failed" if self._failures else "starting"
        detail = self._fault
        if self._worker is None or self._ring is None:
            if self._start_at_ns is not None:
                left_s = max(0, self._start_at_ns - self._now_ns) / 1e9
                detail = f"{self._fault} The next start is in {left_s:.1f} s."
        else:
            facts = self._ring.facts()
            pictures, render_ns = pictures + facts.pictures, render_ns + facts.render_ns
            if not self._ending_because and facts.state is not WorkerState.FAILED:
                ready = facts.state is WorkerState.READY
                state = "ready" if ready else "starting"
                detail = f"{self.name.capitalize()}." if ready else "The engine is being loaded."
                detail += f" Last fault: {self._fault}" if self._fault else ""
            else:  # it is ending, and not yet buried
                state = "starting" if self._is_renewing else "failed"
                detail = self._ring.fault() or self._ending_because or self._fault
        return SourceStatus(
            state=state,
            detail=detail.strip(),
            engine=self._engine,
            engine_ms_per_picture=render_ns / pictures / 1e6 if pictures else 0.0,
            restarts=max(0, self._generation - 1),
            render_ms=self._render_ns / 1e6,
            early_sides_px=self._early_sides_px,
        )

    def close(self) -> None:
        """End the worker and free the shared memory, within a second. May be called twice."""
        self._open = False
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.release()
            if not worker.wait(_LEAVE_S):
                worker.kill()
                if not worker.wait(_KILLED_S):
                    _log.warning("The %s %d cannot be ended.", self._worker_name, worker.pid)
        self._drop_ring()

    def _start_worker(self) -> None:
        self._generation += 1
        self._start_at_ns = None
        self._ending_because = ""
        self._watch = None
        playhead = self._playhead if self._playhead is not None else 0
        try:
            self._ring = PlayerRing.create(
                segment_name(self._generation), self._geometry, self._generation, playhead
            )
            for request in self._requests:
                self._ring.post(request)
            worker = WorkerProcess(
                WorkerConfig(
                    segment=self._ring.name,
                    generation=self._generation,
                    geometry=self._geometry,
                    parent_pid=os.getpid(),
                    dies_with_parent_thread=threading.current_thread() is threading.main_thread(),
                    factory=self._factory,
                    factory_args=self._factory_args,
                    checks=self._checks,
                ),
                self.name,
            )
            worker.start()
        except (SegmentError, WorkerError) as fault:
            self._drop_ring()
            self._fail(str(fault))
            return
        self._worker = worker

    def _look_after(self, worker: WorkerProcess, ring: PlayerRing) -> None:
        facts = ring.facts()
        if facts.state >= WorkerState.STARTING:
            ring.unlink()
        if facts.state is WorkerState.READY and not self._engine:
            self._engine = ring.description()
        self._watch = look(self._watch or Watch(self._now_ns), self._now_ns, facts)
        if facts.state is WorkerState.READY:
            self._render_ns = facts.usual_ns
            # of the model and not of the worker: a new worker's trial does not take it back
            self._early_sides_px = facts.early_sides_px or self._early_sides_px
        if facts.state is WorkerState.READY and self._watch.ready_ns > self._limits.healthy_ns:
            self._failures = 0
        reason = complaint(self._watch, facts, self._limits, self._worker_name)
        if reason is not None:
            self._ending_because = reason
            worker.kill()

    def _bury(self, status: int) -> None:
        assert self._worker is not None and self._ring is not None
        facts, fault = self._ring.facts(), self._ring.fault()
        self._worker.wait(0)
        tail = self._worker.tail()
        self._worker.release()
        self._earlier = (self._earlier[0] + facts.pictures, self._earlier[1] + facts.render_ns)
        # One that was dying slowly, writing its traces, may have been taken for a hung one.
        reason = fault or (self._ending_because if status == KILLED_STATUS else "")
        if not reason:
            reason = f"The {self._worker_name} {exit_words(status)}"
            # A signal's last words are a trace of addresses: for the log alone.
            reason += f" ({tail[-1]})." if tail and status >= 0 else "."
        if tail and not self._is_renewing:
            _log.warning("The %s's last words:\n%s", self._worker_name, "\n".join(tail))
        self._worker = None
        self._drop_ring()
        if not self._is_renewing:
            self._fail(reason)
        self._is_renewing = False

    def _fail(self, reason: str) -> None:
        self._failures += 1
        self._fault = reason
        self._pause_ns = pause_ns(self._failures, self._limits)
        pause_s = self._pause_ns / 1e9
        _log.warning("%s The next %s starts in %.2g s.", reason, self._worker_name, pause_s)

    def _drop_ring(self) -> None:
        ring, self._ring = self._ring, None
        if ring is not None:
            ring.close()


def distinct_latents(
    latents: Sequence[NDArray[np.float32]],
) -> tuple[NDArray[np.float32], tuple[int, ...]]:
    """Latents [num_ws, w_dim] per screen -> the distinct ones [P, num_ws, w_dim], index per screen.

    Equal means equal in every bit, so that a picture is made once for all screens in unison.
    """
    index_of: dict[bytes, int] = {}
    picture_of_screen = tuple(index_of.setdefault(ws.tobytes(), len(index_of)) for ws in latents)
    first = [picture_of_screen.index(picture) for picture in range(len(index_of))]
    return np.stack([latents[screen] for screen in first]), picture_of_screen
