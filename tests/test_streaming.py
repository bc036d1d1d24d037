"""Pictures get into textures whole on either way, and the faster way is kept."""

from __future__ import annotations

from collections.abc import Iterator

import moderngl
import numpy as np
import pytest

from player.wall.renderer import standalone_context
from player.wall.streaming import LEAST_TIMED_BYTES, TRIALS, Streaming


class SetClock:
    """Reads what it is told, one reading after the other."""

    def __init__(self, readings_ns: list[int]) -> None:
        self._readings = iter(readings_ns)

    def now_ns(self) -> int:
        return next(self._readings)

    def wait_until_ns(self, deadline_ns: int) -> None:
        raise AssertionError("nothing waits here")


@pytest.fixture
def context() -> Iterator[moderngl.Context]:
    context = standalone_context()
    with context:
        yield context
    context.release()


def pictures(side_px: int, count: int = 2) -> list[np.ndarray]:
    rng = np.random.default_rng(side_px)
    return [rng.integers(0, 256, (side_px, side_px, 4), np.uint8) for _ in range(count)]


@pytest.mark.parametrize(("straight_ns", "buffered_ns"), [(10, 90), (90, 10)])
def test_the_faster_way_is_kept_and_both_are_whole(
    context: moderngl.Context, straight_ns: int, buffered_ns: int
) -> None:
    durations = [straight_ns] * TRIALS + [buffered_ns] * TRIALS
    readings = [reading for ns in durations for reading in (0, ns)]
    streaming = Streaming(context, SetClock(readings))
    wanted = pictures(128)
    textures = [context.texture((128, 128), 4) for _ in wanted]
    for _ in range(2):  # the second time nothing is timed: the clock has no more readings
        streaming.write(textures, wanted)
        wanted_now = [texture.read() for texture in textures]
        assert wanted_now == [picture.tobytes() for picture in wanted]
        wanted = pictures(128)[::-1]
    faster = "straight" if straight_ns < buffered_ns else "buffered"
    assert streaming.ways == {128 * 128 * 4: faster}
    streaming.release()


def test_small_pictures_go_straight(context: moderngl.Context) -> None:
    streaming = Streaming(context, SetClock([]))
    (small,) = pictures(16, 1)
    assert small.nbytes < LEAST_TIMED_BYTES
    texture = context.texture((16, 16), 4)
    streaming.write([texture], [small])
    assert texture.read() == small.tobytes() and streaming.ways == {}


def test_a_picture_may_change_as_soon_as_it_was_written(context: moderngl.Context) -> None:
    streaming = Streaming(context, SetClock([n for _ in range(2 * TRIALS) for n in (0, 1)]))
    streaming._ways[128 * 128 * 4] = "buffered"
    (picture,) = pictures(128, 1)
    texture = context.texture((128, 128), 4)
    before = picture.tobytes()
    streaming.write([texture], [picture])
    picture[:] = 0
    assert texture.read() == before
