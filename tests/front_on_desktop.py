"""Opens a wall of windows on the running desktop, and prints what its front buffer shows.

    tests/seven_screens -- python -m tests.front_on_desktop KIND FILE

Prints JSON: whether the file is still black after the first tick, each screen's colours in the
middle and near the top left corner after the second, the size, whether `close` takes the file away.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from player.wall.calibration import ScreenCalibration
from player.wall.front_buffer import read_front_buffer
from player.wall.outputs import open_wall
from player.wall.shots import Layer, Overlay, Shot
from tests.wall_on_desktop import COLOURS, pictures


def main(kind: str, path: Path) -> None:
    wall = open_wall(kind, len(COLOURS), front=path, front_px=(160, 120))  # type: ignore[arg-type]
    # a projector from behind, and a monitor that stands on its side
    wall.set_calibration(0, ScreenCalibration(flip="horizontal", brightness=0.3, gamma=2.0))
    wall.set_calibration(1, ScreenCalibration(rotation=90))
    wall.upload("test", pictures())
    width, height = wall.logical_size_of(6)
    card = Overlay("test", 0, (0, height // 2, width // 2, height // 2))
    shots = [Shot((Layer("test", n, 1.0),), 1.0, "stretch") for n in range(len(COLOURS))]
    shots[5] = Shot((Layer("test", 5, 1.0),), 0.0, "stretch")  # a blackout
    shots[6] = Shot((Layer("test", 6, 1.0),), 1.0, "stretch", (card,))
    for tick in range(2):
        wall.poll()
        wall.draw(shots)
        wall.finish()
        wall.present()
        if tick == 0:
            is_black = not read_front_buffer(path).any()
    seen = read_front_buffer(path)
    wall.close()
    report = {
        "is_black": is_black,
        "middles": seen[:, 50, 100].tolist(),
        "corners": seen[:, 4, 4].tolist(),
        "card": seen[6, 110, 40].tolist(),
        "shape": seen.shape,
        "is_gone": not path.exists(),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
