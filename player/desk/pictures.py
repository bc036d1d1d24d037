"""The pictures of the page: what the screens show, and the paintings of the show, as JPEG."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from PIL import Image

from player.wall.thumbnails import Pixels, ThumbnailReader
from shows.picture_file import PictureError, read_picture, read_square
from shows.show import Show

QUALITY = 82
SMALL_PX, LARGE_PX = 200, 1400


@dataclass(frozen=True)
class Seen:
    """number: of the pictures of this screen so far. change: of the pictures of all screens so far,
    so that only new ones are fetched. pixels: uint8 [H, W, 4]."""

    number: int
    change: int
    pixels: Pixels

    @property
    def size_px(self) -> tuple[int, int]:
        height, width = self.pixels.shape[:2]
        return width, height

    @cached_property
    def jpeg(self) -> bytes:
        """Encoded when it is first asked for, once for all who look."""
        return as_jpeg(Image.fromarray(self.pixels[..., :3]))


class ScreenPictures:
    """What the screens show, by their number from 0."""

    def __init__(self, path: Path) -> None:
        self._reader, self._lock = ThumbnailReader(path), threading.Lock()
        self._seen: dict[int, Seen] = {}
        self._changes = 0

    def look(self) -> dict[int, Seen]:
        """The newest of all screens; empty where there are none."""
        with self._lock:
            for screen, pixels in self._reader.poll().items():
                before = self._seen.get(screen)
                number = before.number + 1 if before else 1
                self._changes += 1
                self._seen[screen] = Seen(number, self._changes, pixels)
            return dict(self._seen)


class Paintings:
    """The show's paintings, small and square as the timeline has them, or large and whole."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self.small = lru_cache(maxsize=512)(self._small)
        self.large = lru_cache(maxsize=32)(self._large)

    def _small(self, ballad_id: str, index: int) -> bytes:
        """Raises ShowError, IndexError, PictureError."""
        painting = self._show.ballad(ballad_id).paintings[index]
        path = self._show.painting_path(ballad_id, index)
        square = read_square(path, SMALL_PX, crop=painting.crop, background=painting.background)
        return as_jpeg(Image.fromarray(square))

    def _large(self, ballad_id: str, index: int) -> bytes:
        """Raises ShowError, IndexError, PictureError."""
        path = self._show.painting_path(ballad_id, index)
        image = read_picture(path).image
        image.thumbnail((LARGE_PX, LARGE_PX), Image.Resampling.LANCZOS)
        return as_jpeg(image)


def as_jpeg(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "JPEG", quality=QUALITY)
    return content.getvalue()


__all__ = ["Paintings", "PictureError", "ScreenPictures", "Seen"]
