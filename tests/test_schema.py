from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from shows.schema import ShowError, parse_ballad, parse_fps, parse_settings
from shows.show import groups_of
from shows.show_file import load_show
from tests.tiny_show import make_tiny_show


def settings_data(**changes: Any) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "title": "Show",
        "ballads": ["a", "b"],
        "screens": [{"name": "north", "ballad": "a"}, {"name": "south", "ballad": "b"}],
        **changes,
    }


def ballad_data(**changes: Any) -> dict[str, Any]:
    painting = {"id": "p1", "line": "A line.", "file": "paintings/1.png", **changes}
    return {"title": "A ballad", "paintings": [{**painting, "id": "p0"}, painting]}


def test_defaults_are_the_exhibitions() -> None:
    settings = parse_settings(settings_data(), "show.yaml")
    assert settings.fps == Fraction(30)
    assert (settings.stops, settings.frames_per_stop, settings.morph_frames) == (7, 30, 150)
    assert (settings.noise_strength, settings.easing, settings.noise_mode) == (
        0.25,
        "linear",
        "const",
    )
    assert settings.screens[0].fit == "cover"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"stops": "seven"}, "show.yaml: stops: "),
        ({"stops": True}, "show.yaml: stops: "),
        ({"stops": 0}, "show.yaml: stops: "),
        ({"noise_strength": float("nan")}, "show.yaml: noise_strength: "),
        ({"easing": "bouncy"}, "show.yaml: easing: "),
        ({"seed": 2**63}, "show.yaml: seed: "),
        ({"seed": 16**5000}, "show.yaml: seed: "),
        ({"stopz": 7}, "show.yaml: stopz: is not a word this file knows"),
        ({"title": 7}, "show.yaml: title: "),
        ({"title": "\ud800"}, "show.yaml: title: "),
        ({"fps": 29.97}, "show.yaml: fps: write a whole number"),
        ({"fps": "1/0"}, "show.yaml: fps: has zero below the line"),
        ({"fps": 0}, "show.yaml: fps: must lie between"),
        ({"ballads": "a"}, "show.yaml: ballads: must be a list"),
        ({"ballads": []}, "show.yaml: ballads: "),
        ({"ballads": ["a", "b", "../c"]}, "show.yaml: ballads[2]: "),
        ({"ballads": ["a", "b", "b"]}, "show.yaml: ballads[2]: 'b' stands in the list twice"),
        ({"ballads": ["a"]}, "show.yaml: screens[1].ballad: 'b' is not among the ballads: a"),
        ({"screens": [{"name": "x"}]}, "show.yaml: screens[0].ballad: is missing"),
        (
            {"screens": [{"name": "x", "ballad": "a", "fit": "crop"}]},
            "show.yaml: screens[0].fit: ",
        ),
        (
            {"screens": [{"name": "x", "ballad": "a"}, {"name": "X", "ballad": "b"}]},
            "show.yaml: screens[1].name: 'X' is taken",
        ),
        ({"generator": "/etc/passwd"}, "show.yaml: generator: must name a file inside"),
        ({"generator": "C:\\g.safetensors"}, "show.yaml: generator: is not a plain file name"),
    ],
)
def test_faults_of_a_show_are_named_by_path(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ShowError) as caught:
        parse_settings(settings_data(**changes), "show.yaml")
    assert str(caught.value).startswith(expected)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"crop": [1, 2, 3]}, "paintings[1].crop"),
        ({"crop": [1, 2, 3, 4.5]}, "paintings[1].crop[3]: "),
        ({"crop": [1, 2, 0, 4]}, "paintings[1].crop: is [x, y, width, height]"),
        ({"crop": [-1, 2, 3, 4]}, "paintings[1].crop[0]: "),
        ({"crop": 7}, "paintings[1].crop: must be a list of four whole numbers"),
        ({"background": "white"}, "paintings[1].background: "),
        ({"keywords": "sea"}, "paintings[1].keywords: must be a list of texts"),
        ({"keywords": ["sea", 3]}, "paintings[1].keywords[1]: "),
        ({"file": "a\0b"}, "paintings[1].file: is not a plain file name"),
        ({"line": ""}, "paintings[1].line: "),
        ({"id": "p0"}, "paintings[1].id: 'p0' is taken by another painting"),
        ({"artist": "Jo"}, "paintings[1].artist: is not a word"),
    ],
)
def test_faults_of_a_ballad_are_named_by_path(changes: dict[str, Any], expected: str) -> None:
    data = ballad_data()
    data["paintings"][1].update(changes)
    with pytest.raises(ShowError) as caught:
        parse_ballad("a", data, "ballads/a/ballad.yaml")
    assert str(caught.value).startswith("ballads/a/ballad.yaml: " + expected)


def node_data(name: str = "left", *screens: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "host": f"{name}.local", "screens": list(screens), **changes}


