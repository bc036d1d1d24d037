"""Transports and commands as text between machines: there and back, and nothing else let in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from player.command_text import command_of, command_text
from player.commands import Blackout, CommandError, Identify, Pause, SetBallad, SetScreenBallad
from player.sync.messages import MAX_STATE_BYTES
from player.transport import Transport, opening_transport
from player.transport_text import TransportTextError, transport_of, transport_text
from shows.show import Show
from shows.timeline import MAX_CUES, Cue
from tests.tiny_show import make_tiny_show

SCREENS = 3
TICKS = st.integers(-(2**40), 2**40)
CUES = st.builds(
    Cue,
    st.sampled_from([f"ballad-{n}" for n in range(1, 5)]),
    TICKS,
    st.integers(0, 10**6),
    st.integers(0, 10**6),
)
ONE_SCREENS = st.lists(CUES, min_size=1, max_size=MAX_CUES).map(tuple)
TRANSPORTS = st.builds(
    Transport,
    TICKS,
    TICKS,
    st.sampled_from([0, 1]),
    st.tuples(*[ONE_SCREENS] * SCREENS),
    st.booleans(),
    TICKS,
    st.frozensets(st.integers(0, SCREENS - 1)),
    st.booleans(),
)


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    folder: Path = tmp_path_factory.mktemp("show")
    return make_tiny_show(folder, screens=SCREENS, ballads=4, paintings=2)


@settings(max_examples=100, deadline=None)
@given(TRANSPORTS)
def test_a_transport_comes_back_as_it_was(show: Show, transport: Transport) -> None:
    text = transport_text(transport)
    assert transport_of(text, show) == transport
    assert transport_text(transport_of(text, show)) == text


def test_the_fullest_transport_of_seven_screens_fits_into_a_datagram() -> None:
    cue = Cue("the-twa-corbies-of-old", 30 * 3600 * 24 * 365, 150, 0)
    full = Transport(2**33, 2**33, 1, ((cue,) * MAX_CUES,) * 7, True, 2**33, frozenset(range(7)))
    assert len(transport_text(full)) < MAX_STATE_BYTES


def broken(**changes: object) -> str:
    good = {
        "anchor": [0, 0],
        "rate": 1,
        "cues": [[["ballad-1", 0, 0, 0]]] * 3,
        "blackout": [False, 0],
    }
    return json.dumps({**good, **changes})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        broken(rate=2),
        broken(rate=True),
        broken(anchor=[0.5, 0]),
        broken(anchor=[2**63, 0]),
        broken(cues=[]),
        broken(cues=[[]] * 3),
        broken(cues=[[["ballad-1", 0, 0, 0]]] * 4),
        broken(cues=[[["ballad-1", 0, -1, 0]]] * 3),
        broken(cues=[[["macbeth", 0, 0, 0]]] * 3),
        broken(cues=[[["ballad-1", 0, 0, 0]] * 9] * 3),
        broken(wings=1),
        "[" * 100_000,
    ],
)
def test_what_is_no_transport_of_this_show_is_refused(show: Show, text: str) -> None:
    with pytest.raises(TransportTextError, match="transport"):
        transport_of(text, show)


def test_the_broken_texts_are_broken_in_one_place_only(show: Show) -> None:
    assert transport_of(broken(), show) == replace(
        opening_transport(show), cues=((Cue("ballad-1", 0, 0),),) * 3, blackout_tick=0
    )


@pytest.mark.parametrize(
    "command",
    [
        SetBallad("tam-lin"),
        SetScreenBallad(3, "tam-lin"),
        Pause(),
        Blackout(True),
        Identify((1, 2), True),
        Identify(None, False),
    ],
)
def test_a_command_comes_back_as_it_was(command: SetBallad) -> None:
    assert command_of(command_text(command, 77)) == (command, 77)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '["Exec", {}, 1]',
        '["SetBallad", {"ballad_id": 3}, 1]',
        '["SetBallad", [], 1]',
        '["SetBallad", {"ballad_id": "x"}, "soon"]',
        '[["SetBallad"], {}, 1]',
        "[" * 100_000,
    ],
)
def test_what_is_no_command_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="no command"):
        command_of(text)
