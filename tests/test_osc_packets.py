import struct
from typing import Any

import pytest
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from player.osc.packets import (
    MAX_BUNDLE_DEPTH,
    MAX_PACKET_BYTES,
    Message,
    PacketError,
    decode_packet,
    encode_reply,
)


def packet(address: str, *args: Any) -> bytes:
    builder = OscMessageBuilder(address=address)
    for arg in args:
        builder.add_arg(arg)
    return bytes(builder.build().dgram)


def bundle(*elements: bytes, time_tag: int = 1) -> bytes:
    body = b"".join(struct.pack(">i", len(element)) + element for element in elements)
    return b"#bundle\0" + struct.pack(">Q", time_tag) + body


def test_a_message_with_every_known_type() -> None:
    data = packet("/a", 1, 2.5, "three", True, False, None)
    assert decode_packet(data) == (Message("/a", (1, 2.5, "three", True, False, None)),)
    wide = b"/a\0\0,hd\0" + struct.pack(">qd", 2**40, 0.1)
    assert decode_packet(wide)[0].arguments == (2**40, 0.1)


def test_a_message_that_ends_at_its_address_has_no_arguments() -> None:
    assert decode_packet(b"/status\0") == (Message("/status", ()),)


def test_a_bundle_gives_its_messages_in_order_whatever_its_time() -> None:
    far_future = 2**64 - 1
    data = bundle(
        packet("/a"), bundle(packet("/b"), packet("/c")), packet("/d"), time_tag=far_future
    )
    assert [message.address for message in decode_packet(data)] == ["/a", "/b", "/c", "/d"]


def nested(depth: int) -> bytes:
    data = packet("/a")
    for _ in range(depth):
        data = bundle(data)
    return data


def test_nesting_is_bounded() -> None:
    assert decode_packet(nested(MAX_BUNDLE_DEPTH)) == (Message("/a", ()),)
    with pytest.raises(PacketError, match="nested"):
        decode_packet(nested(MAX_BUNDLE_DEPTH + 1))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "begin with '/'"),
        (b"hello\0\0\0", "begin with '/'"),
        (b"/" * (MAX_PACKET_BYTES + 1), "4097 bytes"),
        (b"/" + b"a" * 128 + b"\0\0\0,\0\0\0", "longer than 128"),
        (b"/abcdefg", "without an end"),
        (b"/a b\0\0\0\0,\0\0\0", "ASCII"),
        (b"/\xff\xfe\0,\0\0\0", "ASCII"),
        (b"/a\0", "padded"),
        (b"/a\0\0i\0\0\0", "type tags"),
        (b"/a\0\0,i", "type tags"),
        (b"/a\0\0,i\0\0\0\0", "cut off"),
        (b"/a\0\0,s\0\0abcd", "cut off"),
        (b"/a\0\0,s\0\0\xff\xfe\0\0", "not decodable"),
        (b"/a\0\0,I\0\0", "type 'I'"),
        (b"/a\0\0,[]\0", "type '['"),
        (b"/a\0\0,b\0\0\0\0\0\0", "type 'b'"),
        (b"/a\0\0," + b"T" * 17 + b"\0\0", "17 arguments"),
        (b"#bundle\0", "time tag"),
        (bundle(), "without a message"),
        (bundle(packet("/a")) + b"\0\0", "before the size"),
        (bundle() + struct.pack(">i", 400) + b"/a\0\0", "impossible size"),
        (bundle() + struct.pack(">i", -4) + b"/a\0\0", "impossible size"),
        (bundle(*[packet("/a")] * 65), "more than 64"),
    ],
)
def test_what_is_refused_is_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(PacketError) as caught:
        decode_packet(data)
    assert said in str(caught.value)


def test_the_address_of_a_bad_message_is_kept_for_the_answer() -> None:
    with pytest.raises(PacketError) as caught:
        decode_packet(b"/ballad\0,b\0\0\0\0\0\0")
    assert caught.value.address == "/ballad"


def test_a_reply_can_be_decoded_and_is_cut_to_a_packet() -> None:
    reply = OscMessage(encode_reply("/ballad", True, "it is Twa Corbiès"))
    assert (reply.address, reply.params) == ("/reply", ["/ballad", "ok", "it is Twa Corbiès"])
    odd = OscMessage(encode_reply("/" + "x" * 9999, False, "a\0b\udcff" + "y" * 9999))
    assert odd.params[1] == "error"
    assert odd.params[2].startswith("a b?y")
    assert odd.size < 4500
