"""How far apart the house clocks are, as followers and their leader know it."""

from __future__ import annotations

from player.sync import messages
from player.sync.followers import GONE_AFTER_NS
from player.sync.messages import decode, encode
from player.sync.node import SyncNode
from tests.test_sync_node import MS, S, follow, leading, node


def test_a_node_alone_and_one_that_listens_know_of_none() -> None:
    assert node("a", names=("a",)).skew_ns(5 * S) is None
    assert node().skew_ns(0) is None


def test_a_follower_knows_how_far_it_is_from_what_its_leader_says() -> None:
    one = node()
    follow(one)
    settled_ns = one.skew_ns(2 * S)
    assert settled_ns is not None and settled_ns < MS // 10
    # from here on the leader answers as if it were 10 ms further: that is slewed away, slowly
    answer_further(one, from_ns=2 * S, seconds=3, by_ns=10 * MS)
    off_ns = one.skew_ns(5 * S)
    assert off_ns is not None and 5 * MS < off_ns < 10 * MS
    answer_further(one, from_ns=5 * S, seconds=30, by_ns=10 * MS)
    again_ns = one.skew_ns(35 * S)
    assert again_ns is not None and again_ns < MS // 10


def test_a_silent_leader_says_nothing_of_its_clock() -> None:
    one = node()
    follow(one)
    assert one.skew_ns(2 * S) is not None
    assert one.skew_ns(2 * S + 400 * MS) is None


def test_a_leader_knows_the_follower_that_is_furthest_off() -> None:
    one = leading()
    assert one.skew_ns(3 * S) is None
    for name, behind_ns in (("b", 300_000), ("c", -2 * MS)):
        its_ns = one.house_ns(4 * S) - behind_ns
        ping = encode(messages.Ping(name, one.epoch, 1, 0, its_ns, "one", -1, ""))
        one.receive(ping, f"at-{name}", 4 * S)
    assert one.skew_ns(4 * S) == 2 * MS
    assert one.skew_ns(4 * S + GONE_AFTER_NS + 1) is None


def answer_further(one: SyncNode, *, from_ns: int, seconds: int, by_ns: int) -> None:
    """As `follow`, a way of 1 ms each, from then on, by a leader that is so much further."""
    for step in range(seconds * 20):
        now_ns = from_ns + step * 50 * MS
        house_ns = now_ns + 5 * S + by_ns
        if step % 2 == 0:
            told = messages.Beacon(
                *("a", 1, now_ns // MS, house_ns, 0b110, "one", -1, "", 1, 0, "opening", "")
            )
            one.receive(encode(told), "at-a", now_ns)
        for out in one.advance(now_ns):
            ping = decode(one.encode(out, now_ns))
            if isinstance(ping, messages.Ping):
                stamps = (ping.number, ping.sent_ns, house_ns + MS, house_ns + MS)
                one.receive(encode(messages.Pong("a", 1, *stamps)), "at-a", now_ns + 2 * MS)
