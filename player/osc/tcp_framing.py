"""Where a packet begins and ends in a stream of bytes: SLIP (OSC 1.1) or a size before it (1.0).

A connection's first byte tells which: a size below 2^24 begins with 0, SLIP with END or with the
packet itself. No HTTP request and no TLS greeting begins so. Pure.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Protocol

from pythonosc import slip

from player.osc.packets import MAX_PACKET_BYTES

_LONGEST_ESCAPED = 2 * MAX_PACKET_BYTES
_SLIP_BEGINS = (slip.END, b"/", b"#")


class FramingError(Exception):
    """The stream cannot be followed any further; the text says why."""


class Framing(Protocol):
    """Of one connection. Holds the packet that has not come whole: 8 KiB at most, and what a read
    gives."""

    def packets(self, data: bytes) -> Iterator[bytes]:
        """Those that are whole with these bytes. Raises FramingError, after the good ones."""
        ...

    def framed(self, packet: bytes) -> bytes:
        """An answer's bytes in the stream."""
        ...


class SlipFraming:
    """END, the packet with END and ESC escaped, END (RFC 1055, with an END on both sides)."""

    def __init__(self) -> None:
        self._rest = b""

    def packets(self, data: bytes) -> Iterator[bytes]:
        *whole, self._rest = (self._rest + data).split(slip.END)
        for escaped in whole:
            if escaped:  # else between the END of one packet and that of the next
                yield _unescaped(escaped)
        _check(self._rest)

    def framed(self, packet: bytes) -> bytes:
        return bytes(slip.encode(packet))


class SizeFraming:
    """The packet's size as an int32 with the highest byte first, and the packet."""

    def __init__(self) -> None:
        self._rest = b""

    def packets(self, data: bytes) -> Iterator[bytes]:
        stream, at = self._rest + data, 0
        while len(stream) - at >= 4:
            (size,) = struct.unpack_from(">i", stream, at)
            if not 0 < size <= MAX_PACKET_BYTES:
                raise FramingError(
                    f"a packet of {size} bytes is announced; 1 to {MAX_PACKET_BYTES} are read"
                )
            if len(stream) - at < 4 + size:
                break
            yield stream[at + 4 : at + 4 + size]
            at += 4 + size
        self._rest = stream[at:]

    def framed(self, packet: bytes) -> bytes:
        return struct.pack(">i", len(packet)) + packet


def framing_of(first: bytes) -> Framing:
    """By the first byte of a connection. Raises FramingError if no framing of OSC begins so."""
    if first == b"\0":
        return SizeFraming()
    if first in _SLIP_BEGINS:
        return SlipFraming()
    raise FramingError("neither SLIP nor a packet's size: this is no OSC")


def _unescaped(escaped: bytes) -> bytes:
    _check(escaped)
    try:
        return bytes(slip.decode(escaped))
    except slip.ProtocolError:
        raise FramingError("in SLIP, an escape before a byte that is none of the two") from None


def _check(escaped: bytes) -> None:
    if len(escaped) > _LONGEST_ESCAPED:
        raise FramingError(f"a packet of more than {MAX_PACKET_BYTES} bytes")
