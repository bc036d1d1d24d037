"""The layouts: each in its published format, every message in them understood by the player, every
range the table's, and what lights them told under the same addresses by a subscription.

Sources of the schemas: the documentation of Open Stage Control (properties of widgets), Companion's
published models of exports and of the module generic-osc, TouchOSC's format as py2tosc reads it.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import py2tosc
import pytest
from PIL import Image

from player.commands import Subscribe
from player.controllers import companion, stage_control, touchosc
from player.controllers.command import files
from player.controllers.surface import Fader, Key, Readout, Switch, ballad_keys, pages
from player.osc.rows import Names
from player.osc.table import BY_PATH, parse_message
from player.osc.values import READ_OF_ALL, READ_OF_SCREEN
from shows.schema import Ballad
from shows.show import Show
from shows.show_file import resolve_ballad
from tests.installation_process import ROOT
from tests.tiny_show import make_tiny_show

SCREENS = 3
HOST, PORT, DESK = "192.168.7.10", 9123, "http://192.168.7.10:8080/?code=4711"
ODD = 'The "Wife" of Usher\'s <Well> \\ {x}'
TOLD = {*READ_OF_ALL} | {
    path.replace("{screen}", str(n)) for path in READ_OF_SCREEN for n in range(1, SCREENS + 1)
}
Sent = tuple[str, tuple[object, ...]]

WIDGET_COMMON = {
    "type": {"type": "string"},
    "id": {"type": "string", "minLength": 1},
    "interaction": {"type": "boolean"},
    "expand": {"type": ["boolean", "number"]},
    "colorWidget": {"type": "string"},
    "colorStroke": {"type": "string"},
    "alphaStroke": {"type": "number"},
    "lineWidth": {"type": "number"},
    "padding": {"type": "number"},
    "html": {"type": "string"},
    "value": {},
    "default": {},
    "address": {"type": "string", "pattern": "^/"},
    "typeTags": {"enum": ["i", "f", "s"]},
    "decimals": {"type": "integer"},
    "target": {"type": "string", "pattern": r"^[^:]+:\d+$"},
    "bypass": {"type": "boolean"},
    "onCreate": {"type": "string"},
}
CONTAINER = {
    "layout": {"enum": ["default", "vertical", "horizontal", "grid"]},
    "scroll": {"type": "boolean"},
    "widgets": {"type": "array", "items": {"$ref": "#/$defs/widget"}},
    "tabs": {"type": "array", "items": {"$ref": "#/$defs/widget"}},
}
LABEL = {"label": {"type": ["string", "boolean"]}, "wrap": {"enum": [True, False, "soft"]}}
OF_TYPE: dict[str, dict[str, Any]] = {
    "root": CONTAINER,
    "tab": CONTAINER | LABEL,
    "panel": CONTAINER,
    "button": LABEL
    | {"mode": {"enum": ["toggle", "push", "momentary", "tap"]}, "on": {}, "off": {}},
    "switch": LABEL
    | {"values": {"type": "object", "minProperties": 1}, "layout": CONTAINER["layout"]},
    "fader": {
        "horizontal": {"type": "boolean"},
        "range": {
            "type": "object",
            "required": ["min", "max"],
            "additionalProperties": {"type": "number"},
        },
    },
    "text": LABEL,
    "image": {"size": {"type": "string"}},
}
SESSION = {
    "type": "object",
    "required": ["createdWith", "version", "type", "content"],
    "additionalProperties": False,
    "properties": {
        "createdWith": {"const": "Open Stage Control"},
        "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
        "type": {"const": "session"},
        "content": {
            "allOf": [{"$ref": "#/$defs/widget"}, {"properties": {"type": {"const": "root"}}}]
        },
    },
    "$defs": {
        "widget": {
            "oneOf": [
                {
                    "type": "object",
                    "required": ["type", "id"],
                    "additionalProperties": False,
                    "properties": {**WIDGET_COMMON, **own, "type": {"const": kind}},
                }
                for kind, own in OF_TYPE.items()
            ]
        }
    },
}
ACTION_FIELDS = {
    "send_blank": {},
    "send_int": {"int": {"type": "string", "pattern": r"^-?\d+$"}},
    "send_float": {"float": {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}},
    "send_string": {"string": {"type": "string", "minLength": 1}},
}
COMPANION = {
    "type": "object",
    "required": ["version", "type", "page", "instances", "oldPageNumber"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": 4},
        "type": {"const": "page"},
        "oldPageNumber": {"type": "integer", "minimum": 1},
        "page": {
            "type": "object",
            "required": ["name", "controls", "gridSize"],
            "properties": {
                "name": {"type": "string"},
                "controls": {
                    "propertyNames": {"pattern": r"^\d+$"},
                    "additionalProperties": {
                        "propertyNames": {"pattern": r"^\d+$"},
                        "additionalProperties": {"$ref": "#/$defs/button"},
                    },
                },
                "gridSize": {"required": ["minColumn", "maxColumn", "minRow", "maxRow"]},
            },
        },
        "instances": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {
                "type": "object",
                "required": ["label", "config", "isFirstInit", "lastUpgradeIndex", "enabled"],
                "properties": {
                    "instance_type": {"const": "generic-osc"},
                    "label": {"type": "string", "pattern": r"^[\w-]+$"},
                },
            },
        },
    },
    "$defs": {
        "button": {
            "type": "object",
            "required": ["type", "options", "style", "feedbacks", "steps"],
            "properties": {
                "type": {"const": "button"},
                "style": {
                    "required": ["text", "size", "color", "bgcolor", "alignment", "png64"],
                    "properties": {
                        "color": {"type": "integer", "minimum": 0, "maximum": 0xFFFFFF},
                        "bgcolor": {"type": "integer", "minimum": 0, "maximum": 0xFFFFFF},
                    },
                },
                "feedbacks": {
                    "type": "array",
                    "items": {
                        "required": ["id", "type", "instance_id", "options", "style"],
                        "properties": {
                            "type": {"enum": ["osc_feedback_int", "osc_feedback_string"]},
                            "options": {"required": ["path", "arguments", "comparison"]},
                        },
                    },
                },
                "steps": {
                    "required": ["0"],
                    "additionalProperties": {
                        "properties": {
                            "action_sets": {
                                "required": ["down", "up"],
                                "additionalProperties": {
                                    "type": "array",
                                    "items": {"$ref": "#/$defs/action"},
                                },
                            }
                        }
                    },
                },
            },
        },
        "action": {
            "oneOf": [
                {
                    "type": "object",
                    "required": ["id", "instance", "action", "options"],
                    "properties": {
                        "action": {"const": kind},
                        "options": {
                            "type": "object",
                            "required": ["path", *own],
                            "additionalProperties": False,
                            "properties": {"path": {"type": "string"}, **own},
                        },
                    },
                }
                for kind, own in ACTION_FIELDS.items()
            ]
        },
    },
}


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    made = make_tiny_show(
        tmp_path_factory.mktemp("show"), screens=SCREENS, ballads=4, paintings=2, size=8
    )
    odd = Ballad(**{**made.ballads[3].model_dump(), "title": ODD, "colour": None})
    return replace(made, ballads=(*made.ballads[:3], odd))


@pytest.fixture(scope="module")
def written(show: Show) -> dict[str, bytes]:
    return files(show, HOST, PORT, DESK)


def obeyed(show: Show, sent: Sent) -> object:
    """The command that the player makes of it; raises CommandError for what it refuses."""
    address, args = sent
    return parse_message(address, args, Names(partial(resolve_ballad, show), SCREENS))


def path_of(address: str) -> str:
    return re.sub(r"^/screen/\d+/", "/screen/{screen}/", address)


# TouchOSC


def controls(show: Show) -> list[py2tosc.Control]:
    return list(py2tosc.loads(touchosc.layout(pages(show))).walk())


def constants(partials: list[py2tosc.Partial]) -> str:
    return "".join(str(one.value) for one in partials)


def tosc_messages(show: Show) -> Iterator[tuple[Sent, py2tosc.OscMessage]]:
    """What each control sends: at both ends where it sends its own value."""
    kinds = {"STRING": str, "INTEGER": lambda text: int(float(text)), "FLOAT": float}
    for control in controls(show):
        for message in control.messages:
            assert isinstance(message, py2tosc.OscMessage)
            address = constants(message.path)
            ends = 2 if any(str(one.type) == "VALUE" for one in message.arguments) else 1
            for end in range(ends):
                args = tuple(
                    kinds[str(one.conversion)](
                        str(one.value)
                        if str(one.type) == "CONSTANT"
                        else str((one.scale_min, one.scale_max)[end])
                    )
                    for one in message.arguments
                )
                yield (address, args), message


def test_the_touchosc_layout_is_whole_and_big_enough_to_press(show: Show) -> None:
    document = py2tosc.loads(touchosc.layout(pages(show)))
    assert document.validate() == []
    pager = document.find("pages")
    assert pager is not None
    assert [page.get("tabLabel") for page in pager.children] == ["Operator", "Technician"]
    buttons = document.find_all(type="BUTTON")
    assert min(button.frame.h for button in buttons) >= 50
    assert min(button.frame.w for button in buttons) >= 100
    named = {control.get("name"): control for control in controls(show)}
    for ballad, key in zip(show.ballads, ballad_keys(show), strict=True):
        assert key.label in named and ballad.title in key.label
    assert touchosc.layout(pages(show)) == touchosc.layout(pages(show)), "the same every time"


def test_every_touchosc_message_is_obeyed_and_every_fader_has_the_tables_range(show: Show) -> None:
    addresses = set()
    for sent, message in tosc_messages(show):
        assert obeyed(show, sent) is not None or sent[1] == (0,), sent
        addresses.add(path_of(sent[0]))
        (argument, *_) = message.arguments or [py2tosc.Partial()]
        first = BY_PATH[path_of(sent[0])].arguments[:1]
        if str(argument.type) == "VALUE" and first and first[0].kind == "number":
            assert (argument.scale_min, argument.scale_max) == (first[0].low, first[0].high)
    wanted = """/ballad /arrangement /line/next /line/previous /hold /standby /go /brightness
        /blackout /safe /identify /card /screen/{screen}/identify /screen/{screen}/ballad/next"""
    assert set(wanted.split()) <= addresses


def test_the_touchosc_script_names_what_is_there_and_renews_in_time(show: Show) -> None:
    script = py2tosc.loads(touchosc.layout(pages(show))).root.get("script")
    names = {control.get("name") for control in controls(show) if control.has("name")}
    quoted = [json.loads(text) for text in re.findall(r'"(?:[^"\\]|\\.)*"', script)]
    assert {word for word in quoted if word.startswith(("key ", "text "))} <= names
    assert {word for word in quoted if word.startswith("/")} <= TOLD
    renewed_ms = int(re.search(r"getMillis\(\) \+ (\d+)", script)[1])  # type: ignore[index]
    seconds = float(re.search(r"sendOSC\('/subscribe', (\d+)\)", script)[1])  # type: ignore[index]
    assert obeyed(show, ("/subscribe", (seconds,))) == Subscribe(60)
    assert renewed_ms / 1000 < seconds / 2
    for said in ("{", "("):
        assert script.count(said) == script.count({"{": "}", "(": ")"}[said])


def test_keys_are_lit_by_what_a_subscription_tells(show: Show) -> None:
    for page in pages(show):
        for control in page.controls():
            match control:
                case Key(lit_by=(path, value)):
                    assert path in TOLD
                    words = BY_PATH[path].arguments[0].words
                    assert not words or value in words
                case Switch(is_told=True) | Fader(is_told=True) | Readout():
                    assert control.address in TOLD
                case Switch() | Fader():
                    assert control.address not in TOLD


# Open Stage Control


def session(written: dict[str, bytes]) -> Any:
    return json.loads(written["open-stage-control.json"])


def widgets(widget: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield widget
    for child in (*widget.get("tabs", ()), *widget.get("widgets", ())):
        yield from widgets(child)


def stage_messages(widget: dict[str, Any]) -> list[Sent]:
    cast = {"i": int, "f": float, "s": str}[widget.get("typeTags", "i")]
    match widget["type"]:
        case "button":
            values = [widget["on"], *([widget["off"]] if widget["mode"] == "toggle" else [])]
        case "switch":
            values = list(widget["values"].values())
        case "fader":
            values = [widget["range"]["min"], widget["range"]["max"]]
        case _:
            assert widget.get("bypass", True)
            return []
    return [(widget["address"], (cast(value),)) for value in values]


def test_the_stage_control_session_is_in_its_published_format(written: dict[str, bytes]) -> None:
    whole = session(written)
    jsonschema.Draft202012Validator(SESSION).validate(whole)
    ids = [widget["id"] for widget in widgets(whole["content"])]
    assert len(ids) == len(set(ids)), "widgets of one id are clones"
    targets = {widget.get("target", f"{HOST}:{PORT}") for widget in widgets(whole["content"])}
    assert targets == {f"{HOST}:{PORT}"}


def test_every_stage_control_message_is_obeyed(show: Show, written: dict[str, bytes]) -> None:
    every = list(widgets(session(written)["content"]))
    sent = [one for widget in every for one in stage_messages(widget)]
    assert len(sent) > 40
    for one in sent:
        assert obeyed(show, one) is not None, one
    for widget in every:
        if widget["type"] == "fader":
            argument = BY_PATH[path_of(widget["address"])].arguments[0]
            assert widget["range"] == {"min": argument.low, "max": argument.high}
        if widget["type"] == "text":
            assert widget["address"] in TOLD
    script = session(written)["content"]["onCreate"]
    assert script.count(f"'{HOST}:{PORT}', '/subscribe', {{type: 'f', value: 60}}") == 2
    assert f"setInterval(() => send({script.partition('send(')[2].partition(chr(10))[0]}" in script


def test_stage_control_shows_the_ballads_by_name_colour_and_picture(
    show: Show, written: dict[str, bytes]
) -> None:
    found = {widget["id"]: widget for widget in widgets(session(written)["content"])}
    assert list(found["choice /ballad"]["values"].values()) == list(show.ballad_ids)
    assert ODD in list(found["choice /ballad"]["values"])[3]
    for key in ballad_keys(show):
        picture = found[f"picture {key.ballad}"]
        assert picture["colorStroke"] == key.colour and picture["bypass"]
        assert opened(picture["value"]).size == (160, 160)


def opened(data_url: str) -> Image.Image:
    head, _, data = data_url.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


# Companion


@pytest.mark.parametrize("deck", companion.DECKS, ids=lambda deck: f"{deck.columns}x{deck.rows}")
def test_the_companion_page_is_in_its_published_format_and_obeyed(
    show: Show, written: dict[str, bytes], deck: companion.Deck
) -> None:
    whole = json.loads(written[f"companion-{deck.columns}x{deck.rows}.companionconfig"])
    jsonschema.Draft202012Validator(COMPANION).validate(whole)
    (name, instance), *_ = whole["instances"].items()
    assert instance["config"]["host"] == HOST and instance["config"]["targetPort"] == str(PORT)
    buttons = [button for row in whole["page"]["controls"].values() for button in row.values()]
    assert len(buttons) <= deck.columns * deck.rows
    sent = []
    for button in buttons:
        (action,) = button["steps"]["0"]["action_sets"]["down"]
        assert action["instance"] == name
        casts = {"int": int, "float": float, "string": str}
        options = action["options"]
        args = tuple(casts[key](value) for key, value in options.items() if key != "path")
        assert obeyed(show, (options["path"], args)) is not None
        sent.append((options["path"], args))
        for feedback in button["feedbacks"]:
            assert feedback["options"]["path"] in TOLD and feedback["instance_id"] == name
    assert [args for path, args in sent if path == "/ballad"] == [(id_,) for id_ in show.ballad_ids]
    first = whole["page"]["controls"]["0"]["0"]["style"]
    assert first["text"] == "1 Ballad number 1" and opened(first["png64"]).size == (72, 72)
    assert {"/safe", "/blackout", "/go", "/line/next"} <= {path for path, _ in sent}


def test_a_small_deck_keeps_the_most_needed_keys_whatever_the_ballads(show: Show) -> None:
    (many,) = [ballad_keys(show) * 5]
    keys = companion.keys_of(many, companion.Deck(5, 3))
    assert len(keys) == 15 and [key.label for key in keys[7:]][-1] == "SAFE"
    few = companion.keys_of(many[:1], companion.Deck(8, 4))
    assert len(few) < 32 and few[0].ballad == "ballad-1"


# QLab, and the verb


def test_qlab_cues_are_obeyed(show: Show, written: dict[str, bytes]) -> None:
    rows = list(csv.DictReader(io.StringIO(written["qlab-cues.csv"].decode())))
    assert [row["name"] for row in rows[:4]] == [ballad.title for ballad in show.ballads]
    for row in rows:
        address, *args = row["message"].split(" ")
        assert obeyed(show, (address, tuple(args))) is not None


def test_the_verb_writes_all_and_names_them(show: Show, tmp_path: Path) -> None:
    out = tmp_path / "made" / "here"
    launch = (
        "import argparse, sys; from player.controllers import command as verb; "
        "parser = argparse.ArgumentParser(); verb.add_arguments(parser); "
        "sys.exit(verb.run(parser.parse_args()))"
    )

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", launch, *words]
        return subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )

    done = run("--out", str(out), "--show", str(show.folder), "--osc-port", "9123")
    assert done.returncode == 0, done.stderr
    assert [Path(line) for line in done.stdout.splitlines()] == [
        out / name for name in files(show, HOST, PORT, DESK)
    ]
    assert {path.name for path in out.iterdir()} == set(files(show, HOST, PORT, DESK))
    for words in (("--show", "/nowhere"), ("--show", str(show.folder))):
        target = out if words[1] == "/nowhere" else out / "qlab-cues.csv"
        failed = run("--out", str(target), *words)
        assert failed.returncode == 1 and failed.stderr.startswith(
            "run_installation.py controllers"
        )
        assert "Traceback" not in failed.stderr


def test_a_painting_that_cannot_be_read_costs_only_its_picture(show: Show) -> None:
    broken = show.ballads[0].paintings[0].model_copy(update={"file": "paintings/none.png"})
    first = show.ballads[0].model_copy(update={"paintings": (broken,)})
    made = files(replace(show, ballads=(first, *show.ballads[1:])), HOST, PORT, DESK)
    deck = json.loads(made["companion-5x3.companionconfig"])
    assert deck["page"]["controls"]["0"]["0"]["style"]["png64"] is None
    jsonschema.Draft202012Validator(SESSION).validate(json.loads(made["open-stage-control.json"]))


def test_no_pictures_at_all_is_a_plain_switch(show: Show) -> None:
    whole = json.loads(stage_control.session(pages(show), "127.0.0.1:9000"))
    jsonschema.Draft202012Validator(SESSION).validate(whole)
    assert all(widget["type"] != "image" for widget in widgets(whole["content"]))
