"""OSC datagrams to messages and back, under bounds; python-osc only decodes and encodes here.

What is bounded, and why: python-osc alone lets UnicodeDecodeError and RecursionError escape,
logs (and so prints) unknown argument types, and sleeps until a time tag. Here every datagram gives
messages or one PacketError. Source of the format: the OSC 1.0 specification.
"""

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from pythonosc.osc_message import OscMessage, ParseError
from pythonosc.parsing import osc_types

from player.osc.time_tags import IMMEDIATELY, later

MAX_PACKET_BYTES = 4096
MAX_ADDRESS_CHARS = 128
MAX_ARGUMENTS = 16
MAX_BUNDLE_DEPTH = 8
MAX_BUNDLE_MESSAGES = 64
MAX_REPLY_CHARS = 4000

_BUNDLE_MARK = b"#bundle\0"
_BUNDLE_HEAD_BYTES = 16  # the mark and the time tag
# int32, float32, string, int64, double, true, false, nil
_PRINTABLE = re.compile(rb"[!-~]*")
_KNOWN_TYPES = frozenset("ifshdTFN")

Argument = int | float | str | bool | None


@dataclass(frozen=True)
class Message:
    """One decoded OSC message. time_tag: of the bundle it came in, see `player.osc.time_tags`."""

    address: str
    arguments: tuple[Argument, ...]
    time_tag: int = IMMEDIATELY


class PacketError(Exception):
    """A datagram that is no acceptable OSC; `address` is its address as far as it was legible."""

    def __init__(self, text: str, address: str = "") -> None:
        super().__init__(text)
        self.address = address


def decode_packet(data: bytes) -> tuple[Message, ...]:
    """The messages of one datagram, in order, each with its time tag.

    A bundle in another is to be no earlier than that one (OSC 1.0). One that is, such as one for
    "immediately" in one for later, has the time of the outer one: so nothing of a bundle is done
    before its time, and programs that leave the inner tag at 1 are understood.

    Raises PacketError if any part of it is malformed or over a bound: then none of it counts.
    """
    if len(data) > MAX_PACKET_BYTES:
        raise PacketError(f"a packet of {len(data)} bytes; at most {MAX_PACKET_BYTES} are read")
    messages: list[Message] = []
    pending: list[tuple[bytes, int, int]] = [(data, 0, IMMEDIATELY)]
    while pending:
        part, depth, time_tag = pending.pop()
        if not part.startswith(_BUNDLE_MARK):
            messages.append(_decode_message(part, time_tag))
            if len(messages) > MAX_BUNDLE_MESSAGES:
                raise PacketError(f"a bundle of more than {MAX_BUNDLE_MESSAGES} messages")
        elif depth >= MAX_BUNDLE_DEPTH:
            raise PacketError(f"bundles nested more than {MAX_BUNDLE_DEPTH} deep")
        else:
            elements = bundle_elements(part)
            time_tag = later(time_tag, _time_tag_of(part))
            pending.extend((element, depth + 1, time_tag) for element in reversed(elements))
    if not messages:
        raise PacketError("a bundle without a message")
    return tuple(messages)


def encode_reply(address: str, ok: bool, text: str) -> bytes:
    """The datagram `/reply address ok|error text`; over-long or unprintable text is cut."""
    words = (address[:MAX_ADDRESS_CHARS], "ok" if ok else "error", text[:MAX_REPLY_CHARS])
    return encode_message("/reply", "sss", [word.replace("\0", " ") for word in words])


