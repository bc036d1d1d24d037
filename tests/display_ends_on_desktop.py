"""Plays a show on the running desktop, whose X server is then killed.

    tests/seven_screens -- python -m tests.display_ends_on_desktop SHOW [PLAYER-OPTION...]

Prints what the player said, its exit status, and the seconds that it took. Fails if a worker or
shared memory is left.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from player.clock import HouseClock
from tests.installation_process import Installation


def main(show: str, *options: str) -> int:
    clock = HouseClock()
    with Installation("--show", show, *options) as run:
        run.status_with(r"presented [1-9]")
        run.worker_pids()
        began_ns = clock.now_ns()
        os.kill(server_pid(), signal.SIGKILL)
        status = run.ended(seconds=30)
        seconds = (clock.now_ns() - began_ns) / 1e9
        print(json.dumps({"status": status, "seconds": seconds, "text": run.text}))
    return 0


def server_pid() -> int:
    number = os.environ["DISPLAY"].partition(":")[2].partition(".")[0]
    return int(Path(f"/tmp/.X{number}-lock").read_text())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
