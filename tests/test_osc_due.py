"""Time tags, and what waits for its time: on given times, exactly."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_message import OscMessage
from pythonosc.parsing import ntp

from player import commands
from player.clock import ManualClock
from player.osc.control import OscControl
from player.osc.due import (
    LONGEST_AHEAD_NS,
    MOST_AT_ONCE,
    MOST_LATER,
    MOST_LATER_OF_ONE,
    DueQueue,
    NotKeptError,
    due_at,
)
from player.osc.packets import decode_packet
from player.osc.ports import Sender
from player.osc.time_tags import IMMEDIATELY, NS_PER_S, ahead_ns, later, time_tag
from player.wall.shots import Shot
from tests.loop_rig import FRAME_NS, Rig
from tests.test_osc_control import NAMES
from tests.test_osc_packets import bundle, packet
from tests.tiny_show import make_tiny_show

WALL_NS = 1_796_000_000_123_456_789  # late in 2026
WRAP_NS = (2**32 - 2_208_988_800) * NS_PER_S  # when the seconds of NTP begin anew, in 2036
MS = 1_000_000
walls = st.integers(0, 4 * 10**18)  # till 2096
aheads = st.integers(-(10**18), 10**18)  # 31 years


def test_a_tag_is_ntp_time() -> None:
    assert time_tag(0) == 2_208_988_800 << 32, "1970, 70 years with 17 leap days after 1900"
    assert time_tag(NS_PER_S // 2) & 0xFFFFFFFF == 1 << 31
    theirs = struct.unpack(">Q", ntp.system_time_to_ntp(1_796_000_000.5))[0]
    assert abs(ahead_ns(theirs, 1_796_000_000_500_000_000)) < 1000, "as python-osc has it"
    assert time_tag(WRAP_NS - 1) == 2**64 - 4 and time_tag(WRAP_NS) == 0


@given(walls, aheads)
@settings(max_examples=200)
def test_what_a_tag_says_is_read_to_the_nanosecond(wall_ns: int, ahead: int) -> None:
    tag = time_tag(wall_ns + ahead)
    if tag > IMMEDIATELY:
        assert ahead_ns(tag, wall_ns) == ahead


def test_a_tag_beyond_the_wrap_of_2036_is_later_than_one_before() -> None:
    before, after = time_tag(WRAP_NS - NS_PER_S), time_tag(WRAP_NS + NS_PER_S)
    assert after < before and later(before, after) == later(after, before) == after
    assert ahead_ns(after, WRAP_NS - NS_PER_S) == 2 * NS_PER_S


@pytest.mark.parametrize("none", [0, IMMEDIATELY])
def test_a_tag_without_a_time_is_now_and_before_any_other(none: int) -> None:
    assert ahead_ns(none, WALL_NS) == 0
    long_ago = time_tag(WALL_NS - 10**18)
    assert later(none, long_ago) == later(long_ago, none) == long_ago


def test_a_bundle_in_a_bundle_is_never_before_it() -> None:
    soon, late = time_tag(WALL_NS), time_tag(WALL_NS + 1)
    data = bundle(
        packet("/a"),
        bundle(packet("/b"), time_tag=IMMEDIATELY),
        bundle(packet("/c"), bundle(packet("/d"), time_tag=soon), time_tag=late),
        packet("/e"),
        time_tag=soon,
    )
    told = [(message.address, message.time_tag) for message in decode_packet(data)]
    assert told == [("/a", soon), ("/b", soon), ("/c", late), ("/d", late), ("/e", soon)]
    assert decode_packet(packet("/a"))[0].time_tag == IMMEDIATELY


def test_when_a_tag_is_due() -> None:
    def due(ahead: int) -> int:
        return due_at(time_tag(WALL_NS + ahead), now_ns=500, wall_ns=WALL_NS)

    assert due(7) == 507 and due(LONGEST_AHEAD_NS) == 500 + LONGEST_AHEAD_NS
    assert due(-1) == due(-(10**18)) == 500
    with pytest.raises(NotKeptError, match=r"3600\.0 s ahead.*sender's clock right"):
        due(3600 * NS_PER_S)
    with pytest.raises(NotKeptError, match="at most 60 s"):
        due(LONGEST_AHEAD_NS + 1)


def test_taken_by_time_and_then_by_arrival() -> None:
    due: DueQueue[str] = DueQueue()
    for item, due_ns in (("c", 30), ("a", 10), ("b", 20), ("now", 5), ("b2", 20), ("past", 1)):
        due.add(item, due_ns, 5)
    assert (len(due), due.later) == (6, 4)
    assert due.take(4) == ([], [])
    assert due.take(5) == (["now", "past"], [])
    assert due.take(19) == (["a"], [])
    assert due.take(30) == (["b", "b2", "c"], [])
    assert (len(due), due.later) == (0, 0)


def test_now_and_later_have_places_of_their_own() -> None:
    due: DueQueue[int] = DueQueue()
    for number in range(MOST_AT_ONCE):
        due.add(number, 0, 0, "a")
    with pytest.raises(NotKeptError, match="too many commands at once: 64"):
        due.add(-1, 0, 0, "a")
    for number in range(MOST_LATER_OF_ONE):
        due.add(1000 + number, 9, 0, "a")
    with pytest.raises(NotKeptError, match="128 commands of this sender wait"):
        due.add(-1, 9, 0, "a")
    for number in range(MOST_LATER - MOST_LATER_OF_ONE):
        due.add(2000 + number, 9, 0, f"b{number}")
    with pytest.raises(NotKeptError, match="512 commands wait"):
        due.add(-1, 9, 0, "c")
    assert due.take(0)[0] == list(range(64))
    due.add(-2, 0, 0, "a")
    assert due.take(9)[0][:2] == [-2, 1000], "a take gives 64 at most, the next one goes on"
    rest = [one for _ in range(9) for one in due.take(9)[0]]
    assert len(rest) == MOST_LATER - 63 and due._later == {}
    due.add(-3, 20, 10, "a")
    due.clear()
    assert (len(due), due.later) == (0, 0)


def test_what_ends_all_drops_what_was_sent_before_and_comes_after() -> None:
    due: DueQueue[str] = DueQueue()
    for item, due_ns in (("early", 4), ("late", 30), ("later", 20)):
        due.add(item, due_ns, 0, "a")
    due.add("safe", 10, 0, "a")
    due.add("since", 40, 0, "a")
    assert due.take(100, ends=lambda item: item == "safe") == (
        ["early", "safe", "since"],
        ["later", "late"],
    )
    assert (len(due), due.later) == (0, 0)


Step = tuple[str, int, int]  # add or take, by how much the clock goes on, how far ahead


@given(
    st.lists(
        st.tuples(st.sampled_from(("a", "b", "take")), st.integers(0, 20), st.integers(-5, 60)),
        max_size=60,
    )
)
@settings(max_examples=150)
def test_nothing_is_early_lost_or_taken_twice(steps: list[Step]) -> None:
    """Against a plain sorted list, with bounds so small that they are met."""
    due: DueQueue[int] = DueQueue(most_at_once=3, most_later=8, most_later_of_one=6)
    model: list[tuple[int, int, str | None]] = []
    now_ns = 0
    for number, (what, wait_ns, ahead) in enumerate(steps):
        now_ns += wait_ns
        if what == "take":
            expected = sorted(one for one in model if one[0] <= now_ns)[:3]
            assert due.take(now_ns) == ([one[1] for one in expected], [])
            model = [one for one in model if one not in expected]
        else:
            of_all = [one[2] for one in model if one[2] is not None]
            is_full = (
                of_all.count(what) >= 6 or len(of_all) >= 8
                if ahead > 0
                else len(model) - len(of_all) >= 3
            )
            try:
                due.add(number, now_ns + ahead, now_ns, what)
            except NotKeptError:
                assert is_full
            else:
                assert not is_full
                model.append((now_ns + max(ahead, 0), number, what if ahead > 0 else None))
        assert len(due) == len(model)
        assert due.later == sum(one[2] is not None for one in model)


class Port:
    """A control on given clocks, and its answers."""

    def __init__(self) -> None:
        self.clock = ManualClock(1_000_000)
        self.wall_ns = WALL_NS
        self.answers: list[tuple[object, ...]] = []
        self.control = OscControl(
            names=NAMES, send=self._send, clock=self.clock, wall_ns=lambda: self.wall_ns
        )

    def _send(self, datagram: bytes, to: Sender) -> None:
        self.answers.append((*OscMessage(datagram).params, to))

    def say(self, *messages: bytes, ahead: int, sender: Sender = ("10.0.0.9", 4)) -> None:
        tag = time_tag(self.wall_ns + ahead)
        self.control.handle_datagram(bundle(*messages, time_tag=tag), sender)

    def taken(self, ahead_ns: int = 0) -> list[commands.Command]:
        return [request.command for request in self.control.take_requests(ahead_ns)]


@pytest.fixture
def port() -> Port:
    return Port()


def test_a_command_waits_for_its_time_whatever_becomes_of_the_wall_clock(port: Port) -> None:
    port.say(packet("/pause"), packet("/ballad", 2), ahead=500 * MS)
    assert (port.answers, port.control.waiting) == ([], 2)
    port.wall_ns += 10**18
    port.clock.advance(500 * MS - 1)
    assert port.taken() == []
    port.wall_ns -= 3 * 10**18
    port.clock.advance(1)
    assert port.taken() == [commands.Pause(), commands.SetBallad("tam-lin")]
    assert (port.taken(), port.control.waiting, port.control.errors) == ([], 0, 0)


def test_a_time_that_has_passed_is_now(port: Port) -> None:
    port.say(packet("/pause"), ahead=-1)
    port.say(packet("/play"), ahead=-3600 * NS_PER_S)
    port.say(packet("/status"), ahead=0)
    assert port.taken() == [commands.Pause(), commands.Play(), commands.QueryStatus()]


def test_what_is_due_before_the_frame_is_shown_is_taken_for_it(port: Port) -> None:
    port.say(packet("/pause"), ahead=16 * MS)
    assert port.taken(ahead_ns=15 * MS) == []
    assert port.taken(ahead_ns=16 * MS) == [commands.Pause()]


def test_what_is_wrong_is_answered_at_once_and_the_rest_still_waits(port: Port) -> None:
    port.say(packet("/nowhere"), packet("/pause"), packet("/ballad", 99), ahead=MS)
    (answer,) = port.answers
    assert answer[:2] == ("/nowhere", "error") and "(and 1 more)" in str(answer[2])
    port.clock.advance(MS)
    assert port.taken() == [commands.Pause()]


def test_what_is_too_far_ahead_is_refused_in_a_sentence(port: Port) -> None:
    port.say(packet("/pause"), packet("/play"), ahead=LONGEST_AHEAD_NS + NS_PER_S)
    (answer,) = port.answers
    assert answer[:2] == ("/pause", "error")
    assert "61.0 s ahead" in str(answer[2]) and "(and 1 more)" in str(answer[2])
    assert (port.control.waiting, port.control.errors) == (0, 2)


@pytest.mark.parametrize("address", ["/safe", "/panic"])
def test_nothing_comes_after_a_calm_known_state(port: Port, address: str) -> None:
    """One answer to each whose commands are left out; what is sent after it holds."""
    one, other = ("10.0.0.1", 5), ("10.0.0.2", 6)
    port.say(packet("/ballad", 2), packet("/blackout", 1), ahead=NS_PER_S, sender=one)
    port.say(packet("/pause"), ahead=2 * NS_PER_S, sender=other)
    port.control.handle_datagram(packet(address), other)
    port.say(packet("/play"), ahead=NS_PER_S, sender=other)
    assert port.taken() == [commands.Safe()]
    told = "left out: its time would have come after /safe"
    assert port.answers == [
        ("/ballad", "error", f"{told} (and 1 more)", one),
        ("/pause", "error", told, other),
    ]
    assert (port.control.errors, port.control.waiting) == (3, 1)
    port.clock.advance(LONGEST_AHEAD_NS)
    assert port.taken() == [commands.Play()]


def test_a_calm_known_state_can_itself_be_for_later(port: Port) -> None:
    port.say(packet("/pause"), ahead=2 * NS_PER_S)
    port.say(packet("/ballad", 2), packet("/safe"), packet("/play"), ahead=NS_PER_S)
    port.clock.advance(NS_PER_S)
    assert port.taken() == [commands.SetBallad("tam-lin"), commands.Safe(), commands.Play()]
    port.clock.advance(LONGEST_AHEAD_NS)
    assert port.taken() == []


def test_one_sender_cannot_take_all_places(port: Port) -> None:
    for _ in range(3):
        port.say(*[packet("/play")] * 64, ahead=NS_PER_S)
    (answer,) = port.answers
    assert "128 commands of this sender wait" in str(answer[2])
    assert "(and 63 more)" in str(answer[2])
    port.say(packet("/pause"), ahead=NS_PER_S, sender=("10.0.0.8", 4))
    port.control.handle_datagram(packet("/status"), ("10.0.0.9", 4))
    assert port.control.waiting == 129
    assert port.taken() == [commands.QueryStatus()], "and what is for now is not held up"


def test_nothing_is_kept_after_close(port: Port) -> None:
    port.say(packet("/pause"), ahead=MS)
    port.control.close()
    port.clock.advance(NS_PER_S)
    assert (port.taken(), port.control.waiting) == ([], 0)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    rig = Rig(make_tiny_show(tmp_path, screens=3, ballads=3, paintings=2, size=4))
    rig.preroll()
    rig.run(2)
    return rig


@pytest.mark.parametrize("ahead", [1, 17 * MS, FRAME_NS, 10 * FRAME_NS, 500 * MS])
def test_it_is_done_on_the_first_tick_at_or_after_its_time(rig: Rig, ahead: int) -> None:
    """Seen by the card, on a clock that stands still but for the frames."""
    named_ns = rig.clock.now_ns() + ahead
    tag = time_tag(rig.wall_ns() + ahead)
    rig.control.handle_datagram(bundle(packet("/identify", 1), time_tag=tag), ("operator", 1))
    shown = rig.run(20)
    first = next(one for one in shown if is_identified(one.shots))
    before = [one for one in shown if one.presented_ns < first.presented_ns]
    assert not any(is_identified(one.shots) for one in before)
    assert 0 <= first.presented_ns - named_ns < FRAME_NS + 1
    assert len(rig.answers) == 1 and rig.answers[0][:2] == ("/identify", "ok")


def is_identified(shots: tuple[Shot, ...]) -> bool:
    return any(overlay.source.startswith("identify") for overlay in shots[0].overlays)


def test_the_status_tells_what_waits(rig: Rig) -> None:
    tag = time_tag(rig.wall_ns() + 30 * NS_PER_S)
    rig.control.handle_datagram(bundle(packet("/play"), time_tag=tag), ("operator", 1))
    rig.say("/status")
    rig.run(1)
    assert rig.answers[0][2].endswith("; commands that wait for their time 1")
    rig.say("/safe")
    rig.run(1)
    rig.say("/status")
    rig.run(1)
    assert [answer[:2] for answer in rig.answers[1:]] == [
        ("/play", "error"),
        ("/safe", "ok"),
        ("/status", "ok"),
    ]
    assert "wait" not in rig.answers[-1][2]
