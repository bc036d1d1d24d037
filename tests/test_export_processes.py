"""Exports as real processes: killed and gone on with, shared by two, and out of room."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from player.films.export import export
from player.films.manifest import sha256_of
from shows.show import Show
from tests.export_engine import make_short_show, options, start_export
from tests.export_fake import FOREVER

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's"),
]


@pytest.fixture
def show(tmp_path: Path) -> Show:
    return make_short_show(tmp_path / "show")


@pytest.fixture
def wanted(show: Show, tmp_path: Path) -> dict[str, tuple[str, int]]:
    """What an export that nothing disturbs makes."""
    out = tmp_path / "wanted"
    export(options(show, out=out), stop=lambda: False)
    return films_in(out)


def films_in(folder: Path) -> dict[str, tuple[str, int]]:
    return {path.name: sha256_of(path) for path in folder.glob("*.mp4")}


def wait_for_parts(folder: Path, count: int) -> None:
    for _ in range(3000):
        if len(list((folder / ".parts").glob("*.mp4"))) >= count:
            return
        FOREVER.wait(0.01)
    raise AssertionError("no part has come")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_killed_export_goes_on_to_the_same_films(
    show: Show, tmp_path: Path, wanted: dict[str, tuple[str, int]], number: signal.Signals
) -> None:
    out = tmp_path / "films"
    process = start_export(show.folder, "--out", str(out), EXPORT_RENDER_S="0.02")
    wait_for_parts(out, 2)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    if number == signal.SIGKILL:
        assert process.returncode == -number
    else:
        assert process.returncode == 130 and "the same command goes on" in said
    assert films_in(out).items() <= wanted.items()  # whole films, or none
    again = export(options(show, out=out), stop=lambda: False)
    assert again.frames < 200 and films_in(out) == wanted
    assert not list((out / ".parts").glob("*.tmp"))


def test_two_processes_share_the_work(
    show: Show, tmp_path: Path, wanted: dict[str, tuple[str, int]]
) -> None:
    out = tmp_path / "films"
    both = [
        start_export(
            show.folder,
            "--out",
            str(out),
            RANK=str(rank),
            WORLD_SIZE="2",
            LOCAL_RANK=str(rank),
            EXPORT_RENDER_S="0.005",
        )
        for rank in (0, 1)
    ]
    said = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert films_in(out) == wanted
    assert "100 frames" in said[0] and "100 frames" in said[1]


def test_a_disk_that_fills_up_in_the_middle(
    show: Show, tmp_path: Path, wanted: dict[str, tuple[str, int]]
) -> None:
    out = tmp_path / "films"
    # no file may grow beyond 4 KiB, which a part stays below and a film does not
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))"
    process = start_export(show.folder, "--out", str(out), before=limit)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1 and "Traceback" not in said
    assert "is full" in said and "finished parts are kept" in said
    assert films_in(out) == {}
    export(options(show, out=out), stop=lambda: False)
    assert films_in(out) == wanted
