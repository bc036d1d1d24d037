"""What the worker does around its engine, without a process."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from player.clock import HouseClock
from player.live.early_trial import MOST_REQUESTS, EarlyTrials
from player.live.frame_ring import PlayerRing, WorkerRing
from player.live.poison import PoisonedOutputError
from player.live.ring_layout import Geometry, Request
from player.live.shared_segment import segment_name
from player.live.synthesis_worker import WorkerError, refuse_misfit, serve, warm_up
from tests.fake_engine import FakeEngine, FakeTrial

GEOMETRY = Geometry(screens=3, num_ws=2, w_dim=4, height_px=8, width_px=8)


@pytest.fixture
def sides() -> Iterator[tuple[PlayerRing, WorkerRing]]:
    player = PlayerRing.create(segment_name(7), GEOMETRY, 7, playhead=0)
    worker = WorkerRing.attach(player.name, GEOMETRY, 7)
    yield player, worker
    worker.close()
    player.close()


class Frugal(FakeEngine):
    """Says that a picture takes it a second."""

    ms_per_picture = 1000.0


def test_the_first_usual_time_is_of_all_pictures(sides: tuple[PlayerRing, WorkerRing]) -> None:
    player, worker = sides
    warm_up(worker, Frugal(), HouseClock())
    assert player.facts().usual_ns == 3_000_000_000
    assert player.facts().pictures == 0


class Ends(threading.Event):
    """Set as soon as the worker would wait for a request."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return True


class Flat(FakeEngine):
    """One colour all over."""

    def render(self, ws: NDArray[np.float32], out: NDArray[np.uint8]) -> None:
        out[:] = 0


def test_a_poisoned_picture_is_not_published(sides: tuple[PlayerRing, WorkerRing]) -> None:
    player, worker = sides
    player.post(Request(1, 0, np.zeros((1, 2, 4), np.float32), (0, 0, 0)))
    with pytest.raises(PoisonedOutputError):
        serve(worker, Flat(), HouseClock(), Ends())
    into = np.empty(GEOMETRY.pixels_shape, np.uint8)
    assert player.read(0, (-1, 0), into) is None and player.facts().pictures == 0
    player.post(Request(2, 0, np.zeros((1, 2, 4), np.float32), (0, 0, 0)))
    serve(worker, Flat(), HouseClock(), Ends(), checks=False)
    assert player.read(0, (-1, 0), into) is not None


@pytest.mark.parametrize(
    ("name", "value"), [("num_ws", 3), ("w_dim", 512), ("width", 16), ("height", 4)]
)
def test_an_engine_that_does_not_fit_is_refused(name: str, value: int) -> None:
    engine = FakeEngine()
    refuse_misfit(engine, GEOMETRY)
    setattr(engine, name, value)
    with pytest.raises(WorkerError, match=str(value)):
        refuse_misfit(engine, GEOMETRY)


class Rests:
    """An engine whose trial counts."""

    def __init__(self) -> None:
        self.trial = FakeTrial()

    def early_stop_trial(self) -> FakeTrial:
        return self.trial


WS = np.zeros((3, 2, 4), np.float32)


def test_a_trial_takes_one_step_after_a_request_and_ends() -> None:
    trials = EarlyTrials(Rests())
    assert trials.step() == (False, None), "not before the first picture"
    trials.request_made(WS)
    assert [trials.step(), trials.step()] == [(True, None), (False, None)]
    trials.request_made(WS)
    assert trials.step() == (True, (4,))
    for _ in range(2 * MOST_REQUESTS):
        trials.request_made(WS)
    assert not trials.must_step and trials.step() == (False, None)


def test_an_engine_that_never_rests_is_tried_now_and_then() -> None:
    trials = EarlyTrials(Rests())
    for _ in range(MOST_REQUESTS - 1):
        trials.request_made(WS)
    assert not trials.must_step
    trials.request_made(WS)
    assert trials.must_step and trials.step() == (True, None) and not trials.must_step


def test_an_engine_without_a_trial_is_left_alone() -> None:
    trials = EarlyTrials(FakeEngine())
    for _ in range(2 * MOST_REQUESTS):
        trials.request_made(WS)
    assert not trials.must_step and trials.step() == (False, None)