def test_a_show_on_one_machine_names_no_nodes() -> None:
    settings = parse_settings(settings_data(), "show.yaml")
    assert settings.nodes == ()
    assert (settings.sync.key_file, settings.sync.broadcast) == (None, None)


def test_every_screen_stands_at_a_node() -> None:
    nodes = [node_data("left", "north"), node_data("right", "south", port=9011)]
    sync = {"key_file": "sync.key", "broadcast": None}
    settings = parse_settings(settings_data(nodes=nodes, sync=sync), "show.yaml")
    assert [(node.name, node.port, node.screens) for node in settings.nodes] == [
        ("left", 9010, ("north",)),
        ("right", 9011, ("south",)),
    ]
    assert settings.sync.key_file == "sync.key"


@pytest.mark.parametrize(
    ("nodes", "sync", "expected"),
    [
        ([node_data("left", "north")], {}, "nodes: no node has the screen 'south'"),
        ([node_data("left", "north", "west")], {}, "nodes[0].screens[1]: 'west' is not among"),
        (
            [node_data("left", "north", "south"), node_data("right", "south")],
            {},
            "nodes[1].screens[0]: 'south' stands at nodes[0] already",
        ),
        ([node_data("left", "north", "north", "south")], {}, "nodes[0].screens[1]: 'north' stands"),
        (
            [node_data("left", "north"), node_data("left", "south", host="x")],
            {},
            "nodes[1].name: 'left' is taken",
        ),
        (
            [node_data("left", "north"), node_data("right", "south", host="LEFT.local")],
            {},
            "nodes[1].port: 9010 on LEFT.local is that of nodes[0] too",
        ),
        ([node_data("Left", "north", "south")], {}, "nodes[0].name: "),
        ([node_data("left")], {}, "nodes[0].screens: "),
        ([node_data("left", "north", "south", port=0)], {}, "nodes[0].port: "),
        ([node_data("left", "north", "south", port="9010")], {}, "nodes[0].port: "),
        ([node_data("left", "north", "south", host="a b")], {}, "nodes[0].host: "),
        ([node_data("left", "north", "south", host="")], {}, "nodes[0].host: "),
        ([node_data("left", "north", "south", role="leader")], {}, "nodes[0].role: is not a word"),
        ("left", {}, "nodes: must be a list of nodes"),
        ([], {"broadcast": "everybody"}, "sync.broadcast: must be an IPv4 address"),
        ([], {"key_file": "/etc/passwd"}, "sync.key_file: must name a file inside"),
        ([], {"key": "secret"}, "sync.key: is not a word"),
        (
            [node_data("left", "north"), node_data("right", "south", port=9011)],
            {"broadcast": "192.168.1.255"},
            "sync.broadcast: needs the same port at every node",
        ),
    ],
)
def test_faults_of_nodes_are_named_by_path(nodes: Any, sync: Any, expected: str) -> None:
    with pytest.raises(ShowError) as caught:
        parse_settings(settings_data(nodes=nodes, sync=sync), "show.yaml")
    assert f"show.yaml: {expected}" in str(caught.value)


def test_a_colour_without_quotes_is_not_silently_lost() -> None:
    data = ballad_data(background=None)
    with pytest.raises(ShowError, match=r"^f: paintings\[0\].background: is empty; .* quotes"):
        parse_ballad("a", data, "f")
    with pytest.raises(ShowError, match=r"^f: colour: is empty"):
        parse_ballad("a", {**ballad_data(), "colour": None}, "f")


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(ShowError) as caught:
        parse_settings(settings_data(stops=0, seed=-1), "show.yaml")
    assert len(str(caught.value).splitlines()) == 2


def test_a_ballads_id_is_its_folders_name() -> None:
    assert parse_ballad("twa-corbies", ballad_data(), "x").id == "twa-corbies"
    with pytest.raises(ShowError, match="id: must not be written here"):
        parse_ballad("a", {"id": "b", **ballad_data()}, "x")


@pytest.mark.parametrize(
    ("value", "rate"),
    [(30, Fraction(30)), ("30000/1001", Fraction(30000, 1001)), ("25", Fraction(25))],
)
def test_fps(value: object, rate: Fraction) -> None:
    assert parse_fps(value) == rate


def test_groups_are_of_screens_that_there_are(tmp_path: Path) -> None:
    folder = tmp_path / "show"
    make_tiny_show(folder, screens=3)
    file = folder / "show.yaml"
    words = file.read_text().replace("groups: {}\n", "")
    names = [screen.name for screen in load_show(folder).settings.screens]
    file.write_text(f"{words}\ngroups:\n  left: [{names[0]}, {names[1].upper()}]\n")
    assert groups_of(load_show(folder)) == {"left": (0, 1)}
    file.write_text(f"{words}\ngroups:\n  left: [none]\n")
    with pytest.raises(ShowError, match=r"groups\.left: there is no screen 'none'"):
        load_show(folder)
