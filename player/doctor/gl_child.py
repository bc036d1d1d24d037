"""Draws one picture as the headless wall does and reads it back; a driver may crash it alone.

    python -m player.doctor.gl_child

Prints one line of JSON: wall (renderer and version), is_software, is_right; or fault.
"""

from __future__ import annotations

import json
import sys

import numpy as np

from player.wall.headless_wall import HeadlessWall
from player.wall.outputs import OutputError
from player.wall.shots import Layer, Shot

_SIDE_PX = 64
_COLOUR = (40, 120, 200)
_WITHIN = 6  # of 255: dithering and the rounding of linear light


def main() -> int:
    """Draw and print; 0, also where nothing can be drawn."""
    try:
        wall = HeadlessWall(1, (_SIDE_PX, _SIDE_PX))
    except OutputError as fault:
        print(json.dumps({"fault": str(fault)}))
        return 0
    try:
        picture = np.full((1, _SIDE_PX, _SIDE_PX, 4), 255, np.uint8)
        picture[..., :3] = _COLOUR
        wall.upload("live", picture)
        wall.draw([Shot((Layer("live", 0, 1.0),), 1.0, "stretch")])
        wall.present()
        middle = wall.read(0)[_SIDE_PX // 2, _SIDE_PX // 2].astype(int)
        is_right = bool((abs(middle - np.array(_COLOUR)) <= _WITHIN).all())
        told = {
            "wall": wall.describe().split(", ", 2)[2],
            "is_software": wall.is_software,
            "is_right": is_right,
        }
    finally:
        wall.close()
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
