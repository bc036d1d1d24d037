"""Reading a data set archive: a zip of equal square PNGs and a `dataset.json`."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from training.errors import TrainingError

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp"})


class ImageDataset:
    """The pictures of one archive, held in memory.

    images: uint8 [N, 3, R, R], RGB; with `xflip` [2N, 3, R, R], the second half being the
        first half mirrored left to right.
    resolution: R, in pixels.
    content_hash: sha256 (hex) of the unmirrored pixels; how the PNGs are compressed does not
        change it.

    Raises TrainingError if the archive is missing, broken, empty, or its pictures differ in size.
    """

    def __init__(self, path: Path | str, *, xflip: bool = False) -> None:
        self.path = Path(path)
        pictures = _read_archive(self.path)
        self.resolution = int(pictures.shape[2])
        self.content_hash = _hash_pictures(pictures)
        self.images: NDArray[np.uint8] = (
            np.concatenate([pictures, pictures[:, :, :, ::-1]]) if xflip else pictures
        )

    def __len__(self) -> int:
        return int(self.images.shape[0])


def _read_archive(path: Path) -> NDArray[np.uint8]:
    if not path.is_file():
        raise TrainingError(
            f"{path}: there is no data set archive here; `python -m training prepare` makes one."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(
                name
                for name in archive.namelist()
                if PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES
            )
            if not names:
                raise TrainingError(f"{path}: the archive holds no pictures.")
            first = _decode(path, names[0], archive.read(names[0]))
            pictures = np.empty((len(names), *first.shape), np.uint8)
            pictures[0] = first
            for index, name in enumerate(names[1:], start=1):
                picture = _decode(path, name, archive.read(name))
                if picture.shape != first.shape:
                    raise TrainingError(
                        f"{path}: {name} is {picture.shape[2]}x{picture.shape[1]} pixels and "
                        f"{names[0]} is {first.shape[2]}x{first.shape[1]}; all must be equal. "
                        "`python -m training prepare` makes them so."
                    )
                pictures[index] = picture
            return pictures
    except zipfile.BadZipFile as fault:
        raise TrainingError(f"{path}: this is not a readable zip archive ({fault}).") from fault


def _decode(path: Path, name: str, encoded: bytes) -> NDArray[np.uint8]:
    try:
        with Image.open(io.BytesIO(encoded)) as image:
            pixels = np.asarray(image.convert("RGB"), np.uint8)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as fault:
        raise TrainingError(f"{path}: {name} cannot be read as a picture ({fault}).") from fault
    if pixels.shape[0] != pixels.shape[1]:
        raise TrainingError(
            f"{path}: {name} is {pixels.shape[1]}x{pixels.shape[0]} pixels and not square; "
            "`python -m training prepare` crops it."
        )
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _hash_pictures(pictures: NDArray[np.uint8]) -> str:
    digest = hashlib.sha256(repr(pictures.shape).encode())
    digest.update(np.ascontiguousarray(pictures).data)
    return digest.hexdigest()
