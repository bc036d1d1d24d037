"""Work in the background: at idle priority, heard, and ended with all it has started."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from player.clock import HouseClock
from player.upkeep.idle_process import IdleProcess
from tests.process_facts import is_running
from tests.tick_helpers import wait_for

ROOT = Path(__file__).resolve().parent.parent
WAIT = "import threading, sys; print('begun', flush=True); threading.Event().wait(600)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + WAIT
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone schedules like this")


@pytest.fixture
def started() -> Iterator[list[IdleProcess]]:
    """Those in it are closed whatever happens."""
    found: list[IdleProcess] = []
    yield found
    for process in found:
        process.close()


def start(program: str, started: list[IdleProcess]) -> IdleProcess:
    process = IdleProcess([sys.executable, "-S", "-c", program])
    started.append(process)
    process.start()
    return process


def says(process: IdleProcess, line: str) -> bool:
    return wait_for(lambda: process.last_line == line, seconds=30)


def seconds_to_close(process: IdleProcess) -> float:
    clock = HouseClock()
    before_ns = clock.now_ns()
    process.close()
    return (clock.now_ns() - before_ns) / 1e9


@on_linux
def test_it_takes_only_what_nobody_else_wants(started: list[IdleProcess]) -> None:
    process = start(WAIT, started)
    assert says(process, "begun")
    assert os.sched_getscheduler(process.pid) == os.SCHED_IDLE
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == 19
    assert os.getpgid(process.pid) == process.pid
    assert os.getsid(process.pid) == os.getsid(0)
    ionice = subprocess.run(
        ["ionice", "-p", str(process.pid)], capture_output=True, text=True, check=False
    )
    assert ionice.returncode != 0 or ionice.stdout.strip() == "idle"
    assert os.sched_getscheduler(0) != os.SCHED_IDLE


def test_its_end_and_its_last_line_are_known(started: list[IdleProcess]) -> None:
    program = "import sys; print('a'); sys.stderr.write('50 %\\r 100 %\\rdone\\n\\n'); sys.exit(3)"
    process = start(program, started)
    assert wait_for(lambda: process.poll() is not None, seconds=30)
    assert process.poll() == 3
    assert says(process, "done")
    process.close()
    process.close()
    assert process.poll() == 3


def test_it_never_waits_for_us(started: list[IdleProcess]) -> None:
    program = "import sys; sys.stdout.write('x' * 3_000_000 + chr(10) + 'y' * 5000); print()"
    process = start(program, started)
    assert wait_for(lambda: process.poll() == 0, seconds=30)
    assert says(process, "y" * 1000)  # cut


def test_it_has_nothing_to_read_and_speaks_to_no_watcher(
    started: list[IdleProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/of-the-player")
    monkeypatch.setenv("INSPACE_HEARTBEAT", "127.0.0.1:9")
    program = (
        "import os, sys; names = {'NOTIFY_SOCKET', 'INSPACE_HEARTBEAT'} & set(os.environ); "
        "print([*names], repr(sys.stdin.read()))"
    )
    assert says(start(program, started), "[] ''")


@pytest.mark.alone
def test_it_ends_by_itself_if_it_can(started: list[IdleProcess]) -> None:
    program = (
        "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(5)); "
        "print('begun', flush=True); signal.pause()"
    )
    process = start(program, started)
    assert says(process, "begun")
    assert seconds_to_close(process) < 5
    assert process.poll() == 5


def test_deaf_and_with_children_it_ends_all_the_same(started: list[IdleProcess]) -> None:
    program = (
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import signal; signal.pause()'], "
        "start_new_session=True); print(child.pid, flush=True); signal.pause()"
    )
    process = start(program, started)
    assert wait_for(lambda: process.last_line.isdigit(), seconds=30)
    child_pid = int(process.last_line)
    assert is_running(child_pid)
    seconds = seconds_to_close(process)
    print(f"closed in {seconds:.2f} s")
    assert seconds < max(1.0, os.getloadavg()[0])
    assert process.poll() == -9
    assert wait_for(lambda: not is_running(child_pid))


@on_linux
def test_it_dies_with_the_player(tmp_path: Path) -> None:
    player = (
        "import sys, threading; from player.upkeep.idle_process import IdleProcess; "
        "process = IdleProcess(sys.argv[1:]); process.start(); print(process.pid, flush=True); "
        "threading.Event().wait(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", player, sys.executable, "-S", "-c", DEAF],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.kill()
        parent.wait()
        assert wait_for(lambda: not is_running(pid), seconds=30)


def test_what_cannot_be_started_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = IdleProcess([str(tmp_path / "missing"), "--idle"])
    assert process.poll() is None and process.last_line == "" and process.pid == 0
    process.start()
    assert wait_for(lambda: process.poll() == 127, seconds=30)
    assert says(process, f"{tmp_path}/missing cannot be started: No such file or directory.")
    process.close()

    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("player.upkeep.process_family.subprocess.Popen", refuse)
    refused = IdleProcess(["films"])
    refused.start()
    assert refused.poll() == 127 and "Resource temporarily unavailable" in refused.last_line
    refused.close()
