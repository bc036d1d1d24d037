"""`python -m training collect`, as a process that is killed in the middle of its downloads."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.fake_flickr import KEY, FakeFlickr, FakePhoto, picture
from training.pictures.collect_folder import read_journal
from training.pictures.provenance import read_table

ROOT = Path(__file__).parents[1]
KILLS = 20
PICTURES = 48
JOBS = 4


def start(fake: FakeFlickr, out: Path, most_bytes: int | None = None) -> subprocess.Popen[str]:
    def limit() -> None:
        if most_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    words = [str(out), "--api", fake.api, "--tags", "lake", "--min-size", "100", "--wait", "0"]
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "training",
            "collect",
            *words,
            "--rate",
            "1000",
            "--jobs",
            str(JOBS),
        ],
        cwd=ROOT,
        env={**os.environ, "FLICKR_API_KEY": KEY},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=limit,
    )


def finish(process: subprocess.Popen[str], status: int = 0) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == status, err
    return out + err


def files(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.rglob("*") if path.is_file()}


def rows_held(out: Path) -> set[str]:
    """Ids of pictures that the table or the journal knows."""
    table = out / "provenance.csv"
    rows = list(read_table(table).values()) if table.exists() else []
    return {row.id for row in [*rows, *read_journal(out / ".collect" / "journal.jsonl")]}


def photos() -> list[FakePhoto]:
    made = [
        FakePhoto(
            str(n),
            title=f"=lake {n}",
            uploaded=1_500_000_000 + n,
            width=240,
            height=180,
            content=picture(n, 240, 180),
        )
        for n in range(PICTURES)
    ]
    made[3].content = b"<html>not a picture</html>"
    return made


@pytest.mark.slow
def test_killed_at_any_moment_it_ends_in_the_same_files(tmp_path: Path) -> None:
    chance = random.Random(7)
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    with FakeFlickr(photos()) as fake:
        finish(start(fake, undisturbed))
        fake.piece_s = 0.008
        kills, held = 0, set[str]()
        while kills < KILLS:
            fake.was_asked.clear()
            asked = len(fake.asked)
            process = start(fake, killed)
            assert fake.was_asked.wait(60)
            threading.Event().wait(chance.uniform(0, 0.12))
            process.kill()
            process.communicate()
            assert process.returncode == -signal.SIGKILL  # it was in the middle, not at its end
            kills += 1
            # what is written down is never fetched again, and its picture is there
            assert not held & {what for what, _, _ in fake.asked[asked:]}
            held = rows_held(killed)
            assert all((killed / f"flickr-{one}.jpg").exists() for one in held)
        assert 0 < len(held) < PICTURES - 1
        # downloads that were cut off are gone on with
        assert [what for what, _, status in fake.asked if status == 206]
        fake.piece_s, asked = 0, len(fake.asked)
        finish(start(fake, killed))
        assert not held & {what for what, _, _ in fake.asked[asked:]}
    assert files(killed) == files(undisturbed)
    assert len(files(killed)) == PICTURES - 1 + 2  # the table and the lock


@pytest.mark.slow
def test_ctrl_c_writes_the_table_and_the_same_line_goes_on(tmp_path: Path) -> None:
    with FakeFlickr(photos()) as fake:
        fake.piece_s = 0.008
        process = start(fake, tmp_path)
        assert fake.was_asked.wait(60)
        while not list(tmp_path.glob("*.jpg")):
            threading.Event().wait(0.01)
        process.send_signal(signal.SIGINT)
        told = finish(process, 130)
        assert "stopped by Ctrl-C." in told and "Traceback" not in told
        table = read_table(tmp_path / "provenance.csv")
        assert sorted(table) == sorted(path.name for path in tmp_path.glob("*.jpg"))
        assert 0 < len(table) < PICTURES
        fake.piece_s = 0
        assert f"{len(table)} already there" in finish(start(fake, tmp_path))
    assert len(read_table(tmp_path / "provenance.csv")) == PICTURES - 1


@pytest.mark.slow
def test_a_file_that_the_disk_does_not_take_is_said(tmp_path: Path) -> None:
    with FakeFlickr(photos()) as fake:
        told = finish(start(fake, tmp_path, most_bytes=20_000), 2)
        assert "File too large. What was collected is kept" in told and "Traceback" not in told
        finish(start(fake, tmp_path))
    assert len(read_table(tmp_path / "provenance.csv")) == PICTURES - 1


@pytest.mark.slow
def test_it_starts_without_torch() -> None:
    for module in ("collect", "credits"):
        told = subprocess.run(
            [sys.executable, "-c", f"import sys, training.pictures.{module}; print(*sys.modules)"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        assert not {"torch", "numpy.random", "player"} & set(told)
