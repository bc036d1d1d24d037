"""When a worker is given up, in a table of looks; no process is involved."""

from __future__ import annotations

import pytest

from player.live.ring_layout import WorkerFacts, WorkerState
from player.live.worker_watch import Limits, Watch, complaint, look, pause_ns

MS = 1_000_000
TICK = 33 * MS
LIMITS = Limits()


def facts(state: WorkerState, heartbeat: int = 0, usual_ns: int = 10 * MS) -> WorkerFacts:
    return WorkerFacts(state, heartbeat, pictures=0, render_ns=0, usual_ns=usual_ns)


def after(ticks: int, seen: WorkerFacts, *, beating: bool, tick_ns: int = TICK) -> Watch:
    watch = Watch(0)
    for tick in range(1, ticks + 1):
        now = WorkerFacts(seen.state, tick if beating else 0, 0, 0, seen.usual_ns)
        watch = look(watch, tick * tick_ns, now)
    return watch


@pytest.mark.parametrize(
    ("ticks", "state", "beating", "usual_ms", "given_up"),
    [
        (9, WorkerState.READY, False, 10, False),
        (10, WorkerState.READY, False, 10, True),
        (10, WorkerState.FAILED, False, 10, True),
        (1000, WorkerState.READY, True, 10, False),
        (100, WorkerState.READY, False, 1000, False),  # 3.3 s; it usually takes 1 s a render
        (130, WorkerState.READY, False, 1000, True),
        (9000, WorkerState.STARTING, False, 0, False),
        (9100, WorkerState.STARTING, False, 0, True),
        (9100, WorkerState.CREATED, False, 0, True),
    ],
)
def test_given_up(
    ticks: int, state: WorkerState, beating: bool, usual_ms: int, given_up: bool
) -> None:
    seen = facts(state, usual_ns=usual_ms * MS)
    watch = after(ticks, seen, beating=beating)
    assert (complaint(watch, seen, LIMITS) is not None) == given_up


def test_a_player_that_was_held_up_does_not_blame_its_worker() -> None:
    seen = facts(WorkerState.READY, heartbeat=1)
    watch = look(look(Watch(0), TICK, seen), TICK + 3_600_000 * MS, seen)
    assert complaint(watch, seen, LIMITS) is None
    slow_player = after(4, facts(WorkerState.READY), beating=False, tick_ns=200 * MS)
    assert complaint(slow_player, seen, LIMITS) is not None


def test_pauses_double_to_thirty_seconds() -> None:
    pauses = [pause_ns(failures, LIMITS) / 1e9 for failures in (1, 2, 3, 7, 8, 9, 10_000)]
    assert pauses == [0.25, 0.5, 1.0, 16.0, 30.0, 30.0, 30.0]
