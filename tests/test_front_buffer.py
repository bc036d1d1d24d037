"""The front buffer's file: what was shown last, whole, or a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from player.wall.front_buffer import FrontBuffer, FrontBufferError, read_front_buffer
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
