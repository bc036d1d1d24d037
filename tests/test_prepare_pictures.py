"""What `prepare` reads: one real file for every kind of picture that people have."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from shows.picture_file import PictureError, read_picture
from training.pictures.prepare_picture import (
    MOST_BYTES,
    Header,
    Recipe,
    convert,
    read_header,
    refusal,
)

RECIPE = Recipe(size_px=16, min_size_px=20, background=(255, 255, 255))
BRADFORD_P3 = {  # Display P3's primaries, adapted to D50 as ICC profiles are
    b"rXYZ": (0.51512, 0.24120, -0.00105),
    b"gXYZ": (0.29198, 0.69225, 0.04189),
    b"bXYZ": (0.15710, 0.06657, 0.78407),
}
# linear Display P3 to linear sRGB, both D65 (CSS Color 4, section 18)
P3_TO_SRGB = np.array(
    [
        [1.2249401762805598, -0.2249401762805598, 0.0],
        [-0.0420569547096881, 1.0420569547096881, 0.0],
        [-0.0196375545903344, -0.0786360455506319, 1.0982736001409663],
    ]
)


def icc_profile(
    version: int, kind: bytes, space: bytes, pcs: bytes, tags: dict[bytes, bytes]
) -> bytes:
    """An ICC profile (ICC.1:2010, section 7): header, table of tags, tags."""
    table, body, offset = b"", b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", offset + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    size = offset + len(body)
    header = struct.pack(">I4sI4s4s4s", size, bytes(4), version << 24, kind, space, pcs)
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header + bytes(128 - len(header)) + struct.pack(">I", len(tags)) + table + body


def description(text: bytes) -> bytes:
    return b"desc" + bytes(4) + struct.pack(">I", len(text) + 1) + text + bytes(79)


def display_p3_profile() -> bytes:
    """Display P3 with sRGB's own curve as a parametric one (type 3), as tablets write it."""

    def xyz(values: Sequence[float]) -> bytes:
        return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(v * 65536) for v in values))

    numbers = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0)
    curve += struct.pack(">5i", *(round(number * 65536) for number in numbers))
    tags = {
        b"desc": description(b"Display P3"),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": xyz((0.9642, 1.0, 0.8249)),
        **{name: xyz(values) for name, values in BRADFORD_P3.items()},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    return icc_profile(4, b"mntr", b"RGB ", b"XYZ ", tags)


def ink_profile() -> bytes:
    """A CMYK profile of a press with odd inks: a table of 2x2x2x2 colours (lut16), L*a*b* each.

    Cyan is green, and yellow is orange.
    """

    def lab(lightness: float, a: float, b: float) -> bytes:
        words = lightness * 652.8, (a + 128) * 256, (b + 128) * 256
        return struct.pack(">3H", *(round(word) for word in words))

    colours = b""
    for index in range(16):
        cyan, magenta, yellow, black = ((index >> bit) & 1 for bit in (3, 2, 1, 0))
        lightness = 100 - 30 * cyan - 25 * magenta - 15 * yellow
        a, b = -40 * cyan + 50 * magenta + 10 * yellow, 30 * cyan + 40 * yellow
        colours += lab(0, 0, 0) if black else lab(lightness, a, b)
    identity = struct.pack(">2H", 0, 65535)
    matrix = struct.pack(">9i", *(65536 if i % 4 == 0 else 0 for i in range(9)))
    lut = b"mft2" + bytes(4) + bytes((4, 3, 2, 0)) + matrix + struct.pack(">2H", 2, 2)
    lut += identity * 4 + colours + identity * 3
    tags = {
        b"desc": description(b"odd inks"),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061),
        b"A2B0": lut,
    }
    return icc_profile(2, b"prtr", b"CMYK", b"Lab ", tags)


