"""Who is heard at the operator's port, and how much: on given times."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.clock import ManualClock
from player.osc.control import OscControl
from player.osc.gate import (
    ANSWER_EVERY_NS,
    MOST_SENDERS,
    Gate,
    NetworkError,
    RateBound,
    network_of,
)
from tests.test_osc_control import NAMES
from tests.test_osc_packets import bundle, packet

SECOND_NS = 1_000_000_000
TIGHT = RateBound(per_second=10, burst=5)


@pytest.mark.parametrize(
    ("text", "host", "heard"),
    [
        ("192.168.7.0/24", "192.168.7.200", True),
        ("192.168.7.0/24", "192.168.8.1", False),
        ("192.168.7.20", "192.168.7.20", True),
        ("192.168.7.20/24", "192.168.7.3", True),
        ("10.0.0.0/8", "::ffff:10.1.2.3", True),
        ("::1", "::1", True),
        ("fe80::/10", "fe80::1%eth0", True),
        ("::1", "127.0.0.1", False),
        ("0.0.0.0/0", "nonsense", False),
        ("0.0.0.0/0", "", False),
    ],
)
def test_who_is_allowed(text: str, host: str, heard: bool) -> None:
    assert (Gate([network_of(text)]).judge(host, 0) == "admitted") is heard


@pytest.mark.parametrize("text", ["", "gallery", "192.168.7.0/33", "1.2.3", "10.0.0.1-9", "*"])
def test_what_is_no_network_is_told(text: str) -> None:
    with pytest.raises(NetworkError, match=r"Write 192\.168\.7\.20 or"):
        network_of(text)


def test_a_burst_passes_and_then_the_rate() -> None:
    gate = Gate(rate=TIGHT)
    assert [gate.judge("a", 0) for _ in range(7)] == ["admitted"] * 5 + ["told", "dropped"]
    assert gate.judge("b", 0) == "admitted", "others are not held up"
    assert gate.judge("a", SECOND_NS // 10) == "admitted"
    assert gate.judge("a", SECOND_NS // 10) == "dropped"
    assert gate.judge("a", ANSWER_EVERY_NS) == "admitted"


def test_who_floods_is_answered_once_a_second() -> None:
    gate = Gate(rate=RateBound(per_second=1, burst=1))
    verdicts = [gate.judge("a", n * SECOND_NS // 100) for n in range(301)]
    assert verdicts.count("admitted") == 4
    assert verdicts.count("told") == 3


def test_a_bundle_counts_as_its_messages() -> None:
    gate = Gate(rate=TIGHT)
    assert gate.judge("a", 0) == "admitted"
    gate.charge("a", 40)
    assert gate.judge("a", 3 * SECOND_NS) == "told"
    assert gate.judge("a", 4 * SECOND_NS) == "admitted"


def test_a_million_senders_leave_no_trace() -> None:
    gate = Gate(rate=TIGHT)
    for number in range(10_000):
        for _ in range(7):
            gate.judge(f"host {number}", number)
    assert len(gate._clear_at_ns) <= MOST_SENDERS and len(gate._told_at_ns) <= MOST_SENDERS
    assert gate.judge("host 9999", 10_000) == "dropped", "the newest is remembered"


@given(
    st.integers(1, 1000), st.integers(1, 50), st.lists(st.integers(0, SECOND_NS // 5), max_size=200)
)
def test_never_more_than_the_burst_and_the_rate(
    per_second: int, burst: int, gaps_ns: list[int]
) -> None:
    rate = RateBound(per_second, burst)
    gate, now_ns, admitted = Gate(rate=rate), 0, 0
    for gap_ns in gaps_ns:
        now_ns += gap_ns
        admitted += gate.judge("a", now_ns) == "admitted"
        assert admitted <= burst + now_ns // rate.interval_ns
    if all(gap_ns >= rate.interval_ns for gap_ns in gaps_ns):
        assert admitted == len(gaps_ns)


@pytest.mark.parametrize(("per_second", "burst"), [(0, 1), (1, 0), (-5, 5)])
def test_a_bound_that_lets_nothing_through_is_refused(per_second: int, burst: int) -> None:
    with pytest.raises(ValueError, match="lets something through"):
        RateBound(per_second, burst)


def test_the_port_counts_what_it_drops_and_answers_once() -> None:
    sent: list[bytes] = []
    clock = ManualClock()
    control = OscControl(
        names=NAMES,
        send=lambda data, _: sent.append(data),
        allow=[network_of("10.0.0.0/8")],
        rate=TIGHT,
        clock=clock,
    )
    control.handle_datagram(packet("/play"), ("192.168.1.1", 9))
    assert (sent, control.errors, control.dropped, control.take_requests()) == ([], 1, 1, [])
    for _ in range(20):
        control.handle_datagram(packet("/play"), ("10.0.0.1", 9))
    assert len(control.take_requests()) == 5
    assert control.dropped == 16 and control.errors == 16
    (answer,) = sent
    assert b"too many messages: 10 a second" in answer
    clock.advance(10 * SECOND_NS)
    control.handle_datagram(bundle(*[packet("/play")] * 64), ("10.0.0.1", 9))
    assert len(control.take_requests()) == 64, "a whole bundle passes"
    clock.advance(SECOND_NS)
    control.handle_datagram(packet("/play"), ("10.0.0.1", 9))
    assert control.take_requests() == [] and len(sent) == 2, "but is paid for"
