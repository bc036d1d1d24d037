"""Stills of paintings: upright, square, opaque sRGB; and cards for what cannot be read."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from player.slate_source import (
    SlateSource,
    ballad_colour,
    gradient_card,
    read_painting,
)
from shows.schema import Painting
from tests.tick_helpers import wait_for
from tests.tiny_show import make_tiny_show


def painting(**more: object) -> Painting:
    return Painting.model_validate(
        {"id": "p", "line": "Line.", "file": "p.png", **more}, strict=False
    )


def test_screens_get_their_paintings_and_a_steady_serial(tmp_path: Path) -> None:
    show = make_tiny_show(tmp_path, screens=3, ballads=2, paintings=2)
    source = SlateSource(show, 16)
    source.start()
    first, other = ("ballad-1", 0), ("ballad-2", 1)
    shown = source.pictures_for((first, other, first), frame=12)
    assert shown.frame == 12 and shown.picture_of_screen == (0, 1, 0)
    assert shown.pixels.shape == (2, 16, 16, 4) and shown.pixels.dtype == np.uint8
    with Image.open(show.painting_path(*other)) as file:
        assert tuple(shown.pixels[1, 5, 5]) == (*file.getpixel((5, 5)), 255)
    again = source.pictures_for((first, first, other), frame=13)
    assert again.serial == shown.serial and again.picture_of_screen == (0, 0, 1)
    assert source.pictures_for((other,) * 3).serial == shown.serial + 1
    assert source.faults == () and source.status().state == "ready"


def test_the_rest_of_the_paintings_is_read_behind(tmp_path: Path) -> None:
    show = make_tiny_show(tmp_path, ballads=2, paintings=2)
    source = SlateSource(show, 8)
    source.start([("ballad-2", 0)])
    assert wait_for(lambda: len(source._stills) == 4)
    source.close()


@pytest.mark.parametrize("broken", [None, b"", b"\x89PNG\r\n\x1a\nrubbish", b"no picture"])
def test_a_broken_painting_becomes_a_named_card(tmp_path: Path, broken: bytes | None) -> None:
    show = make_tiny_show(tmp_path, ballads=1, paintings=2)
    path = show.painting_path("ballad-1", 1)
    path.unlink()
    if broken is not None:
        path.write_bytes(broken)
    source = SlateSource(show, 8)
    source.start()
    pixels = source.pictures_for((("ballad-1", 1),) * 7).pixels
    top = ballad_colour("ballad-1", show.ballad("ballad-1").colour)
    assert tuple(pixels[0, 0, 0]) == (*top, 255)
    assert pixels[0, :, :, :3].max() > 0, "never black"
    assert len(source.faults) == 1
    assert source.faults[0].startswith("Painting 2 of ballad-1 cannot be shown")
    assert "Painting 2" in source.status().detail


def test_an_unknown_painting_is_a_card_too(tmp_path: Path) -> None:
    source = SlateSource(make_tiny_show(tmp_path, ballads=1, paintings=1), 8)
    assert source.pictures_for((("nobody", 9),)).pixels.shape == (1, 8, 8, 4)
    assert len(source.faults) == 1


def test_alpha_is_flattened_on_the_background(tmp_path: Path) -> None:
    image = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 4, 8))
    image.save(tmp_path / "p.png")
    on_green = read_painting(tmp_path / "p.png", painting(background="#00ff00"), 8)
    assert tuple(on_green[4, 0]) == (0, 0, 255, 255)
    assert tuple(on_green[4, 7]) == (0, 255, 0, 255)
    on_white = read_painting(tmp_path / "p.png", painting(), 8)
    assert tuple(on_white[4, 7]) == (255, 255, 255, 255)


def test_exif_rotation_comes_before_the_crop(tmp_path: Path) -> None:
    image = Image.new("RGB", (16, 8), (0, 0, 0))
    image.paste((255, 0, 0), (0, 0, 8, 8))  # left half red
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise: the left comes to the top
    image.save(tmp_path / "p.png", exif=exif)
    top = read_painting(tmp_path / "p.png", painting(crop=(0, 0, 8, 8)), 4)
    bottom = read_painting(tmp_path / "p.png", painting(crop=(0, 8, 8, 8)), 4)
    assert (top[..., 0] == 255).all() and (bottom[..., 0] == 0).all()


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("L", 128, (128, 128, 128)),
        ("LA", (128, 255), (128, 128, 128)),
        ("P", 0, (0, 0, 0)),
        ("1", 1, (255, 255, 255)),
        ("I;16", 128 << 8, (128, 128, 128)),
    ],
)
def test_every_mode_becomes_opaque_rgb(
    tmp_path: Path, mode: str, colour: object, expected: tuple[int, int, int]
) -> None:
    Image.new(mode, (6, 6), colour).save(tmp_path / "p.png")
    still = read_painting(tmp_path / "p.png", painting(), 4)
    assert still.shape == (4, 4, 4) and (still[..., :3] == expected).all()
    assert (still[..., 3] == 255).all()


def test_a_colour_profile_is_converted_and_a_false_one_ignored(tmp_path: Path) -> None:
    lab = Image.new("LAB", (4, 4), (128, 128, 128))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    buffer = io.BytesIO()
    lab.save(buffer, "TIFF", icc_profile=profile)
    (tmp_path / "lab.tif").write_bytes(buffer.getvalue())
    grey = read_painting(tmp_path / "lab.tif", painting(), 4)
    assert np.ptp(grey[..., :3].astype(int)) <= 3 and 100 < grey[0, 0, 0] < 140
    Image.new("RGB", (4, 4), (10, 20, 30)).save(tmp_path / "p.png", icc_profile=b"rubbish")
    assert tuple(read_painting(tmp_path / "p.png", painting(), 4)[0, 0]) == (10, 20, 30, 255)


def test_cards_follow_from_the_id() -> None:
    assert ballad_colour("twa-corbies", "#102030") == (16, 32, 48)
    assert ballad_colour("twa-corbies", None) == ballad_colour("twa-corbies", None)
    assert max(ballad_colour("twa-corbies", None)) > 100
    card = gradient_card((90, 60, 30), 5)
    assert tuple(card[0, 0]) == (90, 60, 30, 255) and tuple(card[4, 4]) == (30, 20, 10, 255)
