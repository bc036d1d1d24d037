"""Plays a show on the running desktop while its fourth monitor goes and comes back.

    tests/seven_screens -- python -m tests.unplug_on_desktop SHOW FOLDER [PLAYER-OPTION...]

Writes before.png, during.png, after.png, identify.png, card.png, strips.json (what the strips of
before.png and after.png say) and report.json into FOLDER. Paused for a screenshot, so that all
windows show one frame on it.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from tests.installation_on_desktop import screenshot
from tests.installation_process import Installation
from tests.wall_on_desktop import SEVEN_SCREENS


def main(show: str, folder: str, *options: str) -> int:
    out = Path(folder)
    words = ("--show", show, "--outputs", "windows", "--stamp", "--report", out / "report.json")
    with Installation(*words, *options) as run:
        run.status_with("source live;")
        screenshot(run, out / "before.png")
        subprocess.run([SEVEN_SCREENS, "--unplug", "3"], check=True)
        run.status_with("absent")
        assert run.reaches(run.frame() + 60)
        screenshot(run, out / "during.png")
        subprocess.run([SEVEN_SCREENS, "--plug"], check=True)
        run.status_with(r"^(?!.*absent)")
        assert run.reaches(run.frame() + 60)
        screenshot(run, out / "after.png")
        for address, name in (("/identify", "identify"), ("/card", "card")):
            run.ask(address, 1 if address == "/identify" else "calibration")
            assert run.reaches(run.frame() + 10)
            screenshot(run, out / f"{name}.png")
            run.ask(address, 0 if address == "/identify" else "none")
        assert run.ends_within_a_second_of(signal.SIGTERM)
    told = {}
    for name in ("before", "after"):
        words = ("--columns", "7", "--json", str(out / f"{name}.json"), str(out / f"{name}.png"))
        done = subprocess.run([sys.executable, "-m", "player.read_strips", *words], check=False)
        told[name] = json.loads((out / f"{name}.json").read_text())
        assert done.returncode == 0, told[name]
    (out / "strips.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
