"""`validate`: a healthy show has no fault; every fault of a broken one is named with its place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from player.making.validate import validate
from shows.latent_set import write_latent_set
from shows.show import Show
from shows.show_file import load_show
from tests.film_maker import make_film, numbers
from tests.test_film_library import facts_for
from tests.test_new_show import SHIPPED, run_verb
from tests.tiny_show import make_tiny_show, write_fake_generator

SIDE = 16


@pytest.fixture
def show(tmp_path: Path) -> Show:
    return make_tiny_show(tmp_path / "show", screens=2, ballads=2, paintings=3)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def ballad_file(show: Show, number: int = 1) -> Path:
    return show.folder / "ballads" / f"ballad-{number}" / "ballad.yaml"


def test_a_healthy_show_has_no_fault(show: Show) -> None:
    found = validate(show.folder)
    assert found.faults == []
    assert found.notes == [
        "no film of ballad-1, ballad-2: `export` makes what takes over when live pictures fail."
    ]
    assert found.seen == ["2 ballads", "6 pictures", "the generator", "latents", "0 films"]


def no_painting(show: Show) -> None:
    show.painting_path("ballad-1", 2).unlink()


def broken_painting(show: Show) -> None:
    show.painting_path("ballad-2", 0).write_bytes(b"\x89PNG\r\n\x1a\n but no picture")


def crop_outside(show: Show) -> None:
    edit(ballad_file(show), "file: paintings/2.png", "file: paintings/2.png\n  crop: [8, 8, 9, 9]")


def misspelt_word(show: Show) -> None:
    edit(show.folder / "show.yaml", "title:", "tilte:")


def unknown_ballad(show: Show) -> None:
    edit(show.folder / "show.yaml", "ballad: ballad-2", "ballad: ballad-3")


def no_yaml(show: Show) -> None:
    ballad_file(show).write_text("title: [open", encoding="utf-8")


def same_title(show: Show) -> None:
    edit(ballad_file(show), "Ballad number 1", "Ballad number 2")


def no_latents(show: Show) -> None:
    show.latents_path("ballad-2").unlink()


def cut_latents(show: Show) -> None:
    path = show.latents_path("ballad-2")
    path.write_bytes(path.read_bytes()[:-4])


def other_generator(show: Show) -> None:
    write_fake_generator(show.generator_path, content_hash="1" * 64)


def other_sizes(show: Show) -> None:
    write_fake_generator(show.generator_path, num_ws=6)


def no_generator(show: Show) -> None:
    show.generator_path.unlink()


def other_ballad_s_latents(show: Show) -> None:
    shutil.copyfile(show.latents_path("ballad-1"), show.latents_path("ballad-2"))


def renamed_painting(show: Show) -> None:
    edit(ballad_file(show), "id: p3", "id: p4")


def too_many_stops(show: Show) -> None:
    edit(show.folder / "show.yaml", "stops: 7", "stops: 8")


def cut_film(show: Show) -> None:
    path = show.folder / "films" / "ballad-1.mp4"
    path.parent.mkdir()
    path.write_bytes(b"no film")


BROKEN: list[tuple[Callable[[Show], None], list[str]]] = [
    (no_painting, ["ballads/ballad-1/ballad.yaml: paintings[2].file: paintings/3.png: is not"]),
    (broken_painting, ["ballads/ballad-2/ballad.yaml: paintings[0].file: paintings/1.png: "]),
    (crop_outside, ["ballads/ballad-1/ballad.yaml: paintings[1].crop: [8, 8, 9, 9]"]),
    (
        misspelt_word,
        ["show.yaml: title: is missing.", "show.yaml: tilte: is not a word this file knows"],
    ),
    (unknown_ballad, ["show.yaml: screens[1].ballad: 'ballad-3' is not among the ballads"]),
    (no_yaml, ["ballads/ballad-1/ballad.yaml: line 2: did not find"]),
    (same_title, ["ballads/ballad-2/ballad.yaml: title: 'Ballad number 2' is taken"]),
    (no_latents, ["ballads/ballad-2/latents.safetensors: is missing"]),
    (cut_latents, ["ballads/ballad-2/latents.safetensors should be"]),
    (
        other_generator,
        [f"ballads/ballad-{n}/latents.safetensors: was made with the generator" for n in (1, 2)],
    ),
    (other_sizes, [f"ballads/ballad-{n}/latents.safetensors: has ws of 4 x 8" for n in (1, 2)]),
    (no_generator, ["generator.safetensors is missing"]),
    (other_ballad_s_latents, ["ballads/ballad-2/latents.safetensors: belongs to the ballad"]),
    (renamed_painting, ["ballads/ballad-1/latents.safetensors: has nothing for p4"]),
    (
        too_many_stops,
        [f"ballads/ballad-{n}/latents.safetensors: holds noise for 7 stops" for n in (1, 2)],
    ),
    (cut_film, ["films/ballad-1.mp4"]),
]


@pytest.mark.parametrize(
    ("breaks", "sentences"), BROKEN, ids=lambda value: getattr(value, "__name__", "")
)
def test_each_fault_is_named_and_none_invented(
    show: Show, breaks: Callable[[Show], None], sentences: list[str]
) -> None:
    breaks(show)
    faults = sorted(validate(show.folder).faults)
    assert len(faults) == len(sentences), faults
    for fault, sentence in zip(faults, sorted(sentences), strict=True):
        assert sentence in fault
        assert fault.endswith(".") and "\n" not in fault


def test_faults_of_different_files_are_told_together(show: Show) -> None:
    for breaks in (no_painting, broken_painting, same_title, misspelt_word, no_latents, cut_film):
        breaks(show)
    faults = validate(show.folder).faults
    # two words, two paintings, a title; without settings nothing is known of latents and films
    assert len(faults) == 5, faults
    edit(show.folder / "show.yaml", "tilte:", "title:")
    assert len(validate(show.folder).faults) == 4


def test_films_in_date_and_out_of_it(show: Show) -> None:
    (show.folder / "films").mkdir()
    for ballad_id, changes in (("ballad-1", {}), ("ballad-2", {"fingerprint": "0" * 64})):
        facts = facts_for(show, ballad_id, **changes)
        path = show.folder / "films" / f"{ballad_id}.mp4"
        make_film(path, numbers(facts.frames, SIDE, SIDE), facts=facts)
    found = validate(show.folder)
    assert len(found.faults) == 1
    assert "ballad-2.mp4 was made of another version of this show" in found.faults[0]
    assert found.notes == [] and "2 films" in found.seen


def test_a_key_that_is_not_there_is_a_fault(show: Show) -> None:
    path = show.folder / "show.yaml"
    text = path.read_text(encoding="utf-8")
    head, _, rest = text.partition("sync:\n")
    path.write_text(head + "sync:\n  key_file: secret.key\n" + rest.split("\n", 2)[2])
    assert load_show(show.folder).settings.sync.key_file == "secret.key"
    faults = validate(show.folder).faults
    assert len(faults) == 1 and faults[0].startswith("show.yaml: sync.key_file: ")


def test_a_machine_file_is_looked_at_too(show: Show, tmp_path: Path) -> None:
    machine = tmp_path / "machine.yaml"
    machine.write_text("schema_version: 1\nscreens: [{screen: nobody, index: 1}]\n")
    done = run_verb("validate", show.folder, "--machine", machine)
    assert done.returncode == 1
    assert "machine.yaml: screens[0].screen: 'nobody' is no screen of this show" in done.stdout
    machine.write_text("schema_version: 1\nscreens: [{screen: screen-1, index: 1}]\n")
    assert run_verb("validate", show.folder, "--machine", machine).returncode == 0


def test_a_ballad_that_no_one_names_is_a_note(show: Show) -> None:
    shutil.copytree(show.folder / "ballads" / "ballad-1", show.folder / "ballads" / "left-over")
    found = validate(show.folder)
    assert found.faults == [] and "show.yaml: ballads: does not name left-over." in found.notes


def test_the_verb_says_so_and_ends_with_a_status_for_scripts(show: Show, tmp_path: Path) -> None:
    good = run_verb("validate", show.folder)
    assert (good.returncode, good.stderr.count("no fault")) == (0, 1), good.stderr
    no_painting(show)
    no_latents(show)
    bad = run_verb("validate", show.folder)
    assert bad.returncode == 1 and "2 faults." in bad.stderr
    assert "paintings[2].file" in bad.stdout and "latents.safetensors: is missing" in bad.stdout
    nothing = run_verb("validate", tmp_path / "nowhere")
    assert nothing.returncode == 1 and "There is no show in" in nothing.stdout


def test_latents_of_another_form_are_told_by_their_place(show: Show) -> None:
    path = show.latents_path("ballad-1")
    write_latent_set(path, replace(show.latents["ballad-1"], generator_hash="2" * 64))
    faults = validate(show.folder).faults
    assert len(faults) == 1 and "222222222222" in faults[0]


def test_the_shipped_show_has_no_fault_but_its_films() -> None:
    found = validate(SHIPPED)
    assert [fault for fault in found.faults if ".mp4" not in fault] == []
    assert "35 pictures" in found.seen