def encoded_srgb(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped = np.clip(linear, 0, 1)
    curved = 1.055 * clipped ** (1 / 2.4) - 0.055
    return np.where(clipped <= 0.0031308, 12.92 * clipped, curved)


def srgb_of_p3(colour: tuple[int, int, int]) -> NDArray[np.float64]:
    encoded = np.array(colour) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return encoded_srgb(P3_TO_SRGB @ linear) * 255


def srgb_of_lab(lightness: float, a: float, b: float) -> NDArray[np.float64]:
    """CIE L*a*b* (D50) to sRGB by Bradford's adaptation."""
    fy = (lightness + 16) / 116
    f = np.array([fy + a / 500, fy, fy - b / 200])
    ratio = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    to_linear = np.array(
        [
            [3.1341359, -1.6173863, -0.4906619],
            [-0.9787955, 1.9162544, 0.0334427],
            [0.0719554, -0.2289768, 1.4053860],
        ]
    )
    return encoded_srgb(to_linear @ (ratio * (0.9642, 1.0, 0.8249))) * 255


def centre(path: Path) -> tuple[int, int, int]:
    image = read_picture(path).image
    pixel = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(pixel, tuple)
    return int(pixel[0]), int(pixel[1]), int(pixel[2])


def steps(path: Path) -> tuple[str, ...]:
    return read_picture(path).steps


@pytest.mark.parametrize(
    "colour", [(180, 140, 100), (30, 60, 90), (128, 128, 128), (250, 250, 250), (255, 0, 0)]
)
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_display_p3_becomes_the_same_colour_in_srgb(
    tmp_path: Path, colour: tuple[int, int, int], suffix: str
) -> None:
    path = tmp_path / f"p3.{suffix}"
    options = {"lossless": True} if suffix == "webp" else {"quality": 100, "subsampling": 0}
    Image.new("RGB", (32, 32), colour).save(path, icc_profile=display_p3_profile(), **options)
    assert np.abs(centre(path) - srgb_of_p3(colour)).max() <= (3 if suffix == "jpg" else 2)
    assert steps(path) == ("converted to sRGB",)


def test_an_srgb_profile_changes_nothing(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", (8, 8), (180, 140, 100)).save(tmp_path / "s.png", icc_profile=profile)
    assert np.abs(np.subtract(centre(tmp_path / "s.png"), (180, 140, 100))).max() <= 1


def test_a_broken_profile_is_taken_as_srgb(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), (180, 140, 100)).save(tmp_path / "b.png", icc_profile=b"nonsense")
    assert centre(tmp_path / "b.png") == (180, 140, 100)
    assert steps(tmp_path / "b.png") == ("profile unusable, taken as sRGB",)


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_without_a_profile(tmp_path: Path, suffix: str) -> None:
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / f"c.{suffix}")
    red, green, blue = centre(tmp_path / f"c.{suffix}")
    assert red > 230 and green < 25 and blue < 25
    assert steps(tmp_path / f"c.{suffix}") == ("CMYK without a profile",)


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
@pytest.mark.parametrize(
    ("inks", "lab"),
    [
        ((0, 0, 0, 0), (100, 0, 0)),
        ((255, 0, 0, 0), (70, -40, 30)),
        ((0, 255, 0, 0), (75, 50, 0)),
        ((0, 0, 255, 0), (85, 10, 40)),
        ((255, 0, 255, 0), (55, -30, 70)),
        ((0, 0, 0, 255), (0, 0, 0)),
    ],
)
def test_cmyk_by_its_profile(
    tmp_path: Path,
    suffix: str,
    inks: tuple[int, int, int, int],
    lab: tuple[float, float, float],
) -> None:
    path = tmp_path / f"c.{suffix}"
    options = {"quality": 100} if suffix == "jpg" else {}
    Image.new("CMYK", (16, 16), inks).save(path, icc_profile=ink_profile(), **options)
    if suffix == "jpg":
        # Adobe's programs, and Pillow, store ink upside down and say so by their marker
        assert b"Adobe" in path.read_bytes()[:4000]
    assert np.abs(centre(path) - srgb_of_lab(*lab)).max() <= 4
    assert steps(path) == ("converted to sRGB",)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation(tmp_path: Path, orientation: int, suffix: str) -> None:
    upright = np.zeros((32, 48, 3), np.uint8)
    upright[:16, :24] = (255, 0, 0)
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
    path = tmp_path / f"e.{suffix}"
    image = Image.fromarray(np.ascontiguousarray(stored))
    options = {"lossless": True} if suffix == "webp" else {"subsampling": 0}
    image.save(path, exif=exif, **options)
    picture = read_picture(path)
    assert np.abs(np.asarray(picture.image, int) - upright).max() <= 4
    assert picture.size_px == (48, 32)
    assert picture.steps == (() if orientation == 1 else ("rotated",))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_exif_data_that_cannot_be_read_does_not_hinder(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"e.{suffix}"
    Image.new("RGB", (20, 20), (80, 80, 80)).save(path, exif=b"Exif\0\0no data, surely")
    assert centre(path) == (80, 80, 80)


def deep_png(colour_type: int, words: tuple[int, ...], transparent: int | None = None) -> bytes:
    """4x4 pixels of 16 bits a channel (PNG, section 11): 0 grey, 2 RGB, 4 grey and 6 RGB alpha."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    rows = (b"\0" + struct.pack(f">{len(words)}H", *words) * 4) * 4
    text = b"\x89PNG\r\n\x1a\n"
    text += chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 16, colour_type, 0, 0, 0))
    if transparent is not None:
        text += chunk(b"tRNS", struct.pack(">H", transparent))
    return text + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def deep_tiff(photometric: int, words: tuple[int, ...], order: str) -> bytes:
    """4x4 pixels of 16 bits a channel. order: < or >."""
    pixels = struct.pack(f"{order}{16 * len(words)}H", *(words * 16))
    bits_at, entries = 8 + len(pixels), b""
    bits = struct.pack(f"{order}{len(words)}H", *([16] * len(words)))
    fields = [(256, 4), (257, 4), (259, 1), (262, photometric), (277, len(words)), (278, 4)]
    longs = [(273, 8), (279, len(pixels))]
    tags = {tag: (3, 1, struct.pack(f"{order}HH", value, 0)) for tag, value in fields}
    tags |= {tag: (4, 1, struct.pack(f"{order}I", value)) for tag, value in longs}
    packed = bits + bytes(2) if len(words) == 1 else struct.pack(f"{order}I", bits_at)
    tags[258] = (3, len(words), packed)
    for tag, (kind, count, value) in sorted(tags.items()):
        entries += struct.pack(f"{order}HHI", tag, kind, count) + value
    magic = b"II*\0" if order == "<" else b"MM\0*"
    directory = struct.pack(f"{order}H", len(tags)) + entries + bytes(4)
    return magic + struct.pack(f"{order}I", bits_at + len(bits)) + pixels + bits + directory


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (deep_png(0, (128 * 257,)), (128, 128, 128)),
        (deep_png(2, (64 * 257, 128 * 257, 65535)), (64, 128, 255)),
        (deep_png(6, (64 * 257, 128 * 257, 65535, 65535)), (64, 128, 255)),
        (deep_png(6, (64 * 257, 128 * 257, 65535, 0)), (255, 255, 255)),
        (deep_png(4, (64 * 257, 0)), (255, 255, 255)),
        (deep_png(0, (300,), transparent=300), (255, 255, 255)),
        (deep_png(0, (300,), transparent=301), (1, 1, 1)),
        (deep_tiff(1, (64 * 257,), "<"), (64, 64, 64)),
        (deep_tiff(1, (64 * 257,), ">"), (64, 64, 64)),
        (deep_tiff(0, (64 * 257,), "<"), (191, 191, 191)),
        (deep_tiff(2, (64 * 257, 128 * 257, 65535), "<"), (64, 128, 255)),
        (deep_tiff(2, (64 * 257, 128 * 257, 65535), ">"), (64, 128, 255)),
        (deep_tiff(5, (0, 65535, 65535, 0), "<"), (255, 0, 0)),
    ],
)
def test_sixteen_bits_are_scaled_and_not_clipped(
    tmp_path: Path, content: bytes, expected: tuple[int, int, int]
) -> None:
    (tmp_path / "deep").write_bytes(content)
    assert centre(tmp_path / "deep") == expected
    assert "reduced to 8 bits" in steps(tmp_path / "deep")


def test_floating_point_pixels_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), np.float32)).save(tmp_path / "f.tif")
    with pytest.raises(PictureError, match="floating-point"):
        read_picture(tmp_path / "f.tif")


def test_alpha_is_flattened_on_the_named_colour(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.new("RGBA", (8, 8), (200, 0, 0, 128)).save(tmp_path / "half.png")
    Image.new("LA", (8, 8), (90, 0)).save(tmp_path / "grey.png")
    clear = read_picture(tmp_path / "clear.png", (10, 20, 30))
    assert clear.image.getpixel((4, 4)) == (10, 20, 30) and clear.steps == ("alpha flattened",)
    assert centre(tmp_path / "half.png") == (227, 127, 127)
    assert centre(tmp_path / "grey.png") == (255, 255, 255)


@pytest.mark.parametrize("suffix", ["png", "gif", "tif", "bmp"])
def test_palettes(tmp_path: Path, suffix: str) -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    image.save(tmp_path / f"p.{suffix}")
    assert centre(tmp_path / f"p.{suffix}") == (200, 100, 50)


@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_a_transparent_palette_colour_is_flattened(tmp_path: Path, suffix: str) -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    image.save(tmp_path / f"p.{suffix}", transparency=1)
    picture = read_picture(tmp_path / f"p.{suffix}", (1, 2, 3))
    assert picture.image.getpixel((4, 4)) == (1, 2, 3)


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.apng", "pages.tif"])
def test_of_several_frames_or_pages_the_first_is_taken(tmp_path: Path, name: str) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("#c00000", "#00c000", "#0000c0")]
    kind = "PNG" if name.endswith("apng") else None
    frames[0].save(tmp_path / name, kind, save_all=True, append_images=frames[1:])
    assert np.abs(np.subtract(centre(tmp_path / name), (192, 0, 0))).max() <= 2
    assert steps(tmp_path / name) == ("first of several frames",)


def test_a_telephones_picture_with_a_preview_behind_it_is_one_picture(tmp_path: Path) -> None:
    picture, preview = Image.new("RGB", (64, 64), "#808080"), Image.new("RGB", (16, 16))
    picture.save(tmp_path / "phone.mpo", save_all=True, append_images=[preview])
    assert centre(tmp_path / "phone.mpo") == (128, 128, 128) and steps(tmp_path / "phone.mpo") == ()


@pytest.mark.parametrize("cut", [0, 10, 60, 200])
def test_truncated_files_are_a_picture_error(tmp_path: Path, cut: int) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    for suffix in ("png", "jpg", "tif", "webp", "gif"):
        whole = tmp_path / f"whole.{suffix}"
        Image.fromarray(noise).save(whole)
        part = tmp_path / f"part.{suffix}"
        part.write_bytes(whole.read_bytes()[:cut])
        with pytest.raises(PictureError):
            read_picture(part)


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "webp", "avif", "tif", "jp2", "bmp"])
def test_files_with_bytes_changed_at_random_never_end_the_verb(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    picture, chance = Image.fromarray(noise), random.Random(suffix)
    more = {"save_all": True, "append_images": [picture.rotate(9)]} if suffix == "gif" else {}
    picture.save(tmp_path / f"whole.{suffix}", **more)
    whole = (tmp_path / f"whole.{suffix}").read_bytes()
    found = set()
    for _ in range(60):
        content = bytearray(whole)
        for _ in range(chance.choice((1, 4, 16))):
            content[chance.randrange(min(len(content), 400))] = chance.randrange(256)
        (tmp_path / "changed").write_bytes(content)
        header = read_header(tmp_path / "changed")
        if header is None or refusal(header, RECIPE) is None:
            found.add(convert(tmp_path / "changed", RECIPE)[0].dropped)
    assert "broken" in found or suffix == "bmp"


def test_the_centre_square_is_kept(tmp_path: Path) -> None:
    pixels = np.zeros((40, 120, 3), np.uint8)
    pixels[:, 40:80] = (0, 200, 0)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    finding, png = convert(tmp_path / "wide.png", RECIPE)
    square = np.asarray(Image.open(io.BytesIO(png)))
    assert square.shape == (16, 16, 3) and (square == (0, 200, 0)).all()
    assert finding.size_px == (120, 40)


def photograph(width: int, height: int) -> Image.Image:
    """Smooth shapes and a grain."""
    x, y = np.meshgrid(np.linspace(0, 9, width), np.linspace(0, 7, height))
    waves = np.stack([np.sin(x * y), np.cos(x - y), np.sin(x * 3)], -1) * 90 + 128
    grain = np.random.default_rng(2).normal(0, 6, waves.shape)
    return Image.fromarray(np.clip(waves + grain, 0, 255).astype(np.uint8))


def test_a_large_jpeg_that_is_decoded_smaller_gives_the_same_square(tmp_path: Path) -> None:
    photograph(1500, 1000).save(tmp_path / "large.jpg", quality=92)
    smaller = read_picture(tmp_path / "large.jpg", enough_px=256)
    assert smaller.image.size == (750, 500) and smaller.size_px == (1500, 1000)
    _, png = convert(tmp_path / "large.jpg", Recipe(128, 20, (255, 255, 255)))
    square = np.asarray(Image.open(io.BytesIO(png)), np.float64)
    whole = read_picture(tmp_path / "large.jpg").image.crop((250, 0, 1250, 1000))
    exact = np.asarray(whole.resize((128, 128), Image.Resampling.LANCZOS), np.float64)
    assert 10 * np.log10(255**2 / ((square - exact) ** 2).mean()) > 50


def test_a_picture_with_more_pixels_than_memory_is_refused_by_its_header(tmp_path: Path) -> None:
    grey = Image.new("L", (20000, 20000))
    grey.save(tmp_path / "vast.jpg", quality=1)
    assert read_header(tmp_path / "vast.jpg") is None
    finding, _ = convert(tmp_path / "vast.jpg", RECIPE)
    assert finding.dropped == "broken" and "too large to open" in finding.detail


def test_memory_is_reckoned_by_what_decoding_takes(tmp_path: Path) -> None:
    Image.new("RGB", (100, 50)).save(tmp_path / "a.png")
    Image.new("RGBA", (100, 50)).save(tmp_path / "b.png")
    plain, clear = read_header(tmp_path / "a.png"), read_header(tmp_path / "b.png")
    assert plain is not None and clear is not None
    assert plain.size_px == (100, 50) and plain.bytes_to_read < clear.bytes_to_read
    refused = refusal(Header((9000, 12000), MOST_BYTES + 1), RECIPE)
    assert refused is not None and refused.dropped == "too large"
    assert "9000x12000 pixels, which would take 1.6 GB" in refused.detail
