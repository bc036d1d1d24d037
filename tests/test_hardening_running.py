"""The player in bad conditions, as a process: damaged files, a full disk, little memory."""

from __future__ import annotations

import json
import random
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from player.osc.mutants import mutants, seeds
from shows.show import Show
from tests.installation_process import ROOT, Installation
from tests.live_show import make_live_show
from tests.tick_helpers import wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs POSIX signals and limits")

SMALL = ("--outputs", "headless", "--size", "64x64", "--threads", 1)
LITTLE_MEMORY_BYTES = 4 << 30
STRANGER_FRAMES = 5400


@pytest.fixture
def show(tmp_path: Path) -> Show:
    return make_live_show(tmp_path / "show")


def limits(folder: Path, *lines: str) -> dict[str, str]:
    """The environment of a Python that begins with these limits of its own."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("\n".join(("import resource", *lines)))
    return {"PYTHONPATH": str(folder)}


@pytest.mark.alone
@pytest.mark.slow
def test_a_show_plays_on_when_all_its_files_are_damaged(show: Show) -> None:
    dice = random.Random(1)
    with Installation("--show", show.folder, *SMALL) as run:
        run.status_with(r"source live;.*presented [1-9]")
        for path in show.folder.rglob("*"):
            if path.is_file():
                # replaced, as an editor or a copy does; what was mapped keeps its contents
                path.unlink()
                path.write_bytes(dice.randbytes(200))
        assert run.reaches(run.frame() + 30)
        assert "ballad" in run.ask("/ballad", 3)
        run.status_with("soon ballad-3|1 ballad-3 ")
        assert run.reaches(run.frame() + 30)
        run.status_with("source live;")
        assert run.ends_within_a_second_of(signal.SIGTERM)


@pytest.mark.slow
@pytest.mark.parametrize("place", ["full", "read-only"])
def test_a_disk_that_takes_nothing_costs_the_report_and_no_frame(
    show: Show, tmp_path: Path, place: str
) -> None:
    # a limit on the size of files is a full disk without one: write fails, after the file is made
    full = ("resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))",) if place == "full" else ()
    out = tmp_path if place == "full" else Path("/proc")
    words = ("--mode", "slate", "--frames", 20, "--report", out / "report.json")
    environment = limits(tmp_path / "limits", *full)
    with Installation("--show", show.folder, *SMALL, *words, **environment) as run:
        run.said("Playing")
        assert run.ended() == 1
        run.said("The frame report cannot be written to ")
    assert "Traceback" not in run.text
    assert not (tmp_path / "report.json").exists()
    assert list(tmp_path.glob(".report.json*")) == [], "no half-written file"


@pytest.mark.slow
def test_a_disk_that_takes_nothing_costs_the_snapshots(show: Show, tmp_path: Path) -> None:
    environment = limits(tmp_path / "limits", "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))")
    words = ("--mode", "slate", "--frames", 20, "--snapshot", tmp_path / "pictures")
    with Installation("--show", show.folder, *SMALL, *words, **environment) as run:
        run.said("Playing")
        assert run.ended() == 1
        run.said("The snapshots cannot be written to ")


@pytest.mark.alone
@pytest.mark.slow
def test_a_flood_of_mutated_packets_takes_no_frame(show: Show, tmp_path: Path) -> None:
    """Ten thousand packets, as fast as they go out, while the show plays; then it obeys."""
    report = tmp_path / "report.json"
    with Installation("--show", show.folder, *SMALL, "--report", report) as run:
        port = int(run.said(r"OSC: \S+ port (\d+)")[1])
        run.status_with(r"source live;.*presented [1-9]")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
            for packet in mutants(1, 10_000, seeds()):
                flood.sendto(packet, ("127.0.0.1", port))
        said: list[str] = []

        def is_heard_again() -> bool:  # the flood's host is ours, and its debt must be paid first
            try:
                said.append(run.ask("/status"))
            except (TimeoutError, AssertionError):
                return False
            return True

        assert wait_for(is_heard_again, seconds=60)
        run.ask("/play")  # some of the packets are whole, and are obeyed
        assert run.reaches(run.frame() + 30)
        run.status_with(r"engine ready.*worker restarts 0;")
        assert run.ends_within_a_second_of(signal.SIGTERM)
    told = json.loads(report.read_text())
    print({key: told[key] for key in told if key.startswith("frames_")}, told["osc_errors"])
    assert told["osc_errors"] > 300, "most of so fast a flood the system drops before it is read"


@pytest.mark.slow
def test_four_gigabytes_are_enough_for_the_shipped_show(tmp_path: Path) -> None:
    """Of address space for each process, and of resident memory for both."""
    limit = f"resource.setrlimit(resource.RLIMIT_AS, ({LITTLE_MEMORY_BYTES},) * 2)"
    report, peak = tmp_path / "report.json", 0
    words = ("--show", ROOT / "shows" / "inspace", "--outputs", "headless", "--size", "256x256")
    environment = limits(tmp_path / "limits", limit)
    more = ("--mode", "live", "--frames", 100, "--report", report)
    with Installation(*words, *more, **environment) as run:
        player = psutil.Process(run.pid)

        def has_ended() -> bool:
            nonlocal peak
            try:
                family = [player, *player.children(recursive=True)]
                peak = max(peak, sum(process.memory_info().rss for process in family))
                return player.status() == psutil.STATUS_ZOMBIE
            except psutil.NoSuchProcess:
                return True

        assert wait_for(has_ended, seconds=90)
        assert run.ended() == 0, run.text
    told = json.loads(report.read_text())
    print(f"resident at most {peak / 2**20:.0f} MiB; {told['frames_by_source']}")
    assert told["worker_restarts"] == 0 and told["frames_by_source"].get("live", 0) > 0
    assert peak < LITTLE_MEMORY_BYTES // 2


@pytest.mark.long
@pytest.mark.timeout(400)
def test_a_stranger_takes_a_core_and_the_show_goes_on(tmp_path: Path) -> None:
    """Three minutes of the shipped show beside a process that spins: no black, no stop."""
    report, pictures = tmp_path / "report.json", tmp_path / "pictures"
    words = ("--show", ROOT / "shows" / "inspace", "--outputs", "headless", "--size", "256x256")
    more = ("--frames", STRANGER_FRAMES, "--report", report, "--snapshot", pictures)
    stranger = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        with Installation(*words, *more) as run:
            run.said("Playing")
            assert run.ended(seconds=120 + STRANGER_FRAMES / 20) == 0, run.text
    finally:
        stranger.kill()
        stranger.wait()
    told = json.loads(report.read_text())
    print({key: told[key] for key in told if key.startswith("frames_")}, told["interval_ms"])
    assert told["frames_presented"] + told["frames_dropped"] == STRANGER_FRAMES
    assert told["frames_presented"] > STRANGER_FRAMES / 2
    assert told["worker_restarts"] == 0
    for path in pictures.iterdir():
        with Image.open(path) as picture:
            assert np.asarray(picture).std() > 5, f"{path.name} is black or of one colour"
