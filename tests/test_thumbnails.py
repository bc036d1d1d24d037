"""The thumbnails: what the screens show, small, in a file that is never read half written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from player.wall.calibration import ScreenCalibration
from player.wall.contract import Wall
from player.wall.headless_wall import HeadlessWall
from player.wall.shots import Layer, Overlay, Shot
from player.wall.small_views import AREA_PX, small_size
from player.wall.thumbnails import (
    SHARE,
    ThumbnailFile,
    ThumbnailReader,
    Thumbnails,
    ThumbnailsError,
)
from tests.virtual_desktop import on_virtual_desktop
from tests.wall_on_desktop import COLOURS

Pixels = np.ndarray


def picture(value: int, size_px: tuple[int, int] = (6, 4)) -> Pixels:
    width, height = size_px
    return np.full((height, width, 4), value, np.uint8)


@pytest.mark.parametrize("size_px", [(1920, 1080), (1080, 1920), (256, 256), (8, 4), (7680, 1080)])
def test_a_small_view_has_the_screens_shape_and_fits_its_slot(size_px: tuple[int, int]) -> None:
    width, height = small_size(size_px)
    assert 0 < width * height <= AREA_PX and width <= size_px[0] and height <= size_px[1]
    assert width / height == pytest.approx(size_px[0] / size_px[1], rel=0.05)


def test_only_what_changed_is_read(tmp_path: Path) -> None:
    path = tmp_path / "thumbnails"
    reader = ThumbnailReader(path)
    assert reader.poll() == {}
    file = ThumbnailFile(path, 3)
    assert reader.poll() == {}
    file.write(0, picture(7))
    file.write(2, picture(9, (4, 6)))
    seen = reader.poll()
    assert sorted(seen) == [0, 2] and seen[2].shape == (6, 4, 4) and (seen[2] == 9).all()
    file.write(0, picture(7))
    assert reader.poll() == {}
    file.write(0, picture(8))
    assert (reader.poll()[0] == 8).all()
    file.close()
    assert not path.exists()


def test_a_picture_in_the_making_is_not_read(tmp_path: Path) -> None:
    file = ThumbnailFile(tmp_path / "thumbnails", 1)
    reader = ThumbnailReader(tmp_path / "thumbnails")
    file.write(0, picture(7))
    file._heads[0][0] += 1  # as in the middle of `write`
    file._heads[0][1] += 1
    file._heads[0][0] += 1
    assert reader.poll() == {}
    file._heads[0][1] += 1
    assert (reader.poll()[0] == 7).all()


def test_another_player_is_followed_and_others_may_only_read(tmp_path: Path) -> None:
    path = tmp_path / "thumbnails"
    reader = ThumbnailReader(path)
    ThumbnailFile(path, 1).write(0, picture(1))
    assert (reader.poll()[0] == 1).all()
    ThumbnailFile(path, 2).write(1, picture(2))
    assert list(reader.poll()) == [1]
    assert os.stat(path).st_mode & 0o022 == 0


def test_what_is_no_such_file_shows_nothing(tmp_path: Path) -> None:
    path = tmp_path / "thumbnails"
    for content in (b"", b"x" * 10, bytes(64), b"\xff" * 200):
        path.write_bytes(content)
        assert ThumbnailReader(path).poll() == {}
    with pytest.raises(ThumbnailsError, match="--thumbnails"):
        ThumbnailFile(tmp_path / "absent" / "thumbnails", 1)


class DearWall:
    """A view takes 0.7 ms on the clock that the wall has."""

    is_software = True

    def __init__(self) -> None:
        self.now_ns = 0
        self.begun: list[int] = []
        self.taken = 0

    def begin_small(self, screen: int) -> None:
        self.now_ns += 700_000
        self.begun.append(screen)

    def take_small(self) -> list[tuple[int, Pixels]]:
        fresh = self.begun[self.taken :]
        self.taken = len(self.begun)
        return [(screen, picture(self.taken % 256)) for screen in fresh]


def test_dear_views_are_made_in_turn_and_never_beyond_the_share(tmp_path: Path) -> None:
    wall = DearWall()
    thumbnails = Thumbnails(
        cast(Wall, wall), tmp_path / "thumbnails", tuple(range(7)), 7, 30.0, lambda: wall.now_ns
    )
    frames = 3000
    for _ in range(frames):
        thumbnails.presented(None)
    share = wall.now_ns / (frames / 30 * 1e9)
    assert 0.9 * SHARE < share < 1.01 * SHARE
    assert wall.begun == [place % 7 for place in range(len(wall.begun))] and wall.taken
    assert thumbnails.looks == len(wall.begun)
    thumbnails.close()


@pytest.mark.parametrize("size_px", [(64, 36), (1600, 900)])
def test_the_screens_are_seen(tmp_path: Path, size_px: tuple[int, int]) -> None:
    """The first is read as it is, the second drawn small."""
    wall = HeadlessWall(3, size_px)
    reader = ThumbnailReader(tmp_path / "thumbnails")
    try:
        thumbnails = Thumbnails(wall, tmp_path / "thumbnails", (4, 2, 0), 5, 30.0)
        pixels = np.zeros((3, 16, 16, 4), np.uint8)
        pixels[..., 0] = np.array([40, 120, 220])[:, None, None]
        wall.upload("test", pixels)
        wall.draw([Shot((Layer("test", place, 1.0),), 1.0, "cover") for place in range(3)])
        wall.present()
        for _ in range(6):
            thumbnails.presented(None)
        seen = reader.poll()
        assert sorted(seen) == [0, 2, 4]
        for screen, value in ((4, 40), (2, 120), (0, 220)):
            height, width = seen[screen].shape[:2]
            assert width / height == pytest.approx(16 / 9, rel=0.05)
            assert abs(int(seen[screen][height // 2, width // 2, 0]) - value) <= 1
        thumbnails.close()
    finally:
        wall.close()


def test_a_turned_screen_stands_upright_and_its_overlay_with_it(tmp_path: Path) -> None:
    wall = HeadlessWall(1, (640, 360))
    try:
        wall.set_calibration(0, ScreenCalibration(rotation=90))
        pixels = np.zeros((1, 16, 16, 4), np.uint8)
        pixels[:, :8] = 200  # the upper half is light
        wall.upload("test", pixels)
        wall.upload("card", np.full((1, 2, 2, 4), 255, np.uint8))
        overlay = Overlay("card", 0, (0, 600, 360, 40))
        wall.draw([Shot((Layer("test", 0, 1.0),), 1.0, "stretch", (overlay,))])
        wall.present()
        wall.begin_small(0)
        ((screen, seen),) = wall.take_small()
        height, width = seen.shape[:2]
        assert screen == 0 and height > width
        assert seen[height // 4, width // 2, 0] > 190 and seen[3 * height // 4, 0, 0] < 10
        assert (seen[-2, :, :3] == 255).all()
    finally:
        wall.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["windows", "span"])
def test_windows_are_seen_too(tmp_path: Path, kind: str) -> None:
    told = on_virtual_desktop("tests.thumbnails_on_desktop", kind, tmp_path / "thumbnails")
    seen = json.loads(told.splitlines()[-1])
    assert seen["middles"] == [list(colour) for colour in COLOURS]
    assert all(width > height for height, width in seen["sizes"])
