"""The simulation itself, a short night in the ordinary check, and the long ones marked slow."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player import simulate
from player.simulation.faults import schedule
from player.simulation.house import NightSettings, simulate_holdover, simulate_night
from player.simulation.network import DriftingClock, Network, NetworkSettings
from player.simulation.targets import Row, judged, table

S = 1_000_000_000


def misses(figures: dict[str, Any], loss: float = 0.05) -> list[str]:
    figures = {"holdover_frames": 0.0, **figures}
    return [row.what for row in judged(figures, loss=loss) if not row.is_reached]


# -- what it is made of ------------------------------------------------------------------------


@given(
    ppm=st.floats(-200, 200),
    start=st.integers(0, 10**15),
    changes=st.lists(st.tuples(st.integers(1, 10**12), st.integers(-(10**10), 10**10)), max_size=5),
)
def test_a_drifting_clock_goes_there_and_back(
    ppm: float, start: int, changes: list[tuple[int, int]]
) -> None:
    clock, now_ns = DriftingClock(local_ns=start, ppm=ppm), 0
    for passed_ns, jump_ns in changes:
        now_ns += passed_ns
        clock.jump(now_ns, jump_ns)
    later_ns = now_ns + 12_345_678
    local_ns = clock.local(later_ns)
    assert abs(local_ns - clock.local(now_ns) - 12_345_678 * (1 + ppm * 1e-6)) <= 1
    reached_ns = clock.true(local_ns)
    assert clock.local(reached_ns) >= local_ns and abs(reached_ns - later_ns) <= 2


def test_a_suspended_clock_stands() -> None:
    clock = DriftingClock(local_ns=5, ppm=0)
    clock.suspend(10)
    assert clock.local(500) == 15
    clock.resume(500)
    assert clock.local(507) == 22


def test_the_network_is_the_stated_one() -> None:
    network = Network(NetworkSettings(loss=0.2), random.Random(1))
    counts, delays_ms = [0, 0, 0], []
    for _ in range(50_000):
        arrivals = network.arrivals_ns(0, 1, 0)
        counts[len(arrivals)] += 1
        delays_ms += [at / 1e6 for at in arrivals]
    assert abs(counts[0] / 50_000 - 0.2) < 0.01
    assert 100 < counts[2] < 300
    assert min(delays_ms) >= 0.2
    spikes = [delay for delay in delays_ms if delay > 20.2]
    assert abs(len(spikes) / len(delays_ms) - 0.01) < 0.002
    usual = [delay for delay in delays_ms if delay <= 20.2]
    assert abs(sum(usual) / len(usual) - 1.2) < 0.02
    network.part([[0], [1]])
    assert network.arrivals_ns(0, 1, 0) == []
    network.part([])
    assert network.is_joined(0, 1)


def test_an_hour_has_every_kind_of_fault_and_peace_between() -> None:
    faults = schedule(7, 3600, random.Random(1))
    assert {fault.kind for fault in faults} == {
        "death",
        "suspension",
        "partition",
        "clock jump",
        "late start",
    }
    for one, following in pairwise(faults):
        assert one.end_s + 20 < following.start_s
    assert schedule(1, 3600, random.Random(1)) == ()


# -- nights ------------------------------------------------------------------------------------


def test_a_short_night_with_faults_reaches_every_figure() -> None:
    figures = simulate_night(NightSettings(nodes=7, seconds=180, switches=150, seed=4))
    assert misses(figures) == []
    assert figures["failovers"] == 1 and figures["settled_s_max"] > 0  # type: ignore[operator]
    assert figures["switches"] == 150


def test_the_same_seed_gives_the_same_night_and_another_another() -> None:
    first, again, other = (
        simulate_night(NightSettings(nodes=3, seconds=40, switches=9, seed=seed))
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_without_sync_every_figure_fails() -> None:
    night = NightSettings(nodes=4, seconds=125, switches=20, is_sabotaged=True)
    figures = simulate_night(night) | simulate_holdover(night, lock_s=30, holdover_s=240)
    rows = judged(figures, loss=0.05)
    assert [row.what for row in rows if row.is_reached] == []
    assert len(rows) == 9


def test_holdover() -> None:
    figures = simulate_holdover(NightSettings(), lock_s=120, holdover_s=300)
    assert 0 < figures["holdover_frames"] < 0.2  # type: ignore[operator]


def test_a_sealed_night() -> None:
    night = NightSettings(nodes=4, seconds=150, switches=30, key=b"a key of sixteen bytes")
    assert misses(simulate_night(night)) == []


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("loss", "switches"), [(0.0, 1000), (0.05, 10_000), (0.2, 1000)])
def test_an_hour_of_seven(loss: float, switches: int) -> None:
    night = NightSettings(loss=loss, switches=switches, seed=7)
    figures = simulate_night(night) | simulate_holdover(night)
    assert misses(figures, loss) == []


@pytest.mark.long
@pytest.mark.timeout(900)
def test_an_hour_without_sync_fails_everywhere() -> None:
    night = NightSettings(is_sabotaged=True)
    rows = judged(simulate_night(night) | simulate_holdover(night), loss=0.05)
    assert [row.what for row in rows if row.is_reached] == []


# -- the command -------------------------------------------------------------------------------


def test_the_command_writes_its_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulate, "HOLDOVER_S", 240)
    monkeypatch.setattr(simulate, "LOCK_S", 30)
    file = tmp_path / "figures.json"
    arguments = ["--nodes", "3", "--hours", "0.03", "--switches", "20", "--json", str(file)]
    assert simulate.main(arguments) == 0
    figures = json.loads(file.read_text())
    assert {"spread_ms", "agreement", "switches", "switches_missed"} <= figures.keys()
    assert {"failover_s_max", "index_jumps"} <= figures.keys()
    assert {"p50", "p99"} <= figures["spread_ms"].keys()
    assert figures["switches"] == 20 and figures["passed"] is True
    assert "| reached |" in capsys.readouterr().out
    assert simulate.main([*arguments, "--sabotage"]) == 1
    assert "reached" not in capsys.readouterr().out
    assert simulate.main([*arguments[:6], "--json", str(tmp_path / "no" / "such")]) == 1
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nodes", "1"],
        ["--nodes", "63"],
        ["--nodes", "x"],
        ["--loss", "1.5"],
        ["--loss", "nan"],
        ["--hours", "0"],
        ["--hours", "inf"],
        ["--switches", "-1"],
    ],
)
def test_wrong_arguments_are_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        simulate.main(arguments)
    assert caught.value.code == 2
    assert "from" in capsys.readouterr().err


def test_the_table_says_what_is_missed() -> None:
    told = table([Row("a", 1.0, 1.0), Row("b", 0.999, 0.999, is_least=True)])
    assert told.splitlines()[2:] == [
        "| a | 1 | at most 1 | reached |",
        "| b | 0.999 | above 0.999 | MISSED |",
    ]
