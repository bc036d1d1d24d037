"""The words of `schedule` and `projectors`, right and wrong."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shows.schedule_schema import minutes_of, span_of
from shows.schema import ShowError, ShowSettings, parse_settings
from shows.yaml_file import parse_yaml_mapping

TEXT = """
schema_version: 1
title: A show
ballads: [tam-lin, twa-corbies]
screens: [{name: north, ballad: tam-lin}]
"""

WHOLE = """
schedule:
  timezone: Europe/London
  open:
    weekdays: ["10:00-18:00"]
    sat: ["10:00-12:00", "18:00-02:00"]
    sun: []
    2026-12-24: ["10:00-14:00"]
    "2026-12-25": []
  night: dim
  night_brightness: 0.2
  ramp_seconds: 10
  ballads:
    - {at: "10:00", ballad: each}
    - {at: "17:00", ballad: tam-lin}
  rotation: {every_minutes: 20, ballads: [each, twa-corbies]}
projectors:
  - {name: left, host: 192.168.1.50, password_env: PJLINK_LEFT}
  - {name: right, host: projector.local, port: 4353}
"""


def read(text: str) -> ShowSettings:
    return parse_settings(parse_yaml_mapping((TEXT + text).encode(), "show.yaml"), "show.yaml")


def scheduled(**words: Any) -> dict[str, Any]:
    return {"schedule": {"timezone": "Europe/London", **words}}


def parse(words: dict[str, Any]) -> ShowSettings:
    return parse_settings(
        {
            "schema_version": 1,
            "title": "A show",
            "ballads": ["tam-lin", "twa-corbies"],
            "screens": [{"name": "north", "ballad": "tam-lin"}],
            **words,
        },
        "show.yaml",
    )


def test_a_show_without_is_always_open() -> None:
    settings = read("")
    assert settings.schedule is None and settings.projectors == ()


def test_every_word_and_back_again() -> None:
    settings = read(WHOLE)
    assert settings.schedule is not None and settings.schedule.open is not None
    assert dict(settings.schedule.open)["2026-12-24"] == ("10:00-14:00",)
    assert settings.schedule.rotation is not None
    assert [projector.port for projector in settings.projectors] == [4352, 4353]
    assert parse(settings.model_dump(mode="json", include={"schedule", "projectors"})) == settings
    assert hash(settings.schedule) == hash(read(WHOLE).schedule)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"schedule": {}}, "schedule.timezone: is missing."),
        (
            {"schedule": {"timezone": "Europe/Atlantis"}},
            "schedule.timezone: 'Europe/Atlantis' is no",
        ),
        ({"schedule": {"timezone": "../../etc/passwd"}}, "schedule.timezone: "),
        ({"schedule": {"timezone": "Europe"}}, "schedule.timezone: 'Europe' is no time zone"),
        ({"schedule": {"timezone": 7}}, "schedule.timezone: "),
        (scheduled(opens={}), "schedule.opens: is not a word this file knows"),
        (scheduled(open="10-18"), "schedule.open: must name days"),
        (scheduled(open={"someday": []}), "schedule.open: 'someday' is no day: write one of mon"),
        (scheduled(open={"2026-02-30": []}), "schedule.open: '2026-02-30' is no day"),
        (scheduled(open={7: []}), "schedule.open: 7 is no day"),
        (scheduled(open={"mon": "10:00-18:00"}), "schedule.open: mon: must be a list such as"),
        (scheduled(open={"mon": None}), "schedule.open: mon: must be a list such as"),
        (scheduled(open={"mon": ["10-18"]}), "schedule.open: mon: '10-18' is no span of time"),
        (scheduled(open={"mon": ["10:00-25:00"]}), "schedule.open: mon: '25:00' is no time of day"),
        (scheduled(open={"mon": ["24:00-18:00"]}), "schedule.open: mon: '24:00' is no time of day"),
        (scheduled(open={"mon": ["10:00-10:00"]}), "schedule.open: mon: '10:00-10:00' ends when"),
        (scheduled(open={"mon": [600]}), "schedule.open: mon: '600' is no span"),
        (scheduled(open={"mon": ["10:00-18:00"] * 25}), "schedule.open: mon: must be a list"),
        (scheduled(night="off"), "schedule.night: "),
        (scheduled(night_brightness=2.0), "schedule.night_brightness: "),
        (scheduled(night_brightness=float("nan")), "schedule.night_brightness: "),
        (scheduled(ramp_seconds=-1.0), "schedule.ramp_seconds: "),
        (
            scheduled(ballads=[{"at": 600, "ballad": "each"}]),
            "schedule.ballads[0].at: a time of day needs quotes",
        ),
        (
            scheduled(ballads=[{"at": "9:00", "ballad": "each"}]),
            "schedule.ballads[0].at: '9:00' is no time of day",
        ),
        (
            scheduled(ballads=[{"at": "10:00", "ballad": "lost"}]),
            "schedule.ballads[0].ballad: 'lost' is neither 'each' nor among the ballads: tam-lin,",
        ),
        (
            scheduled(ballads=[{"at": "10:00", "ballad": "each"}] * 2),
            "schedule.ballads[1].at: 10:00 stands in the list twice",
        ),
        (
            scheduled(rotation={"every_minutes": 20, "ballads": ["lost"]}),
            "schedule.rotation.ballads[0]: 'lost' is neither",
        ),
        (scheduled(rotation={"every_minutes": 0}), "schedule.rotation.every_minutes: "),
        ({"projectors": {}}, "projectors: must be a list"),
        ({"projectors": [{"name": "l", "host": "a b"}]}, "projectors[0].host: "),
        ({"projectors": [{"name": "l", "host": "h", "port": 0}]}, "projectors[0].port: "),
        (
            {"projectors": [{"name": "l", "host": "h", "password": "x"}]},
            "projectors[0].password: is not a word",
        ),
        (
            {"projectors": [{"name": "l", "host": "h", "password_env": "A B"}]},
            "projectors[0].password_env: ",
        ),
        (
            {"projectors": [{"name": "l", "host": "h"}, {"name": "L", "host": "i"}]},
            "projectors[1].name: 'L' is taken",
        ),
        (
            {"projectors": [{"name": "l", "host": "h"}, {"name": "m", "host": "H"}]},
            "projectors[1].host: H is that of 'l' too",
        ),
    ],
)
def test_faults_are_named_by_path(words: dict[str, Any], expected: str) -> None:
    with pytest.raises(ShowError) as caught:
        parse(words)
    assert str(caught.value).startswith(f"show.yaml: {expected}")
    assert all(line.endswith(".") for line in str(caught.value).splitlines())


def test_a_time_without_quotes_is_explained() -> None:
    with pytest.raises(ShowError, match='needs quotes, as in "10:00"'):
        read("schedule: {timezone: UTC, ballads: [{at: 10:00, ballad: each}]}")


def test_a_ballad_called_each_cannot_be_scheduled() -> None:
    words = {
        "ballads": ["each", "tam-lin"],
        **scheduled(ballads=[{"at": "10:00", "ballad": "each"}]),
    }
    with pytest.raises(ShowError, match="no ballad may be called 'each'"):
        parse(words)


@given(opening=st.integers(0, 1439), closing=st.integers(0, 1440))
def test_spans(opening: int, closing: int) -> None:
    text = f"{opening // 60:02}:{opening % 60:02}-{closing // 60:02}:{closing % 60:02}"
    if opening == closing:
        with pytest.raises(ValueError, match="ends when it begins"):
            span_of(text)
        return
    assert span_of(text) == (opening, closing if closing > opening else closing + 1440)


@given(text=st.text(max_size=12))
def test_anything_else_is_no_time(text: str) -> None:
    for parser in (minutes_of, span_of):
        with suppress(ValueError):  # and nothing else is raised
            parser(text)
            taken = text
            break
    else:
        return
    assert re.fullmatch("[0-9:-]+", taken)
