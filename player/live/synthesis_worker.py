"""The process that makes pictures: takes requests from the ring, lets the engine draw into it.

Started as `python -m player.live.synthesis_worker` with one line of JSON, its WorkerConfig, on
stdin. The pipe then stays open and silent: its end means that the player is gone, and ends the
worker within a quarter of a second whatever the engine is doing. It is a process of its own because
a CUDA fault is sticky: only ending the process recovers the GPU.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from player.clock import Clock, HouseClock
from player.live.early_trial import EarlyTrials
from player.live.frame_ring import WorkerRing
from player.live.poison import PoisonedOutputError, Seen, blank, checked
from player.live.ring_layout import Geometry, WorkerState

DEFAULT_FACTORY = "generator.engine:open_engine"
_IDLE_S = 0.002  # between two looks at the mailbox: some 2 % of a core
_GRACE_S = 0.25  # from the player's end to the worker's, if the engine does not come back
_PR_SET_PDEATHSIG = 1  # prctl(2)


class WorkerError(Exception):
    """The worker cannot do its work; the text is a sentence for the operator."""


class Engine(Protocol):
    """What a factory opens."""

    @property
    def description(self) -> str:
        """One line: model, resolution, device, precision."""

    def render(self, ws: NDArray[np.float32], out: NDArray[np.uint8]) -> None:
        """Draw ws [N, num_ws, w_dim] as RGBA into out [N, H, W, 4], finished on return.

        An engine that has `num_ws`, `w_dim`, `height` and `width` is held to the ring's. One with
        `early_stop_trial` also draws smaller pictures, and says so.
        """


@dataclass(frozen=True)
class WorkerConfig:
    """What the player tells its worker. factory: "module:callable", called with factory_args."""

    segment: str
    generation: int
    geometry: Geometry
    parent_pid: int
    # The kernel's signal on a parent's death comes when the THREAD that started the worker ends,
    # so it is only asked for if that was the main thread.
    dies_with_parent_thread: bool
    factory: str = DEFAULT_FACTORY
    factory_args: Mapping[str, Any] = field(default_factory=dict)
    checks: bool = True  # whether pictures that cannot be right end the worker

    def to_json(self) -> bytes:
        """One line. Raises WorkerError if the factory's arguments are no JSON."""
        try:
            return json.dumps(asdict(self)).encode() + b"\n"
        except (TypeError, ValueError) as fault:
            raise WorkerError(
                f"The engine's arguments cannot be handed to the worker: {fault}."
            ) from fault

    @classmethod
    def from_json(cls, line: bytes) -> WorkerConfig:
        """Back from to_json."""
        values = json.loads(line)
        return cls(**{**values, "geometry": Geometry(**values["geometry"])})


def open_engine(config: WorkerConfig) -> Engine:
    """Import and call the factory. Raises WorkerError if there is none; else what it raises."""
    return open_factory(config.factory, config.factory_args)


def open_factory(factory: str, arguments: Mapping[str, Any]) -> Engine:
    """Import and call "module:callable". Raises WorkerError if there is none; else what it
    raises."""
    module_name, _, name = factory.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as fault:
        raise WorkerError(
            f"the Python package {fault.name} is missing; install what live pictures need: "
            "pip install -e '.[live]'"
        ) from fault
    called = getattr(module, name, None)
    if called is None:
        raise WorkerError(f"There is no engine factory {factory}.")
    return cast(Engine, called(**arguments))


def warm_up(ring: WorkerRing, engine: Engine, clock: Clock) -> None:
    """Draw once outside the ring: READY means that a picture came out, and warm caches.

    Equal ws may be drawn once, so that an engine's own `ms_per_picture` goes before what this took:
    else the first full request of a slow engine would be taken for a hang.
    """
    geometry = ring.geometry
    ws = np.zeros(geometry.latents_shape, np.float32)
    out = np.empty(geometry.pixels_shape, np.uint8)
    started_ns = clock.now_ns()
    engine.render(ws, out)
    took_ns = clock.now_ns() - started_ns
    told_ms = float(getattr(engine, "ms_per_picture", 0.0)) * geometry.screens
    ring.note_render_ns(max(took_ns, int(told_ms * 1e6)))


