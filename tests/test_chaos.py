"""The short form of `python -m player.chaos` on a tiny show that really plays, and its sabotage."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from player.chaos.__main__ import INTERRUPTED, build_parser, main
from player.chaos.processes import marked
from shows.show_file import save_settings
from tests.live_show import make_live_show
from tests.tick_helpers import wait_for

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
    pytest.mark.timeout(240),
    pytest.mark.alone,
]
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a show whose films are 600 frames; the first run makes them."""
    folder = tmp_path_factory.mktemp("chaos") / "show"
    show = make_live_show(folder)
    short = {"stops": 3, "frames_per_stop": 20, "morph_frames": 60}
    save_settings(folder, show.settings.model_copy(update=short))
    return folder


def chaos(show: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """Status and figures of a run; its table and log are shown if the test fails."""
    work = show.parent / f"work{len(list(show.parent.iterdir()))}"
    report = show.parent / "report.json"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "player.chaos", "--show", show, "--keep", work, *words]
    done = subprocess.run(
        [*map(str, command), "--json", str(report)],
        cwd=ROOT,
        env={**os.environ, "INSPACE_TEST": str(work)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    print(done.stdout, done.stderr[-3000:])
    if (work / "log.txt").exists():
        print((work / "log.txt").read_text(errors="replace")[-4000:])
    assert marked("INSPACE_TEST", str(work)) == [], "something runs on"
    return done.returncode, json.loads(report.read_text()) if report.exists() else {}


@pytest.mark.slow
def test_the_right_frames_are_on_whatever_is_killed(folder: Path) -> None:
    words = ("--seconds", "15", "--kills", "1", "--hangs", "1", "--player-kills", "1")
    status, seen = chaos(folder, *words)
    assert (seen["kills"], seen["hangs"], seen["player_kills"]) == (1, 1, 1)
    assert seen["black_frames"] == 0 and seen["frames_seen"] > 100
    assert seen["returned_live"]
    assert seen["fallback_frames_max"] <= 2
    assert seen["hang_frames_max"] <= 10
    assert seen["player_back_s_max"] <= 3
    assert status == (0 if seen["passed"] else 1)


@pytest.mark.slow
def test_without_the_fallback_it_fails(folder: Path) -> None:
    words = ("--seconds", "5", "--kills", "1", "--hangs", "0", "--player-kills", "0", "--sabotage")
    status, seen = chaos(folder, *words)
    assert status == 1 and not seen["passed"] and seen["sabotage"]
    # as long as a worker takes to come back: some two seconds here, 2 frames are the limit
    assert seen["fallback_frames_max"] > 20


@pytest.mark.slow
def test_ctrl_c_leaves_nothing(folder: Path) -> None:
    command = [sys.executable, "-m", "player.chaos", "--show", str(folder)]
    word = f"chaos {os.getpid()}"
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "INSPACE_TEST": word},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert wait_for(lambda: len(marked("INSPACE_TEST", word)) >= 4, seconds=100)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED and "interrupted" in said and "Traceback" not in said
    assert marked("INSPACE_TEST", word) == []


@pytest.mark.parametrize("words", ["--seconds 0", "--kills -1", "--seconds 9e9", "--kills 1000000"])
def test_wrong_numbers_are_refused(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args(words.split())
    assert ended.value.code == 2 and "is no whole number" in capsys.readouterr().err


def test_a_show_that_is_none_costs_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        assert main(["--show", str(tmp_path / "absent")]) == 1
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    said = capsys.readouterr().err
    assert said.startswith("player.chaos: ") and "absent" in said and "Traceback" not in said
