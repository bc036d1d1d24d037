"""A player that shows nothing: `fake_player.py RECORD PLAN...`, a plan for each life.

beat: signs of life until told to end, then status 0. hang: some, then none and deaf to SIGTERM.
mute: none at all. exit:N: one sign, then status N. fail:N: status N at once. stubborn: signs for
ever, deaf to SIGTERM. parent: as beat, with a child in a session of its own. Further lives are as
the last plan. Each life writes a line of JSON into RECORD.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from player.clock import HouseClock
from player.upkeep.heartbeat import Heartbeat


def main(record: Path, plans: list[str]) -> int:
    told_to_end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told_to_end.set())
    lives = len(record.read_text().splitlines()) if record.exists() else 0
    plan, _, number = plans[min(lives, len(plans) - 1)].partition(":")
    child = None
    if plan == "parent":
        sleeper = [sys.executable, "-c", "import threading; threading.Event().wait(600)"]
        child = subprocess.Popen(sleeper, start_new_session=True)
    facts = {
        "pid": os.getpid(),
        "child": child.pid if child else 0,
        "started_ns": HouseClock().now_ns(),
        **{name: value for name, value in os.environ.items() if name.startswith("INSPACE_")},
        "systemd": os.environ.get("NOTIFY_SOCKET", ""),
    }
    with record.open("a") as file:
        file.write(json.dumps(facts) + "\n")
    if plan == "fail":
        return int(number)
    heartbeat, clock = Heartbeat.from_environment(os.environ), HouseClock()
    if plan != "mute":
        heartbeat.ready()
        heartbeat.presented(clock.now_ns())
    if plan == "exit":
        return int(number)
    while plan in ("mute", "hang"):
        threading.Event().wait(60)
    while not told_to_end.wait(0.02) or plan == "stubborn":
        heartbeat.presented(clock.now_ns())
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
