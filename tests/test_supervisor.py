"""The supervisor over real processes and real signals, and its patience on given integers."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.clock import HouseClock
from player.upkeep import patience as patience_module
from player.upkeep import supervisor
from player.upkeep.patience import Failures, Life, after, complaint, looked, pause_s
from player.upkeep.play_arguments import state_file, with_state_file
from player.upkeep.supervisor import Patience, supervise
from tests.child_python import run_child
from tests.process_facts import is_running
from tests.tick_helpers import wait_for

ROOT = Path(__file__).resolve().parent.parent
FAKE_PLAYER = ROOT / "tests" / "fake_player.py"
QUICK = Patience(first_picture_s=20, beat_s=20, first_pause_s=0.01, longest_pause_s=0.05)
MS = 1_000_000


def lives_in(record: Path) -> list[dict[str, Any]]:
    if not record.exists():
        return []
    return [
        json.loads(line) for line in record.read_text().splitlines(keepends=True) if "}\n" in line
    ]


class Supervised:
    """A fake player under supervision, in a thread. A context: nothing of it is left after it."""

    def __init__(self, folder: Path, *plans: str, patience: Patience = QUICK) -> None:
        self.record, self.state = folder / "record", folder / "state.json"
        self.said: list[str] = []
        self.status: int | None = None
        self._command = [sys.executable, str(FAKE_PLAYER), str(self.record), *plans]
        self._patience = patience
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._supervise)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def life(self, number: int) -> dict[str, Any]:
        """What the life of that number (from 0) wrote, waited for."""
        assert wait_for(lambda: len(self.lives()) > number, seconds=30), self.said
        return self.lives()[number]

    def lives(self) -> list[dict[str, Any]]:
        return lives_in(self.record)

    def stop(self) -> int | None:
        self._stop.set()
        return self.ended()

    def ended(self) -> int | None:
        self._thread.join(30)
        assert not self._thread.is_alive(), self.said
        return self.status

    def _supervise(self) -> None:
        self.status = supervise(
            self._command,
            patience=self._patience,
            log=self.said.append,
            stop=self._stop.is_set,
            state=self.state,
        )


def wait_until_beating(supervised: Supervised, life: int) -> dict[str, Any]:
    """The facts of a life that is up; its record is written before it tells of its pictures."""
    facts = supervised.life(life)
    assert wait_for(lambda: is_running(facts["pid"]))
    return facts


@pytest.mark.alone
def test_a_killed_player_is_started_again_and_told_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/of-the-supervisor")
    with Supervised(tmp_path, "beat") as supervised:
        first = wait_until_beating(supervised, 0)
        assert "INSPACE_RESTARTS" not in first and first["systemd"] == ""
        killed_ns = HouseClock().now_ns()
        os.kill(first["pid"], signal.SIGKILL)
        second = wait_until_beating(supervised, 1)
        back_s = (second["started_ns"] - killed_ns) / 1e9
        print(f"the next life began {back_s:.3f} s after the kill")
        assert back_s < 3
        assert second["INSPACE_RESTARTS"] == "1"
        assert second["INSPACE_RESTART_REASON"] == "The player was ended by SIGKILL."
        assert second["INSPACE_FAMILY"] != first["INSPACE_FAMILY"]
        os.kill(second["pid"], signal.SIGSEGV)
        third = supervised.life(2)
        assert third["INSPACE_RESTARTS"] == "2" and "SIGSEGV" in third["INSPACE_RESTART_REASON"]
        assert supervised.stop() == 0
    assert [line for line in supervised.said if "was ended by SIGKILL" in line]
    assert not any(is_running(life["pid"]) for life in supervised.lives())


def test_a_player_that_shows_nothing_new_is_ended_and_started_again(tmp_path: Path) -> None:
    with Supervised(tmp_path, "hang", "beat", patience=replace(QUICK, beat_s=0.3)) as supervised:
        hung = supervised.life(0)
        reason = supervised.life(1)["INSPACE_RESTART_REASON"]
        assert reason == "The player showed no new picture for 0.3 s and was ended."
        assert not is_running(hung["pid"])


def test_a_player_that_is_stopped_is_ended_too(tmp_path: Path) -> None:
    with Supervised(tmp_path, "beat", patience=replace(QUICK, beat_s=0.3)) as supervised:
        stopped = wait_until_beating(supervised, 0)
        os.kill(stopped["pid"], signal.SIGSTOP)
        reason = supervised.life(1)["INSPACE_RESTART_REASON"]
        assert "showed no" in reason and not is_running(stopped["pid"])


def test_a_player_that_never_shows_a_picture_is_ended(tmp_path: Path) -> None:
    patience = replace(QUICK, first_picture_s=1.0)
    with Supervised(tmp_path, "mute", "exit:0", patience=patience) as supervised:
        assert supervised.ended() == 0
    assert supervised.lives()[1]["INSPACE_RESTART_REASON"] == (
        "The player showed no picture within 1 s of its start and was ended."
    )


def test_whatever_the_player_has_started_ends_with_it(tmp_path: Path) -> None:
    with Supervised(tmp_path, "parent", "beat") as supervised:
        first = wait_until_beating(supervised, 0)
        assert is_running(first["child"])
        os.kill(first["pid"], signal.SIGKILL)
        supervised.life(1)
        assert not is_running(first["child"])  # before the next life begins, and not some time


@pytest.mark.parametrize(
    ("plans", "status", "lives"),
    [
        (["exit:0"], 0, 1),
        (["fail:0"], 0, 1),
        (["fail:2"], 2, 1),  # wrong usage: the next start would fail as well
        (["exit:2", "exit:0"], 0, 2),  # ... but not of one that has shown pictures
        (["fail:1", "fail:127", "exit:1", "exit:0"], 0, 4),
    ],
)
def test_what_ends_the_supervision_and_what_does_not(
    tmp_path: Path, plans: list[str], status: int, lives: int
) -> None:
    with Supervised(tmp_path, *plans) as supervised:
        assert supervised.ended() == status
    assert len(supervised.lives()) == lives
    assert len(supervised.said) == lives - 1, supervised.said


def test_a_crash_loop_backs_off(tmp_path: Path) -> None:
    plans = ["fail:1"] * 5 + ["exit:0"]
    with Supervised(tmp_path, *plans) as supervised:
        assert supervised.ended() == 0
    pauses = [
        re.findall(r"again in (\S+) s", line)[0] for line in supervised.said if "again" in line
    ]
    assert pauses == ["0.01", "0.02", "0.04", "0.05", "0.05"]
    began = [life["started_ns"] for life in supervised.lives()]
    gaps = [later - earlier for earlier, later in pairwise(began)]
    assert all(gap >= float(pause) * 1e9 for gap, pause in zip(gaps, pauses, strict=True))


@pytest.mark.parametrize(
    ("plans", "is_kept"),
    [
        (["fail:1", "fail:1", "fail:1", "exit:0"], False),
        (["fail:1", "fail:1", "exit:1", "fail:1", "exit:0"], True),
    ],
)
def test_a_state_that_no_start_survives_is_set_aside(
    tmp_path: Path, plans: list[str], is_kept: bool
) -> None:
    supervised = Supervised(tmp_path, *plans)
    supervised.state.write_text("poison")
    with supervised:
        assert supervised.ended() == 0
    assert supervised.state.exists() == is_kept
    aside = tmp_path / "state.json.set-aside"
    assert aside.exists() != is_kept
    assert is_kept or aside.read_text() == "poison"
    assert is_kept or any(str(aside) in line for line in supervised.said)


def test_a_command_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    said: list[str] = []
    status = supervise(
        [str(tmp_path / "missing")],
        patience=QUICK,
        log=said.append,
        stop=lambda: len(said) >= 3,
        state=tmp_path / "state.json",
    )
    assert status == 0
    assert all("ended with status 127" in line for line in said[:3]), said


def test_one_deaf_to_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "STOP_WITHIN_S", 0.2)
    with Supervised(tmp_path, "stubborn") as supervised:
        pid = wait_until_beating(supervised, 0)["pid"]
        assert supervised.stop() == 1
    assert not is_running(pid)
    assert supervised.said == ["The player did not end when told to, and was ended."]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_pass_through(tmp_path: Path, number: signal.Signals) -> None:
    with fake_supervisor(tmp_path, "beat") as process:
        assert wait_for(lambda: len(lives_in(tmp_path / "record")) == 1, seconds=30)
        process.send_signal(number)
        said = process.communicate(timeout=30)[1]
    assert process.returncode == 0, said
    assert "The player was told to end, and has ended." in said
    assert not is_running(lives_in(tmp_path / "record")[0]["pid"])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_killed_supervisor_leaves_no_player_behind(tmp_path: Path) -> None:
    with fake_supervisor(tmp_path, "stubborn") as process:
        assert wait_for(lambda: len(lives_in(tmp_path / "record")) == 1, seconds=30)
        pid = lives_in(tmp_path / "record")[0]["pid"]
        process.kill()
        assert wait_for(lambda: not is_running(pid), seconds=30)


class fake_supervisor:  # noqa: N801 - reads as a verb at its uses
    """`fake_supervisor.py` as a process; killed at the end, with its player."""

    def __init__(self, folder: Path, *plans: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fake_supervisor", str(folder / "record"), *plans],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._record = folder / "record"

    def __enter__(self) -> subprocess.Popen[str]:
        return self._process

    def __exit__(self, *_: object) -> None:
        for pid in [life["pid"] for life in lives_in(self._record)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.kill()
        self._process.communicate(timeout=30)


def test_it_takes_little_memory_and_can_be_had_where_nothing_is_installed(tmp_path: Path) -> None:
    program = "import sys, player.upkeep.supervisor; print(*sys.modules)"
    loaded = {name.partition(".")[0] for name in run_child(["-c", program], "", tmp_path).split()}
    assert (
        loaded & {"numpy", "pydantic", "torch", "PIL", "moderngl", "glfw", "av", "shows"} == set()
    )


# The patience, on given integers


def life_of(steps: Sequence[tuple[int, int]]) -> Life:
    """Looks of (ms since the last one, beats found)."""
    life, now_ns = Life(looked_ns=7), 7
    for step_ms, beats in steps:
        now_ns += step_ms * MS
        life = looked(life, now_ns, beats=beats)
    return life


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(50, 0)] * 1200, None),
        ([(50, 0)] * 1201, "showed no picture within 60 s of its start"),
        ([(50, 0)] * 1200 + [(50, 1)], None),
        ([(50, 1)] + [(50, 0)] * 40, None),
        ([(50, 1)] + [(50, 0)] * 41, "showed no new picture for 2 s"),
        ([(50, 1)] + [(50, 0)] * 40 + [(50, 1)] + [(50, 0)] * 40, None),
        # a supervisor that was held up for an hour itself knows of half a second
        ([(50, 1), (3_600_000, 0)], None),
        ([(50, 1)] + [(3_600_000, 0)] * 5, "showed no new picture for 2 s"),
        ([(50, 1), (-10_000, 0)], None),
    ],
)
def test_when_a_player_is_given_up(steps: list[tuple[int, int]], expected: str | None) -> None:
    assert complaint(life_of(steps), Patience()) == expected


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 3)), max_size=60))
def test_it_is_given_up_for_silence_alone(steps: list[tuple[int, int]]) -> None:
    with_beats = [step for step, _ in steps[: _last_beat(steps)]]
    silent_ms = sum(step for step, _ in steps[_last_beat(steps) :])
    life = life_of(steps)
    if not any(beats for _, beats in steps):
        assert life.starting_ns == silent_ms * MS and complaint(life, Patience()) is None
    else:
        assert (complaint(life, Patience()) is not None) == (silent_ms > 2000)
        assert life.showing_ns <= (sum(with_beats) + silent_ms) * MS


def _last_beat(steps: Sequence[tuple[int, int]]) -> int:
    """How many looks there are up to the last one that found something."""
    return max((index + 1 for index, (_, beats) in enumerate(steps) if beats), default=0)


@pytest.mark.parametrize(
    ("showing_s", "before", "expected"),
    [
        (0, Failures(), Failures(1, 0)),
        (4.9, Failures(4, 2), Failures(5, 0)),
        (5, Failures(4, 2), Failures(1, 0)),
        (None, Failures(4, 2), Failures(5, 3)),
    ],
)
def test_what_a_failure_counts(
    showing_s: float | None, before: Failures, expected: Failures
) -> None:
    life = Life(0, showing_ns=int((showing_s or 0) * 1e9), has_shown=showing_s is not None)
    assert after(before, life, Patience()) == expected


@given(st.integers(1, 10**9))
def test_pauses_grow_to_the_longest_and_no_further(in_a_row: int) -> None:
    pause = pause_s(Failures(in_a_row), Patience())
    assert 0.1 <= pause <= pause_s(Failures(in_a_row + 1), Patience()) <= 10
    assert pause == 10 or in_a_row < 8


def test_no_pause_is_negative() -> None:
    with pytest.raises(ValueError, match="beat_s must be 0 or more"):
        Patience(beat_s=-1)
    with pytest.raises(ValueError, match="healthy_s"):
        Patience(healthy_s=float("nan"))
    assert patience_module.Patience is Patience


# Where the state is kept


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--state", "a.json", "--mode", "film"], ["--state", "a.json", "--mode", "film"]),
        (["play", "--state=a.json"], ["--state=a.json"]),
    ],
)
def test_a_state_file_that_is_given_is_taken(words: list[str], expected: list[str]) -> None:
    assert with_state_file(words, {}) == (expected, Path("a.json"))


def test_a_state_file_of_its_own_for_each_show_and_node(tmp_path: Path) -> None:
    environment = {"XDG_STATE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    all_words: list[list[str]] = [
        [],
        ["--show", "elsewhere"],
        ["--show=elsewhere", "--node", "left"],
        ["--node", "right", "--show", "elsewhere", "--mode", "film"],
    ]
    files = set()
    for words in all_words:
        added, path = with_state_file(words, environment)
        assert added == [*words, "--state", str(path)]
        assert path.parent == tmp_path / "inspace-ballads" and path.suffix == ".json"
        files.add(path)
    assert len(files) == len(all_words)
    here = os.path.join(os.getcwd(), "elsewhere")
    assert state_file(Path(here), "", environment) == state_file(Path("elsewhere"), "", environment)


@pytest.mark.parametrize("words", [["--show"], ["--state"], ["--stat", "x"], ["-x", "--node"], []])
def test_words_that_play_will_refuse_are_left_to_it(words: list[str], tmp_path: Path) -> None:
    added, path = with_state_file(words, {"XDG_STATE_HOME": "relative/is/ignored"})
    assert added == [*words, "--state", str(path)]
    assert os.path.isabs(path)