def serve(
    ring: WorkerRing, engine: Engine, clock: Clock, stop: threading.Event, *, checks: bool = True
) -> None:
    """Answer requests until told to stop; whatever the engine raises goes through.

    checks: pictures that cannot be right are not published; PoisonedOutputError is raised.
    """
    seen: Seen | None = None
    trials = EarlyTrials(engine)
    while not stop.is_set():
        ring.beat()
        request = None if trials.must_step else ring.next_request()
        if request is not None:
            started_ns = clock.now_ns()
            slot, pixels = ring.begin(request)
            if checks:
                blank(pixels)
            engine.render(request.latents, pixels)
            if checks:
                seen = checked(seen, request.latents, pixels, engine.render)
            ring.finish(slot, request, clock.now_ns() - started_ns)
            trials.request_made(request.latents)
            continue
        tried, sides_px = trials.step()
        if sides_px is not None:
            ring.announce_early_sides(sides_px)
        if not tried:
            stop.wait(_IDLE_S)


def refuse_misfit(engine: Engine, geometry: Geometry) -> None:
    """Raises WorkerError for an engine of other latents or pictures than the ring was made for."""
    wanted = (geometry.num_ws, geometry.w_dim, geometry.width_px, geometry.height_px)
    names = ("num_ws", "w_dim", "width", "height")
    has = tuple(getattr(engine, name, value) for name, value in zip(names, wanted, strict=True))
    if has != wanted:
        said, expected = (
            f"{num_ws} x {w_dim} numbers and pictures of {width} x {height} px"
            for num_ws, w_dim, width, height in (has, wanted)
        )
        raise WorkerError(
            f"the generator is one of {said}, where the show was opened with one of {expected}; "
            "if its file was exchanged while the show runs, start the player again"
        )


def main() -> int:
    """The whole life of a worker; the exit status."""
    # Ctrl-C is the player's business; SIGTERM ends the worker even if the player ignores it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    config = WorkerConfig.from_json(sys.stdin.buffer.readline())
    stop = threading.Event()
    threading.Thread(target=_follow_parent, args=(stop,), daemon=True).start()
    _die_with_parent(config)
    ring = WorkerRing.attach(config.segment, config.geometry, config.generation)
    ring.announce(WorkerState.STARTING)
    try:
        engine = open_engine(config)
        refuse_misfit(engine, config.geometry)
    except Exception as fault:  # noqa: BLE001 - a missing or damaged file: no trace would help
        sentence = fault_sentence("The engine could not be opened", fault)
        ring.announce(WorkerState.FAILED, fault=sentence)
        return 1
    try:
        doing = "The engine could not make its first picture"
        clock = HouseClock()
        warm_up(ring, engine, clock)
        ring.announce(WorkerState.READY, description=engine.description)
        doing = "The engine failed while it made a picture"
        serve(ring, engine, clock, stop, checks=config.checks)
    except PoisonedOutputError as fault:
        ring.announce(WorkerState.FAILED, fault=f"The engine's pictures cannot be right: {fault}.")
        return 1
    except Exception as fault:
        ring.announce(WorkerState.FAILED, fault=fault_sentence(doing, fault))
        raise
    return 0


def fault_sentence(what: str, fault: BaseException) -> str:
    """For the operator: what went wrong, in the fault's words and, where it is not one of ours,
    with its kind; memory that ran out is called so."""
    kind, said = type(fault).__name__, str(fault).strip().rstrip(".")
    if isinstance(fault, WorkerError):
        return f"{what}: {said}."
    if _is_out_of_memory(fault):
        return (
            f"{what}: memory ran out ({said or kind}). Close other programs, or take a smaller "
            "generator or fewer screens."
        )
    return f"{what}: {said} ({kind})." if said else f"{what}: {kind}."


def _is_out_of_memory(fault: BaseException) -> bool:
    # torch's words for it: an exception of its own on CUDA, on a CPU a plain RuntimeError
    if isinstance(fault, MemoryError) or type(fault).__name__ == "OutOfMemoryError":
        return True
    return isinstance(fault, RuntimeError) and "allocate memory" in str(fault)


def _follow_parent(stop: threading.Event) -> None:
    # os.read and not sys.stdin: a buffered reader that a daemon thread holds locked aborts the
    # interpreter at its end.
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass
    stop.set()
    threading.Event().wait(_GRACE_S)
    os._exit(0)


def _die_with_parent(config: WorkerConfig) -> None:
    # For a worker that is stopped or holds the interpreter's lock when the player is killed: its
    # thread above cannot run then.
    if sys.platform != "linux" or not config.dies_with_parent_thread:
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != config.parent_pid:
        os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
