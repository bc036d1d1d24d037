"""The frame loop on a clock that costs nothing: how it obeys and answers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from shows.show import Show
from tests.loop_rig import FRAME_NS, SCREENS, Rig, frames
from tests.tiny_show import make_tiny_show


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    folder: Path = tmp_path_factory.mktemp("show")
    return make_tiny_show(folder, screens=SCREENS, ballads=4, paintings=2, size=4)


@pytest.fixture
def rig(show: Show) -> Rig:
    """Past its preroll, its engine in time."""
    rig = Rig(show)
    rig.preroll()
    return rig


def test_every_request_gets_one_answer(rig: Rig) -> None:
    said: list[tuple[str, str]] = []

    def say(address: str, outcome: str, *args: object) -> None:
        said.append((address, outcome))
        rig.say(address, *args)

    rig.wall.at_poll = {
        3: lambda: say("/ballad", "ok", 2),
        4: lambda: [say("/ballad", "error", 99), say("/nonsense", "error"), say("/pause", "ok")],
        5: lambda: [say("/status", "ok") for _ in range(20)],
        9: lambda: [say("/play", "ok"), say("/screen/3/ballad", "ok", "ballad-1")],
        10: lambda: [say("/screen/4/ballad", "error", 1), say("/blackout", "error", 0.5)],
        11: lambda: [
            say("/ballad/next", "ok"),
            say("/ballad/each", "ok"),
            say("/blackout", "ok", 1),
        ],
    }
    rig.run(20)
    assert Counter(answer[:2] for answer in rig.answers) == Counter(said)
    assert rig.control.errors == 4


def test_the_status_tells_what_is_on_and_how_well(rig: Rig) -> None:
    rig.wall.costs_ns[20] = int(3.65 * FRAME_NS)
    rig.engine.never = {30}
    rig.run(50)
    rig.say("/status")
    rig.run(1)
    assert rig.answers == [
        (
            "/status",
            "ok",
            "playing, frame 50; 1 ballad-1 painting 1; 2 ballad-2 painting 1; "
            "3 ballad-3 painting 1; source live; engine ready: As a fake can be. (fake engine); "
            "quality: every frame; worker restarts 0; presented 48; late 1; repeated 1; dropped 2; "
            "on paper; on paper; on paper",
        )
    ]


def test_a_pause_holds_the_frame_and_drops_nothing(rig: Rig) -> None:
    rig.wall.at_poll = {20: lambda: rig.say("/pause"), 60: lambda: rig.say("/play")}
    rig.wall.costs_ns[40] = int(7.55 * FRAME_NS)
    shown = rig.run(107)
    # The stall falls into the pause: six ticks are gone, and no frame. Of the two ticks on which
    # the command comes, the first shows frame 20 as it would have anyway, the second shows it too.
    assert frames(shown) == [*range(20), *[20] * 41, *range(21, 60), 60][: len(shown)]
    assert len(shown) == 107 - 6
    presented, late, repeated, dropped = rig.counts()
    assert (presented, late, repeated, dropped) == (61, 0, 0, 0)
    assert rig.wall.uploads.count("live 0") == 60, "frame 0 came in the preroll"
    assert len({frame for frame, _ in rig.engine.asked}) == len(rig.engine.asked)


def test_a_pause_counts_as_ticks_towards_the_end(rig: Rig) -> None:
    rig.say("/pause")
    assert len(rig.run(40)) == 40
    assert rig.counts() == (1, 0, 0, 0)


def test_a_blackout_is_a_ramp_of_fifteen_ticks(rig: Rig) -> None:
    rig.wall.at_poll = {20: lambda: rig.say("/blackout", 1), 50: lambda: rig.say("/blackout", 0)}
    gains = [one.shots[0].gain for one in rig.run(80)]
    assert gains[:20] == [1.0] * 20
    assert gains[20:50] == pytest.approx([max(0.0, 1 - n / 15) for n in range(30)])
    assert gains[50:] == pytest.approx([min(1.0, n / 15) for n in range(30)])
    assert rig.counts() == (80, 0, 0, 0), "the show runs on behind it"
