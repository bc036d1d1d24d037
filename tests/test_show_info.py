"""`info`: what a show is, for people and for programs, also of one that is not whole."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from player.making.info import minutes, page, table
from player.making.show_facts import facts_of_show, how_chosen
from shows.latent_set import write_latent_set
from shows.show import Show
from shows.show_file import load_show
from tests.test_new_show import SHIPPED, run_verb
from tests.tiny_show import TINY_HASH, make_tiny_show


@pytest.fixture
def show(tmp_path: Path) -> Show:
    return make_tiny_show(tmp_path / "show", screens=2, ballads=2, paintings=3)


def test_the_shipped_show_as_a_table_and_as_json() -> None:
    shown, told = run_verb("info"), run_verb("info", "--json")
    assert (shown.returncode, told.returncode) == (0, 0), shown.stderr + told.stderr
    facts = json.loads(told.stdout)
    show = load_show(SHIPPED)
    assert [ballad["id"] for ballad in facts["ballads"]] == list(show.ballad_ids)
    assert {ballad["seconds"] for ballad in facts["ballads"]} == {60.0}
    generator = facts["generator"]
    assert generator["content_hash"] == show.latents["tam-lin"].generator_hash
    assert generator["bytes"] == show.generator_path.stat().st_size
    assert (generator["pixels"], generator["of_training"]) == (64, {})
    assert all(one["chosen"] for ballad in facts["ballads"] for one in ballad["paintings"])
    text = shown.stdout
    assert "Inspace ballads" in text and "64 x 64 pixels" in text and "7:00 min" in text
    for ballad in show.ballads:
        assert ballad.title in text
        for painting in ballad.paintings:
            assert painting.line[:40] in text
    assert "the projection, chosen by a person, distance" in text
    assert "does not say what it was trained on" in text


def test_a_show_that_is_being_made_is_told_as_far_as_it_is(show: Show) -> None:
    show.latents_path("ballad-1").unlink()
    show.painting_path("ballad-2", 1).unlink()
    show.generator_path.write_bytes(b"short")
    facts = facts_of_show(load_show(show.folder, latents=False))
    assert "no safetensors file" in facts["generator"]["fault"]
    first, second = facts["ballads"]
    assert first["latents"]["fault"].startswith("none yet")
    assert second["latents"] == {
        "generator_hash": TINY_HASH,
        "space": "w",
        "chosen": {"unknown": 3},
    }
    assert [one["is_there"] for one in second["paintings"]] == [True, False, True]
    text = page(facts)
    assert "paintings/2.png (missing)" in text and "no latents" in text and "none yet" in text


def test_where_latents_come_from(show: Show) -> None:
    entries: list[dict[str, Any]] = [
        {"by": "person", "number": 7, "strength": 0.5},
        {"by": "auto", "number": 0, "painting": {"distance_as_shown": 0.25}},
        {"by": "file", "from": {"file": "projected_w.npz", "kind": "w"}},
    ]
    latents = replace(show.latents["ballad-1"], provenance=tuple(entries))
    write_latent_set(show.latents_path("ballad-1"), latents)
    ballad = facts_of_show(show)["ballads"][0]
    assert ballad["latents"]["chosen"] == {"person": 1, "auto": 1, "file": 1}
    assert [one["chosen"] for one in ballad["paintings"]] == [
        "neighbour 7 of strength 0.5, chosen by a person",
        "the projection, chosen by the machine, distance 0.25",
        "as it stands in projected_w.npz (w)",
    ]


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"by": 5},
        {"by": "file", "from": 3},
        {"by": "auto", "painting": [1]},
        {"note": "x" * 999},
    ],
)
def test_a_record_of_any_form_is_told_in_a_few_words(entry: dict[str, Any]) -> None:
    assert 0 < len(how_chosen(entry)) < 200


def test_no_show_is_a_sentence(tmp_path: Path) -> None:
    done = run_verb("info", tmp_path)
    assert done.returncode == 1
    assert "There is no show in" in done.stderr and "Traceback" not in done.stderr


def test_tables_and_times() -> None:
    assert list(table([("a", "bbb"), ("cc", "d")], " ")) == [" a   bbb", " cc  d"]
    assert (minutes(0), minutes(60), minutes(605.4)) == ("0:00 min", "1:00 min", "10:05 min")
