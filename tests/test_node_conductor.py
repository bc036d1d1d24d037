"""A show on several machines: who opens it, when commands take effect, what a follower does."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from player.commands import Blackout, CommandError, Pause, SetBallad, SetScreenBallad
from player.node_conductor import NodeConductor
from player.sync.states import State, States, with_state
from player.transport import frame_at
from shows.schema import ShowError
from shows.show import Show
from tests.tiny_show import make_tiny_show


@dataclass
class House:
    """What all nodes share, without any network."""

    states: States = field(default_factory=States)
    sent: list[str] = field(default_factory=list)
    checksums: list[tuple[int, str]] = field(default_factory=list)


@dataclass
class FakeSync:
    house: House
    is_leader: bool
    is_ready: bool = True

    def state_at(self, tick: int) -> State | None:
        return self.house.states.at(tick)

    @property
    def newest_state(self) -> State | None:
        return self.house.states.newest

    def propose(self, text: str, effective_tick: int) -> None:
        assert self.is_leader
        newest = self.house.states.newest
        version = newest.version + 1 if newest else 1
        state = State(version, effective_tick, text, 1, 0)
        self.house.states = with_state(self.house.states, state)

    def forward(self, text: str) -> int:
        assert not self.is_leader
        self.house.sent.append(text)
        return len(self.house.sent)

    def take_commands(self) -> list[str]:
        taken, self.house.sent = self.house.sent, []
        return taken

    def report_latents(self, tick: int, checksum: str) -> None:
        self.house.checksums.append((tick, checksum))

    def status(self) -> str:
        return "in step"


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    folder: Path = tmp_path_factory.mktemp("show")
    return make_tiny_show(folder, screens=3, ballads=4, paintings=2)


@pytest.fixture
def nodes(show: Show) -> tuple[NodeConductor, NodeConductor, House]:
    """The leader, a follower, and what they share; the show opened on tick 101."""
    house = House()
    leader = NodeConductor(show, FakeSync(house, True))
    follower = NodeConductor(show, FakeSync(house, False))
    leader.tend(100)
    return leader, follower, house


def test_the_first_frame_stands_until_the_leader_opens_the_show(show: Show) -> None:
    house = House()
    follower = NodeConductor(show, FakeSync(house, False))
    leader = NodeConductor(show, FakeSync(house, True))
    follower.tend(99)
    assert [frame_at(follower.transport_at(tick), tick) for tick in (0, 99)] == [0, 0]
    leader.tend(100)
    assert [frame_at(follower.transport_at(tick), tick) for tick in (101, 102, 500)] == [0, 1, 399]
    leader.tend(101)
    assert house.states.newest is not None and house.states.newest.version == 1, "opened once"


def test_a_command_takes_effect_on_all_nodes_at_one_tick(
    nodes: tuple[NodeConductor, NodeConductor, House],
) -> None:
    leader, follower, _ = nodes
    leader.obey(SetBallad("ballad-4"), 200)
    for node in (leader, follower):
        assert len(node.transport_at(204).cues[0]) == 1
        changed = node.transport_at(205)
        assert changed.cues[0][-1].start_frame == frame_at(changed, 205) - 1
    leader.obey(Pause(), 210)
    paused = follower.transport_at(215)
    assert [frame_at(paused, tick) for tick in (215, 216)] == [114, 114]
    assert frame_at(follower.transport_at(214), 214) == 113


def test_a_follower_sends_on_what_it_is_asked(
    nodes: tuple[NodeConductor, NodeConductor, House],
) -> None:
    leader, follower, house = nodes
    assert "sent on" in follower.obey(SetScreenBallad(1, "ballad-1"), 200)
    assert follower.transport_at(1000).cues[1][-1].ballad_id == "ballad-2"
    leader.tend(202)
    assert follower.transport_at(204).cues[1][-1].ballad_id == "ballad-2"
    assert follower.transport_at(205).cues[1][-1].ballad_id == "ballad-1"
    follower.obey(Blackout(True), 300)
    leader.tend(304)  # late: it still keeps 100 ms
    assert not follower.transport_at(306).blackout and follower.transport_at(307).blackout
    assert house.sent == []


def test_two_commands_of_one_tick_are_one_change(
    nodes: tuple[NodeConductor, NodeConductor, House],
) -> None:
    leader, follower, _ = nodes
    leader.obey(SetBallad("ballad-4"), 200)
    leader.obey(SetBallad("ballad-3"), 200)
    assert [cue.ballad_id for cue in follower.transport_at(206).cues[0]] == ["ballad-1", "ballad-3"]


def test_nonsense_is_refused_where_it_is_said_and_where_it_arrives(
    nodes: tuple[NodeConductor, NodeConductor, House], caplog: pytest.LogCaptureFixture
) -> None:
    leader, follower, house = nodes
    with pytest.raises(CommandError, match="the screens are 1 to 3"):
        follower.obey(SetScreenBallad(9, "ballad-1"), 200)
    with pytest.raises(ShowError, match="macbeth"):
        leader.obey(SetBallad("macbeth"), 200)
    house.sent = ["nonsense", '["SetBallad", {"ballad_id": "macbeth"}, 206]']
    before = house.states
    leader.tend(201)
    assert house.states == before
    assert len(caplog.messages) == 2


def test_a_state_that_cannot_be_read_leaves_what_was_on(
    nodes: tuple[NodeConductor, NodeConductor, House], caplog: pytest.LogCaptureFixture
) -> None:
    _, follower, house = nodes
    good = follower.transport_at(150)
    house.states = with_state(house.states, State(9, 160, "{}", 1, 0))
    assert follower.transport_at(170) == good
    assert follower.transport_at(171) == good and len(caplog.messages) == 1


def test_latents_are_compared_now_and_then(
    nodes: tuple[NodeConductor, NodeConductor, House],
) -> None:
    leader, follower, house = nodes
    for tick in range(101, 601):
        leader.tend(tick)
        follower.tend(tick)
    assert [tick for tick, _ in house.checksums] == [300, 300, 600, 600]
    assert house.checksums[0] == house.checksums[1] != house.checksums[2]
