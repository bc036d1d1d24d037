"""What windows show, in a front buffer; and a front buffer that cannot be."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from player.wall.front_buffer import FrontBuffer, FrontBufferError, FrontBufferReader
from player.wall.front_views import USUAL_AREA_PX, front_size
from tests.installation_process import Installation
from tests.virtual_desktop import on_virtual_desktop
from tests.wall_on_desktop import COLOURS, CORNER


@pytest.mark.parametrize("size_px", [(1920, 1080), (1080, 1920), (257, 255), (3840, 720), (1, 1)])
def test_a_view_has_the_screens_shape_and_even_sides(size_px: tuple[int, int]) -> None:
    width, height = front_size(size_px)
    assert width % 2 == height % 2 == 0 and 0 < width * height <= USUAL_AREA_PX
    assert width / height == pytest.approx(size_px[0] / size_px[1], rel=0.02)


def test_some_screens_alone_are_read(tmp_path: Path) -> None:
    front = FrontBuffer(tmp_path / "front", 3, (4, 2))
    reader = FrontBufferReader(tmp_path / "front", places=[2, 0])
    front.show([np.full((2, 4, 3), 10 * n, np.uint8) for n in range(3)])
    seen = reader.poll()
    assert seen is not None and seen.pixels[:, 0, 0, 0].tolist() == [20, 0]
    front.show([np.full((2, 4, 3), 50, np.uint8)] * 3)
    assert seen.pixels[:, 0, 0, 0].tolist() == [20, 0], "what was read stays"
    with pytest.raises(FrontBufferError, match="has 3 screens: there is no screen 4"):
        FrontBufferReader(tmp_path / "front", places=[0, 3]).poll()


def test_others_may_only_read_and_the_end_takes_the_file_away(tmp_path: Path) -> None:
    path = tmp_path / "front"
    front = FrontBuffer(path, 1, (4, 2))
    assert os.stat(path).st_mode & 0o022 == 0
    front.close()
    front.close()
    assert not path.exists()


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system takes no room ahead")
def test_where_there_is_no_room_it_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FrontBufferError, match="cannot be made"):
        FrontBuffer(tmp_path / "front", 1_000_000, (19200, 10800))


@pytest.mark.slow
def test_the_show_goes_on_without_a_front_buffer(tmp_path: Path) -> None:
    words = ("--mode", "slate", "--outputs", "headless", "--frames", 5)
    with Installation(*words, "--front-buffer", tmp_path / "absent" / "front") as run:
        run.said("front buffer .* cannot be made.*The show goes on without it")
        assert run.ended() == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["windows", "span"])
def test_windows_are_seen_upright_and_as_bright_as_the_show(tmp_path: Path, kind: str) -> None:
    told = on_virtual_desktop("tests.front_on_desktop", kind, tmp_path / "front")
    seen = json.loads(told.splitlines()[-1])
    assert seen["is_black"], "it is one tick behind"
    black = [0, 0, 0]
    assert seen["middles"] == [black if n == 5 else list(c) for n, c in enumerate(COLOURS)]
    assert seen["corners"] == [black if n == 5 else list(CORNER) for n in range(len(COLOURS))]
    assert seen["card"] == list(COLOURS[0])
    assert seen["shape"] == [7, 120, 160, 3] and seen["is_gone"]
