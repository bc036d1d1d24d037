"""The whole installation as a process, headless: real worker, real EGL, a tiny real generator."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import run_installation
from shows.show import Show
from tests.installation_process import Installation
from tests.live_show import make_live_show
from tests.tiny_show import make_tiny_show

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs POSIX signals and /proc")

# What a report must hold, whatever else stands in it.
KEYS = {
    "frames_presented",
    "frames_late",
    "frames_repeated",
    "frames_dropped",
    "frames_blended",
    "interval_ms",
    "frames_by_source",
    "engine_ms_per_picture",
    "start_to_first_picture_s",
}


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    made = make_live_show(tmp_path_factory.mktemp("live") / "show")
    assert made.warnings == ()
    return made


def play(show: Show, *arguments: object, **environment: str) -> Installation:
    basics = ("--show", show.folder, "--outputs", "headless", "--threads", 1)
    return Installation(*basics, *arguments, **environment)


SMALL = ("--size", "64x64")  # less to draw for a machine that runs other tests as well


def snapshots(folder: Path) -> list[NDArray[np.uint8]]:
    paths = sorted(folder.iterdir())
    assert [path.name for path in paths] == [f"screen-{n}-screen-{n}.png" for n in range(1, 8)]
    return [np.asarray(Image.open(path)) for path in paths]


def difference(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Mean over pixels and channels, in levels of 255."""
    return float(np.abs(a.astype(np.float64) - b).mean())


def test_ninety_frames_with_report_and_snapshots(show: Show, tmp_path: Path) -> None:
    report_path, folder = tmp_path / "out" / "report.json", tmp_path / "pictures"
    with play(show, "--frames", 90, "--report", report_path, "--snapshot", folder) as run:
        run.said(r"Playing A tiny show on headless, 7 screens of 256x256")
        run.worker_pids()
        assert run.ended() == 0
    report: dict[str, Any] = json.loads(report_path.read_text())
    assert report.keys() >= KEYS
    assert report["frames_presented"] + report["frames_dropped"] == 90
    assert sum(report["frames_by_source"].values()) == report["frames_presented"]
    assert report["frames_by_source"].keys() == {"live"}
    assert 0 <= report["frames_late"] <= report["frames_presented"]
    assert 0 <= report["frames_repeated"] <= report["frames_presented"]
    assert report["frames_blended"] == 0
    assert report["interval_ms"].keys() == {"p50", "p99", "max"}
    assert 20 < report["interval_ms"]["p50"] <= report["interval_ms"]["max"]
    assert report["engine_ms_per_picture"] > 0
    assert 0 < report["start_to_first_picture_s"] < report["start_to_live_s"]
    assert report["worker_restarts"] == 0 and report["osc_errors"] == 0
    assert "16x16" in report["engine"]
    pictures = snapshots(folder)
    assert {picture.shape for picture in pictures} == {(256, 256, 3)}
    assert min(picture.max() for picture in pictures) > 40, "black is no picture"
    assert all(difference(a, b) > 5 for a, b in combinations(pictures, 2)), "seven ballads"


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_within_a_second(
    show: Show, number: signal.Signals, tmp_path: Path
) -> None:
    report_path = tmp_path / "report.json"
    arguments = ("--report", report_path, "--snapshot", tmp_path / "pictures")
    with play(show, *SMALL, *arguments) as run:
        run.status_with(r"source live;.*presented [1-9]")
        assert run.ends_within_a_second_of(number)
    assert json.loads(report_path.read_text())["frames_presented"] > 0
    assert min(picture.max() for picture in snapshots(tmp_path / "pictures")) > 40


@pytest.mark.alone
@pytest.mark.slow
def test_more_signals_on_the_way_out_change_nothing(show: Show) -> None:
    with play(show, *SMALL) as run:
        run.status_with(r"source live;.*presented [1-9]")
        run.worker_pids()
        run.signal(signal.SIGINT, signal.SIGINT, signal.SIGTERM)
        run.said("frames presented")
        assert run.ends_within_a_second_of(signal.SIGINT)


@pytest.mark.alone
@pytest.mark.slow
def test_a_signal_while_the_engine_is_loaded_ends_it_within_a_second(show: Show) -> None:
    with play(show, *SMALL) as run:
        run.said("Playing A tiny show")
        assert len(run.worker_pids()) == 1
        assert run.ends_within_a_second_of(signal.SIGINT)
    assert "0 frames presented" in run.text


@pytest.mark.alone
@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_stills_stand_in(show: Show, tmp_path: Path) -> None:
    report_path = tmp_path / "report.json"
    with play(show, *SMALL, "--report", report_path, "--snapshot", tmp_path / "live") as run:
        run.status_with(r"source live;.*presented [1-9]")
        (worker,) = run.worker_pids()
        os.kill(worker, signal.SIGKILL)
        run.status_with(r"source slate.*worker was ended by SIGKILL")
        run.status_with(r"source live; engine ready.*worker restarts 1;")
        assert run.worker_pids() != [worker]
        assert run.ends_within_a_second_of(signal.SIGTERM)
    report = json.loads(report_path.read_text())
    assert report["worker_restarts"] == 1
    assert report["frames_by_source"].keys() == {"live", "slate"}
    assert min(picture.max() for picture in snapshots(tmp_path / "live")) > 40
    assert run.text.count("as stills") == 1 and "The screens show live pictures." in run.text


