"""What was made of a file is kept for as long as the file stays the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shows.atomic_file import write_atomically
from shows.kept_files import KeptFiles
from shows.latent_set import write_latent_set
from shows.schema import ShowError
from shows.show_file import load_show, save_ballad
from tests.reload_shows import with_latents
from tests.tiny_show import make_tiny_show


class Reader:
    def __init__(self, path: Path) -> None:
        self.path, self.times = path, 0

    def __call__(self) -> str:
        self.times += 1
        return self.path.read_text()


def test_a_file_is_read_again_when_it_is_another(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("one")
    read, kept = Reader(path), KeptFiles()

    def now() -> str:
        text = kept.read(path, read)
        kept.forget_others()
        return text

    assert [now(), now(), read.times] == ["one", "one", 1]
    path.write_text("longer")
    assert [now(), now(), read.times] == ["longer", "longer", 2]
    facts = path.stat()
    write_atomically(path, b"LONGER")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert [now(), read.times] == ["LONGER", 3]
    facts = path.stat()
    with path.open("r+b") as file:
        file.write(b"edited")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert [now(), read.times] == ["edited", 4], "the time of the change itself tells"


def test_what_was_not_read_again_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("one")
    read, kept = Reader(path), KeptFiles()
    for _ in range(3):
        kept.read(path, read)
        kept.forget_others()
        kept.forget_others()
    assert read.times == 3


def test_a_file_that_cannot_be_read_raises_what_its_reader_raises(tmp_path: Path) -> None:
    path = tmp_path / "file"
    read, kept = Reader(path), KeptFiles()
    with pytest.raises(FileNotFoundError):
        kept.read(path, read)
    path.write_text("there")
    assert kept.read(path, read) == "there"


def test_of_a_show_only_what_changed_is_read_again(tmp_path: Path) -> None:
    show, kept = make_tiny_show(tmp_path, screens=2, ballads=3, size=4), KeptFiles()
    before = load_show(tmp_path, kept=kept)
    kept.forget_others()
    save_ballad(tmp_path, show.ballads[0].model_copy(update={"title": "New"}))
    changed = with_latents(show, "ballad-2").latents["ballad-2"]
    write_latent_set(show.latents_path("ballad-2"), changed)
    after = load_show(tmp_path, kept=kept)
    assert after.ballads[0].title == "New"
    same = [
        after.ballads[n] is before.ballads[n]
        and after.latents[f"ballad-{n + 1}"] is before.latents[f"ballad-{n + 1}"]
        for n in range(3)
    ]
    assert same == [False, False, True]
    assert (after.latents["ballad-2"].ws == changed.ws).all()


def test_a_faulty_file_is_told_each_time_until_it_is_mended(tmp_path: Path) -> None:
    show, kept = make_tiny_show(tmp_path, screens=2, ballads=3, size=4), KeptFiles()
    load_show(tmp_path, kept=kept)
    kept.forget_others()
    path = tmp_path / "ballads" / "ballad-1" / "ballad.yaml"
    good = path.read_bytes()
    path.write_bytes(good.replace(b"title", b"titel"))
    for _ in range(2):
        with pytest.raises(ShowError, match="titel: is not a word this file knows"):
            load_show(tmp_path, kept=kept)
    path.write_bytes(good)
    assert load_show(tmp_path, kept=kept).ballads[0] == show.ballads[0]
