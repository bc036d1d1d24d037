"""Whether a show's files have changed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from player.reload.files import FilesWatch, Settling, signature_of
from shows.latent_set import write_latent_set
from shows.show import Show
from tests.tick_helpers import wait_for
from tests.tiny_show import make_tiny_show


@pytest.fixture
def show(tmp_path: Path) -> Show:
    return make_tiny_show(tmp_path / "show", screens=1, ballads=2, paintings=2, size=4)


def test_a_change_is_told_once_two_looks_agree() -> None:
    a, b, c = (frozenset({("file", 1, size, 1)}) for size in (1, 2, 3))
    settling = Settling(a)
    looks = [a, b, c, c, c, c, b, a, a, a, b, b]
    assert [settling.look(now) for now in looks] == [
        *(False, False, False, True, False, False),
        *(False, False, True, False, False, True),
    ]


def test_a_change_that_is_taken_back_at_once_is_none() -> None:
    a, b = (frozenset({("file", 1, size, 1)}) for size in (1, 2))
    settling = Settling(a)
    assert [settling.look(now) for now in (b, a, a)] == [False, False, False]


def test_everything_that_a_player_reads_is_looked_at(show: Show) -> None:
    paths = [
        *("show.yaml", "generator.safetensors", "ballads/ballad-1/ballad.yaml"),
        *("ballads/ballad-2/latents.safetensors", "ballads/ballad-2/paintings/1.png"),
    ]
    for path in paths:
        before = signature_of(show.folder)
        with (show.folder / path).open("ab") as file:
            file.write(b"\n")
        assert signature_of(show.folder) != before, path


def test_what_the_player_makes_is_not(show: Show) -> None:
    before = signature_of(show.folder)
    for path in ("films/ballad-1.mp4", "work/snapshots/tick-1/1.png", ".git/index"):
        (show.folder / path).parent.mkdir(parents=True)
        (show.folder / path).write_bytes(b"made")
    assert signature_of(show.folder) == before
    (show.folder / "ballads/ballad-1/work").mkdir()
    (show.folder / "ballads/ballad-1/work/1.png").write_bytes(b"a painting's folder")
    assert signature_of(show.folder) != before


def test_a_file_put_in_its_place_is_seen_even_with_the_same_size_and_time(show: Show) -> None:
    path = show.latents_path("ballad-1")
    facts, before = path.stat(), signature_of(show.folder)
    write_latent_set(path, show.latents["ballad-1"])
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert path.stat().st_size == facts.st_size
    assert signature_of(show.folder) != before


def test_a_folder_that_is_gone_is_empty(tmp_path: Path) -> None:
    assert signature_of(tmp_path / "nowhere") == frozenset()


def test_a_watch_tells_of_changes_until_it_is_closed(show: Show) -> None:
    told: list[int] = []
    watch = FilesWatch(show.folder, lambda: told.append(1), every_s=0.01)
    watch.start()
    (show.folder / "show.yaml").open("ab").write(b"\n")
    assert wait_for(lambda: len(told) == 1)
    (show.folder / "show.yaml").open("ab").write(b"\n")
    assert wait_for(lambda: len(told) == 2)
    watch.close()
    assert "show files" not in [thread.name for thread in threading.enumerate()]
