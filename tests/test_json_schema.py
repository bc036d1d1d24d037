"""The schemas for editors: every word explained, and what the program reads is what they allow."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from player.making.schemas import schemas
from shows.json_schema import described
from shows.schema import ShowError, parse_ballad, parse_settings
from tests.test_new_show import ROOT, run_verb

SHIPPED = ROOT / "shows" / "inspace"
SHOW: dict[str, Any] = {
    "schema_version": 1,
    "title": "A show",
    "ballads": ["one"],
    "screens": [{"name": "left", "ballad": "one"}],
}
BALLAD: dict[str, Any] = {
    "title": "One",
    "paintings": [{"id": "a", "line": "A line.", "file": "paintings/a.jpg"}],
}
SCHEDULE = {
    "timezone": "Europe/London",
    "open": {"weekdays": ["10:00-18:00"], "sat": [], "2026-12-24": ["10:00-14:00", "18:00-02:00"]},
    "night": "dim",
    "ballads": [{"at": "10:00", "ballad": "each"}],
    "rotation": {"every_minutes": 20},
    "light": [{"at": "18:00", "level": 0.5}],
}
GOOD_SHOWS: list[dict[str, Any]] = [
    {},
    {"fps": "30000/1001"},
    {"fps": 25, "path": "smooth", "surface": "paper", "noise_strength": 0},
    {"schedule": SCHEDULE},
    {"schedule": {"timezone": "Europe/London", "open": None}},
    {"notify": {"email": "desk@gallery.example"}},
    {"notify": {"email": ["desk@gallery.example"], "on": ["red"]}},
    {"nodes": [{"name": "pc1", "host": "10.0.0.1", "screens": ["left"]}]},
]
BAD_SHOWS: list[dict[str, Any]] = [
    {"tilte": "misspelt"},
    {"fps": 29.97},
    {"fps": 0},
    {"stops": "seven"},
    {"path": "round"},
    {"ballads": []},
    {"screens": [{"name": "left", "ballad": "one", "fit": "crop"}]},
    {"schedule": {"timezone": "Europe/London", "open": {"monday": ["10:00-18:00"]}}},
    {"schedule": {"timezone": "Europe/London", "open": {"mon": ["10-18"]}}},
    {"notify": {"email": 5}},
]
GOOD_PAINTINGS: list[dict[str, Any]] = [
    {"crop": [0, 0, 10, 10], "focus": [0.5, 0.5], "keywords": ["sea"], "background": "#ffffff"},
    {"crop": None, "loop_strength": 0.2, "loop_seed": 3, "scene": {"anything": [1]}},
]
BAD_PAINTINGS: list[dict[str, Any]] = [
    {"crop": [0, 0, 10]},
    {"focus": [0.5, 2]},
    {"background": "white"},
    {"id": "a b"},
    {"lines": "x"},
]


def words(schema: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Of every model in a schema: its name, a word of it, and what is said of that."""
    models = {**schema.get("$defs", {}), "the file": schema}
    return [
        (model, word, facts)
        for model, part in models.items()
        for word, facts in part.get("properties", {}).items()
    ]


@pytest.mark.parametrize("name", sorted(schemas()))
def test_every_word_is_explained(name: str) -> None:
    told = words(schemas()[name])
    assert len(told) > 2
    assert [(model, word) for model, word, facts in told if not facts.get("description")] == []
    assert all(facts["description"].endswith(".") for _, _, facts in told)


@pytest.mark.parametrize("name", ["show.schema.json", "ballad.schema.json"])
def test_the_handbook_knows_the_same_words(name: str) -> None:
    page = (ROOT / "docs" / "show-file.md").read_text(encoding="utf-8")
    known = set(re.findall(r"[`{, ](\w+)[`},]", page))
    assert set(schemas()[name]["properties"]) - known == set()


def test_docstrings_are_taken_apart_by_their_words() -> None:
    docstring = """A thing.

    one: of a kind; it is kept. two, three: both
    of them. four: not: a word.
    """
    assert described(docstring, {"one", "two", "three", "four"}) == {
        "one": "Of a kind; it is kept.",
        "two": "Both of them.",
        "three": "Both of them.",
        "four": "Not: a word.",
    }


def faults(name: str, data: object) -> list[str]:
    jsonschema = pytest.importorskip("jsonschema")
    # as an editor sees it: JSON's types, no tuples
    told = jsonschema.Draft202012Validator(schemas()[name]).iter_errors(
        json.loads(json.dumps(data))
    )
    return [f"{'/'.join(map(str, fault.absolute_path))}: {fault.message}" for fault in told]


@pytest.mark.parametrize("name", sorted(schemas()))
def test_they_are_schemas(name: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(schemas()[name])


def test_the_shipped_show_is_allowed() -> None:
    assert faults("show.schema.json", yaml.safe_load((SHIPPED / "show.yaml").read_text())) == []
    ballads = sorted(SHIPPED.glob("ballads/*/ballad.yaml"))
    assert len(ballads) == 7
    for path in ballads:
        assert faults("ballad.schema.json", yaml.safe_load(path.read_text())) == []


@pytest.mark.parametrize("changes", GOOD_SHOWS)
def test_what_the_program_reads_is_allowed(changes: dict[str, Any]) -> None:
    parse_settings({**SHOW, **changes}, "show.yaml")
    assert faults("show.schema.json", {**SHOW, **changes}) == []


@pytest.mark.parametrize("changes", BAD_SHOWS)
def test_what_the_program_refuses_is_marked(changes: dict[str, Any]) -> None:
    with pytest.raises(ShowError):
        parse_settings({**SHOW, **changes}, "show.yaml")
    assert faults("show.schema.json", {**SHOW, **changes}) != []


@pytest.mark.parametrize(
    ("changes", "good"),
    [(changes, True) for changes in GOOD_PAINTINGS]
    + [(changes, False) for changes in BAD_PAINTINGS],
)
def test_paintings_are_held_to_the_same(changes: dict[str, Any], good: bool) -> None:
    data = {**BALLAD, "paintings": [{**BALLAD["paintings"][0], **changes}]}
    if good:
        parse_ballad("one", data, "ballad.yaml")
    else:
        with pytest.raises(ShowError):
            parse_ballad("one", data, "ballad.yaml")
    assert (faults("ballad.schema.json", data) == []) is good


def test_a_ballad_s_id_is_no_word_of_its_file() -> None:
    assert faults("ballad.schema.json", {**BALLAD, "id": "one"}) != []


def test_a_machine_file_is_held_to_its_schema() -> None:
    name = "machine.schema.json"
    screen = {"screen": "left", "output": "HDMI-1", "calibration": {"rotation": 90}}
    assert faults(name, {"schema_version": 1, "screens": [screen]}) == []
    assert faults(name, {"schema_version": 1, "screens": [{**screen, "ouput": "DP-1"}]}) != []
    assert faults(name, {"schema_version": 1, "outputs": "window"}) != []


def test_the_verb_writes_them(tmp_path: Path) -> None:
    done = run_verb("schema", "--out", tmp_path / "schema")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "schema").iterdir()} == set(schemas())
    for name, schema in schemas().items():
        assert json.loads((tmp_path / "schema" / name).read_text(encoding="utf-8")) == schema
    assert done.stdout.count(".schema.json") == 4


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run_verb("schema", "--out", tmp_path / "file" / "schema")
    assert done.returncode == 1
    assert "cannot be made" in done.stderr and "Traceback" not in done.stderr
