"""Real processes: found by what the kernel says, harmed, and ended whatever state they are in."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from player.chaos import house, processes
from player.chaos.house import House, HouseError, last_words, texts
from player.osc.packets import encode_message, encode_reply
from tests.tick_helpers import wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

WAITS = "import threading; threading.Event().wait(60)"
# As the installation does it: a first process, a player that it starts, two workers of that; all
# refuse to end by themselves.
INSTALLATION = """
import os, signal, subprocess, sys, threading
signal.signal(signal.SIGTERM, signal.SIG_IGN)
here = os.path.abspath(sys.argv[0])
if sys.argv[1] == "supervise":
    print("began", flush=True)
    subprocess.Popen([sys.executable, here, "play"])
elif sys.argv[1] == "play":
    for role in ("film", "live"):
        words = [sys.executable, here, "work", "player.live.synthesis_worker"]
        subprocess.Popen(words, env={**os.environ, "INSPACE_ROLE": role}, start_new_session=True)
elif sys.argv[1] == "end":
    sys.exit("It cannot play.")
threading.Event().wait(60)
"""


@pytest.fixture
def pretended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "run_installation.py").write_text(INSTALLATION)
    monkeypatch.setattr(house, "ROOT", tmp_path)
    monkeypatch.setattr(house, "LEAVE_S", 0.2)
    return tmp_path


@pytest.fixture
def opened(pretended: Path) -> Iterator[House]:
    with House(["supervise"], pretended / "log", 9) as opened:
        yield opened


def pids_of(opened: House) -> list[int]:
    return processes.marked(house.MARK, opened._mark)


def test_the_player_and_its_live_worker_are_found(opened: House) -> None:
    assert wait_for(lambda: opened.live_worker() is not None)
    assert wait_for(lambda: len(pids_of(opened)) == 4)
    player, worker = opened.player(), opened.live_worker()
    assert player is not None and worker is not None
    assert player.is_player and worker.is_worker and worker.parent == player.pid
    assert processes.environment(worker.pid)["INSPACE_ROLE"] == "live"
    footprint = processes.footprint(player.pid, [player.pid])
    assert footprint is not None and footprint.segments == 0
    assert 5 < footprint.by_role["player"] < footprint.rss_mb
    assert footprint.by_role["live"] > 5


def test_nothing_outlives_it_stopped_orphaned_or_deaf(opened: House) -> None:
    assert wait_for(lambda: len(pids_of(opened)) == 4)
    assert wait_for(lambda: opened.live_worker() is not None)
    worker, player = opened.live_worker(), opened.player()
    assert worker is not None and player is not None
    processes.send(worker.pid, signal.SIGSTOP)
    processes.send(player.pid, signal.SIGKILL)  # its workers have another parent from now on
    assert wait_for(lambda: opened.player() is None)
    assert len(pids_of(opened)) == 3
    opened.close()
    opened.close()
    assert pids_of(opened) == []


def test_it_ends_with_this_process_even_if_that_is_killed(pretended: Path) -> None:
    code = f"""
import os, signal, threading
from pathlib import Path
from player.chaos import house
house.ROOT = Path({str(pretended)!r})
opened = house.House(["wait"], Path({str(pretended / "log")!r}), 9)
opened.__enter__()
print(opened._process.pid, flush=True)
threading.Event().wait(60)
"""
    (pretended / "run_installation.py").write_text(WAITS)
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child.stdout as said:
        pid = int(said.readline())
    assert Path(f"/proc/{pid}").exists()
    child.kill()
    child.wait()
    assert wait_for(lambda: not Path(f"/proc/{pid}/exe").exists() or is_zombie(pid))


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_an_installation_that_ends_by_itself_is_told_with_its_last_words(pretended: Path) -> None:
    with House(["end"], pretended / "log", 9) as opened:
        process = opened._process
        assert process is not None and wait_for(lambda: process.poll() is not None)
        with pytest.raises(HouseError, match=r"status 1; its last words: It cannot play\."):
            opened.player()
    assert last_words(pretended / "absent").startswith("(its log")


def test_a_worker_without_a_role_is_told_by_its_age(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = processes.Process(10, 1, 100, ("python", "player.live.synthesis_worker"))
    newer = processes.Process(9, 1, 200, older.words)
    other = processes.Process(8, 1, 50, ("python", "other"))
    monkeypatch.setattr(processes, "children", lambda _: [other, older, newer])
    roles: dict[int, dict[str, str]] = {}
    monkeypatch.setattr(processes, "environment", lambda pid: roles.get(pid, {}))
    assert processes.live_worker(1) == older
    roles[10] = {"INSPACE_ROLE": "film"}
    assert processes.live_worker(1) == newer
    roles[9] = {"INSPACE_ROLE": "film"}
    assert processes.live_worker(1) is None


def test_whether_live_is_on_is_read_from_the_answer(pretended: Path) -> None:
    opened = House(["wait"], pretended / "log", 9)
    address = opened._operator
    address.bind(("127.0.0.1", 0))
    own = address.getsockname()
    assert opened.heard_live() is None

    def heard(text: str) -> bool | None:
        address.sendto(encode_reply("/status", True, text), own)
        address.sendto(b"no OSC at all", own)
        address.sendto(encode_message("/other", "s", ("source live",)), own)
        found: list[bool] = []

        def has_come() -> bool:
            live = opened.heard_live()
            found.extend([] if live is None else [live])
            return bool(found)

        return found[0] if wait_for(has_come) else None

    assert heard("playing, frame 3; source live; engine ready") is True
    assert heard("playing, frame 3; source live, fading; engine ready") is False
    assert heard("playing, frame 3; source film; engine ready: Live.") is False
    assert texts(encode_reply("/status", True, "x")) == [("/status", "ok", "x")]
    opened.close()


def test_films_that_cannot_be_made_are_told(pretended: Path) -> None:
    (pretended / "run_installation.py").write_text("raise SystemExit(3)")
    with pytest.raises(HouseError, match="status 3"):
        house.make_missing_films(pretended, threading.Event())
    (pretended / "run_installation.py").write_text(WAITS)
    stop = threading.Event()
    stop.set()
    house.make_missing_films(pretended, stop)  # returns, and leaves nothing
    assert not [p for p in processes.descendants(os.getpid()) if "export" in p.words]
