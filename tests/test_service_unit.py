"""The systemd unit: what it promises, and that systemd finds no fault in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from player.upkeep.heartbeat import BEAT_EVERY_NS
from player.upkeep.patience import Patience
from player.upkeep.supervisor import STOP_WITHIN_S, WRONG_USAGE

ROOT = Path(__file__).resolve().parent.parent
UNIT = ROOT / "scripts" / "inspace-ballads.service"


def settings() -> dict[str, dict[str, list[str]]]:
    """By section and name; a name may stand several times."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    section = ""
    for line in UNIT.read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found[section][name].append(value)
    return found


def test_it_is_fed_by_pictures_and_never_gives_up() -> None:
    unit, service = settings()["Unit"], settings()["Service"]
    assert service["Type"] == ["notify"] and service["KillMode"] == ["control-group"]
    assert service["Restart"] == ["always"] and unit["StartLimitIntervalSec"] == ["0"]
    assert service["RestartSec"] == ["100ms"]
    assert float(service["WatchdogSec"][0]) * 1e9 >= 8 * BEAT_EVERY_NS
    assert service["RestartPreventExitStatus"] == [str(WRONG_USAGE)]


def test_it_waits_as_long_as_our_own_supervisor() -> None:
    service, patience = settings()["Service"], Patience()
    assert float(service["TimeoutStartSec"][0]) == patience.first_picture_s
    assert float(service["TimeoutStopSec"][0]) == STOP_WITHIN_S
    assert patience.beat_s <= float(service["WatchdogSec"][0]) <= patience.beat_s + 1


def test_its_command_is_one_that_play_understands(monkeypatch: pytest.MonkeyPatch) -> None:
    from run_installation import build_parser

    _python, program, *words = settings()["Service"]["ExecStart"][0].split()
    assert (ROOT / Path(program).name).is_file()
    args = build_parser().parse_args(words)
    assert args.command == "play"
    folder = settings()["Service"]["StateDirectory"][0]
    assert args.state == Path("%S") / folder / "state.json"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_systemd_finds_no_fault_in_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    python = home / "inspace-ballads-player" / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)  # what is started must be there, or it says so

    def verdict(text: str) -> str:
        path = tmp_path / "inspace-ballads.service"
        path.write_text(text)
        done = subprocess.run(
            ["systemd-analyze", "verify", "--user", str(path)],
            env={**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return "\n".join(line for line in done.stderr.splitlines() if path.name in line)

    good = UNIT.read_text()
    assert verdict(good) == ""
    assert "WatchdogSecond" in verdict(good.replace("WatchdogSec=", "WatchdogSecond="))
