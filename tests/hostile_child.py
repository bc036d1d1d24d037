"""A process that opens files by the public door, under watch and with little room.

Reads a JSON list of paths from its input, writes for each what came of it to its output.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
import time
import warnings

import generator
from generator.checkpoint import CheckpointError
from tests.hostile_builders import with_kwargs
from tests.watched import Watch, limit_memory, peak_bytes

MOST_BYTES = 2 * 2**30
MOST_CPU_SECONDS = 300  # for all files together


def opened(path: str, watch: Watch) -> dict[str, object]:
    """What came of one file: the error and its text, audit events, seconds of CPU, modules."""
    before, begin = set(sys.modules), time.process_time()
    error: str | None = None
    text = ""
    with watch.over(path) as events:
        try:
            generator.load(path)
        except Exception as caught:  # noqa: BLE001  # which one it was is what is asked
            error, text = type(caught).__name__, str(caught)
    seconds = time.process_time() - begin
    modules = sorted(set(sys.modules) - before)
    return {"error": error, "text": text, "events": events, "seconds": seconds, "modules": modules}


def main() -> None:
    paths = json.load(sys.stdin)
    # the first load of a process imports what all others need
    with open("warm-up.pkl", "wb") as file:
        file.write(with_kwargs({"img_resolution": 4}))
    with contextlib.suppress(CheckpointError):
        generator.load("warm-up.pkl")
    limit_memory(MOST_BYTES)
    warnings.simplefilter("error")
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_SECONDS, MOST_CPU_SECONDS))
    watch = Watch()
    before = peak_bytes()
    outcomes = {path: opened(path, watch) for path in paths}
    json.dump({"outcomes": outcomes, "grown_bytes": peak_bytes() - before}, sys.stdout)


if __name__ == "__main__":
    main()
