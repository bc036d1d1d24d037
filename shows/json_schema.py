"""JSON Schema of a show's YAML files, by which editors complete, explain and check them.

What pydantic makes of the models, with a sentence for every word, and with the shape of a few
values whose check is a function and no schema. A schema knows less than the models: what agrees
with what (a screen's ballad is among the ballads) is for `validate` alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from shows.schedule_schema import DAY_WORDS
from shows.schema import Ballad, ShowSettings

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Words = Mapping[str, Mapping[str, str]]
Shape = dict[str, Any]

# by model and word: what neither the model's docstring nor its type says
WORDS: Words = {
    "ShowSettings": {
        "schema_version": "Of this file's words: 1.",
        "title": "Of the show.",
        "fps": 'Frames a second: a whole number, or a quotient in quotes, as in "30000/1001".',
        "stops": "Of a painting's noise loop.",
        "frames_per_stop": "Frames from one stop of a loop to the next.",
        "morph_frames": "Frames from a loop's end to the next painting.",
        "ballad_change_frames": "Frames of the morph when a screen changes its ballad.",
        "noise_strength": "Loop strength: what each stop adds, in units of w's standard deviation. "
        "0 stands still.",
        "path": "linear: straight from point to point; smooth: one curve through the same points.",
        "phases": "together; wave: each screen further on than its left neighbour, so that morphs "
        "travel along the row; scattered.",
        "easing": "Of linear morphs: linear, or smoothstep, which starts and ends at rest.",
        "seed": "Of the loops' noise, when ballads are published next.",
        "noise_cycles": "After how many cycles the noise repeats.",
        "noise_mode": "const: the generator's fixed noise maps; none.",
        "truncation_psi": "Applied last: 1 not at all, 0 the mean picture.",
        "generator": "The generator's file, relative to the show's folder.",
        "ballads": "Names of the ballads' folders, in order.",
        "screens": "The screens, from the left.",
        "nodes": "The machines of a show that runs on several (docs/sync.md).",
        "sync": "Clock sync of the nodes (docs/sync.md).",
        "osc": "OSC that is sent without being asked for (docs/osc.md).",
        "schedule": "Opening hours, light over the day, ballads by time of day (docs/schedule.md).",
        "notify": "Who is told at opening and on red (docs/night-report.md).",
        "projectors": "Projectors that are switched by PJLink (docs/schedule.md).",
    },
    "Screen": {
        "name": "Of the screen; machine files call it so.",
        "ballad": "The ballad it opens with.",
        "fit": "How a picture meets the screen: cover cuts, contain shows all, stretch distorts.",
    },
    "Node": {
        "name": "Of the machine, as `--node` says it.",
        "host": "Its name or address on the network.",
        "port": "Of its clock sync.",
        "screens": "The names of the screens that stand at it.",
    },
    "OscOut": {"send_to": "Who is sent what changes."},
    "OscTarget": {"host": "Its name or address on the network.", "port": "Its UDP port."},
    "Schedule": {
        "timezone": "An IANA name such as Europe/London.",
        "night": "What the closed screens show: black, or dim pictures.",
        "ballads": "From which time of day all screens show which ballad.",
        "rotation": "Ballads in turn.",
    },
    "TimedBallad": {"at": 'In quotes: "10:00".', "ballad": "A ballad's name, or each."},
    "TimedLight": {"at": 'In quotes: "18:00".', "level": "0 to 1."},
    "Rotation": {
        "every_minutes": "How long one ballad stays.",
        "ballads": "Their names; none: all, in show order.",
    },
    "Sun": {
        "latitude": "Degrees, north above 0.",
        "longitude": "Degrees, east above 0.",
        "by_day": "Share of the light, 0 to 1.",
        "by_night": "Share of the light, 0 to 1.",
    },
    "Notify": {
        "webhook_env": "The environment variable that holds a webhook's URL.",
        "smtp_env": "The environment variable that holds the mail server's URL.",
        "email": "Who gets mail: an address, or a list of them.",
        "on": "When: open, red.",
    },
    "Projector": {
        "name": "Of the projector.",
        "host": "Its name or address on the network.",
        "port": "Of PJLink.",
    },
    "Ballad": {
        "title": "Of the ballad.",
        "colour": 'Of its cards, in quotes: "#1e6080".',
        "paintings": "In order; after the last one the first follows.",
    },
    "Painting": {
        "id": "A name that never changes: its latents are found by it.",
        "line": "The line of the ballad that it stands for.",
        "keywords": "For labels and pages.",
        "emotions": "For labels and pages.",
    },
}

_TIME: Shape = {"type": "string", "pattern": r"^([01][0-9]|2[0-3]):[0-5][0-9]$"}
_SPANS: Shape = {
    "type": "array",
    "items": {"type": "string", "pattern": r"^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$"},
}
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_SHAPES: Mapping[tuple[str, str], Shape] = {
    ("ShowSettings", "fps"): {
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": 1000},
            {"type": "string", "pattern": r"^[0-9]{1,9}(/[0-9]{1,9})?$"},
        ],
        "default": 30,
    },
    ("Schedule", "open"): {
        "type": ["object", "null"],
        "properties": dict.fromkeys(DAY_WORDS, _SPANS),
        "patternProperties": {_DATE: _SPANS},
        "additionalProperties": False,
    },
    ("TimedBallad", "at"): _TIME,
    ("TimedLight", "at"): _TIME,
    ("Notify", "email"): {
        "anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}, "maxItems": 16},
        ]
    },
}


def show_schema() -> Shape:
    """Of `show.yaml`."""
    return json_schema(ShowSettings, "A show", WORDS, _SHAPES)


def ballad_schema() -> Shape:
    """Of `ballad.yaml`, whose id is the folder's name and not a word in it."""
    schema = json_schema(Ballad, "A ballad", WORDS, _SHAPES)
    del schema["properties"]["id"]
    schema["required"].remove("id")
    return schema


def json_schema(
    model: type[BaseModel],
    title: str,
    words: Words,
    shapes: Mapping[tuple[str, str], Shape] | None = None,
) -> Shape:
    """A model's schema. words, shapes: by names of a model and of a word of it: its description,
    and what its value must be in place of what pydantic says. A word that is not in `words` is
    described by its model's docstring, as in `fit: how a picture meets the screen.`"""
    schema = model.model_json_schema()
    for name, part in {**schema.get("$defs", {}), model.__name__: schema}.items():
        told = described(part.get("description", ""), set(part.get("properties", {})))
        for word, value in part.get("properties", {}).items():
            value.pop("title", None)
            if value.get("type") == "array":
                # pydantic says the length of a list so where a function has checked it before
                for said, meant in (("minLength", "minItems"), ("maxLength", "maxItems")):
                    if said in value:
                        value[meant] = value.pop(said)
            if shape := (shapes or {}).get((name, word)):
                value.clear()
                value.update(shape)
            if description := words.get(name, {}).get(word) or told.get(word):
                value["description"] = description
    return {"$schema": DIALECT, **schema, "title": title}


def described(docstring: str, words: set[str]) -> dict[str, str]:
    """What a docstring says of these words: `word: sentences.` and `one, other: sentences.`"""
    text = " ".join(docstring.split())
    parts = re.split(r"(?:^|(?<=[.;] ))(\w+(?:, \w+)*): ", text)
    told: dict[str, str] = {}
    for names, sentence in zip(parts[1::2], parts[2::2], strict=True):
        for name in names.split(", "):
            if name in words:
                said = sentence.strip().rstrip(";.")
                told[name] = f"{said[:1].upper()}{said[1:]}."
    return told
