"""Plays a show in windows on the running desktop; takes screenshots before and after /ballad 3.

    tests/seven_screens -- python -m tests.installation_on_desktop SHOW FOLDER

Writes own.png, third.png and report.json into FOLDER. The show is paused for a screenshot, so
that all windows show the same frame on it.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from player.live_keys import LOOKAHEAD_FRAMES
from tests.installation_process import Installation
from tests.tick_helpers import wait_for
from tests.wall_on_desktop import SEVEN_SCREENS

CHANGE_FRAMES = 150  # as in the show


def main(show: str, folder: str) -> int:
    out = Path(folder)
    report = ("--report", out / "report.json")
    with Installation("--show", show, "--outputs", "windows", "--threads", 1, *report) as run:
        port = run.said(r"Playing .* on windows, .*OSC: \S+ port (\d+)")[1]
        screenshot(run, out / "own.png")
        subprocess.run(["oscsend", "127.0.0.1", port, "/ballad", "i", "3"], check=True)
        run.status_with("soon ballad-3|1 ballad-3 ")
        assert run.reaches(run.frame() + LOOKAHEAD_FRAMES + CHANGE_FRAMES)
        screenshot(run, out / "third.png")
        assert run.ends_within_a_second_of(signal.SIGTERM)
    return 0


def screenshot(run: Installation, path: Path) -> None:
    """Of the desktop, with the show paused and the paused frame's own live pictures on it."""
    run.status_with("source live;")
    run.ask("/pause")
    counts = [-1]

    def nothing_was_repeated() -> bool:
        counts.append(int(run.status_with(r"source live;.*repeated (\d+);")[1]))
        return counts[-1] == counts[-2]

    assert wait_for(nothing_was_repeated, seconds=30)
    subprocess.run([SEVEN_SCREENS, "--shot", str(path)], check=True)
    run.ask("/play")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
