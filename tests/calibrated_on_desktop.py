"""Opens calibrated windows on the running desktop; compares a screenshot with a headless wall.

    tests/seven_screens -n N -s WxH -- python -m tests.calibrated_on_desktop KIND SHOT.png

Prints JSON: per screen, the largest difference between what its window shows and what a headless
wall of the same size reads, and whether `read` gives the same.
"""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
from PIL import Image

from player.wall.calibration import ScreenCalibration
from player.wall.contract import Wall
from player.wall.headless_wall import HeadlessWall
from player.wall.outputs import open_wall
from player.wall.shots import Layer, Overlay, Shot
from tests.wall_on_desktop import SEVEN_SCREENS

PINNED = ((0.1, 0.05), (0.9, 0.0), (1.0, 0.95), (0.05, 0.9))
CALIBRATIONS = (
    ScreenCalibration(rotation=90, brightness=0.8),
    ScreenCalibration(corners=PINNED, blend=(0.2, 0.0, 0.2, 0.0), black=0.01),
    ScreenCalibration(),
    ScreenCalibration(flip="horizontal", gamma=1.3, crop=(0.1, 0.0, 0.2, 0.0), fit="contain"),
)


def draw(wall: Wall) -> None:
    """Each screen fades between two or three pictures, with a card in its corner."""
    dice = np.random.default_rng(4)
    wall.upload("a", dice.integers(0, 256, (4, 150, 200, 4), np.uint8))
    wall.upload("b", dice.integers(0, 256, (1, 20, 30, 4), np.uint8))
    wall.upload("card", dice.integers(0, 256, (1, 5, 7, 4), np.uint8))
    shots = []
    for screen, calibration in enumerate(CALIBRATIONS):
        wall.set_calibration(screen, calibration)
        layers: tuple[Layer, ...] = (Layer("a", screen, 0.7), Layer("b", 0, 0.3))
        if screen >= 2:
            layers = (Layer("a", screen, 0.5), Layer("b", 0, 0.3), Layer("a", 0, 0.2))
        shots.append(Shot(layers, 0.9, "cover", (Overlay("card", 0, (3, 5, 28, 20)),)))
    wall.draw(shots)
    wall.present()


def main(kind: str, shot: str) -> int:
    wall = open_wall("span" if kind == "span" else "windows", len(CALIBRATIONS), None)
    for _ in range(3):
        draw(wall)
        wall.poll()
        while wall.warm_up_next():
            pass
    subprocess.run([SEVEN_SCREENS, "--shot", shot], check=True)
    with Image.open(shot) as image:
        desktop = np.asarray(image.convert("RGB")).astype(int)
    report = []
    left = 0
    for screen in range(len(CALIBRATIONS)):
        width, height = wall.size_of(screen)
        headless = HeadlessWall(len(CALIBRATIONS), (width, height))
        draw(headless)
        expected = headless.read(screen).astype(int)
        headless.close()
        seen = desktop[:height, left : left + width]
        report.append(
            {
                "window": int(np.abs(seen - expected).max()),
                "window_mean": float(np.abs(seen - expected).mean()),
                "read": int(np.abs(wall.read(screen) - expected).max()),
                "size": [width, height],
                "logical": list(wall.logical_size_of(screen)),
                "light": float(expected.mean()),
            }
        )
        left += width
    wall.close()
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
