"""The protocol on given integers: joining, leading, failing over, cues, commands, differences."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from player.sync import messages
from player.sync.election import Claim, claim_delay_ns, outranks
from player.sync.messages import decode, encode
from player.sync.node import SyncNode
from player.sync.requests import RequestError
from player.sync.settings import Outgoing, Peer, SyncError, SyncSettings
from player.sync.states import State, States, with_state

MS = 1_000_000
S = 1_000_000_000
NAMES = ("a", "b", "c")


def node(name: str = "b", *, names: tuple[str, ...] = NAMES, show_hash: str = "one") -> SyncNode:
    peers = tuple(Peer(one, f"at-{one}") for one in names)
    told = SyncSettings(name, peers, show_hash=show_hash)
    return SyncNode(told, rng=random.Random(1), local_ns=0)


def beacon(
    sender: str = "a",
    epoch: int = 1,
    sequence: int = 1,
    *,
    house_ns: int = 0,
    followers: int = 0b110,
    show_hash: str = "one",
    checksum: tuple[int, str] = (-1, ""),
    state: tuple[int, int, str] = (1, 0, "opening"),
    applied: str = "",
) -> bytes:
    own = (sender, epoch, sequence, house_ns, followers, show_hash)
    return encode(messages.Beacon(*own, *checksum, *state, applied))


def said(outgoing: list[Outgoing]) -> list[str]:
    return [out.message.ADDRESS for out in outgoing]


def run(one: SyncNode, until_ns: int) -> list[tuple[int, Outgoing]]:
    """Call `advance` whenever it is due; everything sent, with its time."""
    sent: list[tuple[int, Outgoing]] = []
    while (due_ns := one.next_due_ns) is not None and due_ns <= until_ns:
        sent += [(due_ns, out) for out in one.advance(due_ns)]
    return sent


def leading(name: str = "a") -> SyncNode:
    one = node(name)
    run(one, 3 * S)
    assert one.role == "leader"
    return one


def follow(one: SyncNode, *, seconds: int = 2, ahead_ns: int = 5 * S) -> None:
    """Let a node follow the leader `a`, whose house time is ahead of its local time."""
    for n in range(seconds * 20):
        now_ns = n * 50 * MS
        if n % 2 == 0:
            one.receive(beacon(sequence=n + 1, house_ns=now_ns + ahead_ns), "at-a", now_ns)
        for out in one.advance(now_ns):
            ping = decode(one.encode(out, now_ns))
            if isinstance(ping, messages.Ping):
                house_ns = now_ns + MS + ahead_ns
                stamps = (ping.number, ping.sent_ns, house_ns, house_ns)
                pong = encode(messages.Pong("a", 1, *stamps))
                one.receive(pong, "at-a", now_ns + 2 * MS)


# -- alone, and the first leader ---------------------------------------------------------------


def test_a_list_of_one_leads_at_once_and_sends_nothing() -> None:
    alone = node("a", names=("a",))
    assert (alone.role, alone.is_locked, alone.next_due_ns) == ("leader", True, None)
    alone.propose("opening", 0, 0)
    alone.forward("/ballad 3", 0)
    assert alone.take_commands() == ["/ballad 3"]
    assert alone.advance(S) == [] and alone.receive(beacon("b"), "x", S) == []
    assert alone.house_ns(7 * S) == 7 * S
    assert "leads" in alone.status(S) and "others" not in alone.status(S)


@pytest.mark.parametrize(
    ("name", "claims_ns"), [("a", S), ("b", S + 200 * MS), ("c", S + 400 * MS)]
)
def test_a_starting_node_listens_first_and_claims_by_its_place(name: str, claims_ns: int) -> None:
    one = node(name)
    sent = run(one, claims_ns - 1)
    assert sent == [] and one.role == "listening"
    sent = run(one, claims_ns + 130 * MS)
    assert one.role == "leader" and one.epoch == 1
    assert [at - claims_ns for at, _ in sent] == [0, 20 * MS, 40 * MS, 80 * MS, 120 * MS]
    assert {out.message.ADDRESS for _, out in sent} == {"/sync/beacon"}


def test_beacons_come_ten_times_a_second_to_every_other_node() -> None:
    one = leading()
    start_ns = one.next_due_ns
    assert start_ns is not None
    sent = run(one, start_ns + S)
    assert 10 <= len(sent) <= 11
    assert {out.destinations for _, out in sent} == {("at-b", "at-c")}


def test_a_node_that_hears_a_leader_follows_it() -> None:
    one = node("a")  # the earliest in the list: it yields all the same
    one.receive(beacon("c", epoch=4), "at-c", 900 * MS)
    assert (one.role, one.leader_name, one.epoch) == ("follower", "c", 4)
    run(one, 1_800 * MS)
    assert one.role == "follower"


def test_sixteen_questions_at_20_hz_and_then_two_a_second() -> None:
    one = node()
    follow(one, seconds=1)
    pings = []
    for n in range(100, 400):
        now_ns = n * 10 * MS
        if n % 10 == 0:
            one.receive(beacon(sequence=n, house_ns=now_ns + 5 * S), "at-a", now_ns)
        pings += [now_ns for out in one.advance(now_ns) if out.message.ADDRESS == "/sync/ping"]
    assert 5 <= len(pings) <= 8


def test_house_time_is_the_leaders() -> None:
    one = node()
    assert not one.is_locked
    follow(one)
    assert one.is_locked
    assert abs(one.house_ns(2 * S) - 7 * S) < MS // 10
    assert abs(one.local_ns_of(7 * S) - 2 * S) < MS // 10
    assert "follows a, epoch 1" in one.status(2 * S)
    assert "holds over" in one.status(2 * S + 400 * MS)


# -- failover ----------------------------------------------------------------------------------


def test_a_silent_leader_is_replaced_and_nothing_jumps() -> None:
    one = node()
    follow(one)
    heard_ns = 2 * S - 100 * MS
    house_ns = one.house_ns(2 * S)
    run(one, heard_ns + S - 1)
    assert one.role == "follower"
    run(one, heard_ns + S)
    assert (one.role, one.epoch, one.leader_name) == ("leader", 2, "b")
    assert one.house_ns(2 * S) == house_ns
    state = one.state_at(0)
    assert state is not None and state.text == "opening"


@pytest.mark.parametrize(
    ("place", "followers", "is_ready", "rank"),
    [
        (1, 0b1111110, True, 0),
        (2, 0b1111110, True, 1),
        (2, 0b1111100, True, 0),  # place 1 was gone already
        (6, 0b1111110, True, 5),
        (1, 0b1111110, False, 7),
    ],
)
def test_claims_go_down_the_list_of_those_alive(
    place: int, followers: int, is_ready: bool, rank: int
) -> None:
    leader = Claim(3, 0, followers)
    delay_ns = claim_delay_ns(place, nodes=7, leader=leader, is_ready=is_ready)
    assert delay_ns == S + rank * 200 * MS


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Claim(2, 3, 0b10), Claim(1, 0, 0b10)),  # the higher epoch
        (Claim(2, 1), Claim(2, 3)),  # of one epoch the earlier in the list
        (Claim(1, 0, 0b111110), Claim(2, 6)),  # somebody's leader before one that was alone
        (Claim(2, 1, 0b11), Claim(1, 0, 0b10)),  # each other's followers do not count
    ],
)
def test_of_two_leaders_one_yields(one: Claim, other: Claim) -> None:
    assert outranks(one, other)
    assert not outranks(other, one)


@given(
    st.tuples(st.integers(0, 9), st.integers(0, 6), st.integers(0, 127)),
    st.tuples(st.integers(0, 9), st.integers(0, 6), st.integers(0, 127)),
)
def test_two_leaders_never_both_yield_and_never_both_stay(
    one: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    a, b = Claim(*one), Claim(*other)
    if a.place != b.place:
        assert outranks(a, b) != outranks(b, a)


def test_a_leader_yields_to_a_higher_epoch_and_keeps_its_house_time_running() -> None:
    one = leading("a")
    one.propose("old", 0, 3 * S)
    one.receive(beacon("b", epoch=5, state=(7, 40, "new")), "at-b", 3 * S)
    assert (one.role, one.leader_name, one.epoch, one.is_locked) == ("follower", "b", 5, True)
    newest = one.newest_state
    assert newest is not None and newest.text == "new"
    assert one.take_commands() == []
    with pytest.raises(SyncError, match="does not lead; the leader is b"):
        one.propose("x", 1, 3 * S)


def test_an_overtaken_beacon_is_passed_over() -> None:
    one = node()
    one.receive(beacon(sequence=5, state=(3, 9, "new")), "at-a", 0)
    one.receive(beacon(sequence=4, state=(2, 5, "old")), "at-a", MS)
    one.receive(beacon("c", epoch=0, sequence=9), "at-c", MS)
    newest = one.newest_state
    assert newest is not None and newest.text == "new" and one.leader_name == "a"


def test_after_a_jump_of_the_own_clock_nobody_is_taken_for_dead() -> None:
    for jump_ns in (-3600 * S, 3600 * S):
        one = node()
        follow(one)
        now_ns = 2 * S + jump_ns
        one.advance(now_ns)
        assert one.role == "follower"
        due_ns = one.next_due_ns
        assert due_ns is not None and due_ns <= now_ns + S


def told_house_ns(one: SyncNode, now_ns: int) -> int:
    """The house time that it tells its leader."""
    ping = Outgoing(messages.Ping(one.name, 1, 1, 0, 0, "one", -1, ""), ())
    told = decode(one.encode(ping, now_ns))
    assert isinstance(told, messages.Ping)
    return told.house_ns


def test_who_has_leapt_neither_votes_nor_leads_before_others() -> None:
    one = node()
    follow(one)
    assert abs(told_house_ns(one, 2 * S) - 7 * S) < MS
    leapt_ns = 9 * S
    one.advance(leapt_ns)
    assert told_house_ns(one, leapt_ns) == messages.UNSURE
    run(one, leapt_ns + S + 600 * MS - 1)
    assert one.role == "follower"  # all three would go before it, 200 ms each
    run(one, leapt_ns + S + 600 * MS)
    assert one.role == "leader"


def test_an_answer_that_agrees_ends_the_doubt() -> None:
    one = node()
    follow(one)
    woken_ns = 9 * S  # it stood still and its clock ran on: the time is right
    for out in one.advance(woken_ns):
        ping = decode(one.encode(out, woken_ns))
        assert isinstance(ping, messages.Ping) and ping.house_ns == messages.UNSURE
        house_ns = woken_ns + MS + 5 * S
        pong = messages.Pong("a", 1, ping.number, ping.sent_ns, house_ns, house_ns)
        one.receive(encode(pong), "at-a", woken_ns + 2 * MS)
    assert abs(told_house_ns(one, woken_ns) - 14 * S) < MS
    run(one, woken_ns + S)
    assert one.role == "leader"


# -- states and commands -----------------------------------------------------------------------


def test_a_cue_is_sent_five_times_within_120_ms() -> None:
    one = leading()
    now_ns = one.next_due_ns
    assert now_ns is not None
    one.propose("new", 300, now_ns)
    cues = [(at - now_ns, out) for at, out in run(one, now_ns + 500 * MS)]
    cues = [(at, out) for at, out in cues if out.message.ADDRESS == "/sync/cue"]
    assert [at for at, _ in cues] == [0, 20 * MS, 40 * MS, 80 * MS, 120 * MS]
    assert {out.message.effective_tick for _, out in cues if hasattr(out.message, "text")} == {300}  # type: ignore[union-attr]


def test_a_state_takes_effect_on_its_tick() -> None:
    one = node()
    assert one.state_at(10) is None
    one.receive(beacon(state=(1, 50, "first")), "at-a", 0)
    assert one.state_at(10) is not None  # a late joiner shows what is to come
    cue = messages.Cue("a", 1, 2, 100, "second", "")
    one.receive(encode(cue), "at-a", 1)
    assert [state.text for tick in (49, 50, 99, 100) if (state := one.state_at(tick))] == [
        "first",
        "first",
        "first",
        "second",
    ]


def test_cues_of_others_and_of_older_epochs_are_not_obeyed() -> None:
    one = node()
    one.receive(beacon(epoch=3), "at-a", 0)
    for cue in (messages.Cue("c", 3, 9, 0, "x", ""), messages.Cue("a", 2, 9, 0, "x", "")):
        one.receive(encode(cue), "at-a", 1)
    newest = one.newest_state
    assert newest is not None and newest.text == "opening"


@given(st.permutations([(1, 10), (2, 20), (3, 30), (4, 40)]))
def test_states_come_out_the_same_in_whatever_order_they_come_in(
    order: list[tuple[int, int]],
) -> None:
    states = States()
    for version, tick in order:
        states = with_state(states, State(version, tick, str(version), 1, 0))
    texts = [state.text for tick in (0, 10, 29, 30, 99) if (state := states.at(tick))]
    assert texts == ["1", "1", "2", "3", "4"]


def test_what_a_lost_leader_said_alone_gives_way() -> None:
    states = States()
    for version in (1, 2, 3):
        states = with_state(states, State(version, 10 * version, "old", 1, 0))
    states = with_state(states, State(2, 20, "kept", 2, 1))
    assert states.newest == State(2, 20, "kept", 2, 1)
    assert [state.version for state in states.entries] == [1, 2]


def test_a_command_is_repeated_until_acknowledged() -> None:
    one = node()
    one.receive(beacon(), "at-a", 0)
    one.forward("/ballad 3", 0)
    sent = []
    for n in range(30):
        out = one.advance(n * 10 * MS)
        sent += [n * 10 for o in out if o.message.ADDRESS == "/sync/command"]
        one.receive(beacon(sequence=n + 2), "at-a", n * 10 * MS)
    assert sent == [0, 10, 30, 70, 150]
    number = one.forward("/ballad 4", 300 * MS)
    assert "/sync/command" in said(one.advance(300 * MS))
    one.receive(encode(messages.Acknowledgement("a", number)), "at-a", 301 * MS)
    out = [o.message for o in one.advance(400 * MS)]
    assert not [m for m in out if isinstance(m, messages.Request) and m.number == number]


def test_a_command_that_comes_often_is_obeyed_once_even_by_the_next_leader() -> None:
    one = leading("a")
    request = encode(messages.Request("c", 77, "/ballad 3"))
    for n in range(3):
        assert said(one.receive(request, "at-c", 3 * S + n)) == ["/sync/ack"]
    assert one.take_commands() == ["/ballad 3"] and one.take_commands() == []
    one.receive(request, "at-c", 4 * S)
    assert one.take_commands() == []
    # the next leader has heard from the first one what it had taken
    next_one = node("b")
    next_one.receive(beacon(applied=f"{77:x}"), "at-a", 0)
    run(next_one, 3 * S)
    assert next_one.role == "leader"
    next_one.receive(request, "at-c", 3 * S)
    assert next_one.take_commands() == []


def test_a_command_acknowledged_by_a_leader_that_died_goes_to_the_next() -> None:
    one = node("c")
    one.receive(beacon(), "at-a", 0)
    number = one.forward("/ballad 3", 0)
    one.advance(0)
    one.receive(encode(messages.Acknowledgement("a", number)), "at-a", 2 * MS)
    assert "/sync/command" not in said(one.advance(100 * MS))
    one.receive(beacon("b", epoch=2), "at-b", S)
    sent = [out for out in one.advance(S) if out.message.ADDRESS == "/sync/command"]
    assert [out.destinations for out in sent] == [("at-b",)]


def test_a_command_without_a_leader_is_given_up_and_told() -> None:
    one = node("a")
    one.forward("/ballad 3", 0)
    run(one, 900 * MS)
    one.receive(beacon("c"), "at-c", 950 * MS)
    for n in range(1, 70):
        one.receive(beacon("c", sequence=n + 1), "at-c", S + n * 100 * MS)
        one.advance(S + n * 100 * MS)
    assert "1 commands given up" in one.status(8 * S)


def test_too_much_is_refused_in_words() -> None:
    one = leading()
    with pytest.raises(SyncError, match="3001 bytes cannot be told; at most 3000"):
        one.propose("x" * 3001, 0, 3 * S)
    with pytest.raises(RequestError, match="too long to pass on"):
        one.forward("x" * 1001, 3 * S)
    follower = node()
    for _ in range(64):
        follower.forward("x", 0)
    with pytest.raises(RequestError, match="waiting for a leader"):
        follower.forward("x", 0)
    with pytest.raises(SyncError, match="'x' is not in the list"):
        node("x")


# -- differences -------------------------------------------------------------------------------


def test_a_node_of_another_show_is_not_followed_and_named() -> None:
    one = node()
    one.receive(beacon(show_hash="another-hash"), "at-a", 0)
    assert one.role == "listening"
    assert one.differences() == ["a plays another show (another-hash, here one)"]
    assert "DIFFERS: a plays another show" in one.status(0)
    run(one, 2 * S)
    assert one.role == "leader"  # of its own show: it never stalls
    one.receive(beacon(show_hash="another-hash", epoch=9, sequence=2), "at-a", 2 * S)
    assert one.role == "leader"
    one.receive(beacon(sequence=3), "at-a", 2 * S)
    assert one.differences() == []


def test_latents_that_differ_are_told_on_both_sides() -> None:
    one = node()
    one.report_latents(300, "aaaa")
    one.receive(beacon(checksum=(300, "bbbb")), "at-a", 0)
    assert one.differences() == ["a computes other latents (tick 300: bbbb, here aaaa)"]
    one.receive(beacon(sequence=2, checksum=(600, "cccc")), "at-a", MS)
    one.report_latents(600, "cccc")  # computed after the leader has told
    assert one.differences() == []
    leader = leading("a")
    leader.report_latents(300, "aaaa")
    ping = messages.Ping("c", 1, 1, 0, -1, "one", 300, "dddd")
    assert said(leader.receive(encode(ping), "at-c", 3 * S)) == ["/sync/pong"]
    assert leader.differences() == ["c computes other latents (tick 300: dddd, here aaaa)"]


def test_hostile_datagrams_cost_a_count() -> None:
    one = node()
    for junk in (b"", b"\xff" * 5000, b"/sync/beacon\0\0\0\0", b"#bundle\0" + b"\0" * 8):
        assert one.receive(junk, ("10.0.0.9", 5), 0) == []
    assert "4 datagrams refused" in one.status(0)
    assert "10.0.0.9" in one.status(0)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "c"]), max_size=3), st.data())
def test_no_sequence_of_messages_raises(senders: list[str], data: st.DataObject) -> None:
    number = st.integers(-messages.LARGEST, messages.LARGEST)
    text = st.text(
        st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=9
    )
    one = node()
    now_ns = 0
    for sender in senders * 4:
        now_ns += data.draw(st.sampled_from([0, MS, 300 * MS, -S, 90 * S]))
        n, t = data.draw(number), data.draw(text)
        epoch = abs(n) % messages.LARGEST_EPOCH
        some: list[messages.Message] = [
            messages.Beacon(sender, epoch, n, n, abs(n), "one", n, t, n, n, t, t),
            messages.Cue(sender, epoch, n, n, t, t),
            messages.Ping(sender, epoch, n, n, n, "one", n, t),
            messages.Pong(sender, epoch, n, n, n, n),
            messages.Request(sender, n, t),
        ]
        message = data.draw(st.sampled_from(some))
        one.receive(encode(message), f"at-{sender}", now_ns)
        for out in one.advance(now_ns):
            one.encode(out, now_ns)
    assert one.status(now_ns)


def test_a_broadcast_reaches_all_and_answers_go_to_one() -> None:
    peers = tuple(Peer(name) for name in NAMES)  # no address is known
    told = SyncSettings("a", peers, broadcast="everybody")
    one = SyncNode(told, rng=random.Random(1), local_ns=0)
    sent = run(one, 2 * S)
    assert {out.destinations for _, out in sent} == {("everybody",)}
    ping = messages.Ping("b", 1, 1, 0, -1, "", -1, "")
    (pong,) = one.receive(encode(ping), "at-b", 2 * S)
    assert pong.destinations == ("at-b",)
