"""The simulated week: short pieces of it, and a judge that catches what is wrong."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from player import simulate_week
from player.governor import Governor, Level
from player.simulation.week import (
    START_WALL_NS,
    Shard,
    ShardResult,
    simulate_shard,
    simulated_schedule,
)
from player.simulation.week_engine import SimulatedEngine, SimulatedFilm
from player.simulation.week_events import A_DAY, stream_of
from player.simulation.week_judge import WeekJudge
from player.source_policy import Policy
from shows.schedule import scheduled_at, utc_of
from shows.show import Show
from shows.timeline import Cue

FRAME_MS = 1000 / 30
HOUR_S = 3600


def simulated(show: Show, first_s: int, seconds: int, **words: bool) -> ShardResult:
    return simulate_shard(Shard(show.folder, first_s, seconds, seed=3, **words))


# -- pieces of the week ------------------------------------------------------------------------


def test_ten_minutes_break_no_rule(tiny_show: Show) -> None:
    result = simulated(tiny_show, 0, 400)
    assert result.faults == []
    assert result.ticks + result.away == 12_000
    assert result.counts["live"] > 8_000
    assert result.latents_compared >= 7 * 11


def test_the_clocks_go_back_meanwhile(tiny_show: Show) -> None:
    """From three minutes before 01:30, when the show closes and `each` is due, once."""
    start_s = 12 * HOUR_S + 27 * 60
    schedule = simulated_schedule(tiny_show)
    before, after = (
        scheduled_at(schedule, tiny_show.ballad_ids, utc_of(START_WALL_NS + s * 10**9))
        for s in (start_s, start_s + 6 * 60)
    )
    assert (before.is_open, after.is_open) == (True, False)
    assert before.sentence == "open until 01:30"
    assert after.sentence == "closed until 10:00"
    result = simulated(tiny_show, start_s, 360)
    assert result.faults == []
    assert result.counts["scheduled"] >= 2
    assert 0 < result.figures["light_step_max"] <= 1 / 30 + 1e-9


def test_the_same_seed_gives_the_same_hours(tiny_show: Show) -> None:
    assert simulated(tiny_show, 0, 60) == simulated(tiny_show, 0, 60)


def test_without_the_fallback_the_judge_finds_it(tiny_show: Show) -> None:
    result = simulated(tiny_show, 0, 900, is_sabotaged=True)
    assert result.counts["death"] > 0
    assert any("stale beside its very film" in fault for fault in result.faults)
    assert any("from live, whose age is None" in fault for fault in result.faults)


def test_a_day_has_every_kind_of_event(tiny_show: Show) -> None:
    first, ticks = 1_000_000, 86_400 * 30
    events = stream_of(tiny_show, random.Random(1), first, ticks)
    counts = {kind: sum(event.kind == kind for event in events) for kind in A_DAY}
    for kind in ("death", "hang", "film gap", "slow film", "overload", "restart", "clock step"):
        assert counts[kind] == A_DAY[kind]
    assert counts["command"] == 1500 + 40 * 12 + 2 * (24 + 30)
    assert [event.tick for event in events] == sorted(event.tick for event in events)
    assert all(first <= event.tick for event in events)


# -- what it is made of ------------------------------------------------------------------------


def test_an_engine_that_dies_has_old_pictures_then_none_then_new_ones() -> None:
    engine = SimulatedEngine(0, 2)
    engine.step(1, Level(), FRAME_MS, True)
    assert (engine.age, engine.ready) == (None, False)
    ages: list[int | None] = []
    for tick in range(2, 40):
        if tick == 10:
            engine.die(tick, 20)
        engine.step(tick, Level(), FRAME_MS, True)
        ages.append(engine.age)
    assert ages == [0] * 8 + [*range(1, 9)] + [None] * 12 + [0] * 10


def test_a_slow_engine_misses_its_share_and_a_lower_level_mends_it() -> None:
    engine = SimulatedEngine(0, 0)
    engine.slow_down(5.0, 10_000)  # 60 ms for 33
    missed = 0
    for tick in range(1000):
        engine.step(tick, Level(), FRAME_MS, True)
        missed += engine.age != 0
    assert 400 < missed < 480
    for tick in range(1000, 1100):
        engine.step(tick, Level(2), FRAME_MS, True)
    assert engine.age == 0


def test_a_hung_engine_is_ready_until_it_is_noticed() -> None:
    engine = SimulatedEngine(0, 0)
    engine.step(1, Level(), FRAME_MS, True)
    engine.hang(2, 3, 50)
    states = []
    for tick in range(2, 8):
        engine.step(tick, Level(), FRAME_MS, True)
        states.append((engine.age, engine.ready))
    assert states == [(1, True), (2, True), (3, True), (4, False), (5, False), (6, False)]


def test_films_with_gaps() -> None:
    film = SimulatedFilm()
    film.gap(3)
    film.slow_down(6)
    ages = []
    for tick in range(8):
        film.step(tick, True)
        ages.append(film.age)
    assert ages == [None, None, None, 0, 1, 2, 0, 0]


# -- the judge ---------------------------------------------------------------------------------


@pytest.fixture
def judge() -> WeekJudge:
    return WeekJudge(FRAME_MS)


def lit(
    live_age: int | None = 0, film_age: int | None = 0
) -> tuple[SimulatedEngine, SimulatedFilm]:
    engine, film = SimulatedEngine(0, 0), SimulatedFilm()
    engine.age, film.age = live_age, film_age
    return engine, film


def test_the_judge_wants_frames_in_a_row(judge: WeekJudge) -> None:
    for tick, frame in enumerate((10, 11, 12)):
        judge.frame(tick, frame, 1)
    judge.restarted(5, 1)
    judge.frame(8, 18, 0)
    judge.frame(9, 18, 1)
    assert judge.faults == []
    judge.frame(10, 20, 1)
    assert judge.faults == ["tick 10: frame 20 where 19 was due"]


def test_the_judge_wants_no_jump_of_the_light(judge: WeekJudge) -> None:
    for tick, (light, gain) in enumerate([(0.5, 1.0), (0.53, 1 - 1 / 15), (0.5, 1.0)]):
        judge.light(tick, light, gain)
    assert judge.faults == []
    judge.light(3, 0.6, 0.5)
    assert len(judge.faults) == 2


def test_the_judge_wants_a_picture_behind_every_share(judge: WeekJudge) -> None:
    film_only = Policy("film", (0, 10, 0))
    judge.shown(0, film_only, *lit(), True)
    judge.shown(1, Policy("live", (1, 9, 0)), *lit(), True)
    assert judge.faults == []
    judge.shown(2, Policy("live", (3, 7, 0)), *lit(), True)  # two tenths at once
    judge.shown(3, Policy("live", (3, 7, 0)), *lit(film_age=None), True)
    judge.shown(4, Policy("live", (3, 7, 0)), *lit(film_age=46), True)
    judge.shown(5, Policy("live", (3, 6, 0)), *lit(), True)
    assert [fault.split(":")[0] for fault in judge.faults] == [
        "tick 2",
        "tick 3",
        "tick 4",
        "tick 5",
    ]


def test_the_judge_wants_the_film_within_two_frames(judge: WeekJudge) -> None:
    for tick in range(3):
        judge.shown(tick, Policy("live", (10, 0, 0)), *lit(live_age=tick), True)
    assert judge.faults == [] and judge.stale_ticks_max == 2
    judge.shown(3, Policy("live", (10, 0, 0)), *lit(live_age=3), True)
    assert "stale beside its very film" in judge.faults[0]


def test_the_judge_bounds_the_governor_and_the_cues(judge: WeekJudge) -> None:
    governor = Governor.opening()
    judge.level(0, replace(governor, rung=3))  # down it may go at once
    judge.level(1, replace(governor, rung=2))
    for tick in range(2, 400):
        judge.level(tick, replace(governor, rung=2))
    judge.level(400, replace(governor, rung=1))
    judge.bounded(0)
    assert judge.faults == ["tick 1: the quality goes from rung 3 to 2 after 1 ticks"]
    for rung in (0, 4) * 10:
        judge.level(500, replace(governor, rung=rung))
    judge.bounded(0)
    assert "changes of quality for 0 upsets" in judge.faults[-1]
    count = judge.fault_count
    judge.cues(0, ((Cue("a", 0, 0),) * 8,))
    assert judge.fault_count == count
    judge.cues(0, ((Cue("a", 0, 0),) * 9,))
    assert judge.fault_count == count + 1


def test_the_judge_keeps_twenty_sentences_and_counts_all(judge: WeekJudge) -> None:
    for tick in range(100):
        judge.fault(tick, "it is wrong")
    assert (len(judge.faults), judge.fault_count) == (20, 100)


# -- the command -------------------------------------------------------------------------------


def test_the_command_writes_its_figures(
    tiny_show: Show, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "week.json"
    arguments = ["--days", "0.004", "--jobs", "1", "--show", str(tiny_show.folder)]
    assert simulate_week.main([*arguments, "--json", str(file)]) == 0
    figures = json.loads(file.read_text())
    assert figures["passed"] is True and figures["fault_count"] == 0
    assert figures["frames"] + figures["away_frames"] == round(0.004 * 86_400) * 30
    assert "passed" in capsys.readouterr().out
    assert simulate_week.main([*arguments, "--sabotage", "--seed", "5"]) == 1
    assert simulate_week.main([*arguments, "--json", str(tmp_path / "no" / "such")]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert simulate_week.main(["--show", str(tmp_path / "nothing")]) == 2
    assert "player.simulate_week: " in capsys.readouterr().err


def test_the_parts_cover_the_time() -> None:
    shards = simulate_week.shards_of(Path("x"), 50_000, 1, False)
    assert [(s.first_s, s.seconds) for s in shards] == [
        (0, 21_600),
        (21_600, 21_600),
        (43_200, 6800),
    ]


@pytest.mark.parametrize(
    "arguments",
    [["--days", "0"], ["--days", "nan"], ["--jobs", "0"], ["--jobs", "x"], ["--seed", "-1"]],
)
def test_wrong_arguments_are_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        simulate_week.main(arguments)
    assert caught.value.code == 2
    assert "is no " in capsys.readouterr().err


@pytest.mark.slow
def test_parts_in_two_processes_are_the_same(
    tiny_show: Show, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(simulate_week, "SHARD_S", 40)
    figures = []
    for jobs in ("1", "2"):
        file = tmp_path / f"{jobs}.json"
        arguments = ["--days", "0.0015", "--jobs", jobs, "--json", str(file)]
        assert simulate_week.main([*arguments, "--show", str(tiny_show.folder)]) == 0
        read = json.loads(file.read_text())
        figures.append({name: read[name] for name in read.keys() - {"seconds", "us_a_frame"}})
    assert figures[0] == figures[1]


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_week(tmp_path: Path) -> None:
    assert simulate_week.main(["--json", str(tmp_path / "week.json")]) == 0
