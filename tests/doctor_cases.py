"""A healthy set-up for the doctor, and the doctor as a process."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from player.films.export import export
from shows.show import Show
from tests.export_engine import ROOT, make_short_show, options

EXIT_CODES = {"green": 0, "amber": 1, "red": 2}
# the verb by itself: what run_installation.py adds is the default show
PROGRAM = ROOT / "run_installation.py"


@dataclass(frozen=True)
class Told:
    """What a doctor said. seconds: its own count, from the options to the last check."""

    verdict: str
    seconds: float
    checks: Mapping[str, Mapping[str, str]]

    def states(self) -> dict[str, str]:
        return {name: check["state"] for name, check in self.checks.items()}

    def finding(self, name: str) -> str:
        return self.checks[name]["finding"]

    def changed(self, healthy: Told) -> dict[str, str]:
        """The states that are others than in the healthy set-up, by check."""
        before = healthy.states()
        return {name: state for name, state in self.states().items() if state != before[name]}


def make_healthy_show(folder: Path) -> Show:
    """Two screens, two ballads, a real generator of 16 px, films that `export` made."""
    show = make_short_show(folder)
    export(options(show), stop=lambda: False)
    return show


def environment_of(home: Path, **more: str) -> dict[str, str]:
    """Without a display, with state and cache in `home`."""
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
        **more,
    }


def command_of(show: Path, *words: object) -> list[str]:
    """On a port of the system's choice unless told otherwise."""
    port = () if "--osc-port" in words else ("--osc-port", "0")
    told = [str(word) for word in ("--show", show, *port, *words)]
    return [sys.executable, str(PROGRAM), "doctor", *told]


def doctor(
    show: Path, *words: object, home: Path, before: Sequence[str] = (), **environment: str
) -> Told:
    """What it says as JSON, its exit status checked. before: what the command is run by."""
    done = subprocess.run(
        [*before, *command_of(show, "--json", *words)],
        cwd=ROOT,
        env=environment_of(home, **environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout, done.stderr
    whole: dict[str, Any] = json.loads(done.stdout)
    checks = {check["name"]: check for check in whole["checks"]}
    assert len(checks) == len(whole["checks"])
    for check in whole["checks"]:
        assert set(check) == {"name", "state", "finding", "mend"}
        assert check["finding"].endswith("."), check
        assert bool(check["mend"]) == (check["state"] != "green"), check
        assert not check["mend"] or check["mend"].endswith("."), check
        assert "the check itself failed" not in check["finding"].lower(), check
    assert done.returncode == EXIT_CODES[whole["verdict"]], done.stderr
    return Told(whole["verdict"], whole["seconds"], checks)


def fake_tool(folder: Path, name: str, script: str) -> str:
    """A PATH on which a shell script stands in for a tool of the system."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"