@pytest.mark.alone
@pytest.mark.slow
def test_without_a_worker_the_snapshot_shows_the_paintings(show: Show, tmp_path: Path) -> None:
    with play(show, *SMALL, "--snapshot", tmp_path / "stills") as run:
        run.status_with(r"source live;.*presented [1-9]")
        (worker,) = run.worker_pids()
        os.kill(worker, signal.SIGSTOP)  # it hangs, is killed, and the next one takes a while
        frame = int(run.status_with(r"frame (\d+).*source slate")[1])
        run.status_with(rf"frame (?!{frame}\b)\d+.*source slate")
        assert run.ends_within_a_second_of(signal.SIGTERM)
    assert "stills. The synthesis worker gave no sign of life" in run.text
    assert min(picture.max() for picture in snapshots(tmp_path / "stills")) > 40


@pytest.mark.slow
def test_stills_alone_need_no_worker(show: Show, tmp_path: Path) -> None:
    report_path, folder = tmp_path / "report.json", tmp_path / "stills"
    arguments = ("--mode", "slate", "--frames", 10, "--report", report_path, "--snapshot", folder)
    with play(show, *arguments, "--size", "64x48") as run:
        run.said("Playing")
        assert run.worker_pids() == []
        assert run.ended() == 0
    report = json.loads(report_path.read_text())
    assert report.keys() >= KEYS and report["engine_ms_per_picture"] is None
    assert report["frames_by_source"] == {"slate": report["frames_presented"]}
    for number, picture in enumerate(snapshots(folder), 1):
        with Image.open(show.painting_path(f"ballad-{number}", 0)) as painting:
            expected = np.array(painting.getpixel((0, 0)))
        assert picture.shape == (48, 64, 3)
        assert np.abs(picture[24, 32].astype(int) - expected).max() <= 1


@pytest.mark.slow
def test_without_torch_it_says_what_to_install(show: Show, tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')"
    )
    report_path = tmp_path / "report.json"
    words = r"the Python package torch is missing; install .* pip install -e '\.\[live\]'"
    with play(show, *SMALL, "--mode", "live", PYTHONPATH=str(tmp_path)) as run:
        assert run.ended() == 1
        run.said(rf"run_installation\.py: --mode live: the engine does not start\. .*{words}")
    with play(
        show, *SMALL, "--frames", 5, "--report", report_path, PYTHONPATH=str(tmp_path)
    ) as run:
        assert run.ended() == 0
        run.said(words)
    assert json.loads(report_path.read_text())["frames_by_source"].keys() == {"slate"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["windows", "span"])
def test_without_a_display_it_says_so_and_goes_headless(show: Show, kind: str) -> None:
    arguments = ("--show", show.folder, "--mode", "slate", "--frames", 3, "--outputs", kind)
    with Installation(*arguments, DISPLAY="") as run:
        assert run.ended() == 0
    assert f"There is no display here, so --outputs {kind} becomes headless." in run.lines
    with Installation(*arguments[:-2], DISPLAY="") as run:
        assert run.ended() == 0
    assert "There is no display here: playing headless." in run.lines


# ---- what keeps it from playing is told in a sentence


def refusal(*arguments: object) -> str:
    with Installation("--outputs", "headless", *arguments) as run:
        assert run.ended() == 1
    assert run.lines[-1].startswith("run_installation.py: ")
    return run.lines[-1]


def test_a_show_that_is_not_there(tmp_path: Path) -> None:
    assert refusal("--show", tmp_path / "nowhere").endswith(
        f"There is no show in {tmp_path / 'nowhere'}: it has no file show.yaml."
    )


def test_a_broken_show_is_named_by_its_path(tmp_path: Path) -> None:
    make_tiny_show(tmp_path / "show")
    path = tmp_path / "show" / "show.yaml"
    path.write_text(path.read_text().replace("fps: 30", "fps: quick"))
    assert "show.yaml: fps: " in refusal("--show", tmp_path / "show")
    path.write_text("screens: [")
    assert "show.yaml" in refusal("--show", tmp_path / "show")


@pytest.mark.slow
def test_a_generator_without_weights_is_a_sentence(tmp_path: Path) -> None:
    show = make_tiny_show(tmp_path / "show")
    told = refusal("--show", show.folder, "--mode", "live")
    assert "--mode live: the engine does not start. The engine could not be opened: " in told
    assert "generator.safetensors" in told
    show.generator_path.unlink()
    assert "generator.safetensors" in refusal("--show", show.folder, "--mode", "live")


def test_a_port_in_use_is_not_hopped_from(show: Show) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        told = refusal("--show", show.folder, "--osc-port", port)
        assert f"OSC port {port} on 127.0.0.1 is already in use by" in told
        assert str(os.getpid()) in told and "--osc-port" in told


def test_a_report_that_cannot_be_written(show: Show, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    where = tmp_path / "file" / "report.json"
    told = refusal("--show", show.folder, "--mode", "slate", "--frames", 2, "--report", where)
    assert f"The frame report cannot be written to {where}" in told


@pytest.mark.parametrize(
    "arguments",
    [("--frames", "0"), ("--size", "0x5"), ("--mode", "dead"), ("--osc-port", "x"), ("paint",)],
)
def test_a_wrong_command_line_is_refused(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        run_installation.main(arguments)
    assert end.value.code == 2
    assert "error: argument" in capsys.readouterr().err
