"""Datagrams of clock sync: every field through OSC and back, and nothing else let in."""

from __future__ import annotations

import contextlib
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_message import OscMessage

from player.osc import packets as osc_packets
from player.osc.packets import MAX_PACKET_BYTES, decode_packet, encode_message
from player.sync import messages, seal
from player.sync.gatekeeper import Gatekeeper
from player.sync.messages import MAX_STATE_BYTES, Message, MessageError, decode, encode
from player.sync.requests import applied_numbers
from player.sync.seal import KeyFileError, Seal, admitted, opened, proven, read_key, sealed

KEY = b"sixteen bytes or more of it"
BEACON = messages.Beacon("a", 3, 17, 123, 0b101, "show", 300, "sum", 4, 90, '{"x": "ü"}', "a1 b2")
ALL: list[Message] = [
    BEACON,
    messages.Cue("a", 3, 5, 96, "text", "a1"),
    messages.Ping("b", 3, 1, -5, -1, "show", -1, ""),
    messages.Pong("a", 3, 1, -5, 10**15, 10**15 + 1),
    messages.Request("b", 2**60, "/ballad 3"),
    messages.Acknowledgement("a", 2**60),
    messages.Hello("a", 7),
    messages.Welcome("b", 7),
]


@pytest.mark.parametrize("message", ALL, ids=lambda message: message.ADDRESS)
def test_a_message_comes_back_as_it_was(message: Message) -> None:
    data = encode(message)
    assert decode(data) == message
    told = OscMessage(data)  # and as other programs read it
    assert told.address == message.ADDRESS
    assert told.params[0] == messages.PROTOCOL_VERSION


def test_whole_numbers_are_sent_as_64_bits() -> None:
    data = encode(BEACON)
    assert b",hshhhhshshhss\0" in data
    assert b"/sync/beacon\0" in data


def test_the_longest_beacon_fits_into_a_packet() -> None:
    longest = replace(
        BEACON,
        sender="n" * 64,
        show_hash="f" * 64,
        checksum="e" * 64,
        text="x" * MAX_STATE_BYTES,
        applied=" ".join(["f" * 16] * messages.MAX_APPLIED),
    )
    assert len(sealed(encode(longest), KEY, Seal(1, 2, 3))) <= MAX_PACKET_BYTES


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (replace(BEACON, text="x" * 3001), "text is longer"),
        (replace(BEACON, text="ü" * 1501), "text is longer"),
        (replace(BEACON, text="a\0b"), "holds a zero"),
        (replace(BEACON, epoch=-1), "epoch is out of bounds"),
        (replace(BEACON, epoch=2**50), "epoch is out of bounds"),
        (replace(BEACON, house_ns=2**62), "house_ns is out of bounds"),
        (replace(BEACON, sender="n" * 65), "sender is longer"),
        (messages.Request("b", 1, "x" * 1001), "text is longer"),
    ],
)
def test_what_is_out_of_bounds_is_not_sent(changed: Message, said: str) -> None:
    with pytest.raises(MessageError, match=said):
        encode(changed)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no OSC"),
        (b"/sync/beacon", "no OSC"),
        (encode_message("/ballad", "h", [1]), "no address of clock sync"),
        (encode_message("/sync/ack", "", []), "without the protocol's version"),
        (encode_message("/sync/ack", "s", ["1"]), "without the protocol's version"),
        (encode_message("/sync/ack", "hsh", [2, "a", 1]), "version 2.*update"),
        (encode_message("/sync/ack", "hs", [1, "a"]), "takes 3 arguments, not 2"),
        (encode_message("/sync/ack", "hss", [1, "a", "b"]), "number must be a whole number"),
        (encode_message("/sync/ack", "hhh", [1, 1, 1]), "sender must be a text"),
        (encode_message("/sync/ack", "hsh", [1, "a", 2**62]), "out of bounds"),
        (osc_packets.encode_bundle([encode(ALL[5]), encode(ALL[5])]), "2 OSC messages"),
    ],
)
def test_what_is_no_message_is_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(MessageError, match=said):
        decode(data)