def encode_message(address: str, types: str, arguments: Sequence[Argument]) -> bytes:
    """An OSC message of typed arguments: `h` and `i` are whole numbers of 64 and 32 bits, `f` is a
    number of 32 bits, `s` a text. What does not fit into `i` is sent as `h`.

    Raises ValueError for other letters, or values that do not fit them.
    """
    types = "".join(
        "h"
        if letter == "i" and isinstance(value, int) and not -(2**31) <= value < 2**31
        else letter
        for letter, value in zip(types, arguments, strict=True)
    )
    parts = [osc_types.write_string(address), osc_types.write_string("," + types)]
    # not by the message builder, which reads again, at length, what it has written
    for letter, value in zip(types, arguments, strict=True):
        if letter == "h" and isinstance(value, int):
            parts.append(osc_types.write_int64(value))
        elif letter == "i" and isinstance(value, int):
            parts.append(osc_types.write_int(value))
        elif letter == "f" and isinstance(value, int | float):
            parts.append(osc_types.write_float(float(value)))
        elif letter == "s" and isinstance(value, str):  # a lone surrogate has no UTF-8
            parts.append(osc_types.write_string(value.encode("utf-8", "replace").decode("utf-8")))
        else:
            raise ValueError(f"{value!r} is no argument of OSC type {letter!r}")
    return b"".join(parts)


def encode_bundle(messages: Sequence[bytes], time_tag: int = IMMEDIATELY) -> bytes:
    """An OSC bundle of encoded messages."""
    elements = (struct.pack(">i", len(message)) + message for message in messages)
    return _BUNDLE_MARK + struct.pack(">Q", time_tag) + b"".join(elements)


def bundle_elements(bundle: bytes) -> list[bytes]:
    """The direct elements of a bundle: after mark and time tag, each is an int32 size and bytes.

    Raises PacketError if the sizes do not fit.
    """
    elements: list[bytes] = []
    at = _BUNDLE_HEAD_BYTES
    if len(bundle) < at:
        raise PacketError("a bundle cut off in its time tag")
    while at < len(bundle):
        if at + 4 > len(bundle):
            raise PacketError("a bundle cut off before the size of an element")
        (size,) = struct.unpack_from(">i", bundle, at)
        at += 4
        if size <= 0 or size % 4 or at + size > len(bundle):
            raise PacketError(f"a bundle with an element of an impossible size ({size} bytes)")
        elements.append(bundle[at : at + size])
        at += size
    return elements


def _time_tag_of(bundle: bytes) -> int:
    (time_tag,) = struct.unpack_from(">Q", bundle, len(_BUNDLE_MARK))
    return int(time_tag)


def _decode_message(data: bytes, time_tag: int) -> Message:
    address, types_at = _address_of(data)
    types = _type_tags(data, types_at, address)
    unknown = sorted(set(types) - _KNOWN_TYPES)
    if unknown:
        raise PacketError(
            f"an argument of OSC type {unknown[0]!r}; "
            "only numbers, strings, true, false and nil are read",
            address,
        )
    if len(types) > MAX_ARGUMENTS:
        raise PacketError(f"{len(types)} arguments; at most {MAX_ARGUMENTS} are read", address)
    try:
        arguments = tuple(OscMessage(data).params)
    except (ParseError, ValueError, struct.error, IndexError, OverflowError) as fault:
        raise PacketError("arguments cut off or not decodable", address) from fault
    return Message(address, arguments, time_tag)


def _address_of(data: bytes) -> tuple[str, int]:
    """The address of a message, and the byte offset of what follows it."""
    if not data.startswith(b"/"):
        raise PacketError("not an OSC message: it must begin with '/' (or be a bundle)")
    end = data.find(b"\0", 0, MAX_ADDRESS_CHARS + 1)
    if end < 0:
        raise PacketError(f"an address without an end, or longer than {MAX_ADDRESS_CHARS}")
    raw = data[:end]
    if not _PRINTABLE.fullmatch(raw):
        raise PacketError("an address with characters outside printable ASCII")
    address = raw.decode("ascii")
    after = _padded(end + 1)
    if after > len(data):
        raise PacketError("an address not padded to four bytes", address)
    return address, after


def _type_tags(data: bytes, at: int, address: str) -> str:
    """The type tags after the comma; none if the message ends at its address."""
    if at == len(data):
        return ""
    end = data.find(b"\0", at)
    if data[at : at + 1] != b"," or end < 0 or _padded(end + 1) > len(data):
        raise PacketError("no OSC type tags (',' and a letter for each argument)", address)
    return data[at + 1 : end].decode("latin-1")


def _padded(size: int) -> int:
    """`size` bytes rounded up to a multiple of four."""
    return -(-size // 4) * 4
