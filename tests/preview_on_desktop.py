"""A person at the window of `preview` on the running desktop: keys pressed, titles read, a file
changed.

    tests/seven_screens -n 1 -s 400x300 -- python -m tests.preview_on_desktop SHOW BALLAD FOLDER

Writes screenshots into FOLDER and prints JSON: the titles met, the exit status, what was said. The
window manager that there is not would place the window; without one it lies at the top left.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageChops

from tests.installation_process import ROOT, START_SECONDS
from tests.tick_helpers import wait_for
from tests.wall_on_desktop import SEVEN_SCREENS

SIDE_PX = 256
NAME = "/5: "  # in every title: of a ballad of five paintings


def xdotool(*words: str) -> str:
    done = subprocess.run(["xdotool", *words], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def title() -> str:
    return xdotool("search", "--onlyvisible", "--name", NAME, "getwindowname")


def press(key: str) -> None:
    xdotool("search", "--onlyvisible", "--name", NAME, "windowfocus", "--sync", "key", key)


def met(wanted: Callable[[str], bool], seconds: float = 20) -> str:
    """The first title like that."""
    seen: list[str] = []

    def is_there() -> bool:
        seen.append(title())
        return wanted(seen[-1])

    assert wait_for(is_there, seconds=seconds), seen[-1]
    return seen[-1]


def settled(path: Path) -> None:
    """A screenshot once two in a row are the same, of a preview that is paused."""

    def is_same() -> bool:
        shots = []
        for _ in range(2):
            subprocess.run([SEVEN_SCREENS, "--shot", str(path)], check=True)
            with Image.open(path) as shot:
                shots.append(shot.convert("RGB"))
        return ImageChops.difference(*shots).getbbox() is None

    assert wait_for(is_same, seconds=20)


def main(show: str, ballad: str, folder: str) -> int:
    out = Path(folder)
    options = ("preview", show, "--window", "--size", str(SIDE_PX), "--ballad", ballad)
    process = subprocess.Popen(
        [sys.executable, ROOT / "run_installation.py", *options], stderr=subprocess.PIPE, text=True
    )
    try:
        titles = [met(lambda text: "frames a second" in text, START_SECONDS)]
        press("space")
        titles.append(met(lambda text: text.endswith("paused")))
        for key in ("Right", "Left"):
            before = titles[-1].partition(NAME)[0]
            press(key)
            titles.append(met(lambda text, old=before: not text.startswith(f"{old}/")))
            settled(out / f"{key}.png")
        page = Path(show) / "ballads" / ballad / "ballad.yaml"
        words = re.sub("(?m)^title: .*", "title: Another title", page.read_text(encoding="utf-8"))
        page.write_text(words, encoding="utf-8")
        titles.append(met(lambda text: text.startswith("Another title ")))
        press("space")
        titles.append(met(lambda text: "paused" not in text))
        if ballad == "ballad-1":
            process.send_signal(signal.SIGINT)
        else:
            press("Escape")
        _, said = process.communicate(timeout=20)
    finally:
        process.kill()
    print(json.dumps({"titles": titles, "status": process.returncode, "said": said}))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
