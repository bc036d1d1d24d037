"""`python -m training`: help, unknown verbs, faults and Ctrl-C."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import training.pictures.prepare_dataset
from training.__main__ import VERBS, main

ROOT = Path(__file__).resolve().parent.parent


def test_help_names_every_verb() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "training", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert all(verb in done.stdout for verb in VERBS)
    assert "add-to-show" in done.stdout


@pytest.mark.parametrize("name", sorted(VERBS))
def test_every_verb_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main([name, "--help"])
    assert done.value.code == 0
    assert f"python -m training {name}" in capsys.readouterr().out


def test_an_unknown_verb_is_a_usage_fault(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["knit"])
    assert done.value.code == 2
    assert "knit" in capsys.readouterr().err


def test_a_fault_is_one_sentence_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prepare", str(tmp_path / "none"), str(tmp_path / "out.zip")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("training prepare: ")
    assert "no such folder" in error


def test_interrupting_is_exit_code_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(training.pictures.prepare_dataset, "run", interrupted)
    assert main(["prepare", "in", "out.zip"]) == 130
    assert "stopped by Ctrl-C" in capsys.readouterr().err
