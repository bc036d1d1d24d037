"""Packets out of a stream, however it is cut: SLIP and sizes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from player.osc.packets import MAX_PACKET_BYTES
from player.osc.tcp_framing import Framing, FramingError, SizeFraming, SlipFraming, framing_of

packets = st.lists(st.one_of(st.binary(min_size=1, max_size=40), st.just(b"\xc0\xdb\xdc\xdd")))
END, ESC = b"\xc0", b"\xdb"


@pytest.mark.parametrize(
    ("packet", "framed"),
    [
        (b"/a", b"\xc0/a\xc0"),
        (b"\xc0", b"\xc0\xdb\xdc\xc0"),
        (b"\xdb", b"\xc0\xdb\xdd\xc0"),
        (b"\xdb\xdc", b"\xc0\xdb\xdd\xdc\xc0"),
    ],
)
def test_slip_is_that_of_rfc_1055_with_an_end_on_both_sides(packet: bytes, framed: bytes) -> None:
    assert SlipFraming().framed(packet) == framed
    assert list(SlipFraming().packets(framed)) == [packet]


def test_a_size_is_four_bytes_with_the_highest_first() -> None:
    assert SizeFraming().framed(b"/abc") == b"\0\0\0\4/abc"


@pytest.mark.parametrize("kind", [SlipFraming, SizeFraming])
@given(sent=packets, cuts=st.lists(st.integers(1, 30), min_size=1, max_size=20))
@settings(max_examples=60)
def test_packets_come_whole_however_the_stream_is_cut(
    kind: type[Framing], sent: list[bytes], cuts: list[int]
) -> None:
    framing, stream = kind(), b"".join(kind().framed(packet) for packet in sent)
    got: list[bytes] = []
    turn = 0
    while stream:
        size = cuts[turn % len(cuts)]
        got += framing.packets(stream[:size])
        stream, turn = stream[size:], turn + 1
    assert got == sent


def test_slip_with_one_end_or_with_many_is_read() -> None:
    assert list(SlipFraming().packets(b"/a\xc0/b\xc0")) == [b"/a", b"/b"]
    assert list(SlipFraming().packets(END * 50 + b"/a" + END * 3 + b"/b" + END)) == [b"/a", b"/b"]


@pytest.mark.parametrize(
    ("first", "kind"),
    [(b"\0", SizeFraming), (END, SlipFraming), (b"/", SlipFraming), (b"#", SlipFraming)],
)
def test_the_first_byte_tells_the_framing(first: bytes, kind: type[Framing]) -> None:
    assert isinstance(framing_of(first), kind)


@pytest.mark.parametrize("begins", [b"GET / HTTP/1.1", b"POST /", b"\x16\x03\x01", b"\xff", b"\1"])
def test_pages_and_other_programs_are_no_osc(begins: bytes) -> None:
    with pytest.raises(FramingError, match="no OSC"):
        framing_of(begins[:1])


@pytest.mark.parametrize(
    ("framing", "stream", "said"),
    [
        (SlipFraming(), b"\xc0/a\xdbx\xc0", "escape"),
        (SlipFraming(), b"\xc0/a\xdb\xc0", "escape"),
        (SlipFraming(), b"/" * (2 * MAX_PACKET_BYTES + 1), "more than 4096"),
        (SlipFraming(), b"\xc0" + b"/" * (2 * MAX_PACKET_BYTES + 1) + b"\xc0", "more than 4096"),
        (SizeFraming(), bytes(4), "a packet of 0 bytes"),
        (SizeFraming(), struct.pack(">i", -4), "a packet of -4 bytes"),
        (SizeFraming(), struct.pack(">i", MAX_PACKET_BYTES + 1), "4097 bytes"),
    ],
)
def test_a_stream_that_cannot_be_followed_ends_in_words(
    framing: Framing, stream: bytes, said: str
) -> None:
    good = framing.framed(b"/good")
    got: list[bytes] = []
    with pytest.raises(FramingError, match=said):
        got.extend(framing.packets(good + stream))
    assert got == [b"/good"]


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=20))
@settings(max_examples=100)
def test_no_stream_raises_anything_else_or_is_kept_for_ever(parts: list[bytes]) -> None:
    for framing in (SlipFraming(), SizeFraming()):
        try:
            for part in parts:
                list(framing.packets(part))
                assert len(framing._rest) <= 2 * MAX_PACKET_BYTES
        except FramingError:
            pass