@given(st.binary(max_size=300), st.integers(0, 7), st.data())
def test_no_bytes_raise_anything_else(junk: bytes, which: int, data: st.DataObject) -> None:
    good = bytearray(encode(ALL[which]))
    for _ in range(data.draw(st.integers(0, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    for datagram in (junk, bytes(good), b"#bundle\0" + junk):
        for key in (None, KEY):
            with contextlib.suppress(MessageError):
                assert decode(opened(datagram, key)[0]).sender is not None


def test_applied_numbers_pass_over_nonsense() -> None:
    assert applied_numbers("a1 zz  -3 0x5 ff ٣ " + "1" * 17) == (0xA1, 0xFF)


# -- the seal ----------------------------------------------------------------------------------


def test_a_sealed_datagram_opens_with_its_key_alone() -> None:
    its_seal = Seal(11, 22, 33)
    datagram = sealed(encode(BEACON), KEY, its_seal)
    assert opened(datagram, KEY) == (encode(BEACON), its_seal)
    assert [message.address for message in decode_packet(datagram)] == [
        "/sync/beacon",
        "/sync/seal",
    ]
    with pytest.raises(MessageError, match="another key"):
        opened(datagram, b"another key altogether")
    with pytest.raises(MessageError, match="this node has none"):
        opened(datagram, None)
    with pytest.raises(MessageError, match="not sealed"):
        opened(encode(BEACON), KEY)


def test_no_changed_byte_is_accepted() -> None:
    datagram = sealed(encode(ALL[5]), KEY, Seal(1, 2, 3))
    for at in range(len(datagram)):
        changed = bytearray(datagram)
        changed[at] ^= 1
        with pytest.raises(MessageError):
            opened(bytes(changed), KEY)


def test_a_sequence_counts_once_and_in_its_time() -> None:
    known = proven(Seal(9, 100, 5_000), local_ns=0)
    after, is_taken = admitted(known, Seal(9, 103, 5_100), 100)
    assert is_taken and after is not None
    for sequence, expected in ((103, False), (101, True), (101, False), (100, False), (99, False)):
        after, is_taken = admitted(after, Seal(9, sequence, 5_100), 100)
        assert is_taken is expected and after is not None
    too_old = Seal(9, 103 - seal.SEQUENCE_WINDOW, 5_100)
    assert admitted(after, too_old, 100) == (after, False)
    # another start of the same node, or a recording played later: only a fresh proof helps
    assert admitted(after, Seal(8, 104, 5_100), 100) == (None, False)
    assert admitted(after, Seal(9, 104, 5_100), 100 + 6_000_000_000) == (None, False)
    assert admitted(None, Seal(9, 104, 5_100), 100) == (None, False)


def gate(name: str, seed: int, key: bytes | None = KEY) -> Gatekeeper:
    return Gatekeeper(name, {"a", "b"} - {name}, key, random.Random(seed))


def test_a_sender_is_let_in_after_its_proof_and_a_recording_never() -> None:
    a, b = gate("a", 1), gate("b", 2)
    recorded = a.encode(BEACON, 0)
    message, question = b.admit(recorded, 10)
    assert message is None and isinstance(question, messages.Hello)
    assert b.admit(a.encode(BEACON, 1), 11) == (None, None)  # asked already, a moment ago
    nothing, answer = a.admit(b.encode(question, 20), 20)
    assert nothing is None and isinstance(answer, messages.Welcome)
    proof = a.encode(answer, 30)
    assert b.admit(proof, 30) == (None, None)
    assert b.admit(a.encode(BEACON, 40), 40) == (BEACON, None)
    for old in (recorded, proof):
        with pytest.raises(MessageError):
            b.admit(old, 50)
    # a has been started anew; what was recorded of its earlier life proves nothing
    a_again = gate("a", 3)
    assert isinstance(b.admit(a_again.encode(BEACON, 0), 10**9)[1], messages.Hello)
    with pytest.raises(MessageError, match=r"nobody asked for|sent again"):
        b.admit(proof, 10**9 + 1)


def test_who_was_not_heard_for_ten_seconds_is_asked_again() -> None:
    a, b = gate("a", 1), gate("b", 2)
    (name, question), *more = b.hellos(0)
    assert (name, more) == ("a", [])
    _, answer = a.admit(b.encode(question, 0), 0)
    assert answer is not None
    b.admit(a.encode(answer, 1), 1)
    assert b.hellos(9_000_000_000) == []
    assert b.admit(a.encode(BEACON, 9), 9_000_000_000 + 1)[0] is None  # out of its time
    assert [name for name, _ in b.hellos(10_000_000_001)] == ["a"]
    assert gate("a", 1, key=None).hellos(0) == []


def test_strangers_and_our_own_echo_are_not_obeyed() -> None:
    a = gate("a", 1, key=None)
    assert a.admit(encode(BEACON), 0) == (None, None)
    with pytest.raises(MessageError, match="'x', which is no node"):
        a.admit(encode(replace(BEACON, sender="x")), 0)
    with pytest.raises(MessageError, match="without a key"):
        a.admit(encode(messages.Hello("b", 1)), 0)


def test_the_key_file(tmp_path: Path) -> None:
    file = tmp_path / "sync.key"
    file.write_bytes(b"  0123456789abcdef\n")
    assert read_key(file) == b"0123456789abcdef"
    file.write_bytes(b"short\n")
    with pytest.raises(KeyFileError, match=r"16 to 4096 bytes, it has 5.*token_hex"):
        read_key(file)
    file.write_bytes(b"x" * 5000)
    with pytest.raises(KeyFileError, match="16 to 4096"):
        read_key(file)
    with pytest.raises(KeyFileError, match="cannot be read"):
        read_key(tmp_path / "none")


def test_only_typed_arguments_are_encoded() -> None:
    assert OscMessage(encode_message("/a", "hs", [-1, "\udcff"])).params == [-1, "?"]
    assert OscMessage(encode_message("/a", "iif", [7, 2**40, 0.5])).params == [7, 2**40, 0.5]
    for types, value in (("s", 1), ("h", "1"), ("i", 0.5), ("f", "1"), ("d", 1.0)):
        with pytest.raises(ValueError, match="OSC type"):
            encode_message("/a", types, [value])
