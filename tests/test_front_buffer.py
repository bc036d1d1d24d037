"""The front buffer's file: what was shown last, whole, or a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from player.wall.front_buffer import (
    FrontBuffer,
    FrontBufferError,
    FrontBufferReader,
    read_front_buffer,
)
from player.wall.headless_wall import HeadlessWall
from player.wall.shots import Layer, Shot


def test_what_was_shown_last_is_read(tmp_path: Path) -> None:
    path = tmp_path / "front"
    front = FrontBuffer(path, 2, (3, 4))
    assert not read_front_buffer(path).any()
    for value in (7, 9):
        front.show([np.full((4, 3, 3), value + n, np.uint8) for n in range(2)])
    seen = read_front_buffer(path)
    assert seen.shape == (2, 4, 3, 3) and (seen[0] == 9).all() and (seen[1] == 10).all()


def test_a_picture_in_the_making_is_never_read(tmp_path: Path) -> None:
    path = tmp_path / "front"
    front = FrontBuffer(path, 1, (3, 4))
    front._head[4] += 1  # as in the middle of `show`
    with pytest.raises(FrontBufferError, match="changes faster"):
        read_front_buffer(path, attempts=3)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FrontBufferError, match="no front buffer at"):
        read_front_buffer(tmp_path / "absent")
    (tmp_path / "other").write_bytes(b"x" * 1000)
    with pytest.raises(FrontBufferError, match="is no front buffer"):
        read_front_buffer(tmp_path / "other")
    with pytest.raises(FrontBufferError, match="cannot be made"):
        FrontBuffer(tmp_path / "nowhere" / "front", 1, (3, 4))


def test_a_headless_wall_shows_itself(tmp_path: Path) -> None:
    wall = HeadlessWall(2, (16, 16), front=tmp_path / "front")
    pixels = np.full((2, 8, 8, 4), 255, np.uint8)
    pixels[0, ..., :3], pixels[1, ..., :3] = 40, (1, 2, 200)
    wall.upload("live", pixels)
    wall.draw([Shot((Layer("live", n, 1.0),), 1.0, "stretch") for n in (1, 0)])
    assert not read_front_buffer(tmp_path / "front").any(), "nothing is shown before present"
    wall.present()
    seen = read_front_buffer(tmp_path / "front")
    assert (seen[0] == (1, 2, 200)).all() and (seen[1] == 40).all()
    assert all((wall.read(n) == seen[n]).all() for n in range(2))
    wall.close()


def shown(front: FrontBuffer, value: int) -> None:
    front.show([np.full((8, 8, 3), value + n, np.uint8) for n in range(2)])


def test_a_watcher_sees_each_present_once_and_the_player_that_follows(tmp_path: Path) -> None:
    path = tmp_path / "front"
    reader = FrontBufferReader(path, 4)
    assert reader.poll() is None, "nobody plays yet"
    front = FrontBuffer(path, 2, (8, 8))
    assert reader.poll() is None, "nothing is shown yet"
    shown(front, 50)
    seen = reader.poll()
    assert seen is not None and (seen.file, seen.sequence) == (1, 1)
    assert seen.pixels.shape == (2, 2, 2, 3) and (seen.pixels[1] == 51).all()
    assert reader.poll() is None
    shown(front, 60)
    shown(front, 70)
    seen = reader.poll()
    assert seen is not None and seen.sequence == 3, "how many were missed can be told"
    path.unlink()
    assert reader.poll() is None
    shown(FrontBuffer(path, 2, (8, 8)), 80)
    seen = reader.poll()
    assert seen is not None and (seen.file, seen.sequence) == (2, 1)
    assert (seen.pixels[0] == 80).all()


def test_a_watcher_reads_the_middle_of_each_block(tmp_path: Path) -> None:
    front = FrontBuffer(tmp_path / "front", 1, (8, 8))
    rows = np.arange(8, dtype=np.uint8)[:, None, None] * np.ones((1, 8, 3), np.uint8)
    front.show([rows])
    seen = FrontBufferReader(tmp_path / "front", 4).poll()
    assert seen is not None and seen.pixels[0, :, 0, 0].tolist() == [2, 6]


def test_a_watcher_takes_nothing_unfinished_or_strange(tmp_path: Path) -> None:
    path = tmp_path / "front"
    reader = FrontBufferReader(path)
    front = FrontBuffer(path, 2, (8, 8))
    shown(front, 50)
    front._head[4] += 1  # as in the middle of `show`, or for ever if the player was killed there
    assert reader.poll() is None
    for strange in (b"", b"short", b"x" * 500):
        path.unlink()
        path.write_bytes(strange)
        assert reader.poll() is None
    path.unlink()
    front = FrontBuffer(path, 2, (8, 8))
    front._head[1] = 3  # claims more than the file holds
    shown(front, 50)
    assert reader.poll() is None
