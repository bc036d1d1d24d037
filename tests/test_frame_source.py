"""One contract for every source of pictures by frame: the fake of the tests, and the real one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from player.clock import HouseClock
from player.frame_source import FrameSource, Pictures
from player.live.ring_layout import Geometry
from player.live.synthesized_source import SynthesizedSource
from player.live.worker_watch import Limits
from tests.loop_fakes import FakeSource
from tests.tick_helpers import wait_for

SCREENS = 3


@pytest.fixture(params=["fake", "synthesized"])
def source(request: pytest.FixtureRequest) -> Iterator[FrameSource]:
    opened: FrameSource
    if request.param == "fake":
        opened = FakeSource(SCREENS, delay_ticks=3)
    else:
        opened = SynthesizedSource(
            Geometry(screens=SCREENS, num_ws=2, w_dim=4, height_px=8, width_px=8),
            factory="tests.fake_engine:open_engine",
            limits=Limits(hung_ns=5_000_000_000),
        )
    opened.start()
    yield opened
    opened.close()
    opened.close()


def latents(frame: int) -> list[NDArray[np.float32]]:
    return [np.full((2, 4), 10 * screen + frame, np.float32) for screen in range(SCREENS)]


def arrived(source: FrameSource, frame: int) -> Pictures:
    """That frame's pictures, once they are there."""
    clock = HouseClock()

    def is_there() -> bool:
        source.tend(clock.now_ns())
        pictures = source.pictures(frame)
        return pictures is not None and pictures.frame == frame

    assert wait_for(is_there, seconds=10)
    pictures = source.pictures(frame)
    assert pictures is not None
    return pictures


def test_a_source_of_frames(source: FrameSource) -> None:
    assert source.name
    assert source.status().state in ("starting", "ready")
    assert source.pictures(0) is None
    for frame in range(5):
        source.request(frame, latents(frame))
    serials = []
    for frame in range(5):
        pictures = arrived(source, frame)
        assert pictures.frame == frame
        assert pictures.pixels.ndim == 4 and pictures.pixels.shape[3] == 4
        assert pictures.pixels.dtype == np.uint8
        assert len(pictures.picture_of_screen) == SCREENS
        assert max(pictures.picture_of_screen) < len(pictures.pixels)
        again = source.pictures(frame)
        assert again is not None and again.serial == pictures.serial
        serials.append(pictures.serial)
    assert len(set(serials)) == 5, "new pixels, new serial"
    older = source.pictures(1000)
    assert older is not None and older.frame == 4, "the newest there is"
    assert older.serial == serials[-1]
    status = source.status()
    assert status.state == "ready" and status.detail and status.engine
    assert status.engine_ms_per_picture > 0 and status.restarts == 0
