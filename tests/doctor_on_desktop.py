"""The doctor on a running desktop, before and after it is spoilt.

    tests/seven_screens -n 3 -- python -m tests.doctor_on_desktop SHOW FOLDER

Prints JSON: for each case by name the states and findings of the desktop's checks.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.doctor_cases import doctor
from tests.edid_blocks import edid_block
from tests.wall_on_desktop import SEVEN_SCREENS
from tests.x11_desktop import set_edid

MACHINES = {
    "right": [{"output": "DUMMY1"}, {"output": "DUMMY0"}],
    "absent": [{"output": "DUMMY0"}, {"output": "DP-9"}],
    "edid": [{"edid": "SN-ONE"}, {"edid": "SN-TWO"}],
}
MODE = "slow 12.0 320 328 360 400 240 243 247 600".split()  # 50 Hz


def main(show: str, folder: str) -> int:
    home = Path(folder) / "home"
    told = {}

    def look(case: str, machine: str | None = None) -> None:
        words: tuple[object, ...] = ("--fast",)
        if machine is not None:
            path = Path(folder) / f"{machine}.yaml"
            screens = [{"screen": f"screen-{n}", **at} for n, at in enumerate(MACHINES[machine], 1)]
            path.write_text(json.dumps({"schema_version": 1, "screens": screens}))
            words = (*words, "--machine", path)
        said = doctor(Path(show), *words, home=home, DISPLAY=os.environ["DISPLAY"])
        told[case] = {
            name: (check["state"], check["finding"]) for name, check in said.checks.items()
        }

    set_edid(0, edid_block("DEL", 1, 2, "LEFT", "SN-ONE"))
    look("plain")
    look("right", "right")
    look("absent", "absent")
    look("wrong edid", "edid")
    run("xset", "s", "60")
    look("saver")
    run("xset", "s", "0")
    run("xrandr", "--newmode", *MODE)
    run("xrandr", "--addmode", "DUMMY1", MODE[0])
    run("xrandr", "--output", "DUMMY1", "--mode", MODE[0])
    look("mixed")
    run("xrandr", "--output", "DUMMY1", "--mode", "320x240")
    run(SEVEN_SCREENS, "--unplug", "1")
    run(SEVEN_SCREENS, "--unplug", "2")
    look("too few")
    print(json.dumps(told))
    return 0


def run(*words: object) -> None:
    subprocess.run([str(word) for word in words], check=True, stdout=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
