"""Opens the real engine and measures it, in a process that a fault of the driver may take along.

    python -m player.doctor.engine_child JSON

JSON: path, screens, noise_mode, threads as for the factory; num_ws of the generator; seconds to
measure; choice_s for the engine to find its best way of drawing, which it may know from before:
else it draws the plain way. Prints one line of JSON.
"""

from __future__ import annotations

import _thread
import json
import signal
import sys
import threading
from typing import Any

import numpy as np

from player.clock import Clock, HouseClock
from player.live.synthesis_worker import DEFAULT_FACTORY, Engine, open_factory


def main(words: list[str]) -> int:
    """Measure as told and print; 0, also where the engine cannot be opened."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    told = json.loads(words[0])
    num_ws, seconds, choice_s = (told.pop(name) for name in ("num_ws", "seconds", "choice_s"))
    try:
        has_cuda = bool(open_factory("torch.cuda:is_available", {}))
        engine = _with_its_own_choice(told, choice_s)
        is_plain = engine is None
        if engine is None:
            path = plain_path(num_ws, "float16" if has_cuda else "float32")
            engine = open_factory(DEFAULT_FACTORY, {**told, "engine_path": path})
        rate = pictures_per_second(engine, told["screens"], seconds, HouseClock())
    except Exception as fault:  # noqa: BLE001 - whatever a driver comes up with is the finding
        kind = type(fault).__name__
        first_line = (str(fault).strip().splitlines() or [kind])[0][:300]
        print(json.dumps({"fault": first_line, "kind": kind}))
        return 0
    found = {"pictures_per_second": rate, "engine": engine.description}
    print(json.dumps({**found, "has_cuda": has_cuda, "is_plain": is_plain}))
    return 0


def _with_its_own_choice(arguments: dict[str, Any], within_s: float) -> Engine | None:
    """None: it was still trying ways to draw when its time was up."""
    timer = threading.Timer(within_s, _thread.interrupt_main)
    timer.daemon = True
    timer.start()
    try:
        engine = open_factory(DEFAULT_FACTORY, arguments)
        timer.cancel()
    except KeyboardInterrupt:
        return None
    return engine


def plain_path(num_ws: int, precision: str) -> dict[str, Any]:
    """An `EnginePath` without any choice: all samples together, transposed up-sampling.

    num_ws: of the generator; there is one layer at 4x4 and two a resolution from 8x8 on.
    """
    layers = [
        {"modulation": "inputs", "up": "transposed" if place % 2 else None}
        for place in range(num_ws - 1)
    ]
    return {"precision": precision, "singly_from": 1 << 15, "layers": layers, "keeps_clamp": True}


def pictures_per_second(engine: Engine, pictures: int, seconds: float, clock: Clock) -> float:
    """Over full calls of so many different pictures, for so long, one call at least."""
    rng = np.random.default_rng(0)
    num_ws, w_dim, side = (getattr(engine, name) for name in ("num_ws", "w_dim", "height"))
    ws = rng.standard_normal((pictures, num_ws, w_dim), dtype=np.float32)
    out = np.empty((pictures, side, side, 4), np.uint8)
    calls, started_ns = 0, clock.now_ns()
    while (passed_ns := clock.now_ns() - started_ns) < seconds * 1e9 or calls == 0:
        engine.render(ws, out)
        calls += 1
    return calls * pictures * 1e9 / passed_ns


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
