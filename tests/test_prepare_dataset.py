"""`prepare` on real files: profiles, rotation, alpha, depth, CMYK, broken and small ones."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from shows.picture_file import PictureError, read_picture
from training.__main__ import main
from training.errors import TrainingError
from training.pictures.dataset import ImageDataset
from training.pictures.prepare_dataset import Recipe, archive_name, convert, prepare

RECIPE = Recipe(size_px=16, min_size_px=20, background=(255, 255, 255))


def display_p3_profile() -> bytes:
    """A minimal ICC v2 matrix profile with Display P3's primaries (D50) and a gamma of 2.2."""

    def xyz(*values: float) -> bytes:
        return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(v * 65536) for v in values))

    gamma = b"curv" + bytes(4) + struct.pack(">IH", 1, round(2.2 * 256)) + bytes(2)
    text = b"Display P3 like\0"
    desc = b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78)
    desc += bytes(-len(desc) % 4)
    tags = {
        b"desc": desc,
        b"cprt": b"text" + bytes(4) + b"none\0\0\0\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.51512, 0.2412, -0.00105),
        b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": xyz(0.1571, 0.06657, 0.78407),
        b"rTRC": gamma,
        b"gTRC": gamma,
        b"bTRC": gamma,
    }
    table, body, offset = b"", b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", offset + len(body), len(content))
        body += content
    size = offset + len(body)
    header = struct.pack(">I4sI4s4s4s", size, bytes(4), 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header + bytes(128 - len(header)) + struct.pack(">I", len(tags)) + table + body


def centre(path: Path) -> tuple[int, int, int]:
    image = read_picture(path).image
    pixel = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(pixel, tuple)
    return int(pixel[0]), int(pixel[1]), int(pixel[2])


def test_display_p3_is_converted_to_srgb(tmp_path: Path) -> None:
    image = Image.new("RGB", (32, 32), (180, 140, 100))
    image.save(tmp_path / "p3.png", icc_profile=display_p3_profile())
    red, green, blue = centre(tmp_path / "p3.png")
    # P3 red is more saturated than sRGB's: the same colour needs more red and less blue in sRGB
    assert red >= 185 and abs(green - 139) <= 4 and blue <= 97
    assert read_picture(tmp_path / "p3.png").steps == ("converted to sRGB",)


def test_an_srgb_profile_changes_nothing(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", (8, 8), (180, 140, 100)).save(tmp_path / "s.png", icc_profile=profile)
    assert np.abs(np.subtract(centre(tmp_path / "s.png"), (180, 140, 100))).max() <= 1


def test_a_broken_profile_is_taken_as_srgb(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), (180, 140, 100)).save(tmp_path / "b.png", icc_profile=b"nonsense")
    assert centre(tmp_path / "b.png") == (180, 140, 100)
    assert read_picture(tmp_path / "b.png").steps == ("profile unusable, taken as sRGB",)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation(tmp_path: Path, orientation: int) -> None:
    upright = np.zeros((20, 30, 3), np.uint8)
    upright[:10, :15] = (255, 0, 0)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "e.png", exif=exif)
    picture = read_picture(tmp_path / "e.png")
    assert np.array_equal(np.asarray(picture.image), upright)
    assert picture.steps == (() if orientation == 1 else ("rotated",))


def test_alpha_is_flattened_on_the_named_colour(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.new("RGBA", (8, 8), (200, 0, 0, 128)).save(tmp_path / "half.png")
    Image.new("LA", (8, 8), (90, 0)).save(tmp_path / "grey.png")
    clear = read_picture(tmp_path / "clear.png", (10, 20, 30))
    assert clear.image.getpixel((4, 4)) == (10, 20, 30) and clear.steps == ("alpha flattened",)
    assert centre(tmp_path / "half.png") == (227, 127, 127)
    assert centre(tmp_path / "grey.png") == (255, 255, 255)


def test_a_transparent_palette_colour_is_flattened(tmp_path: Path) -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    image.save(tmp_path / "p.gif", transparency=1)
    assert read_picture(tmp_path / "p.gif", (1, 2, 3)).image.getpixel((4, 4)) == (1, 2, 3)


def test_sixteen_bit_grey_is_scaled_and_not_clipped(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 128 * 257, np.uint16)).save(tmp_path / "deep.png")
    Image.fromarray(np.full((8, 8), 128 * 257, np.uint16)).save(tmp_path / "deep.tif")
    assert centre(tmp_path / "deep.png") == centre(tmp_path / "deep.tif") == (128, 128, 128)


