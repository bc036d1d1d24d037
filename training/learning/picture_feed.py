"""The pictures of a run: held in memory, or decoded when their turn comes.

8000 pictures of 1024 pixels are 24 GB; as PNG files in their archive they are read by threads while
the networks learn from the ones before.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from training.errors import TrainingError
from training.pictures.dataset import PICTURE_SUFFIXES, ImageDataset

MOST_HELD_BYTES = 2 * 2**30
BROKEN_PICTURE = (UnidentifiedImageError, OSError, SyntaxError, ValueError, zipfile.BadZipFile)


class Pictures(Protocol):
    """uint8 [N, 3, R, R]: an array, or what can be asked like one."""

    def __len__(self) -> int: ...

    def __getitem__(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """indices: int64 [n]; a copy: uint8 [n, 3, R, R]."""


class PictureFeed:
    """The pictures of archives one after the other, decoded when asked for.

    counts: pictures of each archive. resolution: R. Raises TrainingError when an archive is
    missing, is none or holds no pictures, or when one is not square and of the first one's size.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._places: list[tuple[zipfile.ZipFile, str]] = []
        self.counts: list[int] = []
        self.resolution = 0
        for path in paths:
            archive = _opened(path)
            names = sorted(
                name
                for name in archive.namelist()
                if PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES
            )
            if not names:
                raise TrainingError(f"{path}: the archive holds no pictures.")
            for name in names:
                self._check_size(path, archive, name)
            self._places += [(archive, name) for name in names]
            self.counts.append(len(names))
        self._readers = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="pictures")
        self._asked: dict[int, Future[NDArray[np.uint8]]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def ask(self, indices: NDArray[np.int64]) -> None:
        """Begin to decode what will be wanted next; what was asked for before is let go."""
        wanted = {int(index) for index in indices}
        for index in self._asked.keys() - wanted:
            self._asked.pop(index).cancel()
        for index in wanted - self._asked.keys():
            self._asked[index] = self._readers.submit(self._decoded, index)

    def __getitem__(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Raises TrainingError for a picture that cannot be read."""
        self.ask(indices)
        return np.stack([self._asked[int(index)].result() for index in indices])

    def _decoded(self, index: int) -> NDArray[np.uint8]:
        archive, name = self._places[index]
        try:
            with Image.open(io.BytesIO(archive.read(name))) as image:
                pixels = np.asarray(image.convert("RGB"), np.uint8)
        except BROKEN_PICTURE as fault:
            raise _unreadable(archive, name, fault) from fault
        return np.ascontiguousarray(pixels.transpose(2, 0, 1))

    def _check_size(self, path: Path, archive: zipfile.ZipFile, name: str) -> None:
        try:
            with archive.open(name) as file, Image.open(file) as image:
                size = image.size
        except BROKEN_PICTURE as fault:
            raise _unreadable(archive, name, fault) from fault
        self.resolution = self.resolution or size[0]
        if size != (self.resolution, self.resolution):
            raise TrainingError(
                f"{path}: {name} is {size[0]}x{size[1]} pixels, and the first picture "
                f"{self.resolution}x{self.resolution}; all must be equal squares. "
                "`python -m training prepare` makes them so."
            )


def read_pictures(
    paths: Sequence[Path], most_held_bytes: int = MOST_HELD_BYTES
) -> tuple[Pictures, list[int], int]:
    """All pictures of the archives, the count of each archive, and the resolution.

    Held in memory up to that size, else read as they are needed. Raises TrainingError as
    PictureFeed and ImageDataset do.
    """
    if sum(_decoded_bytes(path) for path in paths) > most_held_bytes:
        feed = PictureFeed(paths)
        return feed, feed.counts, feed.resolution
    sets = [ImageDataset(path) for path in paths]
    for other in sets[1:]:
        if other.resolution != sets[0].resolution:
            raise TrainingError(
                f"{other.path}: its pictures are {other.resolution} px large, those of "
                f"{paths[0]} {sets[0].resolution}; prepare both with the same --size."
            )
    images = sets[0].images if len(sets) == 1 else np.concatenate([one.images for one in sets])
    return images, [len(one) for one in sets], sets[0].resolution


def _decoded_bytes(path: Path) -> int:
    """About what its pictures take in memory; 0 for what ImageDataset will refuse."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [
                name
                for name in archive.namelist()
                if PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES
            ]
            if not names:
                return 0
            with archive.open(names[0]) as file, Image.open(file) as image:
                return len(names) * 3 * image.size[0] * image.size[1]
    except BROKEN_PICTURE:
        return 0


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as fault:
        raise TrainingError(f"{path}: this is not a readable zip archive ({fault}).") from fault


def _unreadable(archive: zipfile.ZipFile, name: str, fault: Exception) -> TrainingError:
    return TrainingError(f"{archive.filename}: {name} cannot be read as a picture ({fault}).")
