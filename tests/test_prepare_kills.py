"""`prepare` killed: at every change to the disk, at random moments, and by Ctrl-C.

However often it was killed, it ends in the archive and the report of a run that never was, byte for
byte; until then the old archive stays; and no process outlives it.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.child_python import ROOT, run_child
from tests.test_near_duplicates import scene
from training.pictures.provenance import TABLE, Provenance, table_text

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL, no fork there"),
]

KILLS = 20
OLD = b"the archive of last week"
BY = "https://creativecommons.org/licenses/by/4.0/"

AT_EVERY_CHANGE = """
import io, os, posix, signal, sys
import scipy.fftpack  # once, for all children
from pathlib import Path
from training.pictures.prepare_dataset import prepare
from training.pictures.prepare_picture import Recipe

source, out, old = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3].encode()
report = Path(f"{out}.report.json")
CHANGES = {"write", "fsync", "replace", "unlink", "mkdir", "rmdir"}

def is_of_disk(thing):
    return thing is posix or isinstance(thing, io.BufferedWriter)

def in_child(fatal):
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    seen = 0
    def hear(frame, event, called):
        nonlocal seen
        if event == "c_call" and called.__name__ in CHANGES and is_of_disk(called.__self__):
            seen += 1
            if seen == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.stderr = open(os.devnull, "w")
    sys.setprofile(hear)
    prepare(source, out, Recipe(16, 20, (255, 255, 255)))
    os._exit(0)

assert in_child(0) == 0
undisturbed = out.read_bytes(), report.read_bytes()
fatal = 1
while True:
    out.write_bytes(old)
    report.unlink()
    if in_child(fatal) == 0:
        break
    assert out.read_bytes() in (old, undisturbed[0]), fatal
    assert in_child(0) == 0
    assert (out.read_bytes(), report.read_bytes()) == undisturbed, fatal
    assert len(os.listdir(out.parent)) == 2, os.listdir(out.parent)
    fatal += 1
print(fatal - 1)
"""


def make_pictures(folder: Path, count: int, size_px: int) -> Path:
    """Among them a broken file, one that is twice there, and one without a licence."""
    folder.mkdir()
    for index in range(count):
        scene(index, 64).resize((size_px, size_px)).save(folder / f"{index}.png")
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "again.png").write_bytes((folder / "0.png").read_bytes())
    table = [
        Provenance(path.name, "", "Ada", "", "", BY, "", "", "", 0, 0, "")
        for path in folder.iterdir()
        if path.name != "1.png"
    ]
    (folder / TABLE).write_text(table_text(table))
    return folder


def test_killed_at_every_change_to_the_disk(tmp_path: Path) -> None:
    source, folder = make_pictures(tmp_path / "in", 2, 64), tmp_path / "out"
    folder.mkdir()
    said = run_child(
        ["-c", AT_EVERY_CHANGE, str(source), str(folder / "set.zip"), OLD.decode()], "", tmp_path
    )
    # two records, the archive and the report are written, flushed, renamed, and tidied up after
    assert int(said) >= 4 * 4


def start(source: Path, out: Path) -> subprocess.Popen[str]:
    words = [str(source), str(out), "--size", "128", "--min-size", "20", "--jobs", "2"]
    return subprocess.Popen(
        [sys.executable, "-m", "training", "prepare", *words],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def await_end(processes: list[psutil.Process]) -> None:
    """One that ended may lie about until somebody fetches its status, which here is not us."""
    last = time.monotonic() + 30
    for process in processes:
        try:
            while process.status() != psutil.STATUS_ZOMBIE:
                assert time.monotonic() < last, f"{process} outlives its parent"
                os.sched_yield()
        except psutil.NoSuchProcess:
            continue


def written(out: Path) -> tuple[bytes, bytes]:
    return out.read_bytes(), out.with_name(f"{out.name}.report.json").read_bytes()


def finish(process: subprocess.Popen[str], out: Path) -> tuple[bytes, bytes]:
    _, said = process.communicate(timeout=100)
    assert process.returncode == 0, said
    assert sorted(path.name for path in out.parent.iterdir()) == [
        out.name,
        f"{out.name}.report.json",
    ]
    return written(out)


@pytest.mark.timeout(300)
def test_killed_at_random_moments(tmp_path: Path) -> None:
    source, out = make_pictures(tmp_path / "in", 16, 500), tmp_path / "out" / "set.zip"
    before = time.monotonic()
    undisturbed = finish(start(source, out), out)
    whole_s = time.monotonic() - before
    out.write_bytes(OLD)
    chance, kills, resumed = random.Random(5), 0, 0
    while kills < KILLS:
        process = start(source, out)
        try:
            process.wait(chance.uniform(0.2, 1) * whole_s)
        except subprocess.TimeoutExpired:
            children = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            process.communicate(timeout=100)
            await_end(children)
            kills += 1
            resumed += any(path.is_file() for path in Path(f"{out}.work").rglob("*"))
            assert out.read_bytes() in (OLD, undisturbed[0])
        else:
            assert finish(process, out) == undisturbed
            out.write_bytes(OLD)
    assert finish(start(source, out), out) == undisturbed
    assert resumed > 0


def test_what_is_finished_is_not_done_again(tmp_path: Path) -> None:
    source, out = make_pictures(tmp_path / "in", 12, 500), tmp_path / "out" / "set.zip"
    process = start(source, out)
    work = Path(f"{out}.work")
    while process.poll() is None and len(list(work.rglob("*.*"))) < 4:
        os.sched_yield()
    process.kill()
    process.communicate(timeout=100)
    records = [path for path in work.rglob("*.*") if not path.name.endswith(".partial")]
    assert records
    program = """
import sys
import training.pictures.prepare_pool as pool
from training.__main__ import main
first = pool.convert
opened = []
pool.convert = lambda path, recipe: opened.append(path) or first(path, recipe)
assert main(["prepare", *sys.argv[1:]]) == 0
print(len(opened))
"""
    words = [str(source), str(out), "--size", "128", "--min-size", "20", "--jobs", "1"]
    opened = int(run_child(["-c", program, *words], "", tmp_path).split()[-1])
    # eleven with a licence, and the broken one
    assert opened == 12 - len(records)


def test_ctrl_c_ends_all_in_words_and_the_same_command_goes_on(tmp_path: Path) -> None:
    source, out = make_pictures(tmp_path / "in", 16, 500), tmp_path / "out" / "set.zip"
    before = time.monotonic()
    undisturbed = finish(start(source, out), out)
    whole_s = time.monotonic() - before
    interrupted = 0
    for share in (0.3, 0.5, 0.7, 0.9):
        process = start(source, out)
        try:
            process.wait(share * whole_s)
        except subprocess.TimeoutExpired:
            children = psutil.Process(process.pid).children(recursive=True)
            os.killpg(process.pid, signal.SIGINT)
            _, said = process.communicate(timeout=100)
            await_end(children)
            # before the verb begins, Python itself is interrupted, and says so in its own way
            if process.returncode == 130 and "stopped by Ctrl-C" in said:
                assert "Traceback" not in said, said
                interrupted += 1
    assert interrupted > 0
    assert finish(start(source, out), out) == undisturbed
