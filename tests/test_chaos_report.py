"""The order of faults, the slope of the memory, and which figures fail a run."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.chaos.faults import Fault, pause_s, planned
from player.chaos.report import judged, table, worst
from player.chaos.trend import Measurement, slope


@given(
    kills=st.integers(0, 60),
    hangs=st.integers(0, 20),
    players=st.integers(0, 30),
    changes=st.integers(0, 5),
    seed=st.integers(0, 99),
)
def test_every_fault_is_planned_and_the_last_player_lives_long(
    kills: int, hangs: int, players: int, changes: int, seed: int
) -> None:
    plan = planned(kills, hangs, players, changes, seed)
    assert plan == planned(kills, hangs, players, changes, seed)
    assert [plan.count(kind) for kind in ("kill", "hang", "player", "change")] == [
        kills,
        hangs,
        players,
        changes,
    ]
    if players and kills + hangs + changes >= players:
        last = len(plan) - 1 - plan[::-1].index("player")
        assert last <= len(plan) / 2


def test_pauses_fill_the_time_on_average() -> None:
    chance = random.Random(1)
    pauses = [pause_s(chance, 3600, 300, 8) for _ in range(2000)]
    assert sum(pauses) / 2000 == pytest.approx(4, abs=0.2) and min(pauses) < 0.5
    assert 0 <= pause_s(chance, -50, 3, 8) <= 0.5
    assert pause_s(chance, 10, 0, 8) >= 0


def memory(per_hour: float, noise: float, runs: int, seconds: int, seed: int) -> list[Measurement]:
    chance = random.Random(seed)
    found = []
    for run in range(runs):
        level = chance.uniform(200, 300)
        for age in range(0, seconds, 10):
            warming = -30 * max(0, 1 - age / 50)
            value = level + warming + per_hour * age / 3600 + chance.gauss(0, noise)
            found.append(Measurement(run, age, value))
    return found


def test_a_leak_is_found_and_its_absence_too() -> None:
    for seed in range(10):
        leak = slope(memory(60, 0.5, 1, 1800, seed))
        assert leak.is_flat is False and leak.low is not None and 40 < leak.low < 60
    flat = [slope(memory(0, 0.5, 1, 1800, seed)).is_flat for seed in range(40)]
    assert flat.count(True) >= 34, "one in forty lies above by chance"


def test_runs_of_different_levels_have_one_slope() -> None:
    found = slope(memory(120, 0.2, 6, 400, 3))
    assert found.runs == 6 and found.per_hour == pytest.approx(120, abs=30)


def test_steps_that_stay_are_not_taken_for_certainty() -> None:
    chance, level, found = random.Random(2), 0.0, []
    for age in range(60, 1860, 10):  # a random walk has no slope, and neighbours much alike
        level += chance.gauss(0, 0.3)
        found.append(Measurement(1, age, 200 + level))
    walk = slope(found)
    shuffled = [one.value for one in found]
    chance.shuffle(shuffled)
    noise = slope(
        [Measurement(1, one.age_s, value) for one, value in zip(found, shuffled, strict=True)]
    )
    assert walk.low is not None and walk.high is not None
    assert noise.low is not None and noise.high is not None
    assert walk.high - walk.low > 2 * (noise.high - noise.low)


def test_too_little_says_nothing() -> None:
    assert slope([]).is_flat is None
    assert slope(memory(0, 1, 5, 60, 1)).is_flat is None, "nothing after the first minute"
    assert slope([Measurement(1, 70.0, 5.0)] * 9).is_flat is None, "all of one age"


def figures(**other: Any) -> dict[str, Any]:
    faults = [
        Fault("kill", 3.0, frames=1, live_again_s=5.0),
        Fault("hang", 9.0, frames=8, live_again_s=6.0),
        Fault("player", 15.0, back_s=1.25, live_again_s=7.0),
    ]
    seen = {
        **worst(faults),
        "black_frames": 0,
        "wrong_frames": 0,
        "differing_frames": 0,
        "frames_seen": 1000,
        "frames_unseen": 3,
        "start_to_first_picture_s": 1.2,
        "rss_mb_slope_per_hour": slope([]).as_dict(),
        "descriptors_first": 20,
        "descriptors_last": 21,
        "shm_first": 0,
        "shm_last": 0,
        "faults": [fault.as_dict() for fault in faults],
        "seconds": 40.0,
        "seed": 1,
        "sabotage": False,
        "passed": True,
    }
    return {**seen, **other}


def passes(seen: dict[str, Any]) -> bool:
    return all(line.is_met is not False for line in judged(seen, 3))


def test_a_good_run_passes_and_is_told_in_a_table() -> None:
    seen = figures()
    assert passes(seen)
    text = table(seen, judged(seen, 3))
    assert "1 x player killed (SIGKILL)" in text and text.endswith("Passed.")
    assert json.loads(json.dumps(seen))["player_back_s_max"] == 1.25


@pytest.mark.parametrize(
    "fault",
    [
        {"fallback_frames_max": 3},
        {"hang_frames_max": 11},
        {"player_back_s_max": 3.2},
        {"black_frames": 1},
        {"wrong_frames": 1},
        {"returned_live": False},
        {"frames_unseen": 60},
        {"frames_seen": 0},
        {"descriptors_last": 23},
        {"shm_last": 1},
        {"faults": []},
        {"rss_mb_slope_per_hour": slope(memory(60, 0.5, 1, 1800, 1)).as_dict()},
    ],
)
def test_each_figure_can_fail_a_run(fault: dict[str, Any]) -> None:
    seen = figures(**fault)
    assert not passes(seen)
    assert "FAILED" in table(seen, judged(seen, 3))


def test_what_was_not_tried_is_not_judged() -> None:
    none = worst([])
    assert none["fallback_frames_max"] is None and none["returned_live"]
    seen = figures(**none, faults=[])
    assert next(line for line in judged(seen, 0) if line.what == "player back").is_met is None