def test_cmyk(tmp_path: Path) -> None:
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "c.jpg", quality=95)
    red, green, blue = centre(tmp_path / "c.jpg")
    assert red > 230 and green < 25 and blue < 25


def test_floating_point_pixels_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), np.float32)).save(tmp_path / "f.tif")
    with pytest.raises(PictureError, match="floating-point"):
        read_picture(tmp_path / "f.tif")


@pytest.mark.parametrize("cut", [0, 10, 60, 200])
def test_truncated_files_are_a_picture_error(tmp_path: Path, cut: int) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    for suffix in ("png", "jpg", "tif", "webp"):
        whole = tmp_path / f"whole.{suffix}"
        Image.fromarray(noise).save(whole)
        part = tmp_path / f"part.{suffix}"
        part.write_bytes(whole.read_bytes()[:cut])
        with pytest.raises(PictureError):
            read_picture(part)


def test_the_centre_square_is_kept(tmp_path: Path) -> None:
    pixels = np.zeros((40, 120, 3), np.uint8)
    pixels[:, 40:80] = (0, 200, 0)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    outcome = convert(tmp_path, "wide.png", RECIPE)
    assert outcome.png is not None
    square = np.asarray(Image.open(io.BytesIO(outcome.png)))
    assert square.shape == (16, 16, 3) and (square == (0, 200, 0)).all()


def make_folder(folder: Path) -> Path:
    (folder / "b").mkdir(parents=True)
    Image.new("RGB", (20, 20), (10, 0, 0)).save(folder / "b" / "at-the-limit.png")
    Image.new("RGB", (19, 400), (0, 0, 9)).save(folder / "narrow.png")
    Image.new("RGB", (64, 32), (20, 0, 0)).save(folder / "a.JPG", "JPEG")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    (folder / "notes.txt").write_text("not a picture")
    (folder / ".hidden.png").write_bytes(b"left by a file manager")
    return folder


def test_prepare_writes_archive_and_report(tmp_path: Path) -> None:
    source, out = make_folder(tmp_path / "in"), tmp_path / "data" / "set.zip"
    prepare(source, out, RECIPE)
    with zipfile.ZipFile(out) as archive:
        assert archive.namelist() == [archive_name(0), archive_name(1), "dataset.json"]
        assert json.loads(archive.read("dataset.json")) == {"labels": None}
    report = json.loads((tmp_path / "data" / "set.zip.report.json").read_text())
    assert [entry["file"] for entry in report["kept"]] == ["a.JPG", "b/at-the-limit.png"]
    assert {entry["file"]: entry["reason"] for entry in report["dropped"]} == {
        "narrow.png": "too small",
        "broken.jpg": "broken",
    }
    assert report["not_pictures"] == ["notes.txt"]
    assert sorted(path.name for path in out.parent.iterdir()) == ["set.zip", "set.zip.report.json"]
    data = ImageDataset(out)
    assert data.images.shape == (2, 3, 16, 16) and data.images.dtype == np.uint8
    assert data.images[1, :, 0, 0].tolist() == [10, 0, 0]


@pytest.mark.slow
def test_processes_write_the_same_archive_as_one(tmp_path: Path) -> None:
    source = make_folder(tmp_path / "in")
    prepare(source, tmp_path / "one.zip", RECIPE, jobs=1)
    prepare(source, tmp_path / "two.zip", RECIPE, jobs=2)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_nothing_left_is_a_fault_and_writes_nothing(tmp_path: Path) -> None:
    source = make_folder(tmp_path / "in")
    with pytest.raises(TrainingError, match="no picture is left"):
        prepare(source, tmp_path / "set.zip", Recipe(16, 1000, (0, 0, 0)))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--size", "100"], "power of two"),
        (["--background", "sky"], "no such colour"),
        (["--jobs", "0"], "at least 1"),
    ],
)
def test_the_command_line_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    source = make_folder(tmp_path / "in")
    assert main(["prepare", str(source), str(tmp_path / "set.zip"), *words]) == 2
    assert sentence in capsys.readouterr().err


def test_the_command_line_prepares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = make_folder(tmp_path / "in"), tmp_path / "set.zip"
    words = ["prepare", str(source), str(out), "--size", "16", "--min-size", "20", "--jobs", "1"]
    assert main(words) == 0
    assert "2 pictures of 16 px" in capsys.readouterr().out
