"""Reading data set archives."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.errors import TrainingError
from training.pictures.dataset import ImageDataset


def write_archive(path: Path, pictures: list[Image.Image], compress_level: int = 6) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for index, picture in enumerate(pictures):
            encoded = io.BytesIO()
            picture.save(encoded, "PNG", compress_level=compress_level)
            archive.writestr(f"00000/img{index:08d}.png", encoded.getvalue())
        archive.writestr("dataset.json", '{"labels": null}')
    return path


def noise_picture(seed: int, size: int = 8) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def test_channels_come_first_and_order_is_kept(tmp_path: Path) -> None:
    pictures = [noise_picture(seed) for seed in range(3)]
    data = ImageDataset(write_archive(tmp_path / "a.zip", pictures))
    assert len(data) == 3 and data.resolution == 8
    for index, picture in enumerate(pictures):
        assert np.array_equal(data.images[index].transpose(1, 2, 0), np.asarray(picture))


def test_xflip_appends_the_mirrored_pictures(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.zip", [noise_picture(1), noise_picture(2)])
    plain, mirrored = ImageDataset(path), ImageDataset(path, xflip=True)
    assert np.array_equal(mirrored.images[:2], plain.images)
    assert np.array_equal(mirrored.images[2:], plain.images[..., ::-1])
    assert mirrored.content_hash == plain.content_hash


def test_the_hash_is_of_the_pixels(tmp_path: Path) -> None:
    pictures = [noise_picture(1), noise_picture(2)]
    first = ImageDataset(write_archive(tmp_path / "a.zip", pictures, compress_level=0))
    same = ImageDataset(write_archive(tmp_path / "b.zip", pictures, compress_level=9))
    other = ImageDataset(write_archive(tmp_path / "c.zip", pictures[::-1]))
    assert first.content_hash == same.content_hash != other.content_hash


def test_grey_pictures_become_three_channels(tmp_path: Path) -> None:
    data = ImageDataset(write_archive(tmp_path / "a.zip", [Image.new("L", (8, 8), 7)]))
    assert data.images.shape == (1, 3, 8, 8) and (data.images == 7).all()


@pytest.mark.parametrize(
    ("pictures", "sentence"),
    [
        ([], "no pictures"),
        ([noise_picture(1), noise_picture(2, 16)], "must be equal"),
        ([Image.new("RGB", (8, 4))], "not square"),
    ],
)
def test_faults_are_sentences(tmp_path: Path, pictures: list[Image.Image], sentence: str) -> None:
    with pytest.raises(TrainingError, match=sentence):
        ImageDataset(write_archive(tmp_path / "a.zip", pictures))


def test_missing_and_broken_archives(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no data set archive"):
        ImageDataset(tmp_path / "none.zip")
    (tmp_path / "bad.zip").write_bytes(b"PK no zip")
    with pytest.raises(TrainingError, match="not a readable zip"):
        ImageDataset(tmp_path / "bad.zip")
