"""Paths that are no files, and files that change: one sentence at once, whatever stands there."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import generator
from generator.checkpoint import CheckpointError
from generator.regular_file import UnreadableFileError, read_head, read_regular_file
from tests.child_python import run_child
from tests.hostile_builders import HEAD

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices have no path")
NO_FILE = "no regular file"


@pytest.fixture(autouse=True)
def _inside_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def make_socket(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)


def make_sparse(path: str) -> None:
    Path(path).write_bytes(HEAD)
    os.truncate(path, 5 * 2**30)


def make_pipe_by_link(path: str) -> None:
    os.mkfifo("pipe")
    os.symlink("pipe", path)


PATHS: dict[str, tuple[str, Callable[[str], object], str]] = {
    "missing": ("net.pkl", lambda path: None, "no such file"),
    "folder": ("net.pkl", os.mkdir, NO_FILE),
    "pipe that nobody writes to": ("net.pkl", os.mkfifo, NO_FILE),
    "link to a pipe": ("net.pkl", make_pipe_by_link, NO_FILE),
    "socket": ("net.pkl", make_socket, "cannot be read"),
    "device without an end": ("net.pkl", lambda path: os.symlink("/dev/zero", path), NO_FILE),
    "device without bytes": ("net.pkl", lambda path: os.symlink("/dev/null", path), NO_FILE),
    "link to itself": ("net.pkl", lambda path: os.symlink(path, path), "cannot be read"),
    "link to nothing": ("net.pkl", lambda path: os.symlink("gone", path), "no such file"),
    "file below a file": ("a/net.pkl", lambda path: Path("a").touch(), "cannot be read"),
    "5 GB of holes": ("net.pkl", make_sparse, "larger than"),
    "kernel's own file": ("net.pkl", lambda path: os.symlink("/proc/self/mem", path), "empty"),
    "name too long": ("n" * 300 + ".pkl", lambda path: None, "cannot be read"),
    "name with a NUL": ("net\0.pkl", lambda path: None, "cannot be that of a file"),
    "name that is no text": ("net\ud800.pkl", lambda path: None, "cannot be that of a file"),
    "name with escape codes": ("\x1b[2J\n\u202e.pkl", lambda path: Path(path).touch(), "empty"),
}


@pytest.mark.parametrize("name", PATHS)
def test_a_path_without_a_snapshot_is_one_sentence(name: str) -> None:
    path, make, reason = PATHS[name]
    make(path)
    with pytest.raises(CheckpointError) as caught:
        generator.load(path)
    sentence = str(caught.value)
    assert reason in sentence
    assert sentence.isprintable() and len(sentence) < 1000
    assert sentence.startswith(
        path[:3] if path.isprintable() else ("net", "\\x1b[2J\\n\\u202e.pkl")
    )


def test_a_file_that_may_not_be_read_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "net.pkl"
    path.write_bytes(HEAD)
    path.chmod(0)
    program = (
        "import os, sys, generator\n"
        "from generator.checkpoint import CheckpointError\n"
        "if os.geteuid() == 0: os.seteuid(65534)\n"  # root may read anything
        f"try: generator.load({str(path)!r})\n"
        "except CheckpointError as error: sys.stdout.write(str(error))\n"
    )
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o111)
    assert "Permission denied" in run_child(["-c", program], "", tmp_path)


CHANGES = """
import json, os, sys
from pathlib import Path
import generator
from generator.checkpoint import CheckpointError
from tests.legacy_files import snapshot
Path("net.pkl").write_bytes(snapshot(extra=bytes(100_000)))
opens = []
def change(event, arguments):
    # opened by path and then by descriptor, first for its kind and then for all of it
    if event == "open" and (arguments[0] == "net.pkl" or isinstance(arguments[0], int)):
        opens.append(arguments[0])
        if len(opens) == WHEN:
            ACTION
sys.addaudithook(change)
try:
    generator.load("net.pkl")
except CheckpointError as error:
    json.dump([len(opens), str(error)], sys.stdout)
"""
MOMENTS: dict[str, tuple[int, str, str]] = {
    "empty before it is opened again": (3, "os.truncate('net.pkl', 0)", "it is empty"),
    "shorter before it is opened again": (3, "os.truncate('net.pkl', 50_000)", "ends too early"),
    "empty once its size is known": (4, "os.truncate('net.pkl', 0)", "it is empty"),
    "shorter once its size is known": (4, "os.truncate('net.pkl', 50_000)", "ends too early"),
    "a pipe before it is opened again": (3, "os.remove('net.pkl'); os.mkfifo('net.pkl')", NO_FILE),
    "gone before it is opened again": (3, "os.remove('net.pkl')", "no such file"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MOMENTS)
def test_a_file_that_changes_while_it_is_read_is_one_sentence(name: str, tmp_path: Path) -> None:
    when, action, reason = MOMENTS[name]
    program = CHANGES.replace("WHEN", str(when)).replace("ACTION", action)
    opens, sentence = json.loads(run_child(["-c", program], "", tmp_path))
    assert opens >= when, "the change did not happen"
    assert reason in sentence


def test_no_descriptor_is_left_open() -> None:
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    os.mkdir("folder")
    os.mkfifo("pipe")
    Path("file").write_bytes(b"x" * 200)
    for name in ("folder", "pipe", "file", "missing"):
        with pytest.raises(UnreadableFileError):
            read_regular_file(Path(name), most_bytes=100)
    assert read_head(Path("file"), 100) == b"x" * 100
    after = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    assert after == before
