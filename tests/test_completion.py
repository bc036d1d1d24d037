"""`completion`: scripts that real shells take, and that know every verb and option."""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from player.making import completion
from tests.test_new_show import run_verb

VERBS = (
    *("play", "supervise", "monitors", "export", "report", "bundle"),
    *("new", "validate", "info", "preview", "schema", "completion"),
)


@pytest.fixture(scope="module", params=completion.SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    pytest.importorskip("shtab")
    return str(request.param)


@pytest.fixture(scope="module")
def script(shell: str) -> str:
    done = run_verb("completion", shell)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_verb_is_in_it(script: str) -> None:
    assert [verb for verb in VERBS if verb not in script] == []
    assert "inspace-ballads" in script and "/work" not in script


def test_the_shell_itself_can_read_it(shell: str, script: str, tmp_path: Path) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell} here")
    path = tmp_path / "script"
    path.write_text(script, encoding="utf-8")
    done = subprocess.run([program, "-n", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def completed(script: str, *words: str) -> list[str]:
    """What bash offers for the last of these words."""
    before = words[-2] if len(words) > 1 else ""
    code = (
        f"{script}\n"
        f"COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}\n"
        f"_shtab_inspace_ballads {shlex.quote(words[0])} {shlex.quote(words[-1])} "
        f"{shlex.quote(before)} 2>/dev/null\n"
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_completes_verbs_options_and_their_words(tmp_path: Path) -> None:
    pytest.importorskip("shtab")
    script = run_verb("completion", "bash").stdout
    assert completed(script, "inspace-ballads", "prev") == ["preview"]
    assert set(completed(script, "inspace-ballads", "")) >= set(VERBS)
    assert completed(script, "inspace-ballads", "play", "--mo") == ["--mode"]
    assert completed(script, "inspace-ballads", "--mode", "f") == ["film"]
    assert completed(script, "inspace-ballads", "new", "x", "--pi") == ["--pictures"]
    assert completed(script, "inspace-ballads", "completion", "z") == ["zsh"]
    (tmp_path / "some-show").mkdir()
    (tmp_path / "some-file").touch()
    start = str(tmp_path / "some")
    folders = completed(script, "inspace-ballads", "validate", start)
    assert folders == [str(tmp_path / "some-show")]
    files = completed(script, "inspace-ballads", "validate", "--machine", start)
    assert set(files) == {str(tmp_path / "some-show"), str(tmp_path / "some-file")}


def test_without_shtab_it_is_a_sentence() -> None:
    done = run_verb("completion", "bash", before="import sys; sys.modules['shtab'] = None")
    assert done.returncode == 1
    assert "needs the package shtab" in done.stderr and "Traceback" not in done.stderr


def test_parsers_are_not_changed_by_it() -> None:
    pytest.importorskip("shtab")
    parser = argparse.ArgumentParser(description="To do a thing.")
    parser.add_argument("--out", metavar="FILE")
    script = completion.script("bash", "thing", {"": argparse.ArgumentParser(), "do": parser})
    assert "thing" in script and "--out" in script
    assert parser.parse_args(["--out", "x"]).out == "x"
