"""The datagrams of clock sync: frozen values to OSC and back, every field typed and bounded.

An OSC message carries the protocol's version and then the fields of its class in their order;
whole numbers are OSC `h` (64 bits), texts OSC `s`. Nothing is a float. docs/sync.md has the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar

from player.osc import packets as osc_packets
from player.osc.packets import PacketError

PROTOCOL_VERSION = 1
MAX_NAME_CHARS = 64
MAX_HASH_CHARS = 64
MAX_STATE_BYTES = 3000
MAX_COMMAND_BYTES = 1000
MAX_APPLIED = 24  # request ids told in a beacon
# Whole numbers lie within this, so that sums of a few stay inside 64 bits.
LARGEST = 2**61
LARGEST_EPOCH = 2**48
MAX_NODES = 62  # a set of nodes is one whole number, a bit for each
UNSURE = -1  # the house time of a node that has none, or that knows its own clock to have leapt


class MessageError(Exception):
    """A datagram that is no message of this protocol; str() says why."""


@dataclass(frozen=True)
class Beacon:
    """From the leader, ten times a second: all that a node needs to join.

    sender: the leader's name. epoch: rises by one when another node takes over. sequence: counts
    the leader's beacons. house_ns: house time when sent. followers: bit n set when the node at
    place n of the list follows. show_hash: which show. checksum_tick, checksum: the leader's
    latents on a tick. version, effective_tick, text: the newest state of the show, see Cue.
    applied: the requests taken latest, as hexadecimal numbers with spaces between.
    """

    ADDRESS: ClassVar[str] = "/sync/beacon"
    sender: str
    epoch: int
    sequence: int
    house_ns: int
    followers: int
    show_hash: str
    checksum_tick: int
    checksum: str
    version: int
    effective_tick: int
    text: str
    applied: str


@dataclass(frozen=True)
class Cue:
    """From the leader, five times within 120 ms: a new state and the tick it takes effect on.

    version: counts the states, over all epochs. text: the whole state; sync does not read it.
    """

    ADDRESS: ClassVar[str] = "/sync/cue"
    sender: str
    epoch: int
    version: int
    effective_tick: int
    text: str
    applied: str


@dataclass(frozen=True)
class Ping:
    """From a follower to its leader: a question for the time, and how the follower is.

    number: comes back in the answer. sent_ns: the asker's local time. house_ns: house time as the
    asker has it, or UNSURE. checksum_tick, checksum: the asker's latents, tick -1: none.
    """

    ADDRESS: ClassVar[str] = "/sync/ping"
    sender: str
    epoch: int
    number: int
    sent_ns: int
    house_ns: int
    show_hash: str
    checksum_tick: int
    checksum: str


@dataclass(frozen=True)
class Pong:
    """The answer: number and sent_ns as asked, and house time at receipt and at sending."""

    ADDRESS: ClassVar[str] = "/sync/pong"
    sender: str
    epoch: int
    number: int
    sent_ns: int
    received_ns: int
    answered_ns: int


@dataclass(frozen=True)
class Request:
    """From a follower to its leader: an operator's command; the same number is the same command."""

    ADDRESS: ClassVar[str] = "/sync/command"
    sender: str
    number: int
    text: str


@dataclass(frozen=True)
class Acknowledgement:
    """From the leader: the request is in its hands."""

    ADDRESS: ClassVar[str] = "/sync/ack"
    sender: str
    number: int


@dataclass(frozen=True)
class Hello:
    """To a node whose seal is not known yet: prove that you are not a recording. Sealed only."""

    ADDRESS: ClassVar[str] = "/sync/hello"
    sender: str
    nonce: int


@dataclass(frozen=True)
class Welcome:
    """The proof: the nonce comes back under the answerer's seal."""

    ADDRESS: ClassVar[str] = "/sync/welcome"
    sender: str
    nonce: int


Message = Beacon | Cue | Ping | Pong | Request | Acknowledgement | Hello | Welcome
_CLASSES: tuple[type[Message], ...] = (
    Beacon,
    Cue,
    Ping,
    Pong,
    Request,
    Acknowledgement,
    Hello,
    Welcome,
)
_BY_ADDRESS: Mapping[str, type[Message]] = {one.ADDRESS: one for one in _CLASSES}
_FIELDS: Mapping[str, tuple[tuple[str, bool], ...]] = {
    one.ADDRESS: tuple((field.name, field.type == "str") for field in fields(one))
    for one in _CLASSES
}
_MAX_BYTES = {
    "sender": MAX_NAME_CHARS,
    "show_hash": MAX_HASH_CHARS,
    "checksum": MAX_HASH_CHARS,
    "text": MAX_STATE_BYTES,
    "applied": MAX_APPLIED * 17,
}


def encode(message: Message) -> bytes:
    """The OSC message. Raises MessageError if a field is out of its bounds."""
    types, values = "h", [PROTOCOL_VERSION]
    arguments: list[osc_packets.Argument] = list(values)
    for name, is_text in _FIELDS[message.ADDRESS]:
        value = getattr(message, name)
        _check(message.ADDRESS, name, is_text, value)
        types += "s" if is_text else "h"
        arguments.append(value)
    return osc_packets.encode_message(message.ADDRESS, types, arguments)


def decode(data: bytes) -> Message:
    """The message of a datagram (its seal taken off). Raises MessageError with a sentence."""
    try:
        packet = osc_packets.decode_packet(data)
    except PacketError as fault:
        raise MessageError(f"no OSC: {fault}") from fault
    if len(packet) != 1:
        raise MessageError(f"{len(packet)} OSC messages at once; clock sync sends one")
    address, arguments = packet[0].address, packet[0].arguments
    made = _BY_ADDRESS.get(address)
    if made is None:
        raise MessageError(f"{address[:40]} is no address of clock sync")
    if not arguments or type(arguments[0]) is not int:
        raise MessageError(f"{address} without the protocol's version")
    if arguments[0] != PROTOCOL_VERSION:
        raise MessageError(
            f"{address} of protocol version {arguments[0]}; this player speaks "
            f"{PROTOCOL_VERSION}: update the older one"
        )
    wanted = _FIELDS[address]
    if len(arguments) != len(wanted) + 1:
        raise MessageError(f"{address} takes {len(wanted) + 1} arguments, not {len(arguments)}")
    values: dict[str, osc_packets.Argument] = {}
    for (name, is_text), value in zip(wanted, arguments[1:], strict=True):
        _check(address, name, is_text, value)
        values[name] = value
    return made(**values)  # type: ignore[arg-type]


def _check(address: str, name: str, is_text: bool, value: object) -> None:
    if is_text:
        most = MAX_COMMAND_BYTES if address == Request.ADDRESS and name == "text" else None
        most = most or _MAX_BYTES[name]
        if not isinstance(value, str):
            raise MessageError(f"{address}: {name} must be a text")
        if "\0" in value or len(value.encode("utf-8", "replace")) > most:
            raise MessageError(f"{address}: {name} is longer than {most} bytes, or holds a zero")
        return
    if type(value) is not int:
        raise MessageError(f"{address}: {name} must be a whole number")
    largest = LARGEST_EPOCH if name == "epoch" else LARGEST
    if not -largest <= value <= largest or (value < 0 and name in ("epoch", "followers")):
        raise MessageError(f"{address}: {name} is out of bounds ({value})")
