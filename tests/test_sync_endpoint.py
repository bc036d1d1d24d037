"""Clock sync on real sockets of the loopback, and its clock for the frame loop."""

from __future__ import annotations

import random
import selectors
import socket
from collections.abc import Iterator

import pytest

from player.clock import HouseClock, OfflineClock
from player.sync import measure
from player.sync.endpoint import DisciplinedClock, NodeAddress, SyncEndpoint
from player.sync.settings import SyncError
from tests.tick_helpers import wait_for

NAMES = ("a", "b", "c")


def free_ports(count: int) -> list[int]:
    opened = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for one in opened:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in opened]
    for one in opened:
        one.close()
    return ports


def endpoint(name: str, ports: list[int], *, key: bytes | None = None) -> SyncEndpoint:
    nodes = [NodeAddress(n, "127.0.0.1", port) for n, port in zip(NAMES, ports, strict=False)]
    return SyncEndpoint(
        name,
        nodes,
        clock=HouseClock(),
        key=key,
        listen_on="127.0.0.1",
        rng=random.Random(name),
    )


@pytest.fixture
def three() -> Iterator[list[SyncEndpoint]]:
    ports = free_ports(3)
    endpoints = [endpoint(name, ports, key=b"a key of sixteen bytes") for name in NAMES]
    for one in endpoints:
        one.start()
    yield endpoints
    for one in endpoints:
        one.close()


def test_three_nodes_agree_on_time_state_and_commands(three: list[SyncEndpoint]) -> None:
    a, b, c = three
    assert wait_for(lambda: a.is_leader)
    a.propose("opening", 0)
    assert wait_for(lambda: b.is_ready and c.is_ready)
    local_ns = HouseClock().now_ns()
    houses = [one.house_ns_at(local_ns) for one in three]
    assert max(houses) - min(houses) < 2_000_000
    b.forward("/ballad 3")
    commands: list[str] = []
    assert wait_for(lambda: bool(commands.extend(a.take_commands()) or commands))
    assert commands == ["/ballad 3"]
    a.propose("changed", 500)

    def has_changed(one: SyncEndpoint) -> bool:
        state = one.state_at(500)
        return state is not None and state.text == "changed"

    assert wait_for(lambda: all(has_changed(one) for one in three))
    before = b.state_at(499)
    assert before is not None and before.text == "opening"
    c.report_latents(300, "cccc")
    a.report_latents(300, "aaaa")
    assert wait_for(lambda: bool(a.differences()))
    assert a.differences() == ["c computes other latents (tick 300: cccc, here aaaa)"]
    assert "a leads, epoch 1; 2 of 2 others follow" in a.status()
    with pytest.raises(SyncError, match="does not lead"):
        b.propose("x", 1)


def test_hostile_datagrams_never_stop_the_thread(three: list[SyncEndpoint]) -> None:
    a = three[0]
    assert wait_for(lambda: a.is_leader)
    rng = random.Random(1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hostile:
        for _ in range(300):
            hostile.sendto(rng.randbytes(rng.randrange(1500)), ("127.0.0.1", a.port))
        hostile.sendto(b"", ("127.0.0.1", a.port))
        hostile.sendto(b"\xff" * 60_000, ("127.0.0.1", a.port))
    assert wait_for(lambda: "datagrams refused" in a.status())
    a.propose("still here", 0)
    assert wait_for(lambda: three[1].is_ready)


def test_a_defect_costs_turns_and_its_trace_is_told_once(
    three: list[SyncEndpoint], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    a = three[0]
    assert wait_for(lambda: a.is_leader)
    turn = a._turn

    def stumble(selector: selectors.BaseSelector) -> None:
        if a.stumbles < 3:
            raise ZeroDivisionError("one by nothing")
        turn(selector)

    monkeypatch.setattr(a, "_turn", stumble)
    assert wait_for(lambda: "stumbled 3 times, see the log" in a.status())
    a.propose("still here", 0)
    assert wait_for(lambda: "still here" in str(three[1].newest_state))
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_a_port_in_use_is_told_with_its_holder() -> None:
    ports = free_ports(2)
    first, second = endpoint("a", ports), endpoint("a", ports)
    first.start()
    try:
        with pytest.raises(SyncError) as caught:
            second.start()
    finally:
        first.close()
        second.close()
    assert f"Clock sync port {ports[0]} on 127.0.0.1 is already in use" in str(caught.value)
    assert "choose another port with nodes: port in show.yaml" in str(caught.value)
    with pytest.raises(SyncError, match="only once"):
        second.start()


def test_one_node_alone_opens_no_port() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        alone = endpoint("a", [taken.getsockname()[1]])
        alone.start()
        assert alone.is_ready and alone.is_leader
        alone.close()


def test_a_node_that_is_not_in_the_show_is_told() -> None:
    with pytest.raises(SyncError, match=r"no node 'x'.*it has: a, b"):
        endpoint("x", [1, 2])


def test_a_name_that_is_not_known_yet_keeps_nobody_from_starting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    nodes = [NodeAddress("a", "127.0.0.1"), NodeAddress("b", "no-such-host.invalid")]
    SyncEndpoint("a", nodes, clock=HouseClock())
    assert "The node b at no-such-host.invalid cannot be looked up now" in caplog.text


def test_the_disciplined_clock_waits_in_house_time() -> None:
    local = OfflineClock(5_000_000_000)
    nodes = [NodeAddress("a", "127.0.0.1")]
    clock = DisciplinedClock(SyncEndpoint("a", nodes, clock=local), local)
    assert clock.now_ns() == 0
    clock.wait_until_ns(-1)
    assert local.now_ns() == 5_000_000_000
    clock.wait_until_ns(1_000_000_000)
    assert 0 <= clock.now_ns() - 1_000_000_000 <= 1


def test_readings_are_compared_where_all_have_one() -> None:
    frame_ns = 33_333_334
    one = {0: 10_000_000, 1: frame_ns - 10, 2: 0}
    other = {0: 10_400_000, 1: frame_ns + 10}
    figures = measure.compared([one, other])
    assert figures["instants"] == 2
    assert figures["spread_ms_max"] == 0.4
    assert figures["agreement"] == 0.5  # nothing is forgiven where the frames differ
    with pytest.raises(SyncError, match="never all locked"):
        measure.compared([one, {}])


@pytest.mark.long
@pytest.mark.timeout(180)
def test_seven_processes_agree_to_two_milliseconds() -> None:
    figures = measure.measure(nodes=7, seconds=30)
    assert figures["instants"] > 250
    assert figures["spread_ms_p99"] <= 2.0
    assert figures["agreement"] > 0.999
