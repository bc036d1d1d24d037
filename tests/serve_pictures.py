"""A folder of pictures as a photo service on loopback: `python -m tests.serve_pictures FOLDER`.

Prints the address of its API as the first line, and serves until it is told to stop. Every sixth
picture may not be modified, so that a collection has something to leave out.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from PIL import Image

from tests.fake_flickr import FakeFlickr, FakePhoto

MAY_BE_MODIFIED = ("4", "9", "11", "77", "1")
MAY_NOT = "6"
OWNERS = ("Ailsa", "Eilidh", "Hamish", "Morag")


def photos(folder: Path) -> list[FakePhoto]:
    """One of each JPEG of a folder, by name; owner, licence and date follow from its place."""
    found = []
    for number, path in enumerate(sorted(folder.glob("*.jpg"))):
        with Image.open(path) as image:
            width, height = image.size
        found.append(
            FakePhoto(
                id=str(100_000 + number),
                title=f"Landscape {number + 1}",
                owner=OWNERS[number % len(OWNERS)],
                owner_id=f"{number % len(OWNERS)}@N00",
                licence=MAY_NOT if number % 6 == 5 else MAY_BE_MODIFIED[number % 5],
                uploaded=1_600_000_000 + number,
                width=width,
                height=height,
                content=path.read_bytes(),
            )
        )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with FakeFlickr(photos(folder)) as service:
        print(service.api, flush=True)
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
