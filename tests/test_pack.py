"""A stick that installs without a network: packed and installed for real, in a net of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(700),
    pytest.mark.skipif(sys.platform != "linux", reason="the scripts are for Linux"),
]


def run(*words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        env={**os.environ, "OMP_NUM_THREADS": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,  # what is packed comes over the network
    )


def without_network() -> list[str]:
    """What starts a command in a net of its own, in which nothing is reached."""
    words = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    if shutil.which("unshare") is None or run(*words, "true").returncode:
        pytest.skip("there is no unshare, or it is not allowed here")
    return words


@pytest.fixture(scope="module")
def stick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest stick: no torch, and of Debian's packages one with what it needs; for Windows
    too."""
    out = tmp_path_factory.mktemp("usb stick") / "ballads"
    done = run(ROOT / "scripts/pack", out, "--no-torch", "--windows", INSPACE_SYSTEM="libxss1")
    if done.returncode == 69 and ("apt-get" in done.stderr or "pip" in done.stderr):
        pytest.skip(f"no packages can be had here: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def installed(stick: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Installed from it without a network, and what was said.

    As on a bare machine: the real apt, for which nothing is installed, simulates its last step.
    """
    folder = tmp_path_factory.mktemp("home") / "inspace ballads"
    stubs = folder.parent / "bin"
    stub(stubs / "dpkg-query", "exit 1")
    stub(stubs / "sudo", 'exec "$@"')
    bare = "-o Dir::State::status=/dev/null -o Debug::NoLocking=1"
    real = f'exec {shutil.which("apt-get")} {bare} "$@"'
    stub(stubs / "apt-get", f'[[ $* != *" install "* ]] || set -- -s "$@"\n{real}')
    path = f"{stubs}:{os.environ['PATH']}"
    done = run(*without_network(), "bash", stick / "install", folder, PATH=path)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


def stub(path: Path, body: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{body}\n")
    path.chmod(0o755)


def test_it_has_the_show_and_what_it_needs_and_nothing_made_while_curating(stick: Path) -> None:
    wheels = {wheel.name.partition("-")[0] for wheel in (stick / "wheels").glob("*.whl")}
    assert {"inspace_ballads_player", "numpy", "moderngl", "av", "matplotlib"} <= wheels
    assert "torch" not in wheels
    assert (stick / "show" / "show.yaml").is_file() and not (stick / "show" / "work").exists()
    sums = (stick / "SHA256SUMS").read_text().splitlines()
    files = {path.relative_to(stick) for path in stick.rglob("*") if path.is_file()}
    assert {Path(line.split("  ", 1)[1]) for line in sums} == files - {Path("SHA256SUMS")}


def test_for_windows_it_has_all_wheels_and_a_batch_file_of_windows_lines(stick: Path) -> None:
    extras = next(
        line.partition("=")[2].replace("\\", "")
        for line in (stick / "about").read_text().splitlines()
        if line.startswith("extras=")
    )
    program = ROOT / "scripts/stick/windows_wheels.py"
    done = run(sys.executable, program, stick / "wheels-windows", extras, "--check")
    assert done.returncode == 0, done.stderr
    batch = (stick / "install.bat").read_bytes()
    assert batch.count(b"\n") == batch.count(b"\r\n") > 10
    assert not re.search(rb"@[A-Z]+@", batch)
    assert f"[{extras}]".encode() in batch and b"--mode slate" in batch
    assert run(sys.executable, stick / "check.py").returncode == 0


def test_what_is_installed_plays_without_a_network(
    installed: tuple[Path, str], tmp_path: Path
) -> None:
    play, report = installed[0] / "play", tmp_path / "report.json"
    words = ["--outputs", "headless", "--frames", "20", "--size", "64x64", "--mode", "slate"]
    done = run(*without_network(), play, *words, "--report", report)
    assert done.returncode == 0, done.stderr
    assert json.loads(report.read_text())["frames_presented"] > 0


@pytest.mark.long
def test_installing_again_keeps_the_show(installed: tuple[Path, str], stick: Path) -> None:
    folder = installed[0]
    stub(folder.parent / "bin" / "dpkg-query", 'echo "ii "')  # nothing is missing now
    (folder / "show" / "show.yaml").write_text("mine\n")
    stubs = f"{folder.parent / 'bin'}:{os.environ['PATH']}"
    done = run(*without_network(), "bash", stick / "install", folder, PATH=stubs)
    assert done.returncode == 0, done.stderr
    assert "was kept" in done.stdout and "missing here" not in done.stdout
    assert (folder / "show" / "show.yaml").read_text() == "mine\n"


def test_a_damaged_stick_is_a_sentence_and_nothing_is_installed(
    stick: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "stick"
    shutil.copytree(stick, copy, copy_function=os.link)
    page = copy / "show" / "show.yaml"
    page.unlink()
    page.write_text("damaged\n")
    done = run("bash", copy / "install", tmp_path / "target")
    assert done.returncode == 69
    assert "show.yaml" in done.stdout and "damaged or missing" in done.stderr
    assert not (tmp_path / "target").exists()


def test_apt_can_take_from_the_stick_alone_what_a_bare_machine_lacks(
    installed: tuple[Path, str],
) -> None:
    folder, said = installed
    assert "missing here: libxss1" in said
    assert "Inst libxss1 " in said and "Inst libc6 " in said
    assert f"To play:  {folder}/play" in said


def test_another_release_is_told_which_packages_must_be_there(stick: Path, tmp_path: Path) -> None:
    copy = tmp_path / "stick"
    shutil.copytree(stick, copy, copy_function=os.link)
    shutil.rmtree(copy / "debs")
    sums = (copy / "SHA256SUMS").read_text().splitlines(keepends=True)
    (copy / "SHA256SUMS").unlink()
    (copy / "SHA256SUMS").write_text("".join(line for line in sums if "./debs/" not in line))
    stub(tmp_path / "bin/dpkg-query", "exit 1")
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    done = run("bash", copy / "install", tmp_path / "target", PATH=path)
    assert done.returncode == 69
    assert "sudo apt-get install libxss1" in done.stderr


def test_it_refuses_a_folder_that_is_no_pack(tmp_path: Path) -> None:
    (tmp_path / "letters").write_text("dear to me")
    done = run(ROOT / "scripts/pack", tmp_path)
    assert done.returncode == 69 and "no earlier pack" in done.stderr
    assert (tmp_path / "letters").read_text() == "dear to me"
    assert run(ROOT / "scripts/pack").returncode == 2
