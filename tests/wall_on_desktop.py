"""Opens a wall on the running desktop, shows seven colours, takes a screenshot.

    tests/seven_screens [-n N] [-s WxH] -- python -m tests.wall_on_desktop KIND SHOT.png [WxH]

Prints JSON: the screens' sizes, what `read` gives at their centres, the description, and whether
a second call of close is harmless.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from player.wall.outputs import open_wall
from player.wall.shots import Layer, Shot

SEVEN_SCREENS = Path(__file__).resolve().parent / "seven_screens"
COLOURS = (
    (230, 20, 20),
    (20, 200, 40),
    (30, 60, 220),
    (240, 220, 30),
    (200, 40, 210),
    (30, 210, 220),
    (250, 140, 20),
)
CORNER = (255, 255, 255)  # of each picture, top left


def pictures(rows_px: int = 64) -> np.ndarray:
    """[7, 64, 64, 4]: each its colour, with a white square in the top left corner."""
    pixels = np.full((len(COLOURS), rows_px, rows_px, 4), 255, np.uint8)
    pixels[..., :3] = np.array(COLOURS, np.uint8)[:, None, None]
    pixels[:, : rows_px // 4, : rows_px // 4, :3] = CORNER
    return pixels


def main(kind: str, shot: str, size: str | None = None) -> int:
    wall = open_wall(
        "span" if kind == "span" else "windows",
        len(COLOURS),
        None if size is None else (int(size.split("x")[0]), int(size.split("x")[1])),
    )
    shots = [Shot((Layer("live", i, 1.0),), 1.0, "stretch") for i in range(len(COLOURS))]
    still_open = True
    for _ in range(3):
        wall.upload("live", pictures())
        wall.draw(shots)
        wall.present()
        still_open = still_open and wall.poll()
    subprocess.run([SEVEN_SCREENS, "--shot", shot], check=True)
    reads = [wall.read(i) for i in range(len(COLOURS))]
    report = {
        "sizes": [wall.size_of(i) for i in range(len(COLOURS))],
        "centres": [read[read.shape[0] // 2, read.shape[1] // 2].tolist() for read in reads],
        "corners": [read[2, 2].tolist() for read in reads],
        "describe": wall.describe(),
        "open": still_open,
    }
    wall.close()
    wall.close()
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
