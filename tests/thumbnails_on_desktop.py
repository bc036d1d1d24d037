"""Opens a wall of windows on the running desktop, and prints what its thumbnails show.

    tests/seven_screens -- python -m tests.thumbnails_on_desktop KIND FILE

Prints JSON: per screen the colour in the middle of its thumbnail, and the size.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from player.wall.outputs import open_wall
from player.wall.shots import Layer, Shot
from player.wall.thumbnails import ThumbnailReader, Thumbnails
from tests.wall_on_desktop import pictures


def main(kind: str, path: Path) -> None:
    wall = open_wall(kind, 7)  # type: ignore[arg-type]
    thumbnails = Thumbnails(wall, path, tuple(range(7)), 7, 30.0)
    reader = ThumbnailReader(path)
    wall.upload("test", pictures())
    for _ in range(30):
        wall.poll()
        wall.draw([Shot((Layer("test", place, 1.0),), 1.0, "cover") for place in range(7)])
        wall.finish()
        wall.present()
        thumbnails.presented(None)
    seen = reader.poll()
    middles = [seen[n][seen[n].shape[0] // 2, seen[n].shape[1] // 2, :3].tolist() for n in range(7)]
    print(json.dumps({"middles": middles, "sizes": [seen[n].shape[:2] for n in range(7)]}))
    thumbnails.close()
    wall.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
