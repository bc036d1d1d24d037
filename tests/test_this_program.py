"""What the program calls itself, and where what is made of a show goes, in a clone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from player import this_program
from player.made_folder import made_folder
from player.this_program import ROOT, command, is_installed, pip_install, program_name
from tests.test_new_show import run_verb

SHIPPED = ROOT / "shows" / "inspace"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nothing is said by the environment, and no environment is switched on."""
    monkeypatch.delenv("INSPACE_COMMAND", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    return monkeypatch


def test_in_a_clone_it_is_the_script(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare.chdir(tmp_path)
    bare.setattr(sys, "argv", [str(ROOT / "run_installation.py"), "info"])
    assert not is_installed() and program_name() == "run_installation.py"
    script = ROOT / "run_installation.py"
    assert command("export", "--show", "my show") == (
        f"{sys.executable} {script} export --show 'my show'"
    )
    bare.chdir(ROOT)
    assert command("info").endswith(" run_installation.py info")
    assert f"'.[live]' in {ROOT}" in pip_install("live")


def test_in_an_environment_that_is_switched_on_python_is_enough(
    bare: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bare.chdir(ROOT)
    bare.setattr(sys, "argv", ["run_installation.py"])
    bare.setattr(this_program.shutil, "which", lambda name: sys.executable)
    assert command("export") == "python run_installation.py export"


def test_a_script_that_starts_it_says_its_own_name(bare: pytest.MonkeyPatch) -> None:
    bare.setattr(sys, "argv", [str(ROOT / "run_installation.py")])
    bare.setenv("INSPACE_COMMAND", "../my clone/scripts/play")
    assert program_name() == "../my clone/scripts/play"
    assert command("info") == "'../my clone/scripts/play' info"
    told = run_verb("info", "/nowhere")
    assert told.stderr.startswith("../my clone/scripts/play info: ")


def test_the_command_that_pip_installs_is_called_by_its_name(
    bare: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "bin" / "inspace-ballads"
    bare.setattr(sys, "argv", [str(program)])
    assert program_name() == "inspace-ballads"
    assert command("info") == f"{program} info"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    bare.setenv("PATH", str(program.parent))
    assert command("info") == "inspace-ballads info"


def test_where_there_is_no_clone_the_shipped_show_is_left_as_it_is(
    bare: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert made_folder(SHIPPED) == SHIPPED
    bare.setattr("player.made_folder.is_installed", lambda: True)
    bare.setenv("XDG_STATE_HOME", str(tmp_path))
    assert made_folder(SHIPPED) == tmp_path / "inspace-ballads" / "shows" / "inspace"
    bare.chdir(ROOT)
    assert made_folder(Path("shows/inspace")) == made_folder(SHIPPED)
    assert made_folder(tmp_path / "mine") == tmp_path / "mine"
