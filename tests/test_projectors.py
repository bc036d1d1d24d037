"""PJLink against a projector on loopback: good ones, dead ones, and strangers."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from player.projectors import Patience, ProjectorDesk, ProjectorError, switched
from shows.schedule_schema import Projector, Schedule
from shows.show import Show
from tests.fake_projector import FakeProjector, Manner, listening

OPEN = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()) * 10**9
CLOSED = int(datetime(2026, 11, 20, 22, tzinfo=UTC).timestamp()) * 10**9
WARM_UP = int(datetime(2026, 11, 20, 9, 58, tzinfo=UTC).timestamp()) * 10**9
QUICK = Patience(answer_s=1.0, retry_s=0.02, longest_s=0.05, watch_s=0.05, look_s=0.01)


def projector(port: int, **words: Any) -> Projector:
    return Projector(name="left", host="127.0.0.1", port=port, **words)


def switch(port: int, password: str | None = None, on: bool | None = True, **words: Any) -> Any:
    return asyncio.run(switched(projector(port, **words), password, on=on, answer_s=0.5))


def desk_of(
    show: Show,
    *projectors: Projector,
    wall_ns: Callable[[], int] = lambda: OPEN,
    environment: Mapping[str, str] = {},
) -> ProjectorDesk:
    schedule = Schedule.model_validate({"timezone": "UTC", "open": {"daily": ["10:00-18:00"]}})
    words = {"schedule": schedule, "projectors": projectors}
    settings = show.settings.model_copy(update=words)
    show = replace(show, settings=settings)
    return ProjectorDesk(show, wall_ns=wall_ns, environment=environment, patience=QUICK)


def until(is_so: Callable[[], bool], projector: FakeProjector) -> None:
    """Wait (5 s) for what another thread does."""
    for _ in range(1000):
        if is_so():
            return
        projector.ending.wait(0.005)
    raise AssertionError("it never came")


# -- one projector -----------------------------------------------------------------------------


@pytest.mark.parametrize("manner", ["good", "one command", "zero bytes"])
def test_switched_on_and_off(manner: Manner) -> None:
    with listening(FakeProjector(manner=manner)) as fake:
        assert switch(fake.port, on=None) == (False, "is off")
        assert switch(fake.port) == (True, "is on")
        assert fake.power == "1"
        assert switch(fake.port, on=False) == (False, "is off")
    assert [c for c in fake.commands if not c.endswith("?")] == ["%1POWR 1", "%1POWR 0"]


@pytest.mark.parametrize(
    ("power", "on", "expected"),
    [
        ("1", True, (True, "is on")),
        ("3", True, (True, "is warming up")),
        ("2", False, (False, "is cooling down")),
        ("0", False, (False, "is off")),
    ],
)
def test_what_is_so_already_is_not_asked_again(power: str, on: bool, expected: Any) -> None:
    with listening(FakeProjector()) as fake:
        fake.power = power
        assert switch(fake.port, on=on) == expected
    assert fake.commands == ["%1POWR ?"]


def test_the_password_goes_as_a_digest() -> None:
    with listening(FakeProjector(password="crowns of birk")) as fake:
        assert switch(fake.port, "crowns of birk") == (True, "is on")
        assert fake.power == "1" and fake.refused == 0
        with pytest.raises(ProjectorError, match=r"refuses the password in .* variable KEY"):
            switch(fake.port, "wrong", password_env="KEY")
        assert fake.refused == 1
        with pytest.raises(ProjectorError, match="asks for a password: name its"):
            switch(fake.port, None)


@pytest.mark.parametrize(
    ("manner", "sentence"),
    [
        ("silent", "does not answer at 127.0.0.1 port|not in PJLink"),
        ("closes", "does not answer at 127.0.0.1 port"),
        ("garbage", "not in PJLink as it should"),
        ("not text", "not in PJLink as it should"),
        ("short", "not in PJLink as it should"),
        ("flood", "not in PJLink as it should"),
    ],
)
def test_strangers_are_one_sentence(manner: Manner, sentence: str) -> None:
    with listening(FakeProjector(manner=manner)) as fake, pytest.raises(ProjectorError) as caught:
        switch(fake.port)
    assert re.search(sentence, str(caught.value))
    assert fake.commands == []


def test_a_strange_answer_to_a_command_is_one_sentence() -> None:
    with listening(FakeProjector()) as fake:
        for power in ("9", "", "ERR1", "ERR4", "=", "1" * 200):
            fake.power = power
            with pytest.raises(ProjectorError, match=r"not in PJLink|failure of its own"):
                switch(fake.port)


def test_nobody_there() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(ProjectorError, match=f"does not answer at 127.0.0.1 port {port}"):
        switch(port)


# -- all of a show -----------------------------------------------------------------------------


def test_on_before_opening_and_off_after_closing(tiny_show: Show) -> None:
    wall = [CLOSED]
    with listening(FakeProjector(password="k")) as fake:
        fake.power = "1"
        left = projector(fake.port, password_env="KEY")
        desk = desk_of(tiny_show, left, wall_ns=lambda: wall[0], environment={"KEY": "k"})
        desk.start()
        try:
            until(lambda: fake.power == "0", fake)
            wall[0] = WARM_UP
            until(lambda: fake.power == "1", fake)
            until(lambda: desk.describe() == "left is on", fake)
            wall[0] = CLOSED + 3600 * 10**9
            until(lambda: fake.power == "0", fake)
        finally:
            desk.close()
    sets = [c for c in fake.commands if not c.endswith("?")]
    assert sets == ["%1POWR 0", "%1POWR 1", "%1POWR 0"]


def test_a_projector_switched_by_hand_is_left_alone(tiny_show: Show) -> None:
    with listening(FakeProjector()) as fake:
        desk = desk_of(tiny_show, projector(fake.port))
        desk.start()
        try:
            until(lambda: desk.describe() == "left is on", fake)
            fake.power = "0"
            asked = len(fake.commands)
            until(lambda: len(fake.commands) > asked + 3, fake)
            until(lambda: desk.describe() == "left is off", fake)
        finally:
            desk.close()
    assert fake.commands.count("%1POWR 1") == 1 and fake.power == "0"


def test_a_busy_projector_is_asked_until_it_obeys(
    tiny_show: Show, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "player.projectors")
    with listening(FakeProjector()) as fake:
        fake.busy = 3
        desk = desk_of(tiny_show, projector(fake.port))
        desk.start()
        try:
            until(lambda: desk.describe() == "left is on", fake)
        finally:
            desk.close()
    assert fake.commands.count("%1POWR 1") == 4
    assert [record.getMessage() for record in caplog.records] == [
        "projector left is busy for now, and is asked again",
        "projector left is on",
    ]


def test_a_dead_one_does_not_keep_the_others_waiting(tiny_show: Show) -> None:
    with listening(FakeProjector()) as fake, listening(FakeProjector(manner="silent")) as dead:
        names = [
            Projector(name="dead", host="127.0.0.1", port=dead.port),
            Projector(name="live", host="127.0.0.1", port=fake.port),
            Projector(name="locked", host="127.0.0.1", port=fake.port, password_env="NOT_SET"),
        ]
        desk = desk_of(tiny_show, *names)
        desk.start()
        try:
            until(lambda: "live is on" in desk.describe(), fake)
            until(lambda: "variable NOT_SET to its PJLink" in desk.describe(), fake)
        finally:
            desk.close()
    assert desk._thread is not None and not desk._thread.is_alive()


def test_no_projectors_no_thread(tiny_show: Show) -> None:
    desk = desk_of(tiny_show)
    desk.start()
    assert desk._thread is None and desk.describe() == ""
    desk.close()


def test_without_the_library_it_says_so(tiny_show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiopjlink", None)
    desk = desk_of(tiny_show, projector(9))
    desk.start()
    assert desk._thread is not None
    desk._thread.join(5)
    assert "pip install" in desk.describe()
    desk.close()


def test_closed_before_it_began(tiny_show: Show) -> None:
    desk = desk_of(tiny_show, projector(9))
    desk.close()
    desk.start()
    assert desk._thread is not None
    desk._thread.join(5)
    assert not desk._thread.is_alive()
