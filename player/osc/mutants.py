"""Valid OSC packets of every address, and what becomes of them in bad hands. Pure, by a seed."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from random import Random

from player.osc.packets import MAX_PACKET_BYTES, encode_bundle
from player.osc.table import BY_PATH
from player.osc.time_tags import IMMEDIATELY, time_tag

# UDP's own limit; the player reads 4096 and refuses the rest by its length.
LONGEST_BYTES = 65_507
_BUNDLE_MARK = b"#bundle\0"
_LENGTHS = (-(2**31), -4, -1, 0, 1, 3, 4, 2**15, 2**16, 2**24, 2**31 - 1)
WALL_NS = 1_800_000_000_000_000_000
"""The wall clock's time for all packets: those with a time tag are early or late by it."""
_AHEAD_S = (-(10**9), -60.0, -0.001, 0.0, 1e-9, 0.001, 0.033, 1.0, 59.9, 60.1, 3600.0, 10**9)
_TIME_TAGS = (
    *(0, IMMEDIATELY, 2, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1),
    *(time_tag(WALL_NS + round(ahead_s * 1e9)) for ahead_s in _AHEAD_S),
)
_TAGS = b"ifshdTFNIbtcrm[],\0 \xff"
_PATTERNS = (b"*", b"?", b"[a-z]", b"{ballad,play}", b"//", b"\\", b"%s", b"../", b"\xc3\xa9")
_ARGUMENTS: tuple[tuple[object, ...], ...] = (
    (),
    (0,),
    (1,),
    (7,),
    (0.5,),
    ("tam-lin",),
    ("3",),
    ("?",),
    (True,),
    (None,),
    (math.nan,),
    (math.inf,),
    (2**31 - 1,),
    (-(2**31),),
    (0.25, 0.75),
    (0.0, 0.1, 0.2, 0.3),
    (1.0, 0.9, 0.8),
    ("\u00e9" * 40,),
    ("9" * 400,),
)

Mutation = Callable[[Random, bytes, bytes], bytes]


def addresses() -> tuple[str, ...]:
    """Every address there is, screens 1 and 7 of seven, and some that there are not."""
    there = dict.fromkeys(
        path.replace("{screen}", number).replace("{group}", "left")
        for path in BY_PATH
        for number in ("1", "7")
    )
    wrong = ("/screen/0/gamma", "/screen/9999/gamma", "/screen/1/none", "/_peer", "/reply", "/")
    return (*there, *wrong)


def message(address: str, arguments: tuple[object, ...]) -> bytes:
    """An OSC message of these; written here, so that it can be wrong where packets.py could not."""
    tags, data = b",", b""
    for value in arguments:
        if isinstance(value, bool) or value is None:
            tags += {True: b"T", False: b"F", None: b"N"}[value]
        elif isinstance(value, int):
            tags, data = tags + b"i", data + struct.pack(">i", value)
        elif isinstance(value, float):
            tags, data = tags + b"f", data + struct.pack(">f", value)
        else:
            tags, data = tags + b"s", data + _padded(str(value).encode())
    return _padded(address.encode()) + _padded(tags) + data


def seeds() -> tuple[bytes, ...]:
    """Valid packets: every address with every kind of argument, and bundles of them."""
    single = [message(address, values) for address in addresses() for values in _ARGUMENTS]
    bundles = [encode_bundle(single[n : n + 5]) for n in range(0, len(single), 40)]
    timed = [encode_bundle(single[:5], tag) for tag in _TIME_TAGS]
    return (*single, *bundles, *timed, encode_bundle(single[:64]))


def mutants(number: int, count: int, valid: tuple[bytes, ...]) -> Iterator[bytes]:
    """`count` packets; the same for the same `number` and `valid`. None above LONGEST_BYTES."""
    dice = Random(number)
    pick, kinds = dice.random, MUTATIONS
    for _ in range(count):
        packet = valid[int(pick() * len(valid))]
        for _ in range(int(pick() * 4)):
            other = valid[int(pick() * len(valid))]
            packet = kinds[int(pick() * len(kinds))](dice, packet, other)
        yield packet[:LONGEST_BYTES]


def _flipped(dice: Random, packet: bytes, other: bytes) -> bytes:
    changed = bytearray(packet)
    for _ in range(1 + int(dice.random() * 3)):
        if changed:
            changed[int(dice.random() * len(changed))] ^= 1 << int(dice.random() * 8)
    return bytes(changed)


def _cut(dice: Random, packet: bytes, other: bytes) -> bytes:
    return packet[: int(dice.random() * (len(packet) + 1))]


def _beheaded(dice: Random, packet: bytes, other: bytes) -> bytes:
    return packet[int(dice.random() * (len(packet) + 1)) :]


def _repeated(dice: Random, packet: bytes, other: bytes) -> bytes:
    at = int(dice.random() * (len(packet) + 1))
    times = 1 << int(dice.random() * 5)
    return packet[:at] + packet[at : at + 32] * times + packet[at:]


def _spliced(dice: Random, packet: bytes, other: bytes) -> bytes:
    at = int(dice.random() * (len(packet) + 1)) & ~3
    return packet[:at] + other[at:]


def _nested(dice: Random, packet: bytes, other: bytes) -> bytes:
    for _ in range(1 + int(dice.random() * 10)):
        if len(packet) > MAX_PACKET_BYTES:
            break
        packet = encode_bundle([packet])
    return packet


def _bundled(dice: Random, packet: bytes, other: bytes) -> bytes:
    return encode_bundle([packet, other])


def _with_length(dice: Random, packet: bytes, other: bytes) -> bytes:
    at = int(dice.random() * (len(packet) + 1)) & ~3
    length = struct.pack(">i", _LENGTHS[int(dice.random() * len(_LENGTHS))])
    return packet[:at] + length + packet[at + 4 :]


def _with_tag(dice: Random, packet: bytes, other: bytes) -> bytes:
    at = packet.find(b",") + 1
    tag = int(dice.random() * len(_TAGS))
    return packet[:at] + _TAGS[tag : tag + 1] + packet[at + 1 :]


def _with_time(dice: Random, packet: bytes, other: bytes) -> bytes:
    """A bundle has another time; what is none becomes one."""
    time = _TIME_TAGS[int(dice.random() * len(_TIME_TAGS))]
    if packet.startswith(_BUNDLE_MARK):
        return packet[:8] + struct.pack(">Q", time) + packet[16:]
    return encode_bundle([packet], time)


def _with_pattern(dice: Random, packet: bytes, other: bytes) -> bytes:
    end = max(packet.find(b"\0"), 0)
    at = int(dice.random() * (end + 1))
    pattern = _PATTERNS[int(dice.random() * len(_PATTERNS))]
    rest = packet[end:].lstrip(b"\0")
    return _padded(packet[:at] + pattern + packet[at:end]) + rest


def _grown(dice: Random, packet: bytes, other: bytes) -> bytes:
    if dice.random() < 0.98:  # a long one costs as much as ten others
        return packet + packet[:64]
    return packet * (1 + MAX_PACKET_BYTES // (len(packet) + 1))


def _noise(dice: Random, packet: bytes, other: bytes) -> bytes:
    return dice.randbytes(int(dice.random() * 64))


MUTATIONS: tuple[Mutation, ...] = (
    _flipped,
    _cut,
    _beheaded,
    _repeated,
    _spliced,
    _nested,
    _bundled,
    _with_length,
    _with_tag,
    _with_time,
    _with_pattern,
    _grown,
    _noise,
)


def _padded(text: bytes) -> bytes:
    return text + b"\0" * (4 - len(text) % 4)
